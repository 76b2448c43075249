/** Statements are joined with the files that name them, and whatever is missing is told. */

import { assertEquals } from "@std/assert";
import { describeTraces } from "../../tools/trace/page.ts";
import { placesOf } from "../../tools/trace/places.ts";
import { fillTable, findUntraced, PAGE, traceAll } from "../../tools/trace/traces.ts";
import { test } from "../harness.ts";

const FILES = new Map([
  ["src/a.ts", "// [MQTT-3.10.1-1]\n// [MQTT-3.2.1-1, MQTT-3.2.1-2] and [MQTT-3.1.1-3.2.1-3]"],
  ["src/b.ts", 'throw new Error("MQTT-3.1.1-3");'],
  [
    "test/a_test.ts",
    'test("a() does | `${it}` (B-01) [MQTT-3.2.1-2]", () => {\n  // [MQTT-3.2.1-1]',
  ],
  ["test/conformance/b_test.ts", 'everyWay(\n  "B-07 b is \\"so\\" [MQTT-3.2.1-1] [MQTT-3.2.1-2]"'],
  ["test/fixture/a.json", '{ "name": "a case [MQTT-3.10.1-1]", "hex": "00" }'],
  ["test/tools/c_test.ts", "MQTT-3.2.1-9"],
  ["docs/a.md", "MQTT-3.2.1-1"],
]);

const LIST = {
  "MQTT-3.2.1-1": "One",
  "MQTT-3.2.1-2": "Two",
  "MQTT-3.2.1-4": "Four",
  "MQTT-3.10.1-1": "Five",
  "MQTT-3.1.1-3.2.1-3": "Three",
};

const PAGE_BEFORE = `# A page

<!-- statements, written by deno task trace -->

<!-- deno-fmt-ignore-start -->

<!-- deno-fmt-ignore-end -->
`;

test("placesOf() finds the lines of sources, and the names of tests and cases", () => {
  const project = { files: FILES, productLock: "" };
  assertEquals(Object.fromEntries(placesOf(project, "src/")), {
    "MQTT-3.10.1-1": [{ path: "src/a.ts", line: 1, name: "" }],
    "MQTT-3.2.1-1": [{ path: "src/a.ts", line: 2, name: "" }],
    "MQTT-3.2.1-2": [{ path: "src/a.ts", line: 2, name: "" }],
    "MQTT-3.1.1-3.2.1-3": [{ path: "src/a.ts", line: 2, name: "" }],
    "MQTT-3.1.1-3": [{ path: "src/b.ts", line: 1, name: "" }],
  });
  const a = "a() does | `…`";
  const b = { path: "test/conformance/b_test.ts", line: 2, name: 'b is "so"' };
  assertEquals(Object.fromEntries(placesOf(project, "test/")), {
    "MQTT-3.2.1-2": [{ path: "test/a_test.ts", line: 1, name: a }, b],
    "MQTT-3.2.1-1": [{ path: "test/a_test.ts", line: 2, name: a }, b],
    "MQTT-3.10.1-1": [{ path: "test/fixture/a.json", line: 1, name: "a case" }],
  });
});

test("findUntraced() tells of blanks, of ids that there are not, and of a stale page", () => {
  const project = { files: new Map([...FILES, [PAGE, PAGE_BEFORE]]), productLock: "" };
  const problems = [
    "MQTT-3.2.1-4 is cited by no source",
    "MQTT-3.2.1-4 is named by no test",
    "MQTT-3.1.1-3.2.1-3 is named by no test",
    "src/b.ts:1: MQTT-3.1.1-3 is none",
  ];
  assertEquals(findUntraced(project, LIST), [...problems, `${PAGE}: run "deno task trace"`]);
  const page = fillTable(PAGE_BEFORE, traceAll(project, LIST));
  const written = { files: new Map([...FILES, [PAGE, page]]), productLock: "" };
  assertEquals(findUntraced(written, LIST), problems);
});

test("describeTraces() makes a row of each statement, with tests of the standard first", () => {
  const page = describeTraces(traceAll({ files: FILES, productLock: "" }, LIST));
  const source = "[a.ts](../src/a.ts)";
  const b = '[b_test](../test/conformance/b_test.ts): b is "so"';
  assertEquals(page.split("\n").filter((line) => /^\| \d/.test(line)), [
    `| 3.2.1-1 | One | ${source} | ${b}<br>[a_test](../test/a_test.ts): a() does \\| \\\`…\\\` |`,
    `| 3.2.1-2 | Two | ${source} | ${b}<br>[a_test](../test/a_test.ts): a() does \\| \\\`…\\\` |`,
    "| 3.2.1-4 | Four |  |  |",
    `| 3.10.1-1 | Five | ${source} | [a](../test/fixture/a.json): a case |`,
    `| 3.2.1-3 | Three | ${source} |  |`,
  ]);
});
