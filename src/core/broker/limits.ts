/**
 * Every bound of the broker, in one place, each with what happens when it is reached. A limit of 0
 * does not limit, where Mosquitto's option of that name says so too.
 *
 * @module
 */

import type { ProtocolVersion } from "../codec/protocol.ts";
import type { ListenerSettings } from "../session/peer.ts";

export interface Limits {
  /** Bytes of a packet from a client; a larger one ends the connection. */
  readonly maximumPacketSize: number;
  /** Bytes of a payload; a larger one is acknowledged with a code and dropped. 0: no limit. */
  readonly messageSizeLimit: number;
  /** Slashes in a topic or filter; more are malformed. */
  readonly topicSlashesMax: number;
  /** Packets in flight to a client beside its own Receive Maximum; more wait. 0: no limit. */
  readonly inflightMessagesMax: number;
  /**
   * Payload bytes in flight to a client: once so many are, nothing more of QoS 1 or 2 is sent
   * before it acknowledges some. 0: no limit.
   */
  readonly inflightBytesMax: number;
  /** QoS 2 packets in flight from a version 5 client; more are refused. 0: no limit. */
  readonly receiveMaximum: number;
  /** Deliveries that wait for one client; the newest is dropped. 0: no limit. */
  readonly queuedMessagesMax: number;
  /** Bytes that wait for one client; the newest is dropped. 0: no limit. */
  readonly queuedBytesMax: number;
  /** Deliveries that wait for all clients together; the newest is dropped. 0: no limit. */
  readonly queuedMessagesTotalMax: number;
  /** Their bytes, a message counted for each client; the newest is dropped. 0: no limit. */
  readonly queuedBytesTotalMax: number;
  /**
   * With a store: deliveries that wait for one client in memory; more wait in the store alone until
   * these have been sent.
   */
  readonly queueWindowMessagesMax: number;
  /** Their bytes, likewise. */
  readonly queueWindowBytesMax: number;
  /**
   * Bytes that wait in memory for all clients together, a message counted for each of them. Beyond
   * it, what the store keeps waits there alone, and is read back in small parts.
   */
  readonly queueWindowBytesTotalMax: number;
  /**
   * Bytes of changes that the store has yet to commit. Beyond it no packet of a client is handled
   * until it has.
   */
  readonly uncommittedBytesMax: number;
  /** Whether messages of a lower QoS than that of the subscription are raised to it. */
  readonly upgradesOutgoingQos: boolean;
  /**
   * Whether a client of an older version whose subscriptions overlap gets a copy for each of them;
   * those of version 5 always do.
   */
  readonly allowsDuplicateMessages: boolean;
  /** Whether the client that had a message retained must still be allowed to. */
  readonly checksRetainSource: boolean;
  /** Whether QoS 0 messages wait for a client that is away, within the limits above. */
  readonly queueQos0Messages: boolean;
  /**
   * Bytes that one connection has not taken yet. Beyond it, QoS 0 messages to it are dropped, QoS 1
   * and 2 wait in its session's queue, and its own packets are not read.
   */
  readonly backlogBytesMax: number;
  /**
   * Bytes that all connections together have not taken. Beyond it every message waits in the queue
   * of its session, where all of them share one copy, and who takes nothing is sent away.
   */
  readonly backlogBytesTotalMax: number;
  /** Milliseconds to take something in, while the total above is exceeded. */
  readonly stuckMsMax: number;
  /** Otherwise a retained message or Will ends the connection. */
  readonly retainAvailable: boolean;
  /** Seconds; 0: no limit. Version 5 clients are told, others refused. */
  readonly keepAliveMax: number;
  /** Seconds that a session may outlive its connection; 0xFFFFFFFF: no limit. */
  readonly sessionExpiryIntervalMax: number;
  /** Milliseconds to the end of the CONNECT packet; then the connection is closed. */
  readonly connectTimeoutMs: number;
  /**
   * Times that a connected client may be taken over in a row, and then once a second; who comes
   * sooner is told that the broker is busy, so that two who fight for an identifier slow down.
   */
  readonly takeOverBurst: number;
  /** Connections at one time, by whatever listener; more are closed at once. */
  readonly connectionsMax: number;
  /** Sessions, with or without a connection; a client that needs one more is refused. */
  readonly sessionsMax: number;
  /** What client identifiers must begin with one of; any may connect when there is none. */
  readonly clientIdPrefixes: readonly string[];
  /**
   * PUBLISH packets of one client in so many seconds; who sends more is not read from until there
   * is room again. 0: no limit.
   */
  readonly publishRateCount: number;
  readonly publishRateSeconds: number;
  /** Wills that are due and wait for an answer of the outside; one more is dropped. */
  readonly undecidedWillsMax: number;
  /** Subscriptions of one session; one more is refused. */
  readonly subscriptionsPerSessionMax: number;
  /** Retained messages; new topics beyond it are not retained. 0: no limit. */
  readonly retainedMessagesMax: number;
  /** Milliseconds between two searches for expired retained messages. 0: removed when met. */
  readonly retainSweepMs: number;
  /** Topics whose routes are remembered; the oldest are forgotten. */
  readonly rememberedTopicsMax: number;
  /** Bytes of those topics and of their lists of subscribers. */
  readonly rememberedTopicBytesMax: number;
  /** Bytes of idle buffers kept for reuse; more go to the garbage collector. */
  readonly idleBufferBytesMax: number;
  /** Bytes of an acknowledgement, DISCONNECT or the like; a larger one ends the connection. */
  readonly controlPacketBytesMax: number;
  /** Bytes of a CONNECT, AUTH, SUBSCRIBE or UNSUBSCRIBE; a larger one ends the connection. */
  readonly requestPacketBytesMax: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maximumPacketSize: 2_000_000,
  messageSizeLimit: 0,
  topicSlashesMax: 200,
  inflightMessagesMax: 20,
  inflightBytesMax: 0,
  receiveMaximum: 20,
  queuedMessagesMax: 1000,
  queuedBytesMax: 0,
  queuedMessagesTotalMax: 10_000_000,
  queuedBytesTotalMax: 0,
  queueWindowMessagesMax: 500,
  queueWindowBytesMax: 512 * 1024,
  queueWindowBytesTotalMax: 256 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  queueQos0Messages: false,
  upgradesOutgoingQos: false,
  allowsDuplicateMessages: true,
  checksRetainSource: true,
  backlogBytesMax: 4 * 1024 * 1024,
  backlogBytesTotalMax: 512 * 1024 * 1024,
  stuckMsMax: 10_000,
  retainAvailable: true,
  keepAliveMax: 0,
  sessionExpiryIntervalMax: 0xffffffff,
  connectTimeoutMs: 30_000,
  takeOverBurst: 20,
  connectionsMax: 100_000,
  sessionsMax: 1_000_000,
  clientIdPrefixes: Object.freeze([]),
  publishRateCount: 0,
  publishRateSeconds: 1,
  undecidedWillsMax: 1000,
  subscriptionsPerSessionMax: 1_000_000,
  retainedMessagesMax: 10_000_000,
  retainSweepMs: 0,
  rememberedTopicsMax: 65_536,
  rememberedTopicBytesMax: 16 * 1024 * 1024,
  idleBufferBytesMax: 64 * 1024 * 1024,
  controlPacketBytesMax: 10_000,
  requestPacketBytesMax: 100_000,
});

/** What is granted to those who come in by no listener of the host's. */
export const DEFAULT_LISTENER: ListenerSettings = Object.freeze<ListenerSettings>({
  name: "",
  protocolVersions: Object.freeze<ProtocolVersion[]>([3, 4, 5]),
  maximumQos: 2,
  topicAliasMaximum: 10,
  topicAliasMaximumBroker: 10,
  allowZeroLengthClientId: true,
  autoIdPrefix: "auto-",
  connectionsMax: Infinity,
  mountPoint: "",
  usesUsernameAsClientId: false,
  identitySource: "none",
});
