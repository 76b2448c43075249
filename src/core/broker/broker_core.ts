/**
 * The broker as a state machine: inputs are methods, each told the present instant, and outputs
 * are gathered until the driver takes them at the end of its turn. Here is the dispatch and nothing
 * else; what a packet does is in the file named after it.
 *
 * It has no clock, no chance, no input or output of its own, and two of them share nothing.
 *
 * @module
 */

import { decodePacket } from "../codec/decode.ts";
import { MqttError, ProtocolError } from "../codec/error.ts";
import { NO_PROPERTIES, type Properties } from "../codec/property.ts";
import { PacketType, type QoS } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import { makeMessage } from "../session/make_message.ts";
import type { Change } from "./change.ts";
import { Connection } from "./connection.ts";
import type { Counters } from "./counters.ts";
import { pump } from "./deliver.ts";
import { endConnection, expireSession } from "./end.ts";
import type { BrokerEvent, CloseCause, Peer } from "./event.ts";
import { handleAck } from "./handle_ack.ts";
import { answerAuthenticate, handleAuth } from "./handle_auth.ts";
import { acceptConnect, handleConnect } from "./handle_connect.ts";
import { handleDisconnect } from "./handle_disconnect.ts";
import { answerPublish, handlePublish } from "./handle_publish.ts";
import { answerSubscribe, handleSubscribe, handleUnsubscribe } from "./handle_subscribe.ts";
import { publish } from "./publish.ts";
import type { Answer, Question } from "./question.ts";
import { expel, refuse, refuseConnect } from "./refuse.ts";
import { finishRestore, restore } from "./restore.ts";
import { sendPingresp } from "./send.ts";
import { type BrokerCoreOptions, BrokerState } from "./state.ts";
import { publishWill } from "./wills.ts";

/** A message that the host publishes. */
export interface HostMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

/** What a turn has produced. Arrays are the taker's own. */
export interface TurnOutputs {
  readonly questions: readonly Question[];
  readonly changes: readonly Change[];
  readonly events: readonly BrokerEvent[];
}

const NOTHING: TurnOutputs = Object.freeze({ questions: [], changes: [], events: [] });

export class BrokerCore {
  readonly #state: BrokerState;

  constructor(options: BrokerCoreOptions) {
    this.#state = new BrokerState(options);
  }

  get counters(): Readonly<Counters> {
    return this.#state.counters;
  }

  get connectionCount(): number {
    return this.#state.connections.size;
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

  /** Bytes that all connections together have not taken. */
  get backlogBytes(): number {
    return this.#state.backlogBytes;
  }

  /** The instant at which `advance` has something to do; `Infinity` when it never will. */
  get nextDeadline(): number {
    return this.#state.deadlines.next;
  }

  /** Somebody's outbox is so full that the turn should end soon. */
  get isFlushDue(): boolean {
    return this.#state.isFlushDue;
  }

  /** Input: a connection was opened. */
  open(peer: Peer, now: number): Connection {
    const state = this.#state;
    const connection = new Connection(peer, state.packetLimits.beforeConnect, state.pool);
    state.counters.connectionsOpened++;
    state.connections.add(connection);
    state.emit({ kind: "opened", peer });
    if (state.connections.size > state.limits.connectionsMax) {
      state.counters.connectsRefused++;
      endConnection(state, connection, { cause: "server busy", publishesWill: false }, now);
    } else {
      state.deadlines.set(connection, now + state.limits.connectTimeoutMs);
    }
    return connection;
  }

  /** Input: bytes arrived. The chunk is borrowed until this returns. */
  receive(connection: Connection, chunk: Uint8Array, now: number): void {
    if (connection.phase === "ended") return;
    this.#state.counters.bytesReceived += chunk.length;
    connection.lastHeardAt = now;
    connection.framer.feed(chunk);
    this.#process(connection, now);
  }

  /** Input: the driver has handed over what the connection's outbox held, so many bytes. */
  written(connection: Connection, bytes: number, now: number): void {
    const state = this.#state;
    state.counters.bytesSent += bytes;
    state.countBacklog(connection);
    state.scheduleTrim(now);
    const isWaiting = connection.isStalled || (connection.isPaused && connection.questionId === 0);
    // A transport that took everything at once will not say that it is writable.
    if (isWaiting && !connection.outbox.isLent) this.drained(connection, now);
  }

  /** Input: the transport is writable again, so the buffer that it held has left. */
  drained(connection: Connection, now: number): void {
    const state = this.#state;
    connection.outbox.returned();
    state.countBacklog(connection);
    if (connection.phase === "ended") return;
    // Somebody who takes what he is given is alive, even while we do not listen.
    if (connection.isPaused) connection.lastHeardAt = now;
    if (connection.isStalled && connection.session !== undefined) {
      pump(state, connection.session, now);
    }
    if (connection.isPaused) this.#process(connection, now);
    // What was gathered in the meantime leaves now.
    if (connection.outbox.gatheredBytes > 0) state.markDirty(connection);
  }

  /** Input: the connection is gone. */
  close(connection: Connection, cause: CloseCause, detail: string | undefined, now: number): void {
    const state = this.#state;
    endConnection(state, connection, {
      cause,
      publishesWill: true,
      ...detail === undefined ? {} : { detail },
    }, now);
    connection.outbox.discard();
    state.countBacklog(connection);
  }

  /** Input: handling this connection's bytes failed by our own fault. */
  fail(connection: Connection, now: number): void {
    this.#state.counters.internalErrors++;
    expel(this.#state, connection, ReasonCode.UNSPECIFIED_ERROR, true, now);
  }

  /** Input: time passed. */
  advance(now: number): void {
    const state = this.#state;
    for (let due = state.deadlines.takeDue(now); due; due = state.deadlines.takeDue(now)) {
      switch (due.kind) {
        case "session":
          expireSession(state, due, now);
          break;
        case "connection":
          this.#checkSilence(due, now);
          break;
        case "housekeeping":
          state.pool.trim();
          state.scheduleTrim(now);
      }
    }
  }

  /** Input: an answer to a question; `false` when nobody waits for it any more. */
  answer(questionId: number, answer: Answer, now: number): boolean {
    const state = this.#state;
    const connection = state.takeAsking(questionId);
    if (connection === undefined) return false;
    this.#apply(connection, answer, now);
    this.#process(connection, now);
    return true;
  }

  /** Input: the host publishes; returns how many subscriptions matched, -1 for no valid topic. */
  publish({ topic, payload, ...options }: HostMessage, now: number): number {
    const { qos = 0, retain = false, properties = NO_PROPERTIES } = options;
    const state = this.#state;
    const found = state.routes.findName(topic);
    if (found === null) return -1;
    const message = makeMessage({ topic, payload, qos, retain, properties, publisherId: "" });
    const { messageExpiryInterval } = properties;
    if (messageExpiryInterval !== undefined) message.expiresAt = now + messageExpiryInterval * 1000;
    return publish(state, message, found, now);
  }

  /** Input: the host sends a client away; `false` when it is not connected. */
  disconnect(clientId: string, reasonCode: ReasonCode, now: number): boolean {
    const connection = this.#state.sessions.get(clientId)?.connection;
    if (connection === undefined) return false;
    expel(this.#state, connection, reasonCode, true, now);
    return true;
  }

  /** Input: the broker stops. All Wills are published, also delayed ones, and all is closed. */
  stop(now: number): void {
    const state = this.#state;
    // While there is still somebody to hear them.
    for (const session of state.sessions.values()) publishWill(state, session, now);
    for (const connection of [...state.connections]) {
      endConnection(state, connection, { cause: "broker stopped", publishesWill: true }, now);
    }
  }

  /** Input: what a store has kept, before anybody connects. */
  restore(changes: Iterable<Change>, now: number): void {
    const state = this.#state;
    for (const change of changes) restore(state, change);
    finishRestore(state, now);
  }

  /** Whether `takeDirty` has something to give. */
  get hasDirty(): boolean {
    return this.#state.dirty.length > 0;
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
    const { questions, changes, events } = state;
    if (questions.length + changes.length + events.length === 0) return NOTHING;
    state.questions = [];
    state.changes = [];
    state.events = [];
    return { questions, changes, events };
  }

  /** Handles the packets that have arrived whole, until one has to wait. */
  #process(connection: Connection, now: number): void {
    const state = this.#state;
    const { framer } = connection;
    try {
      while (
        connection.questionId === 0 && connection.phase !== "ended" && framer.next()
      ) {
        state.counters.packetsReceived++;
        this.#dispatch(connection, now);
      }
      if (connection.phase !== "ended") framer.keepRest();
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      refuse(state, connection, error, now);
    }
    // Who does not take what he is given is not listened to either.
    const isPaused = connection.questionId !== 0 || state.isBacklogged(connection);
    if (isPaused !== connection.isPaused) {
      connection.isPaused = isPaused;
      state.markDirty(connection);
    }
  }

  #dispatch(connection: Connection, now: number): void {
    const state = this.#state;
    const { framer, session } = connection;
    const type = framer.firstByte >> 4;
    if (connection.phase !== "connected" || session === undefined) {
      this.#dispatchEarly(connection, type, now);
      return;
    }
    switch (type) {
      case PacketType.PUBLISH:
        return handlePublish(state, connection, session, now);
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBREL:
      case PacketType.PUBCOMP:
        return handleAck(state, connection, session, type, now);
    }
    const packet = this.#decode(connection);
    switch (packet.type) {
      case "subscribe":
        return handleSubscribe(state, connection, session, packet, now);
      case "unsubscribe":
        return handleUnsubscribe(state, connection, session, packet);
      case "pingreq":
        if (state.tracesPackets) {
          const { clientId } = session;
          state.emit({ kind: "packet", action: "received", type: "pingreq", clientId });
        }
        return sendPingresp(state, connection); // [MQTT-3.12.4-1]
      case "disconnect":
        return handleDisconnect(state, connection, packet, now);
      case "auth":
        return handleAuth(state, connection, packet);
      case "connect": {
        const { clientId } = session;
        state.counters.protocolErrors++; // [MQTT-3.1.0-2]
        state.emit({ kind: "second-connect", peer: connection.peer, clientId });
        endConnection(state, connection, { cause: "protocol error", publishesWill: true }, now);
        return;
      }
      default:
        throw new ProtocolError("2.1.2", `A client must not send ${packet.type.toUpperCase()}`);
    }
  }

  /** Before the connection is accepted: a CONNECT first [MQTT-3.1.0-1], then nothing but AUTH. */
  #dispatchEarly(connection: Connection, type: number, now: number): void {
    const state = this.#state;
    if (connection.phase === "opened") {
      if (type !== PacketType.CONNECT) {
        throw new ProtocolError("MQTT-3.1.0-1", "The first packet must be a CONNECT");
      }
      const packet = this.#decode(connection);
      if (packet.type === "connect") handleConnect(state, connection, packet, now);
      return;
    }
    const packet = this.#decode(connection);
    if (packet.type === "auth") {
      handleAuth(state, connection, packet);
    } else if (packet.type === "disconnect") {
      handleDisconnect(state, connection, packet, now);
    } else {
      throw new ProtocolError("MQTT-3.1.4-6", "Nothing but AUTH may come before the CONNACK");
    }
  }

  #decode(connection: Connection): ReturnType<typeof decodePacket> {
    const { firstByte, bytes, bodyStart, end } = connection.framer;
    return decodePacket(firstByte, bytes, bodyStart, end, connection.protocolVersion);
  }

  #apply(connection: Connection, answer: Answer, now: number): void {
    const state = this.#state;
    const { pending, session } = connection;
    switch (answer.kind) {
      case "connect": {
        if (pending?.kind !== "connect") return;
        const { reasonCode, reasonString, username } = answer;
        if (reasonCode === ReasonCode.SUCCESS) {
          const acceptance = { username, reasonString };
          acceptConnect(state, connection, pending.packet, pending.request, acceptance, now);
        } else {
          refuseConnect(state, connection, reasonCode, { reasonString }, now);
        }
        return;
      }
      case "authenticate":
        return answerAuthenticate(state, connection, answer, now);
      case "publish":
        if (session === undefined) return;
        return answerPublish(state, connection, session, answer.reasonCode, now);
      case "subscribe":
        if (session === undefined) return;
        return answerSubscribe(state, connection, session, answer.reasonCodes, now);
    }
  }

  /** A connection's deadline: it has not connected in time, or has been silent for too long. */
  #checkSilence(connection: Connection, now: number): void {
    const state = this.#state;
    if (connection.phase === "connected") {
      // While its packets wait for an answer it cannot be heard.
      const heardAt = connection.questionId === 0 ? connection.lastHeardAt : now;
      const due = heardAt + connection.silenceMaxMs;
      if (due > now) {
        state.deadlines.set(connection, due);
        return;
      }
    }
    // [MQTT-3.1.2-22]
    state.counters.timeouts++;
    endConnection(state, connection, { cause: "exceeded timeout", publishesWill: true }, now);
  }
}
