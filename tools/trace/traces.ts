/**
 * The statements of the standard joined with where they are obeyed and tested, and the house rule
 * about them: each has both, nobody names one that there is not, and the page says the same.
 *
 * @module
 */

import { fillBetween, openingMark } from "../marks.ts";
import type { Project, Rule } from "../tidy/source.ts";
import { describeTraces } from "./page.ts";
import { placesOf, type Trace } from "./places.ts";
import statements from "./statements.json" with { type: "json" };

/** What each statement asks for, in the order of the standard. */
export type Statements = Readonly<Record<string, string>>;

/** Where the table stands. */
export const PAGE = "docs/conformance.md";
const OPENING = openingMark("statements", "trace");

/** The statements of the standard, the ids that name them and the page agree. */
export const traceability: Rule = {
  name: "each normative statement is obeyed and tested somewhere, and the page says where",
  find: (project) => findUntraced(project, statements),
};

/** Each statement with its places. */
export function traceAll(project: Project, list: Statements = statements): Trace[] {
  const obeyed = placesOf(project, "src/");
  const tested = placesOf(project, "test/");
  return Object.entries(list).map(([id, asks]) => ({
    id,
    asks,
    obeyed: obeyed.get(id) ?? [],
    tested: tested.get(id) ?? [],
  }));
}

/** What is missing, unknown or out of date. */
export function findUntraced(project: Project, list: Statements): string[] {
  const traces = traceAll(project, list);
  const blanks = traces.flatMap(({ id, obeyed, tested }) => [
    ...obeyed.length > 0 ? [] : [`${id} is cited by no source`],
    ...tested.some(({ name }) => name !== "") ? [] : [`${id} is named by no test`],
  ]);
  const unknown = (["src/", "test/"] as const).flatMap((folder) =>
    [...placesOf(project, folder)].flatMap(([id, places]) =>
      list[id] !== undefined ? [] : places.map(({ path, line }) => `${path}:${line}: ${id} is none`)
    )
  );
  const page = project.files.get(PAGE) ?? "";
  const isStale = !page.includes(OPENING) || fillTable(page, traces) !== page;
  return [...blanks, ...unknown, ...isStale ? [`${PAGE}: run "deno task trace"`] : []];
}

/** The page with its table as it should be. */
export function fillTable(page: string, traces: readonly Trace[]): string {
  return fillBetween(page, OPENING, describeTraces(traces));
}
