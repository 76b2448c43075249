// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** A foreign codec, in tests and benchmarks only: no first run of the broker fetches it. */
export * from "npm:mqtt-packet@9.0.2";
export { default } from "npm:mqtt-packet@9.0.2";
