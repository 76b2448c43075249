// How a connection begins: every version whole and cut anywhere, and what is no MQTT.

import { assertEquals } from "@std/assert";
import { type ConnectStart, readConnectStart } from "../../../src/cli/relay/connect_start.ts";
import { test } from "../../harness.ts";
import { encode } from "../../support/scripted_transport.ts";

const STARTS: readonly (readonly [text: string, start: ConnectStart])[] = [
  ["\x10\x11\0\x04MQTT\x05", "mqtt-5"],
  ["\x10\xff\xff\xff\x7f\0\x04MQTT\x05", "mqtt-5"],
  ["\x10\x11\0\x04MQTT\x04", "mqtt-3.1.1"],
  // A bridge says so in the level, and one of a future version is left to the broker.
  ["\x10\x11\0\x04MQTT\x84", "mqtt-3.1.1"],
  ["\x10\x11\0\x04MQTT\x06", "mqtt-5"],
  ["\x10\x80\x01\0\x06MQIsdp\x03", "mqtt-3.1"],
  ["\x10\x11\0\x06MQIsdp\x83", "mqtt-3.1"],
];

test("readConnectStart() knows each version [MQTT-3.1.2-1], and waits for as little as it takes", () => {
  for (const [text, start] of STARTS) {
    const bytes = encode(text);
    const cut = Array.from(text, (_, length) => readConnectStart(bytes.subarray(0, length)));
    assertEquals(cut, new Array<ConnectStart>(text.length).fill("incomplete"));
    assertEquals([bytes, encode(`${text}more`)].map(readConnectStart), [start, start]);
  }
});

test("readConnectStart() knows what is no CONNECT as soon as it shows [MQTT-3.1.0-1]", () => {
  const rows: readonly (readonly [text: string, start: ConnectStart])[] = [
    ["\x16\x03\x01", "tls"],
    ["G", "unknown"],
    ["\x30", "unknown"],
    ["\xc0", "unknown"],
    ["\x10\xff\xff\xff\xff", "unknown"],
    ["\x10\x11\x01", "unknown"],
    ["\x10\x11\0\x05", "unknown"],
    ["\x10\x11\0\x04MQTX", "unknown"],
    ["\x10\x11\0\x06MQt", "unknown"],
  ];
  for (const [text, start] of rows) {
    assertEquals([text, readConnectStart(encode(text))], [text, start]);
    const before = encode(text.slice(0, text.startsWith("\x16") ? 0 : -1));
    assertEquals([text, readConnectStart(before)], [text, "incomplete"]);
  }
});
