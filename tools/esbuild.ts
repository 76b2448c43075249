// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** The bundler, in tools only: no first run of the broker fetches it. */
export * from "npm:esbuild@0.28.2";
