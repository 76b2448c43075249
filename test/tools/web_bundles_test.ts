// The files for browsers: what a bundle imports is found and named, and one that is too large too.

import { assertEquals } from "@std/assert";
import * as esbuild from "esbuild";
import { bundleForWeb, faultsOf } from "../../tools/web_bundles.ts";
import { test } from "../harness.ts";

const BUNDLE = { name: "a bundle", entry: "web.ts", path: "dist/b.js", compressedBytesMax: 1000 };

test("faultsOf() names each import, and a size above the bound", () => {
  const code = new Uint8Array();
  assertEquals(faultsOf(BUNDLE, { code, compressedBytes: 1000, imports: [] }), []);
  assertEquals(faultsOf(BUNDLE, { code, compressedBytes: 1001, imports: ["node:net", "ws"] }), [
    'imports "node:net"',
    'imports "ws"',
    "takes 1001 bytes compressed, at most 1000 allowed",
  ]);
});

test("bundleForWeb() finds what a bundle would import, and minifies the rest", async () => {
  const { code, compressedBytes, imports } = await bundleForWeb("src/runtime/node/files.ts");
  const { length } = code;
  await esbuild.stop();
  assertEquals(imports, ["node:fs", "node:path", "node:process"]);
  assertEquals(compressedBytes > 100 && compressedBytes < length, true);
});
