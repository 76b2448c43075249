// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** What keeps the sessions of Aedes in LevelDB, in benchmarks only. */
export { default } from "npm:aedes-persistence-level@9.2.0/asyncPersistence.js";
