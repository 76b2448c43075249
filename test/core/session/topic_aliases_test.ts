// The two tables of Topic Aliases.

import { assertEquals } from "@std/assert";
import { InboundAliases, OutboundAliases } from "../../../src/core/session/topic_aliases.ts";
import { test } from "../../harness.ts";

test("InboundAliases.get() gives what was set last", () => {
  const aliases = new InboundAliases<string>();
  assertEquals(aliases.get(1), undefined);
  aliases.set(65_535, "far");
  aliases.set(2, "a");
  aliases.set(2, "b");
  assertEquals([1, 2, 3, 65_535].map((alias) => aliases.get(alias)), [
    undefined,
    "b",
    undefined,
    "far",
  ]);
});

test("OutboundAliases gives aliases in order until there are no more [MQTT-3.1.2-26]", () => {
  const aliases = new OutboundAliases(2);
  assertEquals([aliases.get("a"), aliases.next], [0, 1]);
  aliases.assign("a");
  assertEquals([aliases.get("a"), aliases.get("b"), aliases.next], [1, 0, 2]);
  aliases.assign("b");
  assertEquals([aliases.get("a"), aliases.get("b"), aliases.next], [1, 2, 0]);
});
