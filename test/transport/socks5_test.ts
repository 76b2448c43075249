// The dialogue with a SOCKS5 proxy, byte by byte: what is asked, what is taken for an answer, and
// every way of being refused.

import { assertEquals, assertThrows } from "@std/assert";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { Socks5Dialogue, type Socks5Request } from "../../src/transport/socks5.ts";
import { test } from "../harness.ts";
import { bytesOf } from "../support/packets.ts";

const REQUEST: Socks5Request = { hostname: "broker.example", port: 0x1234 };
const GRANTED = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const NAME = [14, ...bytesOf("broker.example")];

/** What the client sends, with the proxy's answers to each. */
function talk(request: Socks5Request, replies: readonly number[][]): [number[][], boolean] {
  const dialogue = new Socks5Dialogue(request);
  const sent = [[...dialogue.begin()]];
  for (const reply of replies) {
    // One by one, as a slow network would.
    for (const byte of reply) {
      const answer = dialogue.receive(Uint8Array.of(byte));
      if (answer.length > 0) sent.push([...answer]);
    }
  }
  return [sent, dialogue.isDone];
}

function refusal(request: Socks5Request, replies: readonly number[][]): string | undefined {
  const error = assertThrows(() => talk(request, replies), OperationError);
  assertEquals(error.code, "proxy-failed");
  return error.reason;
}

test("Socks5Dialogue asks for a host by its name, so that the proxy looks it up", () => {
  assertEquals(talk(REQUEST, [[5, 0], GRANTED]), [
    [[5, 1, 0], [5, 1, 0, 3, ...NAME, 0x12, 0x34]],
    true,
  ]);
});

test("Socks5Dialogue asks for an address as what it is", () => {
  const ask = (hostname: string) => talk({ hostname, port: 1883 }, [[5, 0]])[0][1];
  assertEquals(ask("127.0.0.1"), [5, 1, 0, 1, 127, 0, 0, 1, 7, 91]);
  assertEquals(ask("::1"), [5, 1, 0, 4, ...new Array<number>(15).fill(0), 1, 7, 91]);
});

test("Socks5Dialogue logs in where the proxy wants that, and only there", () => {
  const request = { ...REQUEST, username: "me", password: "s:€" };
  const ask = [5, 1, 0, 3, ...NAME, 0x12, 0x34];
  assertEquals(talk(request, [[5, 2], [1, 0], GRANTED]), [
    [[5, 2, 0, 2], [1, 2, 109, 101, 5, ...bytesOf("s:€")], ask],
    true,
  ]);
  assertEquals(talk(request, [[5, 0], GRANTED]), [[[5, 2, 0, 2], ask], true]);
  assertEquals(talk({ ...REQUEST, username: "me" }, [[5, 2]])[0][1], [1, 2, 109, 101, 0]);
});

test("Socks5Dialogue reads to the end of the answer, whatever address is in it", () => {
  for (
    const [type, address] of [
      [1, [1, 2, 3, 4]],
      [3, [3, 97, 46, 98]],
      [4, new Array<number>(16).fill(9)],
    ] as const
  ) {
    const reply = [5, 0, 0, type, ...address, 7, 91];
    assertEquals(talk(REQUEST, [[5, 0], reply])[1], true);
    assertEquals(talk(REQUEST, [[5, 0], reply.slice(0, -1)])[1], false);
    assertEquals(refusal(REQUEST, [[5, 0], [...reply, 1]]), "it sent what nobody asked for");
  }
});

test("Socks5Dialogue says why the proxy refuses", () => {
  const statuses = [1, 2, 3, 4, 5, 6, 7, 8, 99];
  assertEquals(statuses.map((status) => refusal(REQUEST, [[5, 0], [5, status, 0, 0, 0]])), [
    "General SOCKS server failure",
    "Connection not allowed by ruleset",
    "Network unreachable",
    "Host unreachable",
    "Connection refused",
    "TTL expired",
    "Command not supported",
    "Address type not supported",
    "unknown status 99",
  ]);
  const request = { ...REQUEST, username: "me", password: "no" };
  assertEquals(refusal(request, [[5, 0xff]]), "it accepts no login that we have");
  assertEquals(refusal(REQUEST, [[5, 2]]), "it accepts no login that we have");
  assertEquals(refusal(request, [[5, 2], [1, 1]]), "it does not accept the user name and password");
  assertEquals(refusal(REQUEST, [[72, 84]]), "it does not speak SOCKS5");
  assertEquals(refusal(REQUEST, [[5, 0], [4, 0, 0, 0, 0]]), "it does not speak SOCKS5");
});

test("Socks5Dialogue takes no more than it has asked for", () => {
  const dialogue = new Socks5Dialogue(REQUEST);
  assertThrows(() => dialogue.receive(Uint8Array.of(5, 0, 5, 0)), OperationError);
});

test("Socks5Dialogue refuses what SOCKS5 has no room for", () => {
  const long = "x".repeat(256);
  const expected = "a name or password is empty, or too long for SOCKS5";
  for (
    const request of [
      { ...REQUEST, hostname: long },
      { ...REQUEST, hostname: "" },
      { ...REQUEST, username: long },
      { ...REQUEST, username: "" },
      { ...REQUEST, username: "u", password: long },
    ]
  ) assertEquals(refusal(request, []), expected);
});
