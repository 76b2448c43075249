// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** Properties held against drawn values, in tests only: no first run of the broker fetches it. */
export * from "npm:fast-check@4.10.2";
export { default } from "npm:fast-check@4.10.2";
