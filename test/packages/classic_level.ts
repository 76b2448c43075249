// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** LevelDB, in benchmarks only. */
export { ClassicLevel } from "npm:classic-level@3.0.0";
