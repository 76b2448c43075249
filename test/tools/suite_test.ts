/** No suite passes by not running: what a report leaves out becomes a failed case. */

import { assertEquals } from "@std/assert";
import { findMissing, findUnreported } from "../../tools/suite.ts";
import { test } from "../harness.ts";

const FILE = "test/a_test.ts";
const OPTIONS = { files: [FILE], limitMs: 5000 };
const PASSED = { name: "is good", file: FILE, outcome: "passed", detail: "" } as const;

function result(code: number | null, output: string, isTimedOut = false) {
  return { code, output, isTimedOut, elapsedMs: 1 };
}

test("findUnreported() is silent when every file has run", () => {
  const ran = result(0, `running 1 test from ./${FILE}\n`);
  assertEquals(findUnreported("deno", ran, [PASSED], OPTIONS), []);
  assertEquals(findUnreported("bun", result(0, ""), [PASSED], OPTIONS), []);
  assertEquals(findUnreported("node", result(0, ""), [PASSED], OPTIONS), []);
});

test("findUnreported() fails a suite that ran into its limit", () => {
  assertEquals(findUnreported("deno", result(null, "first\nlast\n", true), [], OPTIONS), [{
    name: "ends within 5 s",
    file: "",
    outcome: "failed",
    detail: "Still running after 5 s. It said last:\nfirst\nlast",
  }]);
});

test("findUnreported() fails a file without tests on each runtime", () => {
  const missing = [{
    name: "has a test",
    file: FILE,
    outcome: "failed",
    detail: "Not one test of this file ran",
  }];
  const other = { ...PASSED, file: "test/b_test.ts" };
  const empty = result(0, `running 0 tests from ./${FILE}\n`);
  assertEquals(findUnreported("deno", empty, [other], OPTIONS), missing as never);
  assertEquals(findUnreported("bun", result(0, ""), [other], OPTIONS), missing as never);
  const asCase = { ...PASSED, name: "test/a_test.js" };
  assertEquals(findUnreported("node", result(0, ""), [asCase], OPTIONS), missing as never);
});

test("findUnreported() fails a file that throws while loading", () => {
  const deno = `running 1 test from ./test/b_test.ts\n./${FILE} (uncaught error)\nerror: Boom\n`;
  assertEquals(findUnreported("deno", result(1, deno), [PASSED], OPTIONS), [
    { name: "loads", file: FILE, outcome: "failed", detail: "error: Boom" },
  ]);
  const bun =
    "test/a_test.js:\n\n# Unhandled error between tests\nerror: Boom\n\ntest/b_test.js:\n";
  assertEquals(findUnreported("bun", result(1, bun), [PASSED], OPTIONS), [{
    name: "loads",
    file: FILE,
    outcome: "failed",
    detail: "# Unhandled error between tests\nerror: Boom",
  }]);
});

test("findUnreported() fails a runner that ends badly for no reported reason", () => {
  assertEquals(findUnreported("bun", result(7, "why\n"), [PASSED], OPTIONS), [
    {
      name: "ends well",
      file: "",
      outcome: "failed",
      detail: "The runner ended with 7. Last:\nwhy",
    },
  ]);
  assertEquals(findUnreported("node", result(7, "why\n"), [], OPTIONS), [{
    name: "starts",
    file: "",
    outcome: "failed",
    detail: "The runner ended with 7. It said last:\nwhy",
  }]);
});

test("findMissing() fails a runtime that does not report what another one reports", () => {
  const named = (...names: readonly string[]) => names.map((name) => ({ ...PASSED, name }));
  const results = [
    { name: "deno", cases: named("a", "b", "c on Deno"), elapsedMs: 1 },
    { name: "bun", cases: named("a", "b"), elapsedMs: 1 },
    { name: "node", cases: named("a", "d of node"), elapsedMs: 1 },
  ];
  assertEquals(findMissing(results), [{
    name: "node reports every test",
    file: "",
    outcome: "failed",
    detail: "1 that others report are not reported:\nb",
  }]);
});
