// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** Makes certificates, in tests only: no first run of the broker fetches it. */
import "npm:reflect-metadata@0.2.2";
export * from "npm:@peculiar/x509@2.2.0";
