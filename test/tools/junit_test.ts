/** The reports of the three runners, in the dialect of each, come out as the same cases. */

import { assertEquals } from "@std/assert";
import { parseJunit } from "../../tools/junit.ts";
import { test } from "../harness.ts";

test("parseJunit() reads names, files and outcomes as Deno writes them", () => {
  const xml = `<testsuite name="./a_test.ts">
    <testcase name="is &lt;good&gt; &amp; &quot;short&quot;" classname="./a_test.ts" time="0.002">
    </testcase>
    <testcase name="fails" classname="./a_test.ts"><failure message="Short">Long
text</failure></testcase>
    <testcase name="skips" classname="./a_test.ts"><skipped/></testcase>
  </testsuite>`;
  assertEquals(parseJunit(xml), [
    { name: 'is <good> & "short"', file: "./a_test.ts", outcome: "passed", detail: "" },
    { name: "fails", file: "./a_test.ts", outcome: "failed", detail: "Long\ntext" },
    { name: "skips", file: "./a_test.ts", outcome: "skipped", detail: "" },
  ]);
});

test("parseJunit() prefers the file to the class, as Bun and Node mean it", () => {
  const xml = `<testcase name="a > b" classname="test" file="x/a_test.js"/>
    <testcase name="c" file="x/a_test.js" failure="d"><failure type="e" message="f&#10;g" />
    </testcase>`;
  assertEquals(parseJunit(xml), [
    { name: "a > b", file: "x/a_test.js", outcome: "passed", detail: "" },
    { name: "c", file: "x/a_test.js", outcome: "failed", detail: "f\ng" },
  ]);
});
