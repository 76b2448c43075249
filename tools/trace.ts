/**
 * `deno task trace`: joins the normative statements of the standard with the source lines that obey
 * them and the tests that check them, both of which name them by their ids, and writes the table of
 * docs/conformance.md.
 *
 * The ids are those of version 5, and what a statement asks for is said in `trace/statements.json`
 * in words of our own. Statements of 3.1.1 that ask for something else carry its version, as in
 * `MQTT-3.1.1-3.2.2-6`.
 *
 * @module
 */

import { fromRoot } from "./root.ts";
import { readProject } from "./tidy.ts";
import { fillTable, PAGE, traceAll } from "./trace/traces.ts";

if (import.meta.main) {
  const traces = traceAll(await readProject());
  const path = fromRoot(PAGE);
  await Deno.writeTextFile(path, fillTable(await Deno.readTextFile(path), traces));
  const both = traces.filter(({ obeyed, tested }) => obeyed.length > 0 && tested.length > 0);
  console.log(`${traces.length} statements: ${both.length} obeyed and tested`);
}
