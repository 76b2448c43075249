/**
 * Each house rule bites on a sample that breaks it and on nothing else of that sample, so that a
 * rule which has gone blind is noticed.
 */

import { assertEquals } from "@std/assert";
import { importArrows, noCycles } from "../../tools/tidy/arrows.ts";
import { linksLead } from "../../tools/tidy/links.ts";
import {
  fileSize,
  noUnusedExports,
  openingComment,
  snakeCase,
  testPerSource,
} from "../../tools/tidy/shape.ts";
import { blank, exportsOf, importsOf, type Project, type Rule } from "../../tools/tidy/source.ts";
import {
  noMachinePaths,
  noPromises,
  noRegistryHosts,
  productLock,
  reasonedSkips,
} from "../../tools/tidy/words.ts";
import { hashPrivate, neutralZone, noModuleState, pureCore } from "../../tools/tidy/zones.ts";
import { test } from "../harness.ts";

function project(files: Readonly<Record<string, string>>, lock = ""): Project {
  return { files: new Map(Object.entries(files)), productLock: lock };
}

function find(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule.find(project(files));
}

/** In parts, so that this file does not break the rule that it tests. */
const HOST = ["registry", "npmjs", "org"].join(".");

test("blank() hides comments and strings and keeps every line and column", () => {
  const text = 'a("x // no"); // b\nc(`d${e("f")}g`); /* h\n */ i = /["/]/;';
  assertEquals(blank(text), 'a("       ");     \nc(` ${e(" ")} `);     \n    i = /    /;');
});

test("blank() keeps strings on request", () => {
  assertEquals(blank('import "a"; // "b"', { keepStrings: true }), 'import "a";       ');
});

test("importsOf() finds values, types, re-exports, side effects and dynamic imports", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type { B } from "./b.ts";',
    "export {",
    "  c,",
    '} from "./c.ts";',
    'import "./d.ts";',
    'const e = await import("./e.ts");',
    '// import { f } from "./f.ts";',
  ].join("\n");
  assertEquals(importsOf(text), [
    { specifier: "./a.ts", line: 1 },
    { specifier: "./b.ts", line: 2 },
    { specifier: "./c.ts", line: 3 },
    { specifier: "./d.ts", line: 6 },
    { specifier: "./e.ts", line: 7 },
  ]);
});

test("exportsOf() finds what a file declares and exports", () => {
  const text = "export class A {}\nexport async function b() {}\nconst c = 1;\nexport type D = 1;";
  assertEquals(exportsOf(text), [
    { specifier: "A", line: 1 },
    { specifier: "b", line: 2 },
    { specifier: "D", line: 4 },
  ]);
});

test("importArrows forbids a folder to look to its right, types included", () => {
  assertEquals(
    find(importArrows, {
      "src/core/codec/a.ts": 'import { x } from "../base/x.ts";\nimport "./b.ts";',
      "src/core/topic/a.ts": 'import type { X } from "../codec/x.ts";',
      "src/core/base/a.ts": 'import { x } from "npm-package";',
      "src/store/a.ts": 'import "../auth/auth.ts";\nimport "../auth/chain.ts";',
      "src/nowhere/a.ts": "",
    }),
    [
      "src/core/topic/a.ts:1: may not import src/core/codec/x.ts",
      'src/core/base/a.ts:1: the core imports no package: "npm-package"',
      "src/store/a.ts:2: may not import src/auth/chain.ts",
      "src/nowhere/a.ts: this folder is not in the table",
    ],
  );
});

test("noCycles names the whole circle", () => {
  assertEquals(
    find(noCycles, {
      "src/a.ts": 'import "./b.ts";',
      "src/b.ts": 'import type { C } from "./c.ts";',
      "src/c.ts": 'export * from "./a.ts";',
      "src/d.ts": 'import "./a.ts";',
    }),
    ["src/a.ts → src/b.ts → src/c.ts → src/a.ts"],
  );
});

test("pureCore forbids waiting, time, chance and runtimes, but not as members or keys", () => {
  assertEquals(
    find(pureCore, {
      "src/core/a.ts": "x.process();\nfoo({ Date: 1 });\nconst now = Date.now();\nawait x;\n" +
        "Math.random();\nconsole.log(process.pid); // Deno",
      "src/driver/a.ts": "await Promise.resolve(Date.now());",
    }),
    [
      "src/core/a.ts:6: process",
      "src/core/a.ts:3: Date",
      "src/core/a.ts:4: await",
      "src/core/a.ts:5: Math.random",
    ].sort((a, b) => order(a) - order(b)),
  );
  // Findings come by pattern, not by line: globals first, in the order of the text.
  function order(finding: string): number {
    return ["Date", "process", "await", "Math.random"].findIndex((word) => finding.endsWith(word));
  }
});

test("neutralZone forbids runtimes and their modules outside of src/runtime", () => {
  assertEquals(
    find(neutralZone, {
      "src/driver/a.ts": 'import fs from "node:fs";\nBuffer.from("Deno");',
      "src/app/a.ts": 'import "../runtime/deno/listen.ts";',
      "src/runtime/node/a.ts": 'import net from "node:net";\nprocess.exit();',
    }),
    [
      "src/driver/a.ts:2: Buffer",
      'src/driver/a.ts:1: "node:fs"',
      'src/app/a.ts:1: "../runtime/deno/listen.ts"',
    ],
  );
});

test("noModuleState forbids variables and empty collections of a module", () => {
  assertEquals(
    find(noModuleState, {
      "src/a.ts": "let a = 1;\nconst b = new Map();\nconst c = new Set([1]);\nfunction d() {\n" +
        "  let e = 1;\n}\nexport const f: Map<string, number> = new Map<string, number>();",
    }),
    [
      "src/a.ts:1: let a",
      "src/a.ts:2: const b = new Map()",
      "src/a.ts:7: export const f: Map<string, number> = new Map<string, number>()",
    ],
  );
});

test("hashPrivate forbids private members that only the compiler knows", () => {
  assertEquals(
    find(hashPrivate, { "src/a.ts": "class A {\n  private b = 1;\n  #c = 2;\n}" }),
    ["src/a.ts:2: private b"],
  );
});

test("fileSize counts lines and columns", () => {
  assertEquals(
    find(fileSize, {
      "src/long.ts": "a\n".repeat(401),
      "src/wide.ts": `ok\n${"a".repeat(101)}`,
      "src/fits.ts": `${"a".repeat(100)}\n`.repeat(400),
      "test/long_test.ts": "a\n".repeat(401),
    }),
    ["src/long.ts: 401 lines", "src/wide.ts:2: 101 columns"],
  );
});

test("snakeCase looks at folders too", () => {
  assertEquals(
    find(snakeCase, { "src/goodName.ts": "", "src/Bad/a.ts": "", "src/good/a_b1.ts": "" }),
    ["src/goodName.ts", "src/Bad/a.ts"],
  );
});

test("openingComment wants a comment before anything else", () => {
  assertEquals(
    find(openingComment, {
      "src/a.ts": "const a = 1;",
      "src/b.ts": "/** Says what. */",
      "test/c_test.ts": "// Says what.",
    }),
    ["src/a.ts"],
  );
});

test("testPerSource leaves out files that only declare types", () => {
  assertEquals(
    find(testPerSource, {
      "src/core/base/tested.ts": "export function a() {}",
      "test/core/base/tested_test.ts": "",
      "src/core/base/untested.ts": "export class B {\n}",
      "src/core/base/types.ts": "export interface C {\n  d(): void;\n}\nexport const E = 1;",
    }),
    ["test/core/base/untested_test.ts is missing"],
  );
});

test("noUnusedExports leaves out types that other exports of the file are made of", () => {
  assertEquals(
    find(noUnusedExports, {
      "src/a.ts": "export function used(o: Options) {}\nexport const unused = 1;\n" +
        "export interface Options {\n}\nexport interface Alone {\n}",
      "src/b.ts": "used(1); // unused",
    }),
    ["src/a.ts:2: unused", "src/a.ts:5: Alone"],
  );
});

test("noPromises finds the marks of unfinished work", () => {
  assertEquals(
    find(noPromises, { "src/a.ts": "a\n// TODO: b", "README.md": "FIXME", "LICENSE": "XXX" }),
    ["src/a.ts:2: TODO", "README.md:1: FIXME"],
  );
});

test("noMachinePaths finds absolute paths of a machine outside of the tests", () => {
  assertEquals(
    find(noMachinePaths, {
      "README.md": "see /home/someone and dist/tmp/here",
      "src/a.ts": '"/tmp/midge.sock"',
      "test/a_test.ts": '"/tmp/midge.sock"',
    }),
    ["README.md:1: /home/someone", "src/a.ts:1: /tmp/midge.sock"],
  );
});

test("noRegistryHosts finds where packages come from", () => {
  assertEquals(
    find(noRegistryHosts, { "README.md": `https://${HOST}/x`, "a.md": "npm:x@1" }),
    [`README.md:1: ${HOST}`],
  );
});

test("reasonedSkips wants a reason, and lets no test run alone", () => {
  assertEquals(
    find(reasonedSkips, {
      "test/a_test.ts":
        'test.skip("a");\ntest.skip("b"); // needs a peer\ntest.only("c"); // now\n' +
        'test("d", { skip: reason });',
    }),
    ['test/a_test.ts:1: test.skip("a");', 'test/a_test.ts:3: test.only("c"); // now'],
  );
});

test("productLock finds what is not in the import map", () => {
  const imports = { "@std/assert": "npm:deno-std@1.4.0/assert/mod.js", mqtt: "./test/mqtt.ts" };
  const specifiers = { "npm:deno-std@1.4.0": "1.4.0", "npm:mqtt@5.16.0": "5.16.0" };
  const files = { "deno.json": JSON.stringify({ imports }) };
  assertEquals(
    productLock.find(project(files, JSON.stringify({ specifiers }))),
    ["npm:mqtt@5.16.0"],
  );
});

test("linksLead finds links to files and headings that there are not", () => {
  const problems = find(linksLead, {
    "a.md": "# A `b`-c: 1\n[up](#a-b-c-1) [in](docs/b.md#b) [dir](docs) [web](https://x.y/z)\n",
    "docs/b.md": "# B\n[back](../a.md)\n[gone](../c.md)\n[other](../a.md#a)\n```\n# code\n```\n",
    "docs/c.md": "[code](b.md#code)",
  });
  assertEquals(problems, [
    "docs/b.md:3: ../c.md",
    "docs/b.md:4: ../a.md#a",
    "docs/c.md:1: b.md#code",
  ]);
});
