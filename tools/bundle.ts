/**
 * Turns our TypeScript into JavaScript that Bun and Node load. The import map of `deno.json` is
 * the one source of what a bare name means: here it is applied by a plugin of the bundler. Test
 * bundles leave packages outside, in `node_modules`; the program takes them in.
 *
 * @module
 */

import * as esbuild from "./esbuild.ts";
import { isBuiltin } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Imports, PACKAGES_FOLDER, readImports } from "./packages.ts";
import { fromRoot, ROOT } from "./root.ts";

/** One file that could not be bundled, and why. */
export interface BundleFailure {
  readonly file: string;
  readonly message: string;
}

/** Bundles the program into one file. */
export async function bundleProgram(entry: string, outfile: string): Promise<void> {
  await esbuild.build({
    ...SHARED,
    entryPoints: [fromRoot(entry)],
    outfile: fromRoot(outfile),
    packages: "bundle",
    legalComments: "eof",
    // Older versions of Node do not know it, and the one file is always the program.
    define: { "import.meta.main": "true" },
    // Whoever guesses from the text whether it is a module need not read all of it.
    banner: { js: "export {};" },
    plugins: [importMapPlugin(await readImports(), { isExternal: false }), lazyBuiltinsPlugin()],
  });
}

/** Bundles each test file beside the others; what they share becomes chunks of its own. */
export async function bundleTests(
  files: readonly string[],
  outdir: string,
): Promise<BundleFailure[]> {
  const imports = await readImports();
  const build = (entryPoints: readonly string[]): Promise<unknown> =>
    esbuild.build({
      ...SHARED,
      entryPoints: entryPoints.map(fromRoot),
      outdir: fromRoot(outdir),
      outbase: ROOT,
      splitting: true,
      sourcemap: "inline",
      plugins: [
        importMapPlugin(imports, { isExternal: true }),
        sourceMetaPlugin(new Set(entryPoints.map(fromRoot))),
      ],
    });
  const failures: BundleFailure[] = [];
  const sound: string[] = [];
  try {
    await build(files);
    return [];
  } catch {
    // One bad file fails the build of all: find it, and run the others without it.
    for (const file of files) {
      try {
        await build([file]);
        sound.push(file);
      } catch (error) {
        failures.push({ file, message: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  await build(sound);
  return failures;
}

/** Ends the bundler's own process, without which ours does not end. */
export async function stopBundler(): Promise<void> {
  await esbuild.stop();
}

const SHARED: esbuild.BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  format: "esm",
  target: "esnext",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["import", "node"],
  external: ["node:*", "bun:*"],
  logLevel: "silent",
  charset: "utf8",
  // As in `deno.json`: an import is never dropped because nothing uses it.
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
};

/** `npm:name@version/path`, with or without the version, in the parts that Node resolves. */
export function npmPath(specifier: string): string | undefined {
  const match = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/.exec(specifier);
  return match === null ? undefined : match[1]! + (match[2] ?? "");
}

function importMapPlugin(imports: Imports, options: { isExternal: boolean }): esbuild.Plugin {
  return {
    name: "import-map",
    setup(build): void {
      build.onResolve({ filter: /^[^./]/ }, (args) => {
        if (args.pluginData === "resolved" || args.kind === "entry-point") return undefined;
        if (/^(?:node|bun|file|https?):/.test(args.path)) return undefined;
        const target = imports[args.path] ?? args.path;
        if (target.startsWith("./")) return { path: fromRoot(target.slice(2)) };
        const path = npmPath(target);
        if (path === undefined) return undefined;
        if (options.isExternal) return { path, external: true };
        return build.resolve(path, {
          resolveDir: fromRoot(PACKAGES_FOLDER),
          kind: args.kind,
          pluginData: "resolved",
        });
      });
    },
  };
}

/**
 * In one file, imports of Node's modules would all stand at its top, and loading them takes Deno as
 * long as all the rest. So each is asked for where the module that imports it begins to run.
 */
function lazyBuiltinsPlugin(): esbuild.Plugin {
  return {
    name: "lazy-builtins",
    setup(build): void {
      // Packages written for CommonJS name them without the prefix.
      build.onResolve({ filter: /^[\w:/]+$/ }, ({ path, kind }) => {
        if (!path.startsWith("node:") && kind !== "require-call") return undefined;
        return isBuiltin(path) ? { path, namespace: "builtin" } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
        const name = JSON.stringify(path);
        return {
          contents: `module.exports = process.getBuiltinModule(${name});
if (module.exports === undefined) throw new Error("There is no module " + ${name});`,
          loader: "js",
        };
      });
    },
  };
}

/**
 * In a bundle, `import.meta` would be the bundle's. Tests find their fixtures beside the source, so
 * each file keeps its own address; and no file is the main one except the one that is run.
 */
function sourceMetaPlugin(entryPaths: ReadonlySet<string>): esbuild.Plugin {
  return {
    name: "source-meta",
    setup(build): void {
      build.onLoad({ filter: /\.ts$/ }, async (args) => {
        const url = pathToFileURL(args.path);
        const folder = fileURLToPath(new URL(".", url));
        const source = await Deno.readTextFile(args.path);
        const contents = source
          .replaceAll(/\bimport\.meta\.url\b/g, JSON.stringify(url.href))
          .replaceAll(/\bimport\.meta\.dirname\b/g, JSON.stringify(folder))
          .replaceAll(
            /\bimport\.meta\.main\b/g,
            entryPaths.has(args.path) ? "import.meta.main" : "false",
          );
        return { contents, loader: "ts" };
      });
    },
  };
}
