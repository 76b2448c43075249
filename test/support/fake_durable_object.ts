// The host of a Durable Object, as far as a broker needs one, on any runtime and without a process:
// sockets that outlive memory, storage over SQLite, one alarm, a clock of the test's. After each
// event the object may be put to sleep: then nothing is left of it but its storage and attachments,
// and whoever kept a socket in memory is found out. What an event writes is committed as one, and
// what it sends leaves after that.

import { DatabaseSync } from "node:sqlite";
import { FakePeer, ServerEnd, type SocketLine } from "./fake_object_sockets.ts";
import { FakeStorage } from "./fake_object_storage.ts";

/** What an object has to offer. */
export interface ObjectUnderTest {
  fetch(request: Request): Response | Promise<Response>;
  webSocketMessage(socket: unknown, message: ArrayBuffer | string): unknown;
  webSocketClose(socket: unknown, code: number, reason: string, wasClean: boolean): unknown;
  webSocketError?(socket: unknown, error: unknown): unknown;
  alarm(): unknown;
}

/** A class of objects, as the host sees it: what it is given there has more than is faked here. */
// deno-lint-ignore no-explicit-any -- the fake stands for a type that only the host has
export type ObjectClass = new (state: any, env: any) => ObjectUnderTest;

export interface FakeHostOptions {
  /** Its bindings. */
  readonly env?: Readonly<Record<string, unknown>>;
  /** Whether it sleeps after the event of this number, the first being 1; never unless told. */
  readonly sleepsAfter?: (event: number) => boolean;
  /** In which event the host dies, and when in it. */
  readonly dies?: { readonly in: number; readonly death: Death };
  readonly now?: number;
}

/** What becomes of an event in which the host dies. */
export type Death = "before it is committed" | "before it is told";

export class FakeHost {
  /** The clock that the object reads. */
  now: number;
  /** How many events there were. */
  events = 0;
  /** How many times an object was made: 1 unless it slept. */
  births = 0;
  readonly #class: ObjectClass;
  readonly #options: FakeHostOptions;
  readonly #database: DatabaseSync = new DatabaseSync(":memory:");
  readonly #storage: FakeStorage;
  #lines: SocketLine[] = [];
  #object: ObjectUnderTest | undefined;
  /** What its constructor holds everything up for. */
  #blocked: Promise<unknown> = Promise.resolve();
  #background: Promise<unknown>[] = [];
  #queue: Promise<unknown> = Promise.resolve();

  constructor(objectClass: ObjectClass, options: FakeHostOptions = {}) {
    this.#class = objectClass;
    this.#options = options;
    this.now = options.now ?? 1_800_000_000_000;
    this.#storage = new FakeStorage(this.#database);
  }

  /** When the object is to be waked. */
  get alarm(): number | null {
    return this.#storage.alarm;
  }

  get socketCount(): number {
    return this.#lines.length;
  }

  /** Resolves when all there was to be told has been, and what came of it. */
  async settled(): Promise<void> {
    for (let queue; queue !== this.#queue;) await (queue = this.#queue);
  }

  /** Ends the database. */
  close(): void {
    this.#database.close();
  }

  /** Connects a WebSocket; throws when it is not accepted. */
  async connect(url = "https://edge.example/mqtt", headers: HeadersInit = {}): Promise<FakePeer> {
    const request = new Request(url, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": "mqtt", ...headers },
    });
    const response = await this.#run((object) => object.fetch(request)) as
      & Response
      & { webSocket?: { line: SocketLine } };
    if (response.webSocket === undefined) {
      throw new Error(`It answers ${response.status}: ${await response.text()}`);
    }
    return new FakePeer(this, response.webSocket.line);
  }

  /** Hands a message to the object, and resolves when it has been dealt with. */
  async deliver(line: SocketLine, message: Uint8Array | string): Promise<void> {
    // The object's own copy, as from the network.
    const data = typeof message === "string" ? message : Uint8Array.from(message).buffer;
    await this.#run((object) => {
      if (line.isClosed) return;
      return object.webSocketMessage(this.#endOf(line), data);
    });
    await this.settled();
  }

  /** The peer is gone, with a code or without a word. */
  async closeLine(line: SocketLine, code: number, wasClean: boolean): Promise<void> {
    if (line.isClosed) return;
    line.isClosed = true;
    await this.#run((object) => object.webSocketClose(this.#endOf(line), code, "", wasClean));
    this.#lines = this.#lines.filter((other) => other !== line);
    await this.settled();
  }

  /** Lets time pass, alarm by alarm. */
  async advance(ms: number): Promise<void> {
    await this.settled();
    const end = this.now + ms;
    while (this.#storage.alarm !== null && this.#storage.alarm <= end) {
      this.now = Math.max(this.now, this.#storage.alarm);
      this.#storage.alarm = null;
      await this.#run((object) => object.alarm());
      await this.settled();
    }
    this.now = end;
  }

  /** One event after the other, as with a host whose object never waits within one. */
  #run<T>(event: (object: ObjectUnderTest) => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(() => this.#runNext(event));
    this.#queue = result.catch(() => {});
    return result;
  }

  async #runNext<T>(event: (object: ObjectUnderTest) => T | Promise<T>): Promise<T> {
    const restore = this.#takeGlobals();
    const { dies } = this.#options;
    const death = dies?.in === ++this.events ? dies.death : undefined;
    const { alarm } = this.#storage;
    this.#database.exec("BEGIN");
    try {
      const object = await this.#wake();
      const result = await event(object);
      while (this.#background.length > 0) await Promise.all(this.#background.splice(0));
      const isLost = death === "before it is committed";
      this.#database.exec(isLost ? "ROLLBACK" : "COMMIT");
      if (isLost) this.#storage.alarm = alarm;
      if (death !== undefined) this.#die();
      this.#afterEvent();
      return result;
    } finally {
      restore();
    }
  }

  #afterEvent(): void {
    const closed: SocketLine[] = [];
    for (const line of this.#lines) {
      line.release();
      if (line.isClosing && !line.isClosed) closed.push(line);
    }
    if (this.#options.sleepsAfter?.(this.events) === true) this.#sleep();
    // The peer answers the close of its own accord.
    for (const line of closed) void this.closeLine(line, line.closeCode ?? 1005, true);
  }

  async #wake(): Promise<ObjectUnderTest> {
    if (this.#object === undefined) {
      this.births++;
      this.#object = new this.#class(this.#state(), this.#options.env ?? {});
      await this.#blocked;
    }
    return this.#object;
  }

  #state(): object {
    return {
      id: { toString: () => "0".repeat(64), name: "fake", equals: () => true },
      storage: this.#storage,
      waitUntil: (promise: Promise<unknown>) => void this.#background.push(promise),
      blockConcurrencyWhile: <T>(action: () => Promise<T>): Promise<T> => {
        const result = this.#blocked.then(action);
        this.#blocked = result;
        return result;
      },
      acceptWebSocket: (end: ServerEnd, tags: readonly string[] = []): void => {
        end.line.tags = [...tags];
        this.#lines.push(end.line);
      },
      getWebSockets: (tag?: string): ServerEnd[] =>
        this.#lines
          .filter(({ tags }) => tag === undefined || tags.includes(tag))
          .map((line) => this.#endOf(line)),
      getTags: (end: ServerEnd): readonly string[] => end.line.tags,
      setWebSocketAutoResponse: (): void => {},
      getWebSocketAutoResponseTimestamp: (): null => null,
    };
  }

  #endOf(line: SocketLine): ServerEnd {
    return line.end ??= new ServerEnd(line);
  }

  /** Nothing is left of the object but what it has stored. */
  #sleep(): void {
    this.#object = undefined;
    this.#blocked = Promise.resolve();
    for (const line of this.#lines) line.forget();
  }

  /** The host comes back without its sockets, and nobody says so. */
  #die(): void {
    this.#sleep();
    for (const line of this.#lines.splice(0)) line.cut();
  }

  /** What the host has and the runtime does not, and the clock; gives them back when called. */
  #takeGlobals(): () => void {
    const before = [
      "WebSocketPair",
      "Response",
      "setTimeout",
      "clearTimeout",
    ].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
    const dateNow = Date.now;
    const timers = new Set<unknown>();
    const { setTimeout, clearTimeout, Response } = globalThis;
    const put = (name: string, value: unknown): void =>
      void Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    put("WebSocketPair", FakePair);
    put("Response", upgradingResponse(Response));
    put("setTimeout", (action: () => void, ms: number): unknown => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        action();
      }, ms);
      timers.add(timer);
      return timer;
    });
    put("clearTimeout", (timer: ReturnType<typeof setTimeout>): void => {
      timers.delete(timer);
      clearTimeout(timer);
    });
    Date.now = () => this.now;
    return () => {
      Date.now = dateNow;
      for (const [name, property] of before) {
        if (property === undefined) Reflect.deleteProperty(globalThis, name);
        else Object.defineProperty(globalThis, name, property);
      }
      for (const timer of timers) clearTimeout(timer as ReturnType<typeof setTimeout>);
      if (timers.size > 0) throw new Error("A timer outlives its event: the object cannot sleep");
    };
  }
}

/** Both ends of a WebSocket. */
export class FakePair {
  readonly 0: { readonly line: SocketLine };
  readonly 1: ServerEnd;

  constructor() {
    const line = ServerEnd.newLine();
    this[0] = { line };
    this[1] = line.end!;
  }

  *[Symbol.iterator](): Iterator<unknown> {
    yield this[0];
    yield this[1];
  }
}

/** The host's own status for an upgrade is one that elsewhere nobody may make. */
export function upgradingResponse(base: typeof Response): typeof Response {
  return class extends base {
    readonly webSocket: unknown;

    constructor(body?: BodyInit | null, init: ResponseInit & { webSocket?: unknown } = {}) {
      const isUpgrade = init.status === 101;
      super(body, isUpgrade ? { ...init, status: 200 } : init);
      if (isUpgrade) this.webSocket = init.webSocket;
    }
  };
}
