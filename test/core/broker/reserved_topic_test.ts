// Which topics no client publishes to, whatever a policy says (B-47).

import { assertEquals } from "@std/assert";
import { isReserved } from "../../../src/core/broker/reserved_topic.ts";
import { test } from "../../harness.ts";

test("isReserved() knows the broker's own topics, and what bridges may tell", () => {
  const reserved = [
    "$SYS",
    "$SYS/",
    "$SYS/broker/uptime",
    "$SYS/broker/connection",
    "$SYS/broker/connection/state",
    "$SYS/broker/connection/a/b/state",
    "$SYS/broker/connection/a/state/",
    "$SYS/broker/connection/a/states",
    "$CONTROL",
    "$CONTROL/",
    "$CONTROL/dynamic-security/v1",
    "$share",
    "$share/g/a",
    "$shared",
  ];
  const open = [
    "",
    "a",
    "a/$SYS/b",
    "$",
    "$sys/x",
    "$SYSTEM/x",
    "$CONTROLS",
    "$SYS/broker/connection/a/state",
    "$SYS/broker/connection//state",
  ];
  assertEquals(reserved.filter((topic) => !isReserved(topic)), []);
  assertEquals(open.filter(isReserved), []);
});
