/**
 * The explorer as one file in which every branch and function of our sources counts how often it
 * ran. Instrumenting is istanbul's work, on the very text of the sources; esbuild puts them
 * together. Packages stay outside and are not counted.
 *
 * @module
 */

import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";
import { createInstrumenter } from "../packages/istanbul_lib_instrument.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = fileURLToPath(new URL("explorer.ts", import.meta.url));

/** Where the counters are, as a property of the global object. */
export const COUNTERS = "fuzzCounters";

/** Writes the instrumented explorer to a file. */
export async function instrumentExplorer(outfile: string): Promise<void> {
  const imports: Readonly<Record<string, string>> = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.json`),
  ).imports;
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [ENTRY],
    outfile,
    bundle: true,
    format: "esm",
    target: "esnext",
    platform: "neutral",
    logLevel: "silent",
    external: ["node:*", "npm:*"],
    plugins: [importMap(imports), instrumentation()],
  });
  await esbuild.stop();
}

function importMap(imports: Readonly<Record<string, string>>): esbuild.Plugin {
  return {
    name: "import-map",
    setup(build): void {
      build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        const target = imports[path];
        if (kind === "entry-point" || target === undefined) return undefined;
        return target.startsWith("./")
          ? { path: `${ROOT}${target.slice(2)}` }
          : { path: target, external: true };
      });
    },
  };
}

function instrumentation(): esbuild.Plugin {
  const instrumenter = createInstrumenter({
    esModules: true,
    compact: true,
    coverageVariable: COUNTERS,
    coverageGlobalScopeFunc: false,
    coverageGlobalScope: "globalThis",
    parserPlugins: ["typescript"],
  });
  return {
    name: "instrumentation",
    setup(build): void {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => ({
        contents: instrumenter.instrumentSync(await Deno.readTextFile(path), path),
        loader: "ts",
      }));
    },
  };
}
