/** Ids are joined wherever they stand: comments, names of tests, cases of fixtures. */

import { assertEquals } from "@std/assert";
import { traceIds } from "../../tools/trace.ts";
import { test } from "../harness.ts";

test("traceIds() joins the lines that obey with the tests that check, in the standard's order", () => {
  const files = new Map([
    ["src/a.ts", "// [MQTT-3.10.1-1]\n// [MQTT-3.2.1-1, MQTT-3.2.1-2] and [MQTT-3.1.1-3.2.1-3]"],
    ["src/b.ts", 'throw new Error("MQTT-3.1.1-3");'],
    ["test/a_test.ts", 'test("a() does [MQTT-3.2.1-2]");'],
    ["test/fixture/a.json", '{ "name": "b [MQTT-3.10.1-1]" }'],
    ["docs/a.md", "MQTT-3.2.1-1"],
  ]);
  assertEquals(traceIds({ files, productLock: "" }), [
    { id: "MQTT-3.1.1-3", obeyed: ["src/b.ts:1"], tested: [] },
    { id: "MQTT-3.2.1-1", obeyed: ["src/a.ts:2"], tested: [] },
    { id: "MQTT-3.2.1-2", obeyed: ["src/a.ts:2"], tested: ["test/a_test.ts:1"] },
    { id: "MQTT-3.1.1-3.2.1-3", obeyed: ["src/a.ts:2"], tested: [] },
    { id: "MQTT-3.10.1-1", obeyed: ["src/a.ts:1"], tested: ["test/fixture/a.json:1"] },
  ]);
});
