/**
 * Everything one broker knows, and what it has to say at the end of a turn. It holds no rules: the
 * handlers beside it change it, each for one kind of packet, and `broker_core.ts` calls them.
 *
 * @module
 */

import { BufferPool } from "../base/buffer_pool.ts";
import { type Deadline, DeadlineHeap } from "../base/deadline_heap.ts";
import type { Random } from "../base/prng.ts";
import { AckView } from "../codec/ack.ts";
import { PacketType } from "../codec/protocol.ts";
import { PublishView } from "../codec/publish_view.ts";
import { Writer } from "../codec/writer.ts";
import { Message } from "../session/message.ts";
import { MessageArena } from "../session/message_arena.ts";
import type { Session } from "../session/session.ts";
import type { SharedGroup } from "../session/shared_group.ts";
import { StoredMessages } from "../session/stored_messages.ts";
import { RouteTable } from "../topic/route_table.ts";
import { TopicTrie } from "../topic/topic_trie.ts";
import type { Connection, Target } from "./connection.ts";
import { Counters } from "./counters.ts";
import type { BrokerEvent } from "./event.ts";
import { Journal } from "./journal.ts";
import { DEFAULT_LISTENER, type Limits } from "./limits.ts";
import type { ListenerSettings } from "../session/peer.ts";
import { PublishEncoder, type PublishOptions } from "./publish_encoder.ts";
import { OPEN_POLICY, type Policy, type Question } from "./question.ts";

const HOUSEKEEPING_INTERVAL_MS = 5000;
/** Idle buffers of fewer bytes are not worth the trouble. */
const TRIM_BYTES_MIN = 256 * 1024;

/** The deadline of the broker itself. */
interface Housekeeping extends Deadline {
  readonly kind: "housekeeping";
}

/** The search for retained messages that have expired. */
interface RetainSweep extends Deadline {
  readonly kind: "retain-sweep";
  /** Where the next step goes on, backwards. */
  before: number;
}

/** The most that is gathered for one connection before it should leave, turn or not. */
const FLUSH_BYTES_MAX = 256 * 1024;

/** How a broker is made. */
export interface BrokerCoreOptions {
  readonly limits: Limits;
  /** Unsigned 32-bit integers; for the identifiers that the broker makes up. */
  readonly random: Random;
  readonly policy?: Policy;
  /** The settings of connections that come in by no listener of the host's. */
  readonly listener?: ListenerSettings;
  /** Gathers changes for a store. */
  readonly keepsJournal?: boolean;
  /** Hands the host what clients publish below `$CONTROL/`; refused otherwise. */
  readonly takesCommands?: boolean;
  /**
   * Memory may be gone while connections are not: sessions that end with their connection are
   * recorded as well. It keeps a journal, then.
   */
  readonly hibernates?: boolean;
  /** Gathers an event for every packet. */
  readonly tracesPackets?: boolean;
  /**
   * Told that a client subscribes to a filter that begins with `$SYS`, before it is given what is
   * retained there: the time to publish what nobody could read until now.
   */
  readonly beforeRead?: ((filter: string) => void) | undefined;
}

/** A Will that is due, while somebody outside decides whether it may be published. */
export interface UndecidedWill {
  /** Of the client that left it; perhaps ended. */
  readonly session: Session<Connection>;
  readonly message: Message;
  /** The message is one that an answer has put in the place of the Will's. */
  readonly isReplaced: boolean;
  /** The number of the change that recorded it. */
  recordedAt: number;
}

/** Deliveries that are to be read back from the store. */
export interface Load {
  readonly session: Session<Connection>;
  readonly clientId: string;
  /** They follow the one of this sequence number. */
  readonly afterSequence: number;
  readonly countMax: number;
  readonly bytesMax: number;
  /** The change that must be durable before. */
  readonly awaitedChange: number;
}

/** Remaining lengths that a packet of each type may have, by who is asking. */
export interface PacketLimits {
  readonly beforeConnect: Uint32Array;
  readonly authenticating: Uint32Array;
  readonly connected: Uint32Array;
}

export class BrokerState {
  limits: Limits;
  policy: Policy;
  packetLimits: PacketLimits;
  /** The settings of connections that came in by no listener of the host's. */
  ownListener: ListenerSettings;
  readonly random: Random;
  readonly keepsJournal: boolean;
  readonly takesCommands: boolean;
  readonly hibernates: boolean;
  tracesPackets: boolean;
  /** What happens is what the store has, so it is not recorded. */
  isReplaying = false;
  /** The host has little memory left: what would need more is refused until it says otherwise. */
  isShortOfMemory = false;
  readonly beforeRead: ((filter: string) => void) | undefined;

  readonly pool: BufferPool;
  readonly connections: Set<Connection> = new Set();
  /** What is recorded for the store; nothing is unless it keeps a journal. */
  readonly journal: Journal;
  /** Connections whose packets wait until the store has committed. */
  readonly blocked: Set<Connection> = new Set();
  /** How many of them have come in by each listener. */
  readonly #listenerConnections: Map<ListenerSettings, number> = new Map();
  /** How many of them have sent a CONNECT that was accepted. */
  connectedCount = 0;
  readonly sessions: Map<string, Session<Connection>> = new Map();
  readonly routes: RouteTable<Target>;
  /** By share name and filter, as they stand behind `$share/`. */
  readonly groups: Map<string, SharedGroup<Connection>> = new Map();
  readonly retained: TopicTrie<Message>;
  /** The number of the last message that was retained. */
  retainedSequence = 0;
  /** Of those, how many are the broker's own. */
  retainedOwnCount = 0;
  /** Of those, how many expire. */
  retainedExpiringCount = 0;
  readonly retainSweep: RetainSweep = {
    kind: "retain-sweep",
    at: Infinity,
    heapIndex: -1,
    before: Infinity,
  };
  /** Messages that are retained, queued or in flight. */
  readonly stored: StoredMessages = new StoredMessages();
  /** The present publication goes to one subscriber, or to one group. */
  isForOne = false;
  /** Counts publications while somebody needs to tell one from the next. */
  publication = 0;
  readonly deadlines: DeadlineHeap<Connection | Session<Connection> | Housekeeping | RetainSweep> =
    new DeadlineHeap();
  readonly #housekeeping: Housekeeping = { kind: "housekeeping", at: Infinity, heapIndex: -1 };
  readonly counters: Counters = new Counters();
  /** Bytes that all connections together have not taken. */
  backlogBytes = 0;
  /** Connections whose messages or packets wait because of that total, not of their own backlog. */
  readonly starved: Set<Connection> = new Set();

  readonly arena: MessageArena = new MessageArena();

  // Used again for each packet; valid while it is being handled.
  readonly view: PublishView = new PublishView();
  readonly ackView: AckView = new AckView();
  readonly live: Message = new Message();
  readonly encoder: PublishEncoder = new PublishEncoder();
  readonly publishOptions: PublishOptions = {
    version: 4,
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    subscriptionId: 0,
    alias: 0,
    isAliasKnown: false,
    hiddenBytes: 0,
  };
  readonly scratch: Writer = new Writer(new Uint8Array(1024));

  // The outputs of a turn, taken by the driver at its end.
  dirty: Connection[] = [];
  closings: Connection[] = [];
  questions: Question[] = [];
  events: BrokerEvent[] = [];
  /** Parts of queues that are only in the store, to be read back. */
  loads: Load[] = [];
  /** Somebody has gathered so much that it should leave now. */
  isFlushDue = false;
  readonly #flushBytes: number;
  #lastQuestionId = 0;
  readonly #asking: Map<number, Connection> = new Map();
  /** By the identifiers of their questions. */
  readonly undecidedWills: Map<number, UndecidedWill> = new Map();

  constructor(options: BrokerCoreOptions) {
    this.limits = options.limits;
    this.policy = options.policy ?? OPEN_POLICY;
    this.retained = new TopicTrie({ seed: options.random() });
    this.packetLimits = packetLimitsOf(options.limits);
    this.ownListener = options.listener ?? DEFAULT_LISTENER;
    // Nobody is behind before it was given anything.
    this.#flushBytes = Math.min(FLUSH_BYTES_MAX, options.limits.backlogBytesMax >> 1);
    this.random = options.random;
    this.keepsJournal = options.keepsJournal ?? false;
    this.journal = new Journal(options.limits.uncommittedBytesMax);
    this.takesCommands = options.takesCommands ?? false;
    this.hibernates = options.hibernates ?? false;
    this.tracesPackets = options.tracesPackets ?? false;
    this.beforeRead = options.beforeRead;
    this.pool = new BufferPool(options.limits.idleBufferBytesMax);
    this.routes = new RouteTable({
      topicsMax: options.limits.rememberedTopicsMax,
      bytesMax: options.limits.rememberedTopicBytesMax,
      levelsMax: options.limits.topicSlashesMax + 1,
      seed: options.random(),
    });
  }

  /** Nobody need be asked per message. Read anew each time: a reload may close what was open. */
  get isOpen(): boolean {
    const { policy } = this;
    return policy === OPEN_POLICY || policy.isOpenForTopics === true;
  }

  /** Makes room in a connection's outbox; whatever is written there leaves with this turn. */
  reserve(connection: Connection, bytes: number): Writer {
    if (!connection.isDirty) this.markDirty(connection);
    if (connection.outbox.gatheredBytes + bytes > this.#flushBytes) this.isFlushDue = true;
    return connection.outbox.reserve(bytes);
  }

  /** Has the driver look at the connection when the turn ends. */
  markDirty(connection: Connection): void {
    if (connection.isDirty || connection.phase === "ended") return;
    connection.isDirty = true;
    this.dirty.push(connection);
  }

  /** Counts a packet that was just appended, so that the total holds within a turn as well. */
  addBacklog(connection: Connection, bytes: number): void {
    this.backlogBytes += bytes;
    connection.countedBacklog += bytes;
  }

  /** Brings the total up to date with what one connection has to take. */
  countBacklog(connection: Connection): void {
    const { backlog } = connection.outbox;
    this.backlogBytes += backlog - connection.countedBacklog;
    connection.countedBacklog = backlog;
  }

  /** Has idle buffers let go after a while, and connections that are stuck looked for. */
  scheduleHousekeeping(now: number): void {
    if (this.#housekeeping.heapIndex !== -1) return;
    if (this.pool.idleBytes < TRIM_BYTES_MIN && this.starved.size === 0) return;
    this.deadlines.set(this.#housekeeping, now + HOUSEKEEPING_INTERVAL_MS);
  }

  /** Whether the connection has so much to take that no more should be given. */
  isBacklogged(connection: Connection): boolean {
    return connection.outbox.backlog > this.limits.backlogBytesMax || this.isOverTotal;
  }

  /** Whether all connections together have so much to take that nobody should be given more. */
  get isOverTotal(): boolean {
    return this.backlogBytes > this.limits.backlogBytesTotalMax;
  }

  /** Has the connection wait until what all of them have not taken is less. */
  starve(connection: Connection, now: number): void {
    this.starved.add(connection);
    this.scheduleHousekeeping(now);
  }

  /** Whether so much waits in memory that what the store keeps should wait there. */
  get isCrowded(): boolean {
    return this.stored.loadedBytes >= this.limits.queueWindowBytesTotalMax;
  }

  /** A fresh identifier for a question of this connection, whose packets wait from now on. */
  ask(connection: Connection): number {
    const id = ++this.#lastQuestionId;
    connection.questionId = id;
    this.#asking.set(id, connection);
    connection.isPaused = true;
    this.markDirty(connection);
    return id;
  }

  /** A fresh identifier for a question about a Will, for which no connection waits. */
  askForWill(undecided: UndecidedWill): number {
    const id = ++this.#lastQuestionId;
    this.undecidedWills.set(id, undecided);
    return id;
  }

  /** The connection that waits for this answer, `undefined` when it does not any more. */
  takeAsking(questionId: number): Connection | undefined {
    const connection = this.#asking.get(questionId);
    this.#asking.delete(questionId);
    if (connection !== undefined) connection.questionId = 0;
    return connection;
  }

  /** Forgets the question of a connection that has ended. */
  forgetQuestion(connection: Connection): void {
    this.#asking.delete(connection.questionId);
    connection.questionId = 0;
  }

  /** Whether one more connection may come in by this listener. */
  hasRoom(listener: ListenerSettings): boolean {
    const count = this.#listenerConnections.get(listener) ?? 0;
    return this.connections.size < this.limits.connectionsMax && count < listener.connectionsMax;
  }

  enterListener(listener: ListenerSettings): void {
    const count = this.#listenerConnections.get(listener) ?? 0;
    this.#listenerConnections.set(listener, count + 1);
  }

  leaveListener(listener: ListenerSettings): void {
    const count = this.#listenerConnections.get(listener) ?? 0;
    if (count > 1) this.#listenerConnections.set(listener, count - 1);
    else this.#listenerConnections.delete(listener);
  }

  emit(event: BrokerEvent): void {
    this.events.push(event);
  }

  /** Whether what becomes of the session has to be recorded. */
  records(session: Session<Connection>): boolean {
    return session.isRecorded && this.keepsJournal && !this.isReplaying;
  }

  /** What is gathered for the connection leaves when all that is recorded by now is durable. */
  hold(connection: Connection): void {
    connection.outbox.awaitedChange = this.journal.urge();
  }

  /** Likewise, if anything was recorded after the change of that number. */
  holdSince(connection: Connection, recorded: number): void {
    if (this.journal.recorded > recorded) this.hold(connection);
  }

  /**
   * Likewise, for the acknowledgement of a message. That nothing is retained any more may be so
   * because of an earlier change, which nobody waits for.
   */
  holdPublished(connection: Connection, retain: boolean, recorded: number): void {
    if (retain) this.hold(connection);
    else this.holdSince(connection, recorded);
  }
}

/** The largest remaining length of a packet of so many bytes. */
function remainingOf(packetBytes: number): number {
  for (let width = 4; width > 1; width--) {
    const remaining = packetBytes - 1 - width;
    if (remaining >= 1 << 7 * (width - 1)) return remaining;
  }
  return Math.max(0, packetBytes - 2);
}

/** How long packets may be under these limits. */
export function packetLimitsOf(limits: Limits): PacketLimits {
  const beforeConnect = new Uint32Array(16);
  beforeConnect[PacketType.CONNECT] = limits.requestPacketBytesMax;
  const authenticating = new Uint32Array(16);
  authenticating[PacketType.AUTH] = limits.requestPacketBytesMax;
  authenticating[PacketType.DISCONNECT] = limits.controlPacketBytesMax;
  const packetMax = remainingOf(limits.maximumPacketSize);
  const connected = new Uint32Array(16).fill(Math.min(packetMax, limits.controlPacketBytesMax));
  connected[PacketType.PUBLISH] = packetMax;
  const { CONNECT, AUTH, SUBSCRIBE, UNSUBSCRIBE } = PacketType;
  for (const type of [CONNECT, AUTH, SUBSCRIBE, UNSUBSCRIBE]) {
    connected[type] = Math.min(packetMax, limits.requestPacketBytesMax);
  }
  return { beforeConnect, authenticating, connected };
}
