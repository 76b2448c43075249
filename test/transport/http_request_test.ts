// The head of a request: what is one, what is not quite one, where it is cut, how long it may be.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  hasMember,
  HEAD_INCOMPLETE,
  HEAD_MALFORMED,
  HEAD_TOO_LARGE,
  HttpHeadReader,
  listMembers,
} from "../../src/transport/http_request.ts";
import { test } from "../harness.ts";
import { encode } from "../support/scripted_transport.ts";

const WHOLE = "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Two: a\r\nX-Empty:\r\nX-TWO:\t b \r\n\r\n";

const HEAD = {
  method: "GET",
  target: "/a?b=c",
  minorVersion: 1 as const,
  headers: new Map([["host", "x"], ["x-two", "a, b"], ["x-empty", ""]]),
};

/** The head in a text, a number that says why there is none, or `undefined` for a senseless one. */
function parse(text: string, bytesMax = 4096) {
  const reader = new HttpHeadReader(bytesMax);
  const end = reader.read(encode(text));
  return end < 0 ? end : reader.take();
}

test("HttpHeadReader reads a head wherever it is cut, and says where it ends", () => {
  const bytes = encode(`${WHOLE}more`);
  for (let at = 1; at < WHOLE.length; at++) {
    const reader = new HttpHeadReader(4096);
    assertEquals(reader.read(bytes.subarray(0, at)), HEAD_INCOMPLETE);
    assertEquals(reader.read(bytes.subarray(at)), WHOLE.length - at);
    assertEquals(reader.take(), HEAD);
  }
});

test("HttpHeadReader reads the next head with the same reader", () => {
  const reader = new HttpHeadReader(WHOLE.length);
  for (let i = 0; i < 3; i++) {
    assertEquals(reader.read(encode(WHOLE)), WHOLE.length);
    assertEquals(reader.take(), HEAD);
  }
});

test("HttpHeadReader takes as many bytes as it was told and not one more", () => {
  const long = `GET / HTTP/1.1\r\ntraceparent: ${"x".repeat(100_000)}\r\n\r\n`;
  assertEquals(parse(WHOLE, WHOLE.length), HEAD);
  assertEquals(parse(WHOLE, WHOLE.length - 1), HEAD_TOO_LARGE);
  assertEquals(parse(long, 65_535), HEAD_TOO_LARGE);
  assertEquals(parse(WHOLE, 0), HEAD_TOO_LARGE);
});

const IMPOSSIBLE: readonly string[] = [
  "\x10\x0c\0\x04MQTT",
  "\x16\x03\x01",
  "\n",
  "\r\n",
  "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n",
  "GET /\r\n",
  "GET / HTTP/2.0\r\n",
  "GET / HTTP/1.1\n",
  "GET / HTTP/1.1\rX",
  "GET / HTTP/1.1\r\r",
  "GET / HTTP/1.2\r\n",
  "GET / http/1.1\r\n",
  "GET  / HTTP/1.1\r\n",
  "GET / HTTP/1.1 \r\n",
  " GET / HTTP/1.1\r\n",
  "GET /\xe4 HTTP/1.1\r\n",
  "GET\t/ HTTP/1.1\r\n",
  "G(T / HTTP/1.1\r\n",
  "GET / HTTP/1.1\r\nA: \0",
  "GET / HTTP/1.1\r\nA: \x7f",
  "GET / HTTP/1.1\r\nA: b\x0bc",
];

test("HttpHeadReader gives up at the first byte that no head can have", () => {
  assertEquals(IMPOSSIBLE.map((text) => parse(text)), IMPOSSIBLE.map(() => HEAD_MALFORMED));
});

const SENSELESS: readonly string[] = [
  "GET / HTTP/1.1\r\nHost : x",
  "GET / HTTP/1.1\r\n Host: x",
  "GET / HTTP/1.1\r\nHost: x\r\n folded",
  "GET / HTTP/1.1\r\n: x",
  "GET / HTTP/1.1\r\nHost",
  "GET / HTTP/1.1\r\nH\xf6st: x",
  "GET / HTTP/1.1\r\nHost: x\r\nhost: x",
  "GET / HTTP/1.1\r\nOrigin: x\r\nOrigin: y",
  "GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 1",
  "GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b",
  "GET / HTTP/1.1\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Key: b",
  "GET / HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nsec-websocket-version: 13",
  "GET / HTTP/1.1\r\nTransfer-Encoding: a\r\nTransfer-Encoding: b",
];

for (const text of SENSELESS) {
  test(`HttpHeadReader.take() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parse(`${text}\r\n\r\n`), undefined);
  });
}

test("HttpHeadReader keeps what stands in a value but the blanks around it", () => {
  assertEquals(parse("GET / HTTP/1.0\r\nA: \t\xa0b  c\xe4\t \r\n\r\n"), {
    method: "GET",
    target: "/",
    minorVersion: 0,
    headers: new Map([["a", "\xa0b  c\xe4"]]),
  });
});

test("listMembers() and hasMember() read lists as they are meant", () => {
  assertEquals(listMembers(" a,, b\t,c d,"), ["a", "b", "c d"]);
  assertEquals(listMembers(undefined), []);
  assertEquals(hasMember("keep-alive, Upgrade", "upgrade"), true);
  assertEquals(hasMember("upgrades", "upgrade"), false);
});

test("HttpHeadReader has the same answer to any bytes, whole or one by one", () => {
  const text = fc.array(
    fc.constantFrom("GET / HTTP/1.1", "\r\n", "\r", "\n", "Host", ":", " ", "x", "\0", "\r\n\r\n"),
    { maxLength: 12 },
  );
  fc.assert(fc.property(text, (parts) => {
    const bytes = encode(parts.join(""));
    const whole = new HttpHeadReader(64);
    const single = new HttpHeadReader(64);
    let end = HEAD_INCOMPLETE;
    for (let i = 0; i < bytes.length && end === HEAD_INCOMPLETE; i++) {
      end = single.read(bytes.subarray(i, i + 1));
      if (end > 0) end += i;
    }
    assertEquals(whole.read(bytes), end);
    if (end > 0) assertEquals(whole.take(), single.take());
  }));
});
