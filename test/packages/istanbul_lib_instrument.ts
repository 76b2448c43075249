// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** Counts which branches run, for long runs of the fuzzers only: no test needs it. */
// @ts-types="npm:@types/istanbul-lib-instrument@1.7.8"
export { createInstrumenter } from "npm:istanbul-lib-instrument@6.0.3";
