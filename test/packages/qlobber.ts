// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** A foreign topic matcher, in benchmarks only: no first run of the broker fetches it. */
export { Qlobber } from "npm:qlobber@8.0.1";
