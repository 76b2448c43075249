// The shape of a line.

import { assertEquals } from "@std/assert";
import { LineFormatter } from "../../src/telemetry/log_format.ts";
import { DEFAULT_LOG_SETTINGS, type LogSettings } from "../../src/telemetry/log_line.ts";
import { test } from "../harness.ts";

const NOW = 1_700_000_000_999;

function format(text: string, settings: Partial<LogSettings> = {}, now: number = NOW): string {
  const formatter = new LineFormatter({ ...DEFAULT_LOG_SETTINGS, ...settings });
  return formatter.format({ type: "notice", text }, undefined, now);
}

test("LineFormatter.format() puts the time first, as it was asked for", () => {
  assertEquals(format("x"), "1700000000: x");
  assertEquals(format("x", { hasTimestamp: false }), "x");
  assertEquals(format("x", { timestampFormat: "" }), ": x");
  const year = String(new Date(NOW).getFullYear());
  assertEquals(format("x", { timestampFormat: "at %Y %%" }), `at ${year} %: x`);
});

test("LineFormatter.format() stamps each second anew", () => {
  const formatter = new LineFormatter({ ...DEFAULT_LOG_SETTINGS, timestampFormat: "%s" });
  const at = (now: number): string => formatter.format({ type: "error", text: "" }, undefined, now);
  assertEquals([at(1000), at(1999), at(2000), at(1000)], ["1: ", "1: ", "2: ", "1: "]);
});

test("LineFormatter.format() cuts a line to 999 bytes, between characters", () => {
  const stamp = "1700000000: ";
  assertEquals(format("x".repeat(2000)), `${stamp}${"x".repeat(999 - stamp.length)}`);
  assertEquals(format("é".repeat(2000)), `${stamp}${"é".repeat((999 - stamp.length - 1) / 2)}`);
});

test("LineFormatter.format() lets nobody begin a line of his own", () => {
  assertEquals(
    format("a\n1700000000: forged\r\x1b[2J\x7f\u0085\u2028\tz"),
    "1700000000: a\\x0a1700000000: forged\\x0d\\x1b[2J\\x7f\\x85\\u2028\\x09z",
  );
  assertEquals(format("\ta/#\t (QoS 1)"), "1700000000: \ta/#\\x09 (QoS 1)");
  assertEquals(format("x", { timestampFormat: "%n" }), "\\x0a: x");
});

test("LineFormatter.format() keeps a JSON line whole, however long its values", () => {
  const formatter = new LineFormatter({ ...DEFAULT_LOG_SETTINGS, format: "json" });
  const topic = `${"a".repeat(299)}😀`;
  const line = formatter.format(
    { type: "debug", text: "x".repeat(2000) },
    { topic, list: ["b".repeat(400)], number: 7, clientId: "c\n" },
    NOW,
  );
  assertEquals([line.includes("\n"), JSON.parse(line)], [false, {
    time: "2023-11-14T22:13:20.999Z",
    level: "debug",
    msg: `${"x".repeat(999)}…`,
    topic: `${"a".repeat(299)}…`,
    list: [`${"b".repeat(300)}…`],
    number: 7,
    clientId: "c\n",
  }]);
});
