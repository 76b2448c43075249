/**
 * A broker in a Durable Object: the very same core and driver, with the host's sockets, storage and
 * alarm. An event of the host, or what comes of several, is one turn: what was recorded is
 * committed, what there is to say leaves in one frame per client, and every socket has what it
 * takes to go on. After that the host may forget the object, and make another one for the next.
 *
 * @module
 */

import { Gatekeeper } from "../../auth/gatekeeper.ts";
import { BrokerCore } from "../../core/broker/broker_core.ts";
import type { Connection } from "../../core/broker/connection.ts";
import type { BrokerEvent } from "../../core/broker/event.ts";
import type { Hibernation, Sleeper } from "../../core/broker/hibernation.ts";
import type { Limits } from "../../core/broker/limits.ts";
import type { Answer, Policy, Question } from "../../core/broker/question.ts";
import type { BrokerCoreOptions } from "../../core/broker/state.ts";
import { isSnapshot } from "../../core/broker/snapshot.ts";
import { HIBERNATION } from "../../core/broker/wake.ts";
import { Writer } from "../../core/codec/writer.ts";
import { Driver } from "../../driver/driver.ts";
import { serveStream } from "../../driver/stream_connection.ts";
import { SqliteStore } from "../../store/sqlite_store.ts";
import { formatEvent } from "../../telemetry/format_event.ts";
import { ObjectAlarm } from "./alarm.ts";
import { attachedId, Attachments } from "./attachment.ts";
import { ObjectSocket, type SocketOwner } from "./object_socket.ts";
import { readSettings, type Settings } from "./settings.ts";
import { ObjectDatabase } from "./sqlite.ts";
import { addressOf, refusalOf, subprotocolOf } from "./upgrade.ts";
import {
  type Bindings,
  type HibernatingSocket,
  makePair,
  type ObjectState,
  switchTo,
  type TcpSocket,
} from "./workers_api.ts";

/** A socket that was there before the object was. */
const GOING_AWAY = 1001;

interface Ended {
  readonly socket: ObjectSocket;
  readonly error: unknown;
}

/** Decides at once, or answers later. */
export interface Decider extends Policy {
  ask(question: Question): Promise<Answer>;
}

/** What a class that extends `BrokerObject` may give it in place of what the bindings say. */
export interface OwnParts {
  /** Decides who may come and what they may do; a password file and an access file do otherwise. */
  readonly decider?: Decider;
  readonly limits?: Limits;
  /** Told of what happens, beside the host's log. */
  readonly onEvent?: (event: BrokerEvent) => void;
  /** Makes a core that is more than the usual one. */
  readonly makeCore?: (options: BrokerCoreOptions, hibernation: Hibernation) => BrokerCore;
}

export class BrokerObject implements SocketOwner {
  readonly #state: ObjectState;
  readonly #settings: Settings;
  readonly #core: BrokerCore;
  readonly #driver: Driver;
  readonly #attachments: Attachments;
  readonly #writer = new Writer(new Uint8Array(256));
  #alarm!: ObjectAlarm;
  /** By the identity that the host gives them while the object is in memory. */
  readonly #sockets: WeakMap<HibernatingSocket, ObjectSocket> = new WeakMap();
  readonly #byId: Map<number, ObjectSocket> = new Map();
  #lastId = 0;
  #touched: Set<ObjectSocket> = new Set();
  #ended: Ended[] = [];
  /** The driver's end of the turn, if there is a turn. */
  #flush: (() => void) | undefined;
  #isInEvent = false;
  #isTurnDue = false;
  /** The turn ends with a timer, and has changes to commit. */
  #isTurnLate = false;
  /** Resolved with the turn that comes of an answer. */
  #answered: (() => void)[] = [];

  get #wantsDebug(): boolean {
    return this.#settings.logTypes.includes("debug");
  }

  /** @throws {TypeError} when the bindings have a fault: then nobody is served. */
  constructor(state: ObjectState, bindings: Bindings, own: OwnParts = {}) {
    const result = readSettings(bindings);
    if ("faults" in result) throw new TypeError(result.faults.join("\n"));
    this.#state = state;
    this.#settings = result.settings;
    const { listener } = result.settings;
    const database = new ObjectDatabase(state.storage);
    this.#attachments = new Attachments(database);
    const decider = own.decider ?? gatekeeperOf(result.settings);
    const makeCore = own.makeCore ?? ((...given) => new BrokerCore(...given));
    const clocks = { now: () => Date.now(), wallClock: () => Date.now() };
    const store = new SqliteStore({ database, path: "storage", clocks });
    this.#core = makeCore({
      limits: own.limits ?? result.settings.limits,
      listener,
      random: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
      policy: decider,
      keepsJournal: true,
      hibernates: true,
      tracesPackets: this.#wantsDebug,
    }, HIBERNATION);
    const woken = this.#wake(store);
    this.#driver = new Driver({
      core: this.#core,
      host: { now: clocks.now, defer: (flush) => this.#defer(flush) },
      store,
      commitsAtOnce: true,
      makeAlarm: (ring) => this.#alarm = new ObjectAlarm(state.storage, ring),
      onEvent: (event) => {
        this.#log(event);
        own.onEvent?.(event);
      },
      ask: (question) => this.#ask(decider, question),
      onError: (stage, error) => console.error(`Error: ${stage}: ${detailOf(error)}`),
    });
    for (const { socket, connection, saved } of woken) {
      socket.attend(connection, this.#driver.serve(connection, socket), saved);
    }
    void state.blockConcurrencyWhile(() => this.#alarm.recall());
  }

  /** A client comes, with a request to switch to WebSocket. */
  fetch(request: Request): Response {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refusal;
    const { 0: client, 1: socket } = makePair();
    this.#state.acceptWebSocket(socket);
    const id = ++this.#lastId;
    const transport = new ObjectSocket(socket, this, { id, remoteAddress: addressOf(request) });
    this.#know(socket, transport);
    this.#inEvent(() => {
      const connection = this.#core.open(transport, Date.now());
      transport.attend(connection, this.#driver.serve(connection, transport));
    });
    return switchTo(client, subprotocolOf(request)!);
  }

  /** A client comes over TCP. Such a connection keeps the object in memory. */
  async connect(socket: TcpSocket): Promise<void> {
    const { remoteAddress = "" } = await socket.opened ?? {};
    await serveStream(socket, (transport) => this.#driver.accept(transport), { remoteAddress });
  }

  webSocketMessage(socket: HibernatingSocket, message: ArrayBuffer | string): void {
    const transport = this.#find(socket);
    if (transport === undefined) socket.close(GOING_AWAY);
    else this.#inEvent(() => transport.receive(message));
  }

  webSocketClose(socket: HibernatingSocket): void {
    this.#lose(socket, undefined);
  }

  webSocketError(socket: HibernatingSocket, error: unknown): void {
    this.#lose(socket, error);
  }

  alarm(): void {
    this.#inEvent(() => this.#alarm.rang());
  }

  // What its sockets need of it.

  touched(socket: ObjectSocket): void {
    this.#touched.add(socket);
    this.#scheduleTurn();
  }

  ended(socket: ObjectSocket, error: unknown): void {
    this.#byId.delete(socket.id);
    this.#ended.push({ socket, error });
    this.#scheduleTurn();
  }

  snapshot(connection: Connection, writer: Writer): boolean {
    return this.#core.snapshot(connection, writer, Date.now());
  }

  pack(
    bytes: Uint8Array,
    id: number,
    remoteAddress: string,
    wasStored: boolean,
  ): Uint8Array<ArrayBuffer> {
    return this.#attachments.pack(bytes, id, remoteAddress, wasStored);
  }

  forget(id: number): void {
    this.#attachments.forget(id);
  }

  /** Brings back what was stored, and the connections of the sockets that are still there. */
  #wake(store: SqliteStore): readonly {
    readonly socket: ObjectSocket;
    readonly connection: Connection;
    readonly saved: Uint8Array | undefined;
  }[] {
    const found: { socket: ObjectSocket; saved: Uint8Array | undefined }[] = [];
    const sleepers: Sleeper[] = [];
    for (const socket of this.#state.getWebSockets()) {
      const attachment = socket.deserializeAttachment();
      const attached = this.#attachments.unpack(attachment);
      if (attached === undefined) continue;
      if (!isSnapshot(attached.snapshot)) {
        socket.close(GOING_AWAY);
        continue;
      }
      const { id, isStored, snapshot } = attached;
      const transport = new ObjectSocket(socket, this, attached);
      this.#know(socket, transport);
      this.#lastId = Math.max(this.#lastId, id);
      // What is not stored is the attachment itself.
      found.push({ socket: transport, saved: isStored ? undefined : attachment as Uint8Array });
      sleepers.push({ peer: transport, snapshot });
    }
    this.#attachments.keepOnly(this.#byId);
    const connections = this.#core.restore(
      store.load(),
      Date.now(),
      [this.#settings.listener],
      sleepers,
    );
    return found.map((one, i) => ({ ...one, connection: connections[i]! }));
  }

  #know(socket: HibernatingSocket, transport: ObjectSocket): void {
    this.#sockets.set(socket, transport);
    this.#byId.set(transport.id, transport);
  }

  #find(socket: HibernatingSocket): ObjectSocket | undefined {
    const known = this.#sockets.get(socket);
    if (known !== undefined) return known;
    const found = this.#byId.get(attachedId(socket.deserializeAttachment()) ?? 0);
    if (found !== undefined) this.#sockets.set(socket, found);
    return found;
  }

  #lose(socket: HibernatingSocket, error: unknown): void {
    const transport = this.#find(socket);
    if (transport !== undefined) this.#inEvent(() => transport.lost(error));
  }

  /** What the host has come with, and everything that comes of it. */
  #inEvent(action: () => void): void {
    this.#isInEvent = true;
    try {
      action();
    } finally {
      this.#isInEvent = false;
      if (this.#core.hasChanges) this.#endTurnLater();
      else if (!this.#isTurnLate) this.#endTurn();
    }
  }

  /**
   * The host makes one commit after the other durable, and each takes as long for one change as for
   * many. So what other events bring until it has time for a timer goes along; it forgets no object
   * that has one.
   */
  #endTurnLater(): void {
    if (this.#isTurnLate) return;
    this.#isTurnLate = true;
    this.#state.waitUntil(
      new Promise<void>((resolve) => {
        setTimeout(() => {
          this.#isTurnLate = false;
          this.#endTurn();
          resolve();
        }, 0);
      }),
    );
  }

  #defer(flush: () => void): void {
    this.#flush = flush;
    this.#scheduleTurn();
  }

  /** Ends the turn with the event, or soon: an answer has come, or bytes over TCP. */
  #scheduleTurn(): void {
    if (this.#isInEvent || this.#isTurnDue || this.#isTurnLate) return;
    this.#isTurnDue = true;
    queueMicrotask(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#isTurnDue = false;
    this.#isInEvent = true;
    for (;;) {
      const flush = this.#flush;
      this.#flush = undefined;
      if (flush !== undefined) {
        flush();
        continue;
      }
      const ended = this.#ended.shift();
      if (ended === undefined) break;
      ended.socket.tellEnd(ended.error);
    }
    const touched = this.#touched;
    if (touched.size > 0) {
      this.#touched = new Set();
      for (const socket of touched) socket.save(this.#writer);
    }
    this.#isInEvent = false;
    for (const resolve of this.#answered.splice(0)) resolve();
  }

  /** Has a question answered; the host is to wait for what comes of it. */
  async #ask(decider: Decider, question: Question): Promise<Answer> {
    let done = (): void => {};
    this.#state.waitUntil(new Promise<void>((resolve) => done = resolve));
    try {
      return await decider.ask(question);
    } finally {
      this.#answered.push(done);
    }
  }

  #log(event: BrokerEvent): void {
    const { logTypes, logsConnections: wantsConnections } = this.#settings;
    for (
      const { type, text } of formatEvent(event, { wantsDebug: this.#wantsDebug, wantsConnections })
    ) {
      if (!logTypes.includes(type)) continue;
      if (type === "error") console.error(text);
      else console.log(text);
    }
  }
}

function gatekeeperOf({ chain }: Settings): Gatekeeper {
  return new Gatekeeper({
    chains: { general: chain, byListener: new Map() },
    onFailure: (decider, error) => console.error(`Error: ${decider}: ${error}`),
  });
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
