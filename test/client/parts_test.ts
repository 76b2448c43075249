// The small parts of the client library: URLs, waiting times, and the order of acknowledgements.

import { assertEquals, assertThrows } from "@std/assert";
import { AckOrder } from "../../src/client/ack_order.ts";
import { backoffMs, pause } from "../../src/client/backoff.ts";
import { ClientError } from "../../src/client/client_error.ts";
import { parseTarget } from "../../src/client/mqtt_url.ts";
import { Reconnector } from "../../src/client/reconnect.ts";
import { test } from "../harness.ts";

const BARE = {
  isSecure: false,
  webSocket: undefined,
  username: undefined,
  password: undefined,
};

test("parseTarget() reads each kind of URL", () => {
  const at = (hostname: string, port: number) => ({ ...BARE, address: { hostname, port } });
  assertEquals(parseTarget("mqtt://host"), at("host", 1883));
  assertEquals(parseTarget("mqtts://us%40er:p%3Aw@[::1]:1/"), {
    ...at("::1", 1),
    isSecure: true,
    username: "us@er",
    password: "p:w",
  });
  assertEquals(parseTarget("mqtts://host"), { ...at("host", 8883), isSecure: true });
  assertEquals(parseTarget(new URL("wss://u:p@host/mqtt?a=b#c")), {
    ...at("host", 443),
    isSecure: true,
    webSocket: { resource: "/mqtt?a=b", url: "wss://host/mqtt?a=b" },
    username: "u",
    password: "p",
  });
  assertEquals(parseTarget("ws://host"), {
    ...at("host", 80),
    webSocket: { resource: "/", url: "ws://host/" },
  });
  assertEquals(parseTarget("unix:///run/a%20b"), { ...BARE, address: { path: "/run/a b" } });
});

test("parseTarget() refuses what it does not understand, and repeats no password", () => {
  for (
    const url of [
      "host",
      "http://host",
      "mqtt://",
      "mqtt://u:secret@host/topic",
      "mqtt://host?x",
      "mqtt://u:secret%ff@host",
      "unix://host/path",
      "unix:",
    ]
  ) {
    const error = assertThrows(() => parseTarget(url), ClientError);
    assertEquals(error.code, "invalid-argument");
    assertEquals(error.message.includes("secret"), false);
  }
});

test("backoffMs() grows up to its limit, less what chance takes", () => {
  const backoff = { initialMs: 100, maximumMs: 1000, factor: 3, jitter: 0.5 };
  assertEquals([0, 1, 2, 3, 99].map((n) => backoffMs(n, backoff, 0)), [100, 300, 900, 1000, 1000]);
  assertEquals(backoffMs(0, backoff, 0.5), 75);
  assertEquals(backoffMs(0, {}, 0), 250);
});

test("pause() is over at once when its signal is aborted", async () => {
  const controller = new AbortController();
  const paused = pause(1e9, controller.signal);
  controller.abort();
  await paused;
  await pause(1e9, controller.signal);
});

test("Reconnector begins anew after a connection that lasted", () => {
  const reconnector = new Reconnector({ initialMs: 10, jitter: 0 });
  assertEquals(reconnector.next(new Error()), undefined);
  reconnector.connected(0);
  assertEquals([1, 2, 3].map(() => reconnector.next(new Error())), [10, 20, 40]);
  reconnector.connected(9999);
  assertEquals(reconnector.next(new Error()), 80);
  reconnector.connected(10_000);
  assertEquals(reconnector.next(new Error()), 10);
  assertEquals(reconnector.next(new ClientError("protocol-error", "")), undefined);
});

test("AckOrder acknowledges nothing of a connection that is gone", () => {
  const acknowledged: number[] = [];
  const acks = new AckOrder((packetId) => acknowledged.push(packetId));
  const records = [1, 2, 3].map((packetId) => acks.add(packetId));
  acks.release(records[1]!);
  assertEquals(acknowledged, []);
  acks.release(records[0]!);
  assertEquals(acknowledged, [1, 2]);
  acks.end();
  acks.release(records[2]!);
  assertEquals(acknowledged, [1, 2]);
});
