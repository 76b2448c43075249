/**
 * The broker as a state machine: inputs are methods, each told the present instant, and outputs
 * are gathered until the driver takes them at the end of its turn. Here are the inputs and outputs;
 * what a packet does is in the file named after it, and `dispatch.ts` finds that.
 *
 * It has no clock, no chance, no input or output of its own, and two of them share nothing.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { NO_PROPERTIES, type Properties } from "../codec/property.ts";
import type { QoS } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { Writer } from "../codec/writer.ts";
import type { Delivery } from "../session/delivery.ts";
import { makeMessage } from "../session/make_message.ts";
import { advance, fail, feedStarved, unblock } from "./attend.ts";
import type { StoredRecord } from "./change.ts";
import { Connection } from "./connection.ts";
import { tell } from "./control.ts";
import type { Counters } from "./counters.ts";
import { describeSubscriptions } from "./describe_subscriptions.ts";
import { pump, takeLoaded } from "./pump.ts";
import { applyAnswer, processPackets } from "./dispatch.ts";
import { endConnection } from "./end.ts";
import type { BrokerEvent, CloseCause } from "./event.ts";
import type { Hibernation, Sleeper } from "./hibernation.ts";
import type { Batch } from "./journal.ts";
import type { ListenerSettings, Peer } from "../session/peer.ts";
import { publish } from "./publish.ts";
import type { Answer, Question } from "./question.ts";
import { expel } from "./refuse.ts";
import { configure, type Judge, recheck, type Reconfiguration } from "./reconfigure.ts";
import { restoreAll } from "./restore.ts";
import { type BrokerCoreOptions, BrokerState, type Load } from "./state.ts";
import { answerWill, publishWill } from "./wills.ts";

/** A message that the host publishes; one that it passes on has the client as its publisher. */
export interface HostMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties;
  readonly publisherId?: string;
  readonly publisherUsername?: string | undefined;
}

/** What a turn has produced. Arrays are the taker's own. */
export interface TurnOutputs {
  readonly questions: readonly Question[];
  readonly loads: readonly Load[];
  readonly events: readonly BrokerEvent[];
}

const NOTHING: TurnOutputs = Object.freeze({ questions: [], loads: [], events: [] });

export class BrokerCore {
  readonly #state: BrokerState;
  readonly #hibernation: Hibernation | undefined;

  /** @param hibernation for a broker whose memory may go while its connections stay. */
  constructor(options: BrokerCoreOptions, hibernation?: Hibernation) {
    this.#state = new BrokerState(options);
    this.#hibernation = hibernation;
  }

  get counters(): Readonly<Counters> {
    return this.#state.counters;
  }

  get connectionCount(): number {
    return this.#state.connections.size;
  }

  /** Connections whose CONNECT was accepted; each has a session. */
  get connectedCount(): number {
    return this.#state.connectedCount;
  }

  /** Sessions, with or without a connection. */
  get sessionCount(): number {
    return this.#state.sessions.size;
  }

  get retainedCount(): number {
    return this.#state.retained.size;
  }

  /** Subscriptions, a shared group counted once. */
  get subscriptionCount(): number {
    return this.#state.routes.size;
  }

  /** Subscriptions that share nothing. */
  get ordinarySubscriptionCount(): number {
    return this.#state.routes.size - this.#state.groups.size;
  }

  /** Members of all shared groups; counted when asked for. */
  get sharedSubscriptionCount(): number {
    let count = 0;
    for (const group of this.#state.groups.values()) count += group.members.length;
    return count;
  }

  /** Bytes that all connections together have not taken. */
  get backlogBytes(): number {
    return this.#state.backlogBytes;
  }

  /** Messages that are retained, queued or in flight, each counted once. */
  get storedCount(): number {
    return this.#state.stored.count;
  }

  /** Their payload bytes. */
  get storedBytes(): number {
    return this.#state.stored.bytes;
  }

  /**
   * Packets that connections have not taken, near enough: the bytes that wait, in packets of the
   * average size.
   */
  get backlogPackets(): number {
    const { backlogBytes, counters } = this.#state;
    if (backlogBytes === 0) return 0;
    const sentBytes = counters.bytesSent + backlogBytes;
    return Math.max(1, Math.round(backlogBytes * counters.packetsSent / sentBytes));
  }

  /** Whether any subscription could match a topic that begins so, for example with `$SYS/`. */
  hasReaders(prefix: string): boolean {
    return this.#state.routes.reaches(prefix);
  }

  /** The instant at which `advance` has something to do; `Infinity` when it never will. */
  get nextDeadline(): number {
    return this.#state.deadlines.next;
  }

  /** Somebody's outbox is so full that the turn should end soon. */
  get isFlushDue(): boolean {
    return this.#state.isFlushDue;
  }

  /** Input: a connection was opened; without a listener the limits' own settings apply. */
  open(peer: Peer, now: number, listener?: ListenerSettings): Connection {
    const state = this.#state;
    const connection = new Connection(
      peer,
      listener ?? state.ownListener,
      state.packetLimits.beforeConnect,
      state.pool,
    );
    state.counters.connectionsOpened++;
    if (!state.hasRoom(connection.listener)) {
      state.counters.connectsRefused++;
      state.emit({ kind: "denied-connection", peer });
      connection.phase = "ended";
      state.closings.push(connection);
      return connection;
    }
    state.connections.add(connection);
    state.enterListener(connection.listener);
    state.emit({ kind: "opened", peer });
    state.deadlines.set(connection, now + state.limits.connectTimeoutMs);
    return connection;
  }

  /** Input: bytes arrived. The chunk is borrowed until this returns. */
  receive(connection: Connection, chunk: Uint8Array, now: number): void {
    if (connection.phase === "ended") return;
    const state = this.#state;
    state.counters.bytesReceived += chunk.length;
    connection.lastHeardAt = now;
    connection.framer.feed(chunk);
    processPackets(state, connection, now);
  }

  /** Input: the driver has handed over what the connection's outbox held, so many bytes. */
  written(connection: Connection, bytes: number, now: number): void {
    const state = this.#state;
    state.counters.bytesSent += bytes;
    state.countBacklog(connection);
    state.scheduleHousekeeping(now);
    const { isLent } = connection.outbox;
    connection.lentSince = !isLent ? 0 : connection.lentSince || now;
    const isWaiting = connection.isStalled || (connection.isPaused && connection.questionId === 0);
    // A transport that took everything at once will not say that it is writable.
    if (isWaiting && !isLent) this.drained(connection, now);
    if (state.starved.size > 0) feedStarved(state, now);
  }

  /** Input: the transport is writable again, so the buffer that it held has left. */
  drained(connection: Connection, now: number): void {
    const state = this.#state;
    connection.outbox.returned();
    connection.lentSince = 0;
    state.countBacklog(connection);
    if (state.starved.size > 0) feedStarved(state, now);
    if (connection.phase === "ended") return;
    // Somebody who takes what he is given is alive, even while we do not listen.
    if (connection.isPaused) connection.lastHeardAt = now;
    if (connection.isStalled && connection.session !== undefined) {
      pump(state, connection.session, now);
    }
    if (connection.isPaused) processPackets(state, connection, now);
    // What was gathered in the meantime leaves now.
    if (connection.outbox.gatheredBytes > 0) state.markDirty(connection);
  }

  /** Input: the connection is gone. */
  close(connection: Connection, cause: CloseCause, detail: string | undefined, now: number): void {
    const state = this.#state;
    connection.outbox.discard();
    state.countBacklog(connection);
    const ending = { cause, publishesWill: true, ...detail === undefined ? {} : { detail } };
    endConnection(state, connection, ending, now);
    // Not before it has ended: it may be one of those, and nothing would ever leave it.
    if (state.starved.size > 0) feedStarved(state, now);
  }

  /** Input: handling this connection's bytes failed by our own fault. */
  fail(connection: Connection, now: number): void {
    fail(this.#state, connection, now);
  }

  /** Input: time passed. */
  advance(now: number): void {
    advance(this.#state, now);
  }

  /** Input: an answer to a question; `false` when nobody waits for it any more. */
  answer(questionId: number, answer: Answer, now: number): boolean {
    const state = this.#state;
    const connection = state.takeAsking(questionId);
    if (connection === undefined) return answerWill(state, questionId, answer, now);
    applyAnswer(state, connection, answer, now);
    processPackets(state, connection, now);
    return true;
  }

  /** Input: the host publishes; returns how many subscriptions matched, -1 for no valid topic. */
  publish(host: HostMessage, now: number): number {
    const { qos = 0, properties = NO_PROPERTIES, publisherId = "" } = host;
    const retain = host.retain === true && this.#state.limits.retainAvailable;
    const found = this.#state.routes.findName(host.topic);
    if (found === null) return -1;
    const message = makeMessage({ ...host, qos, retain, properties, publisherId });
    const { messageExpiryInterval } = properties;
    if (messageExpiryInterval !== undefined) message.expiresAt = now + messageExpiryInterval * 1000;
    return publish(this.#state, message, found, now);
  }

  /** Input: the host sends a message to one client, subscribed or not; `false` when it is away. */
  tell(clientId: string, topic: string, payload: Uint8Array, now: number): boolean {
    return tell(this.#state, clientId, topic, payload, now);
  }

  /** Input: the host sends a client away; `false` when it is not connected. */
  disconnect(clientId: string, reasonCode: ReasonCode, now: number): boolean {
    const connection = this.#state.sessions.get(clientId)?.connection;
    if (connection === undefined) return false;
    expel(this.#state, connection, reasonCode, true, now);
    return true;
  }

  /** Input: other limits, another policy, other settings of listeners, from now on. */
  configure(changes: Reconfiguration, now: number): void {
    configure(this.#state, changes, now);
  }

  /** Input: every connected client is judged again; returns how many were sent away. */
  recheck(judge: Judge, now: number): number {
    return recheck(this.#state, judge, now);
  }

  /**
   * Input: the broker stops and all is closed. Wills are published, also delayed ones, except where
   * a store keeps them: there their time goes on.
   */
  stop(now: number): void {
    const state = this.#state;
    // While there is still somebody to hear them.
    for (const session of state.sessions.values()) {
      if (!state.records(session)) publishWill(state, session, now);
    }
    for (const connection of [...state.connections]) {
      endConnection(state, connection, { cause: "broker stopped", publishesWill: true }, now);
    }
  }

  /**
   * Input: what a store has kept, before anybody connects. Sessions are judged by the listeners
   * that they came in by, which are found again by their names. Connections that have slept go on,
   * and are given in the order of their snapshots.
   */
  restore(
    records: Iterable<StoredRecord>,
    now: number,
    listeners: Iterable<ListenerSettings> = [],
    sleepers?: Iterable<Sleeper>,
  ): readonly Connection[] {
    const wake = sleepers && (() => this.#asHibernating().putBack(this.#state, sleepers));
    return restoreAll(this.#state, records, { listeners, wake }, now);
  }

  /** Appends what it takes to wake the connection; `false` while something is on its way. */
  snapshot(connection: Connection, writer: Writer, now: number): boolean {
    return this.#asHibernating().write(this.#state, connection, writer, now);
  }

  /** Input: the store has committed what it was given last. */
  committed(now: number): void {
    this.#state.journal.settle();
    unblock(this.#state, now);
  }

  /** Input: deliveries that the store has read back. */
  loaded(load: Load, deliveries: readonly Delivery[], now: number): void {
    takeLoaded(this.#state, load, deliveries, now);
  }

  /** Who subscribes to what, as a tree in lines of text. */
  describeSubscriptions(): string[] {
    return describeSubscriptions(this.#state);
  }

  /** Whether `takeDirty` has something to give. */
  get hasDirty(): boolean {
    return this.#state.dirty.length > 0;
  }

  /** Whether the turn has produced anything at all. */
  get hasOutputs(): boolean {
    const { dirty, closings, questions, loads, events, journal } = this.#state;
    return dirty.length + closings.length + questions.length + loads.length + events.length > 0 ||
      journal.isDue;
  }

  /** Whether there are changes that the store was not given. */
  get hasChanges(): boolean {
    return this.#state.journal.hasPending;
  }

  /** Whether somebody waits for some of them. */
  get isCommitDue(): boolean {
    return this.#state.journal.isDue;
  }

  /** Grows with every change that is recorded, or turns out to need no record. */
  get changeActivity(): number {
    return this.#state.journal.activity;
  }

  /** Output: the changes to commit, once those that were taken before are committed. */
  takeChanges(): Batch {
    return this.#state.journal.take();
  }

  /** Output: connections with something to send, or whose reading is to be paused or resumed. */
  takeDirty(): readonly Connection[] {
    const state = this.#state;
    const { dirty } = state;
    state.isFlushDue = false;
    if (dirty.length === 0) return dirty;
    state.dirty = [];
    for (const connection of dirty) {
      connection.isDirty = false;
      state.countBacklog(connection);
    }
    return dirty;
  }

  /** Output: connections to close once their outbox has left. */
  takeClosings(): readonly Connection[] {
    const { closings } = this.#state;
    if (closings.length > 0) this.#state.closings = [];
    return closings;
  }

  /** Output: what else the turn has produced. */
  takeOutputs(): TurnOutputs {
    const state = this.#state;
    const { questions, loads, events } = state;
    if (questions.length + loads.length + events.length === 0) return NOTHING;
    state.questions = [];
    state.loads = [];
    state.events = [];
    return { questions, loads, events };
  }

  #asHibernating(): Hibernation {
    assert(this.#hibernation !== undefined, "The broker was not made to hibernate");
    return this.#hibernation;
  }
}
