// What honest clients know, written down in the plainest way: what they sent and when, what they
// were promised, what they got. The checkers read it when a run is over and compare it with what
// MQTT promises. Nothing here asks the broker anything.
//
// "When" is the number of the step in which it happened, so two things can always be told apart.

import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { matches } from "../../src/core/topic/filter.ts";

/** A message that an honest client has sent. */
export interface SentMessage {
  /** Its payload begins with it; `""` for an empty payload, which no one can tell apart. */
  readonly id: string;
  readonly publisher: string;
  /** Counts the publisher's messages. */
  readonly number: number;
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly sentAt: number;
  /** It is worth nothing after so many seconds; `undefined` if it always is. */
  readonly expirySeconds: number | undefined;
  /** When its acknowledgement came; `Infinity` before, or when it never will. */
  acknowledgedAt: number;
  /** The same as an instant. */
  acknowledgedMs: number;
  /** The acknowledgement said no. */
  isRefused: boolean;
  /** It was sent again on a later connection. */
  isResent: boolean;
}

/** A subscription from its SUBACK to whatever its client did to it next. */
export interface Subscribed {
  readonly filter: string;
  /** `undefined` for an ordinary one. */
  readonly shareName: string | undefined;
  readonly qos: QoS;
  readonly noLocal: boolean;
  /** When it was asked for. */
  readonly askedAt: number;
  /** `Infinity` until the SUBACK has come, and for ever when that said no. */
  since: number;
  /** When its client asked for something else. */
  until: number;
  isRefused: boolean;
}

/** A message that a client got. */
export interface Receipt {
  readonly id: string;
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly at: number;
  /** The broker decided that it may have it between these two. */
  readonly gatedFrom: number;
  readonly writtenAt: number;
  /** The first of them as an instant. */
  readonly gatedMs: number;
  /** What it said of its Message Expiry Interval, in a version that has such. */
  readonly expirySeconds: number | undefined;
  readonly version: ProtocolVersion;
}

/** A session as its client sees it. */
export interface SessionView {
  readonly clientId: string;
  readonly startedAt: number;
  endedAt: number;
  readonly subscriptions: Subscribed[];
  readonly receipts: Receipt[];
}

/** A session ends with its connection, never, soon, or now and then when its client wants it. */
export type SessionKind = "fresh" | "durable" | "brief" | "mixed";

/** What one client is, as far as promises depend on it. */
export interface ClientFacts {
  readonly clientId: string;
  /** Those that it speaks, one in each connection. */
  readonly versions: readonly ProtocolVersion[];
  readonly kind: SessionKind;
}

/** A connection that has left a Will; its number is the one of the network connection. */
export interface WillLeft {
  readonly id: string;
  readonly clientId: string;
  readonly number: number;
  readonly topic: string;
  readonly qos: QoS;
  readonly delayMs: number;
  /** The client was told that it is connected. */
  isConfirmed: boolean;
}

/** A promise that was broken, by the name of the checker that noticed. */
export class Violation extends Error {
  readonly checker: string;

  constructor(checker: string, message: string) {
    super(message);
    this.name = "Violation";
    this.checker = checker;
  }
}

export class Model {
  readonly messages: Map<string, SentMessage> = new Map();
  readonly clients: Map<string, ClientFacts> = new Map();
  readonly sessions: SessionView[] = [];
  readonly wills: Map<number, WillLeft> = new Map();
  /** Sessions that their clients believe in. */
  readonly current: Map<string, SessionView> = new Map();

  begin(clientId: string, at: number): SessionView {
    this.end(clientId, at);
    const session = {
      clientId,
      startedAt: at,
      endedAt: Infinity,
      subscriptions: [],
      receipts: [],
    };
    this.sessions.push(session);
    this.current.set(clientId, session);
    return session;
  }

  end(clientId: string, at: number): void {
    const session = this.current.get(clientId);
    if (session === undefined) return;
    session.endedAt = at;
    this.current.delete(clientId);
  }
}

/** The subscriptions of a session that a message under this topic could have matched. */
export function subscribedTo(session: SessionView, topic: string): Subscribed[] {
  return session.subscriptions.filter(({ filter, isRefused }) =>
    !isRefused && matches(filter, topic)
  );
}

/** Whether a subscription was in force from before a step until the end. */
export function isSteady({ since, until }: Subscribed, from: number): boolean {
  return since < from && until === Infinity;
}

/** A publisher whose session has ended unnoticed cannot know what the broker has of a message. */
export function isUncertain({ clients }: Model, { publisher, isResent }: SentMessage): boolean {
  return isResent && clients.get(publisher)!.kind === "brief";
}
