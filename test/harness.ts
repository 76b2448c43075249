// `test` bound to whichever runner is present: Deno, Bun and Node all run `node:test` files.
export { test } from "node:test";
