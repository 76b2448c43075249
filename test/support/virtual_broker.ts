// A broker core between virtual clients on a virtual clock: what a driver and a network would do,
// done at once, in order, and without a timer. Every buffer that is only lent is spoilt as soon as
// its loan ends, so whoever keeps one by mistake is found out.

import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import type { Change } from "../../src/core/broker/change.ts";
import type { Connection } from "../../src/core/broker/connection.ts";
import type { Batch } from "../../src/core/broker/journal.ts";
import type { Load } from "../../src/core/broker/state.ts";
import type { BrokerEvent, CloseCause } from "../../src/core/broker/event.ts";
import { HIBERNATION } from "../../src/core/broker/wake.ts";
import { DEFAULT_LIMITS, DEFAULT_LISTENER, type Limits } from "../../src/core/broker/limits.ts";
import type { Answer, Policy, Question } from "../../src/core/broker/question.ts";
import { prng } from "../../src/core/base/prng.ts";
import { assert } from "../../src/core/base/assert.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { ConnackPacket, ConnectPacket, Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import type { ListenerSettings, TlsPeer } from "../../src/core/session/peer.ts";
import type { MemoryStore } from "../../src/store/memory_store.ts";
import { ack, connect, publish } from "./packets.ts";

export interface VirtualBrokerOptions {
  readonly limits?: Partial<Limits>;
  /** What the listener grants by which everybody comes in, unless `open` is told of another. */
  readonly listener?: Partial<ListenerSettings>;
  readonly policy?: Policy;
  readonly keepsJournal?: boolean;
  /** Commits only when `commit` is called, and not at the end of each turn. */
  readonly holdsCommits?: boolean;
  /** Is given what is committed, and asked for what is left in it; implies `keepsJournal`. */
  readonly store?: MemoryStore;
  /** Sessions that end with their connection are recorded too, so that `sleep` loses nothing. */
  readonly hibernates?: boolean;
  readonly takesCommands?: boolean;
  readonly tracesPackets?: boolean;
  readonly beforeRead?: (filter: string) => void;
  readonly seed?: number;
  /** The instant at which it begins. */
  readonly now?: number;
}

/** How a connection comes in. */
export interface OpenOptions {
  readonly tls?: TlsPeer;
  readonly listener?: ListenerSettings;
}

const SPOILT = 0xa5;

export class VirtualBroker {
  #core: BrokerCore;
  readonly #makeCore: () => BrokerCore;
  now: number;
  readonly events: BrokerEvent[] = [];
  /** What has been committed. */
  readonly changes: Change[] = [];
  readonly #store: MemoryStore | undefined;
  readonly #holdsCommits: boolean;
  readonly #loads: Load[] = [];
  /** What the store was given and has not committed. */
  #batch: Batch | undefined;
  /** The number of the last change that was committed. */
  #committed = 0;
  readonly questions: Question[] = [];
  readonly #clients: Map<Connection, VirtualClient> = new Map();

  constructor(options: VirtualBrokerOptions = {}) {
    const { limits, listener, seed = 1, now = 1_000_000, store, ...rest } = options;
    this.now = now;
    this.#store = store;
    this.#holdsCommits = options.holdsCommits ?? false;
    const random = prng(seed);
    this.#makeCore = () =>
      new BrokerCore({
        limits: { ...DEFAULT_LIMITS, ...limits },
        listener: { ...DEFAULT_LISTENER, ...listener },
        random,
        ...rest,
        keepsJournal: store !== undefined || (options.keepsJournal ?? false),
      }, HIBERNATION);
    this.#core = this.#makeCore();
  }

  get core(): BrokerCore {
    return this.#core;
  }

  /**
   * The host gives all memory up but snapshots of the connections, and another broker wakes with
   * them and the store; `false`, and nothing happens, while that cannot be.
   */
  sleep(): boolean {
    assert(this.#store !== undefined, "Without a store there is nothing to wake with");
    if (this.#core.hasChanges || this.#batch !== undefined || this.#loads.length > 0) return false;
    const clients = [...this.#clients.values()];
    const snapshots = clients.map(({ connection }) => {
      const writer = new Writer(new Uint8Array(16));
      return this.#core.snapshot(connection, writer, this.now)
        ? writer.bytes.slice(0, writer.length)
        : undefined;
    });
    if (snapshots.includes(undefined)) return false;
    const sleepers = clients.map(({ connection: { peer, listener } }, i) => ({
      peer,
      listener,
      snapshot: snapshots[i]!,
    }));
    this.questions.length = 0;
    this.#clients.clear();
    this.#committed = 0;
    this.#core = this.#makeCore();
    const connections = this.#core.restore(this.#store.load(), this.now, [], sleepers);
    connections.forEach((connection, i) => {
      clients[i]!.connection = connection;
      clients[i]!.isPaused = false;
      this.#clients.set(connection, clients[i]!);
    });
    this.endTurn();
    return true;
  }

  /** Whether what waits for a change may leave. */
  isDurable(change: number): boolean {
    return change <= this.#committed;
  }

  /** Commits what the store was given, or all that is recorded, and lets go what waited for it. */
  commit(): void {
    this.#commit();
    for (const client of [...this.#clients.values()]) client.resume();
    this.endTurn();
  }

  /** Gives all that is recorded to the store, which has yet to commit it. */
  beginCommit(): void {
    if (this.core.hasChanges) this.#batch ??= this.core.takeChanges();
  }

  /** The store commits what it was given, and nobody is told: the broker has died meanwhile. */
  commitUnheard(): void {
    if (this.#batch !== undefined) this.#store?.commit(this.#batch.changes);
  }

  #commit(): void {
    this.beginCommit();
    if (this.#batch === undefined) return;
    const { changes, upTo } = this.#batch;
    this.#batch = undefined;
    this.changes.push(...changes);
    this.#store?.commit(changes);
    this.#committed = upTo;
    this.core.committed(this.now);
  }

  /** Reads back what the broker asks for and is committed; whether there was any. */
  #load(): boolean {
    const loads = this.#loads.splice(0);
    for (const load of loads) {
      const { clientId, afterSequence, awaitedChange } = load;
      if (!this.isDurable(awaitedChange)) {
        this.#loads.push(load);
        continue;
      }
      assert(this.#store !== undefined, "There is no store to load from");
      const deliveries = this.#store.loadDeliveries(clientId, afterSequence, load);
      this.core.loaded(load, deliveries, this.now);
    }
    return this.#loads.length < loads.length;
  }

  /** Opens a connection that has yet to send its CONNECT. */
  open(version: ProtocolVersion = 5, options: OpenOptions = {}): VirtualClient {
    const { tls, listener } = options;
    const address = { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 };
    const peer = tls === undefined ? address : { ...address, tls };
    const connection = this.core.open(peer, this.now, listener);
    const client = new VirtualClient(this, connection, version);
    this.#clients.set(connection, client);
    this.endTurn();
    return client;
  }

  /** Opens a connection, sends a CONNECT and reads the CONNACK. */
  connect(parts: Partial<ConnectPacket> = {}, options: OpenOptions = {}): VirtualClient {
    const packet = connect(parts);
    const client = this.open(packet.protocolVersion, options);
    client.send(packet);
    client.readConnack();
    return client;
  }

  /** Lets time pass, deadline by deadline. */
  advance(ms: number): void {
    const end = this.now + ms;
    while (this.core.nextDeadline <= end) {
      this.now = Math.max(this.now, this.core.nextDeadline);
      this.core.advance(this.now);
      this.endTurn();
    }
    this.now = end;
  }

  /** The host publishes; returns how many subscriptions matched. */
  publish(topic: string, parts: Parameters<typeof publish>[1] = {}): number {
    const matched = this.core.publish(publish(topic, parts), this.now);
    this.endTurn();
    return matched;
  }

  /** Answers the oldest question, or a given one; `false` when nobody waits for it any more. */
  answer(answer: Answer, question: Question | undefined = this.questions.shift()): boolean {
    assert(question !== undefined, "There is no question to answer");
    const isAwaited = this.core.answer(question.id, answer, this.now);
    this.endTurn();
    return isAwaited;
  }

  /** What the broker has emitted since it was last asked. */
  takeEvents(): BrokerEvent[] {
    return this.events.splice(0);
  }

  takeChanges(): Change[] {
    return this.changes.splice(0);
  }

  stop(): void {
    this.core.stop(this.now);
    this.endTurn();
  }

  /** Ends turns until nobody has anything left to say. */
  endTurn(): void {
    const { core } = this;
    for (;;) {
      if (!this.#holdsCommits) this.#commit();
      const dirty = core.takeDirty();
      const closings = core.takeClosings();
      const { events, questions, loads } = core.takeOutputs();
      this.events.push(...events);
      this.#loads.push(...loads);
      this.questions.push(...questions);
      if (!this.#load() && dirty.length + closings.length === 0) return;
      for (const connection of dirty) this.#clients.get(connection)?.flush();
      for (const connection of closings) this.#clients.get(connection)?.endByBroker();
    }
  }

  forget(connection: Connection): void {
    this.#clients.delete(connection);
  }
}

/** One client, seen from its own end of the network. */
export class VirtualClient {
  readonly version: ProtocolVersion;
  /** The broker's side. */
  connection: Connection;
  /** The answer to its CONNECT, when `connect` read it. */
  connack: ConnackPacket | undefined = undefined;
  /** The network connection is gone, whoever ended it. */
  isClosed = false;
  /** The broker does not want to read from it. */
  isPaused = false;
  /** How many writes the broker made. */
  writes = 0;
  readonly #broker: VirtualBroker;
  readonly #framer: Framer = new Framer();
  /** Decoded by `readConnack`, and not asked for yet. */
  readonly #taken: Packet[] = [];
  readonly #arrived: Uint8Array[] = [];
  readonly #unsent: Uint8Array[] = [];
  #lent: Uint8Array | undefined;
  #lentLength = 0;
  #isFrozen = false;
  #isEnding = false;

  constructor(broker: VirtualBroker, connection: Connection, version: ProtocolVersion) {
    this.#broker = broker;
    this.connection = connection;
    this.version = version;
  }

  get broker(): VirtualBroker {
    return this.#broker;
  }

  /** Sends packets, in one chunk. */
  send(...packets: readonly Packet[]): void {
    const writer = new Writer(new Uint8Array(64));
    for (const packet of packets) encodePacket(writer, packet, this.version);
    this.sendBytes(writer.bytes.subarray(0, writer.length));
  }

  /** Sends bytes, in one chunk; they wait while the broker does not read. */
  sendBytes(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.#unsent.push(bytes.slice());
    this.#sendUnsent();
  }

  /** All packets that have arrived since the last time. */
  take(): Packet[] {
    const packets = this.#taken.splice(0);
    const framer = this.#framer;
    for (const chunk of this.#arrived.splice(0)) {
      framer.feed(chunk);
      while (framer.next()) {
        const { firstByte, bytes, bodyStart, end } = framer;
        packets.push(decodePacket(firstByte, bytes, bodyStart, end, this.version));
      }
      framer.keepRest();
    }
    return packets;
  }

  /** All bytes that have arrived since the last time. */
  takeBytes(): Uint8Array {
    const chunks = this.#arrived.splice(0);
    const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** Sends packets and takes what comes back. */
  exchange(...packets: readonly Packet[]): Packet[] {
    this.send(...packets);
    return this.take();
  }

  /** Takes what has arrived and acknowledges it as a good client does, until nothing more comes. */
  settle(): Packet[] {
    const all: Packet[] = [];
    for (let packets = this.take(); packets.length > 0; packets = this.take()) {
      all.push(...packets);
      for (const packet of packets) this.#acknowledge(packet);
    }
    return all;
  }

  readConnack(): void {
    const [first, ...rest] = this.take();
    if (first?.type === "connack") this.connack = first;
    else if (first !== undefined) this.#taken.push(first);
    this.#taken.push(...rest);
  }

  /** The network connection breaks. */
  drop(cause: CloseCause = "connection lost"): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#broker.core.close(this.connection, cause, undefined, this.#broker.now);
    this.#spoilLent();
    this.#broker.forget(this.connection);
    this.#broker.endTurn();
  }

  /** Does not take any more bytes: what the broker writes next stays with the transport. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Takes bytes again. */
  thaw(): void {
    this.#isFrozen = false;
    if (this.#lent === undefined || this.isClosed) return;
    this.#arrived.push(this.#lent.slice(0, this.#lentLength));
    this.#spoilLent();
    this.#broker.core.drained(this.connection, this.#broker.now);
    this.#broker.endTurn();
    if (this.#isEnding && !this.isClosed) this.endByBroker();
  }

  /** From the broker: the turn has ended with something for this client. */
  flush(): void {
    const { outbox } = this.connection;
    const isDurable = this.#broker.isDurable(outbox.awaitedChange);
    if (outbox.gatheredBytes > 0 && !outbox.isLent && isDurable) {
      const length = outbox.gatheredBytes;
      const bytes = outbox.take();
      this.writes++;
      if (this.#isFrozen) {
        this.#lent = bytes;
        this.#lentLength = length;
        outbox.lend();
      } else {
        this.#arrived.push(bytes.slice(0, length));
        bytes.fill(SPOILT);
        outbox.consumed();
      }
      this.#broker.core.written(this.connection, length, this.#broker.now);
    }
    if (this.connection.isPaused === this.isPaused) return;
    this.isPaused = this.connection.isPaused;
    this.#sendUnsent();
  }

  /** From the broker: what was recorded is durable. */
  resume(): void {
    this.flush();
    if (this.#isEnding && !this.isClosed) this.endByBroker();
  }

  /** From the broker: close when the last bytes have left. */
  endByBroker(): void {
    this.#isEnding = true;
    this.flush();
    if (this.connection.outbox.backlog === 0) this.drop("connection closed by client");
  }

  #sendUnsent(): void {
    while (!this.isPaused && !this.isClosed && this.#unsent.length > 0) {
      const chunk = this.#unsent.shift()!;
      this.#broker.core.receive(this.connection, chunk, this.#broker.now);
      chunk.fill(SPOILT);
      this.#broker.endTurn();
    }
  }

  #spoilLent(): void {
    this.#lent?.fill(SPOILT);
    this.#lent = undefined;
    this.#lentLength = 0;
  }

  #acknowledge(packet: Packet): void {
    switch (packet.type) {
      case "publish":
        if (packet.qos === 1) this.send(ack("puback", packet.packetId));
        if (packet.qos === 2) this.send(ack("pubrec", packet.packetId));
        return;
      case "pubrec":
        if (packet.reasonCode < 0x80) this.send(ack("pubrel", packet.packetId));
        return;
      case "pubrel":
        this.send(ack("pubcomp", packet.packetId));
        return;
    }
  }
}
