/**
 * `deno task trace`: joins the normative ids of the standard, as sources cite them at the line that
 * obeys, with those in the names of tests and of the cases of their fixtures. Prints each id with
 * its places, and how many are cited by only one side. Ids that exist only in 3.1.1 carry its
 * version, as in `MQTT-3.1.1-3.2.2-6`; they sort among the others by section.
 *
 * @module
 */

import { readProject } from "./tidy.ts";
import { lineAt, type Project } from "./tidy/source.ts";

/** One normative statement, where it is obeyed, and where it is tested. */
export interface Trace {
  readonly id: string;
  readonly obeyed: readonly string[];
  readonly tested: readonly string[];
}

const ID = /\bMQTT-(?:3\.1(?:\.1)?-(?=\d+\.))?\d+(?:\.\d+)*-\d+\b/g;

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
  for (const [path, text] of project.files) {
    if (!path.startsWith(folder)) continue;
    // The tests of this tool spell ids that are samples, not statements about the broker.
    if (path.startsWith("test/tools/")) continue;
    for (const match of text.matchAll(ID)) {
      const place = `${path}:${lineAt(text, match.index)}`;
      places.set(match[0], [...places.get(match[0]) ?? [], place]);
    }
  }
  return places;
}

function compareIds(a: string, b: string): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(id: string): number[] {
  return id.replace(/^MQTT-3\.1(?:\.1)?-(?=\d+\.)/, "").match(/\d+/g)!.map(Number);
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
