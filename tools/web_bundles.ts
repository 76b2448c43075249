/**
 * The files that browsers and Workers load: each is bundled and minified as it is published, has to
 * import nothing, and has a size that it must not outgrow. The checks of the test suite hold all of
 * them to that, and `deno task build` writes them and says what they weigh.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { PacketType } from "../src/core/codec/protocol.ts";
import { ReasonCode } from "../src/core/codec/reason_code.ts";
import * as esbuild from "./esbuild.ts";
import { fromRoot, ROOT } from "./root.ts";

/** What is bundled, and what it must not outgrow. */
export interface WebBundle {
  readonly name: string;
  readonly entry: string;
  /** Where the build writes it. */
  readonly path: string;
  /** Bytes, as minified and compressed with gzip. */
  readonly compressedBytesMax: number;
}

/** What became of it. */
export interface BuiltBundle {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly compressedBytes: number;
  /** What it would still import. */
  readonly imports: readonly string[];
}

/** Where the Worker begins. */
export const WORKER_ENTRY = "src/runtime/workers/worker.ts";

/** All of them; the first is the whole broker, without anything to listen with. */
export const WEB_BUNDLES: readonly WebBundle[] = [
  {
    name: "the broker for browsers",
    entry: "web.ts",
    path: "dist/midge_web.js",
    compressedBytesMax: 45_000,
  },
  {
    name: "the client for browsers",
    entry: "client_web.ts",
    path: "dist/midge_client_web.js",
    compressedBytesMax: 32_000,
  },
  {
    name: "the Worker",
    entry: WORKER_ENTRY,
    path: "dist/midge_worker.js",
    compressedBytesMax: 80_000,
  },
];

/** Bundles and minifies; leaves nothing behind but the bundler, which has to be stopped. */
export async function bundleForWeb(entry: string): Promise<BuiltBundle> {
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [fromRoot(entry)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    charset: "utf8",
    // Whatever is no file of ours stays an import, so that it can be named.
    packages: "external",
    plugins: [inlinePlugin()],
    logLevel: "silent",
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  // A copy in memory of its own, for streams that want no other.
  const code = Uint8Array.from(outputFiles[0]!.contents);
  return {
    code,
    // As files are compressed that are served often.
    compressedBytes: gzipSync(code, { level: 9 }).length,
    imports: [...new Set(imports.map(({ path }) => path))].sort(),
  };
}

/** The tables of numbers of which the sources speak most. */
const TABLES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  PacketType,
  ReasonCode,
};

/**
 * What is asserted of ourselves, in words that nobody reads there: the error says where it was, and
 * a build that is not minified says the rest.
 */
const ASSERTION = /\bassert\(([^;]+?),\s*"[^"]*",?\s*\);/g;

/** Puts numbers in the place of `ReasonCode.SUCCESS` and the like, as for an enum. */
function inlinePlugin(): esbuild.Plugin {
  const pattern = new RegExp(`(?<!typeof )\\b(${Object.keys(TABLES).join("|")})\\.(\\w+)\\b`, "g");
  return {
    name: "inline",
    setup(build): void {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        const contents = source.replaceAll(pattern, (text, table: string, name: string) => {
          const value = TABLES[table]![name];
          return value === undefined ? text : String(value);
        }).replaceAll(ASSERTION, 'assert($1, "");');
        return { contents, loader: "ts" };
      });
    },
  };
}

/** What is wrong with a bundle, in lines. */
export function faultsOf({ compressedBytesMax }: WebBundle, built: BuiltBundle): string[] {
  const { compressedBytes, imports } = built;
  const faults = imports.map((path) => `imports "${path}"`);
  if (compressedBytes > compressedBytesMax) {
    faults.push(`takes ${compressedBytes} bytes compressed, at most ${compressedBytesMax} allowed`);
  }
  return faults;
}
