// The broker as a fetch handler: what it answers, and what becomes of WebSockets that a host makes;
// on this runtime's own server, on that of `node:http`, in a Worker, and of objects handed in.

import { assertEquals } from "@std/assert";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Broker, type BrokerEvent } from "../../mod.ts";
import type { StandardWebSocket } from "../../src/transport/web_socket_transport.ts";
import { test } from "../harness.ts";
import { currentRuntime } from "../runtime/programs.ts";
import { until } from "../support/wait.ts";
import { HAS_WEB_HOST, serveWeb } from "../support/web_host.ts";
import { upgradeRequest } from "../support/websocket_peer.ts";
import { openWebSocket } from "../support/websocket_stream.ts";
import { WireClient } from "../support/wire_client.ts";

const UPGRADE = { "Upgrade": "websocket", "Sec-WebSocket-Protocol": "mqtt" };

/** A request as a host would make it; a page could not set these headers. */
function requestFor(headers: Readonly<Record<string, string>>): Request {
  return { method: "GET", headers: new Headers(headers) } as unknown as Request;
}

/** What a server answers to bytes, up to its end. */
function ask(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", reject);
    socket.on("data", (chunk) => text += chunk);
    socket.on("close", () => resolve(text));
    socket.end(request);
  });
}

interface Watched {
  readonly broker: Broker;
  /** Where clients came from, without their ports. */
  readonly opened: string[];
  readonly errors: string[];
}

function watch(origins: readonly string[] = []): Watched {
  const opened: string[] = [];
  const errors: string[] = [];
  const broker = new Broker({
    origins,
    onEvent(event: BrokerEvent) {
      if (event.kind === "opened") opened.push(event.peer.remoteAddress);
    },
    onError: (stage, error) => void errors.push(`${stage}: ${error}`),
  });
  return { broker, opened, errors };
}

/** A client that says something to itself by way of the broker. */
async function converse(port: number): Promise<void> {
  const client = new WireClient(await openWebSocket(port), 5);
  assertEquals((await client.handshake({ clientId: "hosted" })).reasonCode, 0);
  await client.subscribe(["a/b"], 1);
  client.publish("a/b", new Uint8Array(100_000), { qos: 1 });
  const got = [await client.next("PUBLISH"), await client.next("PUBACK")];
  assertEquals(got.map(({ type }) => type).sort(), ["puback", "publish"]);
  client.leave();
  await client.untilClosed();
}

test("Broker.fetch() answers what is no WebSocket, also when it is handed around alone", async () => {
  const { broker } = watch();
  const { fetch } = broker;
  const response = await fetch(new Request("http://localhost/"));
  assertEquals([response.status, await response.text()], [
    426,
    "This is an MQTT broker: connect by WebSocket.\n",
  ]);
  await broker.close();
  const late = await fetch(requestFor(UPGRADE));
  assertEquals([late.status, await late.text()], [503, "The broker is closed.\n"]);
});

test("Broker.fetch() says so where no WebSocket can be made", async () => {
  const { broker, errors } = watch();
  // On Deno and Bun for want of the second argument; Node makes none by a fetch handler.
  const response = await broker.fetch(requestFor(UPGRADE));
  assertEquals([response.status, errors.length], [
    currentRuntime() === "deno" ? 400 : 501,
    currentRuntime() === "node" ? 0 : 1,
  ]);
  await broker.close();
});

test("Broker.fetch() serves clients on the server of deno and bun", {
  skip: HAS_WEB_HOST ? false : "this runtime has no such server",
}, async () => {
  const { broker, opened, errors } = watch(["https://page.example"]);
  const server = serveWeb(broker.fetch, broker.websocket);
  await until(() => server.port > 0, "it listens");
  const refused = await ask(server.port, upgradeRequest({ Connection: "close, Upgrade" }));
  assertEquals(refused.split(" ", 2).join(" "), "HTTP/1.1 403");
  const origin = upgradeRequest({ Origin: "https://page.example" });
  const client = new WireClient(await openWebSocket(server.port, origin), 5);
  assertEquals((await client.handshake()).reasonCode, 0);
  client.leave();
  await client.untilClosed();
  assertEquals([opened, errors], [["127.0.0.1"], []]);
  await server.close();
  await broker.close();
});

test("Broker.upgrade() serves clients of a server of node:http, and answers the others", async () => {
  const { broker, opened, errors } = watch();
  const server = createServer((_request, response) => void response.end("Hello"));
  server.on("upgrade", broker.upgrade);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await converse(port);
  const answers = [
    upgradeRequest({ "Sec-WebSocket-Protocol": "chat" }),
    upgradeRequest({ "Sec-WebSocket-Key": "short" }),
  ];
  assertEquals(await Promise.all(answers.map((request) => ask(port, request))), [
    [
      "HTTP/1.1 400 Bad Request",
      "content-type: text/plain; charset=utf-8",
      "Content-Length: 52",
      "Connection: close",
      "",
      "The WebSocket subprotocol must be mqtt or mqttv3.1.\n",
    ].join("\r\n"),
    [
      "HTTP/1.1 400 Bad Request",
      "content-type: text/plain; charset=utf-8",
      "Content-Length: 56",
      "Connection: close",
      "",
      "The request is none for a WebSocket: bad websocket key.\n",
    ].join("\r\n"),
  ]);
  await broker.close();
  const late = await ask(port, upgradeRequest());
  assertEquals(late.split("\r\n")[0], "HTTP/1.1 503 Service Unavailable");
  assertEquals([opened, errors], [["127.0.0.1"], []]);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** One end of a pair, wired to the other. */
class PairedSocket implements StandardWebSocket {
  binaryType = "blob";
  readonly readyState = 1;
  other: PairedSocket | undefined;
  isAccepted = false;
  readonly got: number[] = [];
  readonly #events: EventTarget = new EventTarget();

  readonly addEventListener = (type: string, listener: EventListener): void =>
    this.#events.addEventListener(type, listener);

  accept(): void {
    this.isAccepted = true;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.other!.hear(new MessageEvent("message", { data: bytes.slice().buffer }));
  }

  close(): void {
    for (const end of [this, this.other!]) end.hear(new Event("close"));
  }

  hear(event: Event): void {
    queueMicrotask(() => {
      if (event instanceof MessageEvent) this.got.push(...new Uint8Array(event.data));
      this.#events.dispatchEvent(event);
    });
  }
}

function pair(): [PairedSocket, PairedSocket] {
  const ends: [PairedSocket, PairedSocket] = [new PairedSocket(), new PairedSocket()];
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}

const CONNECT = [0x10, 16, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 4, 112, 97, 105, 114];
const CONNACK = [0x20, 2, 0, 0];

test("Broker.serveWebSocket() serves any WebSocket object, and tells when it is over", async () => {
  const { broker, opened } = watch();
  const [client, server] = pair();
  const done = broker.serveWebSocket(server, { remoteAddress: "192.0.2.7" });
  client.send(Uint8Array.from(CONNECT));
  await until(() => client.got.length === 4, "the CONNACK has come");
  assertEquals([client.got, opened], [CONNACK, ["192.0.2.7"]]);
  client.close();
  await done;
  await broker.close();
});

test("Broker.fetch() serves clients in a Worker, by its pairs of WebSockets", async () => {
  const pairs: [PairedSocket, PairedSocket][] = [];
  const inits: unknown[] = [];
  const { Response } = globalThis;
  // The parts of a Worker's host that this runtime lacks: it refuses a response of 101.
  const faked = {
    WebSocketPair: function () {
      const made = pair();
      pairs.push(made);
      return made;
    },
    Response: class extends Response {
      constructor(body: BodyInit | null, init: ResponseInit) {
        super(body, { ...init, status: init.status === 101 ? 200 : init.status ?? 200 });
        inits.push({ ...init });
      }
    },
  };
  const opened: string[] = [];
  const broker = new Broker({
    onEvent(event) {
      if (event.kind === "opened") opened.push(event.peer.remoteAddress);
    },
  });
  Object.assign(globalThis, faked);
  try {
    await broker.fetch(requestFor({ ...UPGRADE, "CF-Connecting-IP": "192.0.2.9" }));
  } finally {
    Object.assign(globalThis, { Response });
    Reflect.deleteProperty(globalThis, "WebSocketPair");
  }
  const [client, server] = pairs[0]!;
  const headers = { "Sec-WebSocket-Protocol": "mqtt" };
  assertEquals(inits, [{ status: 101, webSocket: client, headers }]);
  client.send(Uint8Array.from(CONNECT));
  await until(() => client.got.length === 4, "the CONNACK has come");
  assertEquals([server.isAccepted, client.got, opened], [true, CONNACK, ["192.0.2.9"]]);
  await broker.close();
});
