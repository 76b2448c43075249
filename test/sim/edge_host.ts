// The host of Durable Objects as the edge has it, in virtual time: it wakes the object for an event,
// lets nothing leave before what was written is durable, and may forget the object whenever nothing
// is under way. What it has left then is storage, sockets with what is attached to them, and an
// alarm.

import { DatabaseSync } from "node:sqlite";
import { ObjectDatabase } from "../../src/runtime/workers/sqlite.ts";
import type { ObjectStorage } from "../../src/runtime/workers/workers_api.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import {
  FakePair,
  type ObjectUnderTest,
  upgradingResponse,
} from "../support/fake_durable_object.ts";
import { FakeStorage } from "../support/fake_object_storage.ts";
import { ServerEnd, type SocketLine } from "../support/fake_object_sockets.ts";
import type { Chance } from "./chance.ts";
import { joined, type SimConnection } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";
import type { DiskHealth } from "./sim_store.ts";

/** Makes an object that is given the host's state. */
export type MakeObject = (state: object) => ObjectUnderTest;

type HostEvent = (object: ObjectUnderTest) => void;

/** Where what does not fit to a socket is kept. */
const LONG = "long_attachments";
/** The socket is gone without a word. */
const ABNORMAL_CLOSURE = 1006;

export class EdgeHost {
  health: DiskHealth;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #make: MakeObject;
  readonly #database: DatabaseSync = new DatabaseSync(":memory:");
  readonly #storage: Storage;
  readonly #sockets: Set<EdgeSocket> = new Set();
  #object: ObjectUnderTest | undefined;
  /** Events for an object that is not ready yet. */
  readonly #waiting: HostEvent[] = [];
  #isReady = false;
  /** Promises that the object wants to see settled before it sleeps. */
  #background = 0;
  #isCommitPlanned = false;
  /** The one that is durable. */
  #alarm: number | null = null;

  constructor(scheduler: Scheduler, chance: Chance, make: MakeObject, health: DiskHealth) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#make = make;
    this.health = health;
    this.#storage = new Storage(this.#database, () => this.#planAlarm());
    this.#database.exec("BEGIN");
  }

  /** What the object has stored. */
  countRecords(): number {
    const clocks = { now: () => this.#scheduler.time, wallClock: () => this.#scheduler.time };
    // As much of a storage as a broker needs.
    const database = new ObjectDatabase(this.#storage as unknown as ObjectStorage);
    const records = [...new SqliteStore({ database, path: "storage", clocks }).load()].length;
    const [table] = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").all(LONG);
    const parts = table === undefined ? [] : database.prepare(`SELECT 1 FROM ${LONG}`).all();
    return records + parts.length;
  }

  connect(connection: SimConnection): void {
    this.event((object) => {
      const headers = {
        "upgrade": "websocket",
        "sec-websocket-protocol": "mqtt",
        // All that the object keeps of who it is.
        "cf-connecting-ip": String(connection.remotePort),
      };
      const response = object.fetch(new Request("https://edge.example/mqtt", { headers }));
      const { line } = (response as unknown as { webSocket: { line: SocketLine } }).webSocket;
      const socket = new EdgeSocket(this, connection, line);
      this.#sockets.add(socket);
      connection.accepted(socket);
    });
  }

  /** Has the object handle something, now or when it is ready. */
  event(event: HostEvent): void {
    this.#waiting.push(event);
    if (this.#object === undefined) this.#wake();
    else this.#handle();
  }

  lost(socket: EdgeSocket): void {
    this.#sockets.delete(socket);
    this.event((object) => object.webSocketClose(socket.end, ABNORMAL_CLOSURE, "", false));
  }

  /** Somebody has yielded: what was written is committed, at once or soon, and then all leaves. */
  turnOver(): void {
    if (this.#isCommitPlanned) return;
    const { slowMsMax } = this.health;
    if (slowMsMax === 0 || this.#chance.happens(200)) return this.#commit();
    this.#isCommitPlanned = true;
    this.#scheduler.afterInProcess(this.#chance.below(slowMsMax), () => {
      this.#isCommitPlanned = false;
      this.#commit();
    });
  }

  /** Whether nothing is under way that a sleep would lose. */
  get mayRest(): boolean {
    return this.#isReady && this.#waiting.length === 0 && this.#background === 0 &&
      !this.#isCommitPlanned && this.#scheduler.timerCount === 0;
  }

  /** Nothing is left of the object but what it has stored. */
  forget(): void {
    this.#object = undefined;
    this.#isReady = false;
    this.#background = 0;
    for (const { line } of this.#sockets) line.forget();
  }

  /** The host dies, with what is not durable and with every socket. */
  die(): void {
    const reachesDisk = this.#isCommitPlanned && this.#chance.happens(500);
    this.#isCommitPlanned = false;
    this.#database.exec(reachesDisk ? "COMMIT" : "ROLLBACK");
    this.#database.exec("BEGIN");
    if (!reachesDisk) this.#storage.alarm = this.#alarm;
    this.#alarm = this.#storage.alarm;
    this.forget();
    this.#waiting.length = 0;
    for (const { line } of this.#sockets) line.cut();
    this.#sockets.clear();
  }

  /** A host is there again: whoever has set an alarm is waked by it. */
  recover(): void {
    this.#planAlarm();
    if (this.#object === undefined) this.#wake();
  }

  release(): void {
    this.#database.close();
  }

  /** Puts what the host has and the runtime does not in its place; call the result to end that. */
  install(): () => void {
    const names = ["WebSocketPair", "Response"];
    const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
    const { now } = Date;
    const put = (name: string, value: unknown): void =>
      void Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    put("WebSocketPair", FakePair);
    put("Response", upgradingResponse(Response));
    Date.now = () => this.#scheduler.time;
    return () => {
      Date.now = now;
      names.forEach((name, i) => {
        if (before[i] === undefined) Reflect.deleteProperty(globalThis, name);
        else Object.defineProperty(globalThis, name, before[i]);
      });
    };
  }

  #wake(): void {
    const state = new State(this.#storage, this.#sockets, (promise) => this.#watch(promise));
    const object = this.#object = this.#make(state);
    void state.blocked.then(() => {
      if (this.#object !== object) return;
      this.#isReady = true;
      this.#handle();
      this.turnOver();
    });
  }

  #handle(): void {
    while (this.#isReady && this.#waiting.length > 0) this.#waiting.shift()!(this.#object!);
  }

  /** The object is not to be forgotten before this is settled. */
  #watch(promise: Promise<unknown>): void {
    const object = this.#object;
    this.#background++;
    void promise.then(() => {
      if (object === this.#object) this.#background--;
    });
  }

  #commit(): void {
    this.#database.exec("COMMIT");
    this.#database.exec("BEGIN");
    this.#alarm = this.#storage.alarm;
    for (const socket of this.#sockets) socket.release();
  }

  #planAlarm(): void {
    const at = this.#storage.alarm;
    if (at === null) return;
    const { time } = this.#scheduler;
    this.#scheduler.after(Math.max(0, at - time), () => {
      if (this.#storage.alarm !== at) return;
      this.#storage.alarm = null;
      this.event((object) => object.alarm());
      this.turnOver();
    });
  }
}

/** A socket between its network connection and the object. */
class EdgeSocket {
  readonly line: SocketLine;
  readonly #host: EdgeHost;
  readonly #connection: SimConnection;
  #leaving: Uint8Array[] = [];
  #isBlocked = false;
  #isClosing = false;

  constructor(host: EdgeHost, connection: SimConnection, line: SocketLine) {
    this.#host = host;
    this.#connection = connection;
    this.line = line;
  }

  /** The object's end, which it has anew after each sleep. */
  get end(): ServerEnd {
    return this.line.end ??= new ServerEnd(this.line);
  }

  onBytes(chunk: Uint8Array): void {
    const { buffer } = chunk.slice();
    this.#host.event((object) => {
      if (this.line.isClosed || this.line.isClosing) return;
      object.webSocketMessage(this.end, buffer as ArrayBuffer);
    });
  }

  onWritable(): void {
    this.#isBlocked = false;
    this.#flush();
  }

  onClose(): void {
    if (this.line.isClosed) return;
    this.line.isClosed = true;
    this.#host.lost(this);
  }

  /** What the object has sent leaves. */
  release(): void {
    this.line.release();
    this.#leaving.push(...this.line.takeArrived());
    this.#flush();
  }

  /** All leaves in one, which says most about when it was decided upon. */
  #flush(): void {
    if (!this.#isBlocked && this.#leaving.length > 0) {
      const bytes = this.#leaving.reduce(joined);
      this.#leaving = [];
      this.#isBlocked = !this.#connection.write(bytes, bytes.length);
    }
    if (this.#isBlocked || !this.line.isClosing || this.#isClosing) return;
    this.#isClosing = true;
    this.#connection.close();
  }
}

/** Its one alarm is the host's business. */
class Storage extends FakeStorage {
  readonly #onAlarm: () => void;

  constructor(database: DatabaseSync, onAlarm: () => void) {
    super(database);
    this.#onAlarm = onAlarm;
  }

  override setAlarm(at: number): Promise<void> {
    const done = super.setAlarm(at);
    this.#onAlarm();
    return done;
  }
}

/** What an object is given when it is made. */
class State {
  readonly storage: FakeStorage;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  blocked: Promise<unknown> = Promise.resolve();
  readonly #sockets: Iterable<EdgeSocket>;

  constructor(
    storage: FakeStorage,
    sockets: Iterable<EdgeSocket>,
    waitUntil: (promise: Promise<unknown>) => void,
  ) {
    this.storage = storage;
    this.#sockets = sockets;
    this.waitUntil = waitUntil;
  }

  acceptWebSocket(_socket: unknown): void {}

  getWebSockets(): ServerEnd[] {
    return [...this.#sockets].map(({ end }) => end);
  }

  blockConcurrencyWhile<T>(action: () => Promise<T>): Promise<T> {
    const result = this.blocked.then(action);
    this.blocked = result;
    return result;
  }
}
