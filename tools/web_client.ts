/**
 * The client for browsers as one file, and the proof that it is one: it imports nothing. A check of
 * the test suite builds it, and `deno task build` says what it weighs.
 *
 * @module
 */

import * as esbuild from "./esbuild.ts";
import { fromRoot, ROOT } from "./root.ts";

/** What was built, and what it would still import. */
export interface WebClient {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly imports: readonly string[];
}

/** Bundles and minifies; leaves nothing behind but the bundler, which has to be stopped. */
export async function bundleWebClient(): Promise<WebClient> {
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [fromRoot("client_web.ts")],
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
    logLevel: "silent",
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  return {
    // A copy in memory of its own, for streams that want no other.
    code: Uint8Array.from(outputFiles[0]!.contents),
    imports: [...new Set(imports.map(({ path }) => path))].sort(),
  };
}
