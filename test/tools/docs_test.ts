// The generated parts of the documentation: filled in between their marks, and missed when stale.

import { assertEquals, assertMatch } from "@std/assert";
import { fillIn, GENERATED_PAGE, generatedDocs } from "../../tools/docs.ts";
import { test } from "../harness.ts";

const EMPTY = `# A page

<!-- options, written by deno task docs -->

<!-- deno-fmt-ignore-start -->

Old.

<!-- deno-fmt-ignore-end -->

Between.

<!-- sys, written by deno task docs -->

<!-- deno-fmt-ignore-start -->

<!-- deno-fmt-ignore-end -->

After.
`;

function problems(page: string): string[] {
  return generatedDocs.find({ files: new Map([[GENERATED_PAGE, page]]), productLock: "" });
}

test("fillIn() writes between the marks, and nowhere else", () => {
  const page = fillIn(EMPTY);
  assertMatch(page, /^\| `max_qos`, `maximum_qos` \|/m);
  assertMatch(page, /^\| `\$SYS\/broker\/clients\/connected` \| number \|/m);
  assertEquals(
    page.split("\n").filter((line) => !/^(?:\||###|`<period>`|$)/.test(line)),
    EMPTY.split("\n").filter((line) => line !== "" && line !== "Old."),
  );
  assertEquals(fillIn(page), page);
});

test("generatedDocs finds a page that is stale or has lost its marks", () => {
  assertEquals(problems(fillIn(EMPTY)), []);
  assertEquals(problems(EMPTY), [`${GENERATED_PAGE}: run "deno task docs"`]);
  assertEquals(problems(EMPTY.replace("<!-- sys,", "<!-- other,")), [
    `${GENERATED_PAGE}: there are no marks for "sys"`,
  ]);
  assertEquals(generatedDocs.find({ files: new Map(), productLock: "" }), []);
});
