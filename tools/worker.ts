/**
 * The Worker as one file, as it is deployed, and what that file still imports: nothing but what the
 * host of Workers itself provides. Tests run it in workerd, and `deno task build` says what it
 * weighs.
 *
 * @module
 */

import * as esbuild from "./esbuild.ts";
import { fromRoot, ROOT } from "./root.ts";

/** Where the Worker begins. */
export const WORKER_ENTRY = "src/runtime/workers/worker.ts";

/** What was built, and what it imports. */
export interface WorkerBundle {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly imports: readonly string[];
}

/** Bundles and minifies a Worker of ours; leaves nothing behind but the bundler. */
export async function bundleWorker(entry: string = WORKER_ENTRY): Promise<WorkerBundle> {
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
    logLevel: "silent",
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  return {
    // A copy in memory of its own, for streams that want no other.
    code: Uint8Array.from(outputFiles[0]!.contents),
    imports: [...new Set(imports.map(({ path }) => path))].sort(),
  };
}
