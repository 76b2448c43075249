// HTTP on one connection: requests one after the other, what is refused and how the connection
// ends, time limits, and answers to peers that are slow to take them.

import { assertEquals } from "@std/assert";
import type { HttpHandler, HttpRequest } from "../../src/transport/http.ts";
import { textResponse } from "../../src/transport/http.ts";
import { type HttpOptions, serveHttp } from "../../src/transport/http_connection.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";
import { encode, ScriptedTransport } from "../support/scripted_transport.ts";
import { sleep } from "../support/wait.ts";
import { upgradeRequest } from "../support/websocket_peer.ts";

const OPTIONS: HttpOptions = { headBytesMax: 4096 };

const echo: HttpHandler = ({ method, path, query }) =>
  Promise.resolve(textResponse(200, `${method} ${path} ${query}`));

function open(handler: HttpHandler = echo, options: HttpOptions = OPTIONS): ScriptedTransport {
  return new ScriptedTransport().accept(serveHttp(handler, options));
}

/** Lets the promises settle that a handler's answer goes through. */
async function ticks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function response(status: string, body: string, isLast = false, more = ""): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n${more}` +
    `Content-Length: ${body.length}\r\nConnection: ${
      isLast ? "close" : "keep-alive"
    }\r\n\r\n${body}`;
}

const GET = "GET /a/b?c=d?e HTTP/1.1\r\nHost: x\r\n\r\n";

test("serveHttp() answers one request after the other on one connection", async () => {
  const wire = open();
  for (let i = 0; i < 3; i++) {
    wire.receive(GET);
    await ticks();
    assertEquals(wire.takeText(), response("200 OK", "GET /a/b c=d?e"));
  }
  assertEquals(wire.calls, ["pause", "resume", "pause", "resume", "pause", "resume"]);
  wire.end();
});

test("serveHttp() shows a handler the whole request", async () => {
  let seen: HttpRequest | undefined;
  const wire = open((request) => {
    seen = request;
    return Promise.resolve({ status: 200 });
  });
  wire.receive("GET /%61 HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n");
  await ticks();
  wire.end();
  assertEquals(seen, {
    method: "GET",
    path: "/%61",
    query: "",
    headers: new Map([["host", "x"], ["x-forwarded-for", "10.0.0.1"]]),
    peer: wire,
  });
  assertEquals(seen?.peer.remoteAddress, "192.0.2.1");
});

test("serveHttp() answers HEAD with the headers of GET", async () => {
  const wire = open();
  wire.receive("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  await ticks();
  assertEquals(wire.takeText(), response("200 OK", "HEAD / ").slice(0, -"HEAD / ".length));
  wire.end();
});

const BAD = response("400 Bad Request", "Bad request.\n", true);

const REFUSED: readonly (readonly [name: string, request: string, answer: string])[] = [
  ["a malformed request", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", BAD],
  ["MQTT", "\x10\x0c\0\x04MQTT", BAD],
  ["TLS", "\x16\x03\x01\x02\0", BAD],
  ["no host", "GET / HTTP/1.1\r\n\r\n", BAD],
  ["a whole URL", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", BAD],
  [
    "a body",
    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
    response("413 Content Too Large", "A body is not accepted.\n", true),
  ],
  [
    "a body in chunks",
    "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    response("413 Content Too Large", "A body is not accepted.\n", true),
  ],
  [
    "headers of 100 KB (B-58)",
    `GET / HTTP/1.1\r\nHost: x\r\ntraceparent: ${"f".repeat(100_000)}\r\n\r\n`,
    response("431 Request Header Fields Too Large", "Request header fields too large.\n", true),
  ],
];

for (const [name, request, answer] of REFUSED) {
  test(`serveHttp() refuses ${name} and closes`, async () => {
    const wire = open();
    wire.receive(request);
    wire.receive("more");
    await ticks();
    assertEquals([wire.takeText(), wire.calls], [answer, ["close"]]);
    wire.end();
  });
}

const LAST: readonly (readonly [name: string, requests: readonly string[]])[] = [
  ["asks for it", [GET.replace("\r\n\r\n", "\r\nConnection: Close\r\n\r\n")]],
  ["is of version 1.0", [GET.replace("1.1", "1.0")]],
  ["is followed by another in the same chunk", [GET + GET]],
  ["is followed by another before its answer", [GET, GET]],
];

for (const [name, requests] of LAST) {
  test(`serveHttp() ends the connection after the answer to a request that ${name}`, async () => {
    const wire = open();
    for (const request of requests) wire.receive(request);
    await ticks();
    const answer = response("200 OK", "GET /a/b c=d?e", true);
    assertEquals([wire.takeText(), wire.calls], [answer, ["pause", "close"]]);
    wire.end();
  });
}

test("serveHttp() leaves other methods to the handler and reads no bodies of theirs", async () => {
  const wire = open();
  wire.receive("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nGET / HTTP/1.1\r\nHost: y");
  await ticks();
  assertEquals([wire.takeText(), wire.calls], [
    response("200 OK", "POST / ", true),
    ["pause", "close"],
  ]);
  wire.end();
});

test("serveHttp() ends a connection after a hundred requests", async () => {
  const wire = open();
  let answers = "";
  for (let i = 0; i < 100; i++) {
    wire.receive(GET);
    await ticks();
    answers = wire.takeText();
  }
  assertEquals([answers, wire.calls.at(-1)], [
    response("200 OK", "GET /a/b c=d?e", true),
    "close",
  ]);
  wire.end();
});

test("serveHttp() answers 500 for a handler that fails, and says so to us alone", async () => {
  const errors: unknown[] = [];
  const failure = new Error("secret");
  const wire = open(() => Promise.reject(failure), {
    ...OPTIONS,
    onError: (error) => errors.push(error),
  });
  wire.receive(GET);
  await ticks();
  assertEquals([wire.takeText(), errors], [
    response("500 Internal Server Error", "Internal server error.\n"),
    [failure],
  ]);
  wire.end();
});

test("serveHttp() lets no header value of a handler become another header", async () => {
  const wire = open(() =>
    Promise.resolve(textResponse(200, "", { "X-Name": "a\r\nX-Evil: b\0ü" }))
  );
  wire.receive(GET);
  await ticks();
  assertEquals(wire.takeText(), response("200 OK", "", false, "X-Name: a??X-Evil: b??\r\n"));
  wire.end();
});

test("serveHttp() gives a body piece by piece and releases it when it has left", async () => {
  let released = 0;
  const body = new Uint8Array(150_000).fill(7);
  const wire = open(() => Promise.resolve({ status: 200, body, release: () => released++ }));
  wire.isFast = false;
  wire.receive(GET);
  await ticks();
  const sizes: number[] = [];
  wire.takeBytes();
  while (released === 0) {
    wire.drain();
    sizes.push(wire.takeBytes().length);
  }
  assertEquals([sizes, released], [[65_536, 65_536, 18_928, 0], 1]);
  wire.end();
  assertEquals(released, 1);
});

test("serveHttp() releases a body that nobody takes any more, and one that comes too late", async () => {
  let released = 0;
  let answer: () => void = () => {};
  const body = new Uint8Array(150_000);
  const wire = open(() =>
    new Promise((resolve) =>
      answer = () => resolve({ status: 200, body, release: () => released++ })
    )
  );
  wire.isFast = false;
  wire.receive(GET);
  answer();
  await ticks();
  wire.end();
  assertEquals(released, 1);
  const late = open(() =>
    new Promise((resolve) =>
      answer = () => resolve({ status: 200, body, release: () => released++ })
    )
  );
  late.receive(GET);
  late.end();
  answer();
  await ticks();
  assertEquals([released, late.takeBytes()], [2, []]);
});

test("serveHttp() waits ten seconds for a request, ten for each piece, thirty for an answer", async () => {
  const timers = new FakeTimers();
  await timers.run(async () => {
    const silent = open();
    const slow = open();
    slow.receive(encode(GET).subarray(0, 9));
    const stuck = open(() => new Promise(() => {}));
    stuck.receive(GET);
    const deaf = open();
    deaf.isFast = false;
    deaf.receive(GET);
    await ticks();
    timers.advance(9999);
    slow.receive("x");
    assertEquals([silent, slow, stuck, deaf].map((one) => one.calls), [[], [], ["pause"], [
      "pause",
    ]]);
    timers.advance(1);
    assertEquals(
      [silent, slow, stuck, deaf].map((one) => one.calls.at(-1)),
      ["abort", "abort", "pause", "abort"],
    );
    timers.advance(20_000);
    assertEquals(stuck.calls, ["pause", "abort"]);
    for (const one of [silent, slow, stuck, deaf]) one.end();
    assertEquals(timers.pending, []);
  });
});

test("serveHttp() sends away the oldest of too many connections", async () => {
  const accept = serveHttp(echo, { ...OPTIONS, waitingMax: 1 });
  const [first, second] = [1, 2].map(() => new ScriptedTransport().accept(accept));
  await sleep(0);
  assertEquals([first!.calls, second!.calls], [["abort"], []]);
  first!.end();
  second!.end();
});

test("serveHttp() answers a request for a WebSocket as any other (B-57)", async () => {
  const wire = open();
  wire.receive(upgradeRequest());
  await ticks();
  assertEquals(wire.takeText(), response("200 OK", "GET /mqtt "));
  wire.end();
});
