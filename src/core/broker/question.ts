/**
 * What the broker asks before it lets a client do something. A `Policy` answers at once from
 * memory, or says that somebody outside has to be asked: then a `Question` leaves the broker, the
 * connection waits, and the driver brings the `Answer` back as an input.
 *
 * Deliveries are the exception: they are decided at once, always, because one message may have a
 * thousand of them.
 *
 * @module
 */

import type { ProtocolVersion, QoS } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { MessageContents } from "../session/message_contents.ts";
import type { ListenerSettings, Peer } from "../session/peer.ts";

/** Granted, a reason code of refusal, or `ASK`: the answer will come from outside. */
export type Decision = ReasonCode | typeof ASK;

/** As a {@linkcode Decision}; `ASK_MESSAGE` has the outside see the message itself as well. */
export type PublishDecision = Decision | typeof ASK_MESSAGE;

/** The decision that is not made here. */
export const ASK = -1;

/** As `ASK`, and somebody wants to see the message, who may change or drop it. */
export const ASK_MESSAGE = -2;

/** Who wants to connect. */
export interface ConnectRequest {
  readonly peer: Peer;
  readonly listener: ListenerSettings;
  readonly clientId: string;
  readonly protocolVersion: ProtocolVersion;
  /** That of the CONNECT, or the identity that the listener takes in its place. */
  readonly username: string | undefined;
  /** The user name is an identity that TLS has proven: no password is to be asked for. */
  readonly isIdentified: boolean;
  /** Never to be logged. */
  readonly password: Uint8Array | undefined;
  readonly isBridge: boolean;
  /** What the policy, or who answers, notes here becomes the notes of the accepted client. */
  policyNotes?: unknown;
}

/** A client that has connected, now or before: its session goes on without a connection. */
export interface Client {
  readonly clientId: string;
  readonly username: string | undefined;
  /** The listener that it last came in by; `undefined` for one that a store brought back. */
  readonly listener: ListenerSettings | undefined;
  /** The policy's own notes about this client; the broker only keeps them. */
  policyNotes: unknown;
}

/** Who published a retained message, as far as that is kept with it. */
export interface Publisher {
  /** `""` for the broker itself. */
  readonly clientId: string;
  readonly username: string | undefined;
}

/** Decides from memory. Each method is called for each case, so it should be quick. */
export interface Policy {
  /**
   * Everybody may publish, subscribe and receive everything that is not reserved, so that none of
   * the methods below `connect` need be asked. It may change at any time; without it they are.
   */
  readonly isOpenForTopics?: boolean;
  connect(request: ConnectRequest): Decision;
  /** Whether a version 5 client may use this Authentication Method; the exchange is then asked. */
  hasAuthenticationMethod(method: string): boolean;
  publish(client: Client, topic: string, qos: QoS, retain: boolean): PublishDecision;
  subscribe(client: Client, filter: string, qos: QoS): Decision;
  unsubscribe(client: Client, filter: string): Decision;
  /** Whether a message of this topic may reach the client. */
  deliver(client: Client, topic: string): boolean;
  /** Whether what this client has had retained under the topic may still be given out. */
  hasRetained(publisher: Publisher, topic: string): boolean;
}

/** Something only the outside can decide. The connection's packets wait for its answer. */
export type Question =
  | { readonly kind: "connect"; readonly id: number; readonly request: ConnectRequest }
  | {
    /** Part of an exchange of AUTH packets; the first carries what CONNECT brought. */
    readonly kind: "authenticate";
    readonly id: number;
    readonly request: ConnectRequest;
    readonly method: string;
    readonly data: Uint8Array | undefined;
    readonly isReauthentication: boolean;
  }
  | {
    readonly kind: "publish";
    readonly id: number;
    readonly client: Client;
    readonly topic: string;
    readonly qos: QoS;
    readonly retain: boolean;
    /** After `ASK_MESSAGE`: all of the message. */
    readonly message?: MessageContents;
    /**
     * The message is what an earlier answer made of it, and goes elsewhere or otherwise than what
     * was asked about: only the permission is in question.
     */
    readonly isReplaced?: boolean;
  }
  | {
    readonly kind: "subscribe";
    readonly id: number;
    readonly client: Client;
    /** The filters that the policy did not decide itself, as requested. */
    readonly filters: readonly { readonly filter: string; readonly qos: QoS }[];
  };

/** An answer to a question. */
export type Answer =
  | {
    readonly kind: "connect";
    readonly reasonCode: ReasonCode;
    readonly reasonString?: string;
    /** Replaces the user name, for example by an identity. */
    readonly username?: string;
  }
  | {
    readonly kind: "authenticate";
    /** `CONTINUE_AUTHENTICATION` sends `data` and waits for the client's next AUTH. */
    readonly reasonCode: ReasonCode;
    readonly reasonString?: string;
    readonly data?: Uint8Array;
    readonly username?: string;
  }
  | {
    readonly kind: "publish";
    readonly reasonCode: ReasonCode;
    /** Published instead, when the question brought a message. Its topic is asked about again. */
    readonly message?: MessageContents;
    /** The message goes nowhere, and its client is told that it was taken. */
    readonly isDropped?: boolean;
  }
  /** One reason code per filter of the question; success grants the requested QoS. */
  | { readonly kind: "subscribe"; readonly reasonCodes: readonly ReasonCode[] };

/** Lets everybody do everything; what a broker does that was given no policy. */
export const OPEN_POLICY: Policy = Object.freeze({
  connect: () => ReasonCode.SUCCESS,
  hasAuthenticationMethod: () => false,
  publish: () => ReasonCode.SUCCESS,
  subscribe: () => ReasonCode.SUCCESS,
  unsubscribe: () => ReasonCode.SUCCESS,
  deliver: () => true,
  hasRetained: () => true,
});
