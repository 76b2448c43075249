// The client's end of a WebSocket: against our own server's end over a pipe, and against servers
// that answer wrongly, late, or not at all.

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Accept, Transport } from "../../src/transport/transport.ts";
import { withWebSocket } from "../../src/transport/websocket.ts";
import { openWebSocket, type WebSocketRequest } from "../../src/transport/websocket_client.ts";
import { acceptKey } from "../../src/transport/websocket_handshake.ts";
import { test } from "../harness.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";
import { until } from "../support/wait.ts";

const REQUEST: WebSocketRequest = {
  host: "broker.example:8080",
  resource: "/mqtt?a=b",
  timeoutMs: 5000,
  signal: new AbortController().signal,
};

const SILENT: Accept = () => ({ onBytes() {}, onWritable() {}, onClose() {} });

/** A server in the test's hands: what the client asks it, and what came of it. */
async function ask(
  request: WebSocketRequest = REQUEST,
  accept: Accept = SILENT,
): Promise<{ transport: ScriptedTransport; head: string; opened: Promise<void> }> {
  const transport = new ScriptedTransport();
  const opened = openWebSocket(
    (accepted) => {
      transport.accept(accepted);
      return Promise.resolve();
    },
    request,
    accept,
  );
  opened.catch(() => {});
  await until(() => transport.written.length > 0, "the request has been sent");
  return { transport, head: transport.takeText(), opened };
}

async function agreement(head: string, changes: Record<string, string> = {}): Promise<string> {
  const key = /sec-websocket-key: (.*)\r\n/.exec(head)![1]!;
  const headers = {
    "Upgrade": "WebSocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Accept": await acceptKey(key),
    "Sec-WebSocket-Protocol": "mqtt",
    ...changes,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return ["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n");
}

test("openWebSocket() carries whatever either side says, in frames of every size", async () => {
  const sizes = [1, 125, 126, 4000, 65_535, 65_536, 200_000];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const got = { client: [] as number[], server: [] as number[] };
  const ends: string[] = [];
  const sideOf = (name: "client" | "server", wants: { transport?: Transport }): Accept => (own) => {
    wants.transport = own;
    let next = 0;
    const send = (): void => {
      while (next < sizes.length) {
        const bytes = new Uint8Array(sizes[next++]!).fill(next);
        if (!own.write(bytes, bytes.length)) return;
      }
    };
    queueMicrotask(send);
    return {
      onBytes: (chunk) => void got[name].push(...chunk),
      onWritable: send,
      onClose: (error) => void ends.push(`${name} ${error ?? "ended"}`),
    };
  };
  const client: { transport?: Transport } = {};
  await openWebSocket(
    (accept) => {
      const server = withWebSocket(sideOf("server", {}), { headBytesMax: 4096 });
      openMemoryPipe(accept, server, { capacityBytes: 1000 });
      return Promise.resolve();
    },
    REQUEST,
    sideOf("client", client),
  );
  await until(
    () => got.client.length === total && got.server.length === total,
    "everything has come",
  );
  const expected = sizes.flatMap((size, index) => new Array<number>(size).fill(index + 1));
  assertEquals(got, { client: expected, server: expected });
  client.transport!.close();
  await until(() => ends.length === 2, "both have ended");
  assertEquals(ends.sort(), ["client ended", "server ended"]);
});

test("openWebSocket() asks as the standard says, and adds what it is told to add", async () => {
  const { head, transport, opened } = await ask({
    ...REQUEST,
    headers: { Origin: "https://here.example", Cookie: "a=b" },
  });
  const [requestLine, ...lines] = head.slice(0, -4).split("\r\n");
  assertEquals(requestLine, "GET /mqtt?a=b HTTP/1.1");
  const keyed = lines.sort().map((line) =>
    line.replace(/^(sec-websocket-key:) [A-Za-z\d+/]{22}==$/, "$1 ok")
  );
  assertEquals(keyed, [
    "connection: Upgrade",
    "cookie: a=b",
    "host: broker.example:8080",
    "origin: https://here.example",
    "sec-websocket-key: ok",
    "sec-websocket-protocol: mqtt",
    "sec-websocket-version: 13",
    "upgrade: websocket",
  ]);
  transport.end();
  assertEquals(
    (await assertRejects(() => opened, OperationError)).reason,
    "it closed the connection",
  );
});

test("openWebSocket() masks every frame that it sends [RFC 6455, 5.3]", async () => {
  let own: Transport | undefined;
  const { head, transport, opened } = await ask(REQUEST, (opening) => {
    own = opening;
    return SILENT(opening);
  });
  transport.receive(await agreement(head));
  await opened;
  const masks = new Set<string>();
  for (const size of [3, 200]) {
    own!.write(new Uint8Array(size).fill(7), size);
    const frame = transport.takeBytes();
    const start = size < 126 ? 6 : 8;
    assertEquals(frame.slice(0, start - 4), size < 126 ? [0x82, 0x80 | 3] : [0x82, 0xfe, 0, 200]);
    const mask = frame.slice(start - 4, start);
    masks.add(String(mask));
    assertEquals(frame.slice(start), Array.from({ length: size }, (_, i) => 7 ^ mask[i % 4]!));
  }
  assertEquals(masks.size, 2);
  // A ping is answered, masked as well.
  transport.receive(Uint8Array.of(0x89, 2, 5, 6));
  const pong = transport.takeBytes();
  assertEquals(pong.slice(0, 2), [0x8a, 0x82]);
  assertEquals([pong[6]! ^ pong[2]!, pong[7]! ^ pong[3]!], [5, 6]);
});

test("openWebSocket() hands on what comes right behind the answer, wherever it is cut", async () => {
  for (const size of [1, 7, 10_000]) {
    const got: number[] = [];
    const accept: Accept = () => ({
      onBytes: (chunk) => void got.push(...chunk),
      onWritable() {},
      onClose() {},
    });
    const { head, transport, opened } = await ask(REQUEST, accept);
    const text = await agreement(head);
    const bytes = Uint8Array.from([...text].map((char) => char.charCodeAt(0)));
    transport.receiveInPieces(Uint8Array.of(...bytes, 0x82, 3, 1, 2, 3), size);
    await opened;
    assertEquals(got, [1, 2, 3]);
  }
});

test("openWebSocket() takes masked frames for a broken protocol [RFC 6455, 5.1]", async () => {
  const ends: unknown[] = [];
  const { head, transport, opened } = await ask(REQUEST, () => ({
    onBytes() {},
    onWritable() {},
    onClose: (error) => void ends.push(error),
  }));
  transport.receive(await agreement(head));
  await opened;
  transport.receive(Uint8Array.of(0x82, 0x81, 0, 0, 0, 0, 1));
  assertEquals(ends.map((error) => (error as OperationError).message), [
    "The WebSocket peer broke the protocol: 1002",
  ]);
});

test("openWebSocket() refuses every answer but the right one [MQTT-6.0.0-4]", async () => {
  const wrong: readonly (readonly [string, (head: string) => string | Promise<string>])[] = [
    ["it does not speak HTTP", () => "SSH-2.0-x\r\n\r\n"],
    ['it answered "404 Not Found"', () => "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n"],
    ['it answered "200"', () => "HTTP/1.1 200 \r\n\r\n"],
    ["its answer is no head of HTTP", () => "HTTP/1.1 101 x\r\nno colon\r\n\r\n"],
    ["it did not agree to a WebSocket", (head) => agreement(head, { Upgrade: "h2c" })],
    ["it did not agree to a WebSocket", (head) => agreement(head, { Connection: "close" })],
    ["it did not agree to a WebSocket", (head) => agreement(head, { "Sec-WebSocket-Accept": "x" })],
    ["it does not speak MQTT", (head) => agreement(head, { "Sec-WebSocket-Protocol": "chat" })],
    [
      "it uses an extension",
      (head) => agreement(head, { "Sec-WebSocket-Extensions": "permessage-deflate" }),
    ],
    ["its answer is too long", () => `HTTP/1.1 101 ${"x".repeat(20_000)}`],
  ];
  for (const [reason, answer] of wrong) {
    const { head, transport, opened } = await ask();
    transport.receive(await answer(head));
    const error = await assertRejects(() => opened, OperationError);
    assertEquals([error.code, error.reason], ["connect-failed", reason]);
    assertEquals(transport.calls, ["abort"]);
    transport.end();
  }
});

test("openWebSocket() gives up in time, and when it is told to", async () => {
  const late = await ask({ ...REQUEST, timeoutMs: 30 });
  const error = await assertRejects(() => late.opened, OperationError);
  assertEquals([error.code, late.transport.calls], ["timed-out", ["abort"]]);
  const reason = new Error("enough");
  const controller = new AbortController();
  const aborted = await ask({ ...REQUEST, signal: controller.signal });
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => aborted.opened), reason);
  assertEquals(aborted.transport.calls, ["abort"]);
});
