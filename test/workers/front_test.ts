// The Worker before its objects: who is sent to which of them, and who to none.

import { assertEquals } from "@std/assert";
import { makeWorker, type WorkerOptions } from "../../src/runtime/workers/front.ts";
import { passOn } from "../../src/runtime/workers/pass_on.ts";
import type { ObjectStub, PlainSocket } from "../../src/runtime/workers/workers_api.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";
import { connect } from "../support/packets.ts";
import { encoded } from "../support/raw_packet.ts";

/** A request to switch, unless told otherwise. */
function request(url: string, headers: Record<string, string> = {}): Request {
  const upgrade = { upgrade: "websocket", "sec-websocket-protocol": "mqtt" };
  return new Request(url, { headers: { ...upgrade, ...headers } });
}

/** Objects that note their names. */
function objects(found: string[]): unknown {
  return {
    idFromName: (name: string) => name,
    get: (name: string) => ({
      fetch: () => {
        found.push(name);
        return Promise.resolve(new Response("an object"));
      },
    }),
  };
}

async function nameOf(
  url: string,
  bindings: Record<string, string>,
  options: WorkerOptions = {},
): Promise<unknown> {
  const found: string[] = [];
  const worker = makeWorker(options);
  await worker.fetch(request(url), { BROKER: objects(found), ...bindings });
  return found;
}

const URL = "https://acme.example/team-7/mqtt";

test("makeWorker() sends everybody to one object, or each tenant to his own", async () => {
  assertEquals(await nameOf(URL, {}), ["broker"]);
  assertEquals(await nameOf(URL, { MIDGE_TENANTS: "path" }), ["/team-7/mqtt"]);
  assertEquals(await nameOf(URL, { MIDGE_TENANTS: "host" }), ["acme.example"]);
  const objectOf = (request: Request): string =>
    new globalThis.URL(request.url).pathname.slice(1, 7);
  assertEquals(await nameOf(URL, { MIDGE_TENANTS: "host" }, { objectOf }), ["team-7"]);
});

test("makeWorker() tells in plain words whoever is no client what is here", async () => {
  const found: string[] = [];
  const env = { BROKER: objects(found) };
  const worker = makeWorker();
  const answers = [
    await worker.fetch(new Request(URL), env),
    await worker.fetch(request(URL, { "sec-websocket-protocol": "chat" }), env),
    await worker.fetch(request(URL), { ...env, MIDGE_MAX_QOS: "3" }),
  ];
  assertEquals(
    await Promise.all(answers.map(async (answer) => [answer.status, await answer.text()])),
    [
      [426, "Here is an MQTT broker: connect with a WebSocket, subprotocol mqtt\n"],
      [400, "Name the WebSocket subprotocol mqtt\n"],
      [503, "The broker is not configured rightly: its log says what is wrong\n"],
    ],
  );
  assertEquals(found, []);
});

test("makeWorker() passes TCP on where there is one object, and ends it where it cannot tell which", async () => {
  const passed: string[] = [];
  const tcp = (): {
    socket: { readable: ReadableStream; writable: WritableStream };
    ends: string[];
  } => {
    const ends: string[] = [];
    const readable = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Uint8Array.of(1));
        controller.close();
      },
    });
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) => void ends.push(`bytes ${chunk}`),
      close: () => void ends.push("closed"),
    });
    return { socket: { readable, writable }, ends };
  };
  const BROKER = {
    idFromName: (name: string) => name,
    get: (name: string) => ({
      connect: () => {
        passed.push(name);
        const echo = new TransformStream<Uint8Array, Uint8Array>();
        return { readable: echo.readable, writable: echo.writable };
      },
    }),
  };
  const worker = makeWorker();
  const one = tcp();
  await worker.connect(one.socket, { BROKER });
  const other = tcp();
  await worker.connect(other.socket, { BROKER, MIDGE_TENANTS: "path" });
  assertEquals({ passed, one: one.ends, other: other.ends }, {
    passed: ["broker"],
    one: ["bytes 1", "closed"],
    other: ["closed"],
  });
});

/** One end of a WebSocket whose other end is the test. */
class FakeSocket implements PlainSocket {
  readonly sent: unknown[] = [];
  readonly #listeners: Record<string, ((event: never) => void)[]> = {};

  accept(): void {
    this.sent.push("accepted");
  }

  send(message: ArrayBuffer | string): void {
    this.sent.push(typeof message === "string" ? message : new Uint8Array(message));
  }

  close(code?: number): void {
    this.sent.push(`close ${code}`);
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    (this.#listeners[type] ??= []).push(listener);
  }

  arrive(type: string, event: unknown = {}): void {
    for (const listener of this.#listeners[type] ?? []) listener(event as never);
  }
}

interface Passing {
  readonly client: FakeSocket;
  readonly object: FakeSocket;
  readonly usernames: (string | undefined)[];
  /** Lets the object's answer come. */
  answer(): Promise<void>;
}

function begin(response: unknown = undefined): Passing {
  const client = new FakeSocket();
  const object = new FakeSocket();
  const usernames: (string | undefined)[] = [];
  let resolve = (_response: unknown): void => {};
  const stub = {
    fetch: () => new Promise((done) => resolve = done),
  } as unknown as ObjectStub;
  passOn(client, request(URL), (username) => {
    usernames.push(username);
    return stub;
  });
  const answer = async (): Promise<void> => {
    resolve(response ?? { webSocket: object });
    await new Promise((done) => setTimeout(done, 0));
  };
  return { client, object, usernames, answer };
}

test("passOn() finds the object by the user name, however the CONNECT is cut", async () => {
  const { client, object, usernames, answer } = begin();
  const bytes = encoded(5, connect({ username: "ann" }));
  const halves = [bytes.slice(0, 9), bytes.slice(9)];
  client.arrive("message", { data: halves[0]!.buffer });
  assertEquals(usernames, []);
  client.arrive("message", { data: halves[1]!.buffer });
  client.arrive("message", { data: Uint8Array.of(0xc0, 0).buffer });
  assertEquals(usernames, ["ann"]);
  await answer();
  client.arrive("message", { data: Uint8Array.of(0xe0, 0).buffer });
  object.arrive("message", { data: Uint8Array.of(0xd0, 0).buffer });
  object.arrive("close", { code: 1000 });
  assertEquals(object.sent, [
    "accepted",
    ...halves,
    Uint8Array.of(0xc0, 0),
    Uint8Array.of(0xe0, 0),
  ]);
  assertEquals(client.sent, ["accepted", Uint8Array.of(0xd0, 0), "close 1000"]);
});

test("passOn() leaves to the common object who gives no name or makes no sense", async () => {
  const nameless = encoded(4, connect({ protocolVersion: 4 })).slice().buffer;
  for (const data of [nameless, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff).buffer, "text"]) {
    const { client, object, usernames, answer } = begin();
    client.arrive("message", { data });
    await answer();
    assertEquals(usernames, [undefined]);
    assertEquals(object.sent.length, 2);
  }
  const { client, usernames } = begin();
  for (let i = 0; i < 1001; i++) client.arrive("message", { data: new ArrayBuffer(0) });
  assertEquals(usernames, [undefined]);
  client.arrive("close");
});

test("passOn() waits for a CONNECT as long as an object would, and not longer", async () => {
  const timers = new FakeTimers();
  await timers.run(() => {
    const silent = begin();
    const gone = begin();
    gone.client.arrive("close");
    assertEquals(timers.pending, [30_000]);
    timers.advance(30_000);
    assertEquals([silent.usernames, gone.usernames], [[undefined], []]);
  });
});

test("passOn() ends both sides when either does, or when there is no object", async () => {
  const gone = begin();
  gone.client.arrive("message", { data: encoded(5, connect()).slice().buffer });
  gone.client.arrive("close", { code: 1006 });
  await gone.answer();
  assertEquals(gone.object.sent.at(-1), "close 1000");
  const refused = begin(new Response("no", { status: 503 }));
  refused.client.arrive("message", { data: encoded(5, connect()).slice().buffer });
  await refused.answer();
  assertEquals(refused.client.sent, ["accepted", "close 1011"]);
  const flood = begin();
  flood.client.arrive("message", { data: encoded(5, connect()).slice().buffer });
  for (let i = 0; i < 11; i++) flood.client.arrive("message", { data: new ArrayBuffer(100_000) });
  assertEquals(flood.usernames, [undefined]);
  assertEquals(flood.client.sent.at(-1), "close 1011");
});
