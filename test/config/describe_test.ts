// The tables as documentation: as many names as Mosquitto has, and rows that Markdown can show.

import { assertEquals } from "@std/assert";
import { describeOptions, optionNames } from "../../src/config/describe.ts";
import { OPTION_TABLES, OPTIONS } from "../../src/config/options/all.ts";
import { test } from "../harness.ts";

const OWN = [
  "connect_rate_limit",
  "log_format",
  "login_ban_duration",
  "login_failure_limit",
  "max_queued_bytes_total",
  "max_queued_messages_total",
  "persistence_sync",
  "persistence_thread",
  "publish_rate_limit",
];

test("optionNames() has each of Mosquitto's 141 names once, and those of our own", () => {
  const names = optionNames();
  assertEquals(names.filter((name) => !OWN.includes(name)).length, 141);
  assertEquals(names.filter((name) => OWN.includes(name)), OWN);
  assertEquals(new Set(names).size, names.length);
});

test("describeOptions() has a row of seven columns for every option", () => {
  const lines = describeOptions().split("\n");
  const titles = lines.filter((line) => line.startsWith("### "));
  assertEquals(titles, OPTION_TABLES.map(({ title }) => `### ${title}`));
  const rows = lines.filter((line) => line.startsWith("| `"));
  assertEquals(rows.length, OPTIONS.length);
  assertEquals(rows.filter((row) => row.split(/(?<!\\)\|/).length !== 9), []);
  assertEquals(
    rows.find((row) => row.startsWith("| `max_qos`")),
    "| `max_qos`, `maximum_qos` | listener, or the default one | 0 to 2 | 2 | new connections | " +
      "The highest QoS of a message or subscription. |  |",
  );
  assertEquals(
    rows.find((row) => row.startsWith("| `plugin_opt_"))?.split(" | ")[5],
    "What the plugin is told, by key. Deprecated as `auth_opt_`.",
  );
});

test("OPTIONS are in the order of their names within each table, and end in a full stop", () => {
  for (const { rows } of OPTION_TABLES) {
    const names = rows.map(({ name }) => name);
    assertEquals(names, [...names].sort());
  }
  assertEquals(OPTIONS.filter(({ effect }) => !/^[A-Z`].*\.$/.test(effect)), []);
  assertEquals(
    OPTIONS.filter(({ difference }) => difference !== undefined && !difference.endsWith(".")),
    [],
  );
});

test("OPTIONS without a default in the configuration say what it is", () => {
  const silent = OPTIONS.filter(({ default: text, fallback }) =>
    text === undefined && (fallback === undefined || fallback === Infinity || fallback === "")
  );
  assertEquals(silent, []);
});
