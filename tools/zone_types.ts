/**
 * The type checks that prove purity and neutrality: the core must compile with the types of the
 * language alone, and the rest of `src` outside of the runtimes with those of the web. Their
 * configurations are generated, so that strictness and import map are those of `deno.json`.
 *
 * @module
 */

import { fromRoot, listFiles } from "./root.ts";

/** A zone of `src`, and the type libraries it may know. */
export interface Zone {
  readonly name: string;
  readonly lib: readonly string[];
  has(path: string): boolean;
}

/** The zones whose types are checked apart from everything else. */
export const ZONES: readonly Zone[] = [
  { name: "pure", lib: ["esnext"], has: (path) => path.startsWith("src/core/") },
  {
    name: "neutral",
    lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
    has: (path) => path.startsWith("src/") && !isOfRuntime(path),
  },
  {
    name: "browser and Worker",
    lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
    has: (path) =>
      path === "client_web.ts" || path === "web.ts" || path.startsWith("examples/browser/") ||
      path.startsWith("src/runtime/workers/"),
  },
];

/** The arguments of `deno` that check a zone; writes the configuration they name. */
export async function zoneCheckCommand(zone: Zone): Promise<string[]> {
  const config = JSON.parse(await Deno.readTextFile(fromRoot("deno.json")));
  const generated = {
    nodeModulesDir: "none",
    imports: config.imports,
    compilerOptions: { ...config.compilerOptions, lib: zone.lib, types: [] },
  };
  const configPath = `dist/${zone.name.replaceAll(" ", "_")}.deno.json`;
  await Deno.mkdir(fromRoot("dist"), { recursive: true });
  await Deno.writeTextFile(fromRoot(configPath), JSON.stringify(generated));
  const files = [
    "client_web.ts",
    "web.ts",
    ...await listFiles("examples"),
    ...await listFiles("src"),
  ]
    .filter((path) => path.endsWith(".ts") && zone.has(path));
  return ["check", "-q", `--config=${configPath}`, "--no-lock", ...files];
}

// The contract of the runtimes is neutral; what implements it or chooses one is not.
function isOfRuntime(path: string): boolean {
  return path.startsWith("src/runtime/") && path !== "src/runtime/runtime.ts";
}
