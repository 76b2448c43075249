/** The table of bad inputs is held against files of tests. */

import { assertEquals } from "@std/assert";
import { findUnmet } from "../../tools/tidy/bad_inputs.ts";
import { BAD_INPUTS, type BadInput } from "../bad_inputs/table.ts";
import { test } from "../harness.ts";

const NUMBERS = "test/bad_inputs/table.ts: its numbers are not B-01 to B-60, each once";

test("BAD_INPUTS names every number of the sheet exactly once, and says why one has no test", () => {
  assertEquals(
    BAD_INPUTS.map(({ id }) => id),
    Array.from({ length: 60 }, (_, n) => `B-${`${n + 1}`.padStart(2, "0")}`),
  );
  const untested = BAD_INPUTS.filter(({ tests }) => tests.length === 0);
  assertEquals(untested.map(({ id, because }) => [id, because !== undefined]), [["B-60", true]]);
});

test("findUnmet() tells what is missing in a table or in its tests", () => {
  const row = (id: string, rest: Partial<BadInput>): BadInput => ({
    id,
    about: "",
    comes: "from files",
    tests: [],
    ...rest,
  });
  const files = new Map([
    ["test/a_test.ts", 'everyWay("B-01 x", () => {});\ntest("B-02 y");\n// B-77'],
  ]);
  const tests = ["test/a_test.ts"];
  assertEquals(
    findUnmet([
      row("B-01", { comes: "by every way of a client", tests }),
      row("B-02", { comes: "by every way of a client", tests }),
      row("B-03", { tests }),
      row("B-04", {}),
      row("B-05", { comes: "not yet" }),
    ], { files, productLock: "" }),
    [
      NUMBERS,
      "test/bad_inputs/table.ts: no test of B-02 is run by every way",
      "test/a_test.ts: no test names B-03",
      "test/bad_inputs/table.ts: B-04 has no tests",
      "test/bad_inputs/table.ts: B-05 has no reason",
      "test/a_test.ts: B-77 is not in test/bad_inputs/table.ts",
    ],
  );
});
