/**
 * What decides who may connect and what they may do: three narrow contracts, each answered at once
 * or by a promise. Password files, access files and plugins implement them, and `chain.ts` asks
 * them in order, once per listener's settings.
 *
 * The idea: a decider says yes, says no, or leaves it to the next. Nobody left to say yes is no.
 *
 * @module
 */

import type { Client, ConnectRequest, Publisher } from "../core/broker/question.ts";
import type { ReasonCode } from "../core/codec/reason_code.ts";
import type { Properties } from "../core/codec/property.ts";
import type { QoS } from "../core/codec/protocol.ts";

/**
 * `"ignore"`: as if the decider were not there. `"defer"`: the next one decides, and if there is
 * none the answer is no, or for a client without user name what `allow_anonymous` says. A reason
 * code is final; success grants.
 */
export type Verdict = "ignore" | "defer" | ReasonCode;

/** Either now or later. */
export type Eventual<T> = T | Promise<T>;

/** Decides who may connect. */
export interface Authenticator {
  /** For messages to the operator. */
  readonly name: string;
  authenticate(request: ConnectRequest): Eventual<Verdict>;
  /**
   * What lets this user in at present: text that changes when the user would have to log in anew,
   * and that is never shown. A client that it let in is sent away once a reload has changed it.
   */
  credentialOf?(username: string): string | undefined;
  /** The Authentication Methods of version 5 that it knows. */
  readonly methods?: readonly string[];
  /** One step of an enhanced authentication (section 4.12 of the standard). */
  exchange?(step: ExchangeStep): Eventual<ExchangeReply>;
}

export interface ExchangeStep {
  readonly request: ConnectRequest;
  readonly method: string;
  readonly data: Uint8Array | undefined;
  readonly isReauthentication: boolean;
}

export interface ExchangeReply {
  /** `CONTINUE_AUTHENTICATION` sends `data` and waits for the client's next AUTH. */
  readonly reasonCode: ReasonCode;
  readonly data?: Uint8Array;
  readonly username?: string;
  readonly reasonString?: string;
}

/** Decides what a client may do. Topics are those inside the broker, mount point included. */
export interface Authorizer {
  readonly name: string;
  publish?(client: Client, topic: string, qos: QoS, retain: boolean): Eventual<Verdict>;
  subscribe?(client: Client, filter: string, qos: QoS): Eventual<Verdict>;
  unsubscribe?(client: Client, filter: string): Verdict;
  /** At once, because one message may have thousands of receivers. */
  deliver?(client: Client, topic: string): Verdict;
  /** Asked once per client, and then in place of `publish` and `deliver`. */
  rulesFor?(client: Publisher): TopicRules;
  /** Whether what this client had retained may still be given out; at once. */
  hasRetained?(publisher: Publisher, topic: string): Verdict;
}

/**
 * What one client may do, where that depends on nothing but the topic. Both answers may be
 * remembered until the deciders change.
 */
export interface TopicRules {
  publish(topic: string): Verdict;
  deliver(topic: string): Verdict;
}

/** A message on its way in, before it is routed. */
export interface InboundMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** Is told what happens, and may change or stop a message. */
export interface Observer {
  readonly name: string;
  /** The message to publish instead, the same one, or `undefined` to drop it. */
  message?(client: Client, message: InboundMessage): Eventual<InboundMessage | undefined>;
  connected?(client: Client): void;
  disconnected?(client: Client, cause: string): void;
}
