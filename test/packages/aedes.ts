// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** A foreign broker, in benchmarks only: no first run of the broker fetches it. */
export * from "npm:aedes@1.2.0";
