// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** Drives a browser, in tests only: no first run of the broker fetches it. */
export * from "npm:playwright-core@1.65.1";
