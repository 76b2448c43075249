/**
 * `deno task trace`: joins the normative ids of the standard, as sources cite them at the line that
 * obeys, with those that test names end in. Prints each id with its places, then what is cited by
 * only one side. Ids that exist only in 3.1.1 carry its version as a prefix.
 *
 * @module
 */

import { readProject } from "./tidy.ts";
import { lineAt, type Project, sourceFiles } from "./tidy/source.ts";

/** One normative statement, where it is obeyed, and where it is tested. */
export interface Trace {
  readonly id: string;
  readonly obeyed: readonly string[];
  readonly tested: readonly string[];
}

const ID = /\[((?:3\.1(?:\.1)? ?)?MQTT-\d+(?:\.\d+)*-\d+)\]/g;

/** All ids named anywhere in `src` or `test`, in the order of the standard. */
export function traceIds(project: Project): Trace[] {
  const obeyed = placesOf(project, "src/");
  const tested = placesOf(project, "test/");
  return [...new Set([...obeyed.keys(), ...tested.keys()])]
    .sort(compareIds)
    .map((id) => ({ id, obeyed: obeyed.get(id) ?? [], tested: tested.get(id) ?? [] }));
}

function placesOf(project: Project, folder: string): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const [path, text] of sourceFiles(project, folder)) {
    // The tests of this tool spell ids that are samples, not statements about the broker.
    if (path.startsWith("test/tools/")) continue;
    for (const match of text.matchAll(ID)) {
      const place = `${path}:${lineAt(text, match.index)}`;
      places.set(match[1]!, [...places.get(match[1]!) ?? [], place]);
    }
  }
  return places;
}

function compareIds(a: string, b: string): number {
  const left = a.match(/\d+/g)!.map(Number);
  const right = b.match(/\d+/g)!.map(Number);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function print(traces: readonly Trace[]): void {
  for (const { id, obeyed, tested } of traces) {
    console.log(`${id}\n    obeyed  ${show(obeyed)}\n    tested  ${show(tested)}`);
  }
  const both = traces.filter((trace) => trace.obeyed.length > 0 && trace.tested.length > 0);
  const untested = traces.filter((trace) => trace.tested.length === 0);
  const uncited = traces.filter((trace) => trace.obeyed.length === 0);
  console.log(
    `\n${traces.length} statements: ${both.length} obeyed and tested, ` +
      `${untested.length} obeyed only, ${uncited.length} tested only`,
  );
}

function show(places: readonly string[]): string {
  const rest = places.length > 3 ? ` and ${places.length - 3} more` : "";
  return places.length === 0 ? "nowhere" : places.slice(0, 3).join(", ") + rest;
}

if (import.meta.main) print(traceIds(await readProject()));
