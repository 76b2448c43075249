// What filters may be, and the obvious matcher that everything else is checked against.

import { assertEquals } from "@std/assert";
import { countLevels, isFilter, matches, parseFilter } from "../../../src/core/topic/filter.ts";
import { test } from "../../harness.ts";

test("parseFilter() accepts wildcards that occupy a level", () => {
  const filters = ["a", "/", "//", "#", "+", "/#", "+/+", "a/+/b", "a/#", "+/#", "a//b", "$SYS/#"];
  for (const filter of filters) {
    assertEquals(parseFilter(filter), { filter, shareName: undefined });
  }
});

test("parseFilter() refuses an empty filter [MQTT-4.7.3-1]", () => {
  assertEquals(parseFilter(""), "malformed");
});

test('parseFilter() refuses "#" anywhere but in the last level [MQTT-4.7.1-1]', () => {
  for (const filter of ["#/a", "a/#/b", "a#", "#a", "##", "a/b#", "#/", "a/#b"]) {
    assertEquals([filter, parseFilter(filter)], [filter, "malformed"]);
  }
});

test('parseFilter() refuses "+" beside anything else in its level [MQTT-4.7.1-2]', () => {
  for (const filter of ["a+", "+a", "a/+b", "a/b+/c", "++", "+#", "#+"]) {
    assertEquals([filter, parseFilter(filter)], [filter, "malformed"]);
  }
});

test("parseFilter() takes a shared filter apart", () => {
  assertEquals(parseFilter("$share/pool/a/+/#"), { filter: "a/+/#", shareName: "pool" });
  assertEquals(parseFilter("$share/pool//"), { filter: "/", shareName: "pool" });
  assertEquals(parseFilter("$share/pool/#"), { filter: "#", shareName: "pool" });
  assertEquals(parseFilter("$share//a"), { filter: "a", shareName: "" });
  assertEquals(parseFilter("$share/a/$share/b/c"), { filter: "$share/b/c", shareName: "a" });
});

test("parseFilter() takes for shared only what says so", () => {
  for (const filter of ["$share", "$shared/a/b", "$SHARE/a/b", "/$share/a/b"]) {
    assertEquals(parseFilter(filter), { filter, shareName: undefined });
  }
});

test("parseFilter() refuses a shared filter without a filter", () => {
  for (const filter of ["$share/", "$share/pool", "$share/pool/", "$share//", "$share/#"]) {
    assertEquals([filter, parseFilter(filter)], [filter, "protocol"]);
  }
});

test("parseFilter() refuses wildcards in a share name [MQTT-4.8.2-2]", () => {
  assertEquals(parseFilter("$share/+/a"), "protocol");
  for (const filter of ["$share/a+/b", "$share/+a/b", "$share/#/b", "$share/a#/b"]) {
    assertEquals([filter, parseFilter(filter)], [filter, "malformed"]);
  }
});

test("parseFilter() checks the filter that is shared", () => {
  assertEquals(parseFilter("$share/pool/a/#/b"), "malformed");
  assertEquals(parseFilter("$share/pool/a+"), "malformed");
});

test("isFilter() finishes with 65,535 levels", () => {
  assertEquals(isFilter("+/".repeat(32_767) + "#"), true);
  assertEquals(isFilter("+/".repeat(32_767) + "#/"), false);
});

test("countLevels() counts one more than there are separators", () => {
  assertEquals(["a", "/", "//", "a/b/", ""].map(countLevels), [1, 2, 3, 3, 1]);
  assertEquals(countLevels("/".repeat(65_535)), 65_536);
});

const MATCHING: readonly (readonly [filter: string, topic: string])[] = [
  ["sport/tennis/player1/#", "sport/tennis/player1"],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking"],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"],
  ["sport/#", "sport"],
  ["#", "a"],
  ["#", "/"],
  ["#", "/a"],
  ["sport/tennis/+", "sport/tennis/player1"],
  ["sport/+", "sport/"],
  ["+/+", "/finance"],
  ["/+", "/finance"],
  ["+/+", "/"],
  ["+/+/+", "//"],
  ["a//b", "a//b"],
  ["a/+/b", "a//b"],
  ["+/#", "a"],
  ["+/+/#", "a/b"],
  ["$SYS/#", "$SYS"],
  ["$SYS/#", "$SYS/broker/uptime"],
  ["$SYS/monitor/+", "$SYS/monitor/Clients"],
  ["a/+", "a/$b"],
  ["a/#", "a/$b"],
  ["/+", "/$SYS"],
];

const DIFFERING: readonly (readonly [filter: string, topic: string])[] = [
  ["sport/tennis/+", "sport/tennis/player1/ranking"],
  ["sport/+", "sport"],
  ["+", "/finance"],
  ["+", "/"],
  ["a", "A"],
  ["a", "a/"],
  ["a/", "a"],
  ["/a", "a"],
  ["a/b", "a"],
  ["a/#", "ab"],
  ["a//b", "a/b"],
  ["+/+/+", "/"],
];

test("matches() follows the examples of the standard", () => {
  for (const [filter, topic] of MATCHING) {
    assertEquals([filter, topic, matches(filter, topic)], [filter, topic, true]);
  }
  for (const [filter, topic] of DIFFERING) {
    assertEquals([filter, topic, matches(filter, topic)], [filter, topic, false]);
  }
});

test('matches() hides "$" topics from a leading wildcard [MQTT-4.7.2-1]', () => {
  for (const filter of ["#", "+", "+/#", "+/monitor/Clients", "+/+/+"]) {
    assertEquals([filter, matches(filter, "$SYS/monitor/Clients")], [filter, false]);
    assertEquals([filter, matches(filter, "$SYS")], [filter, false]);
  }
});
