/**
 * Loaded before each test file on Node, whose processes live until nothing is left open in them.
 * What a file's tests leave open would hold up the whole run without a word: here sockets, servers
 * and processes fail the file and are named, and timers alone are not waited for. Deno and Bun leave
 * without asking.
 *
 * @module
 */

import process from "node:process";
import { after } from "node:test";

const GRACE_MS = 3_000;
const EXIT_STATUS = 99;

// The standard streams of the process are pipes to the runner.
const HARMLESS: ReadonlySet<string> = new Set(["PipeWrap", "TTYWrap", "Timeout", "Immediate"]);

after(() => {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((name) => !HARMLESS.has(name));
    if (open.length === 0) process.exit();
    console.error(`Left open ${GRACE_MS / 1000} s after the last test: ${open.sort().join(", ")}`);
    process.exit(EXIT_STATUS);
  }, GRACE_MS).unref();
});
