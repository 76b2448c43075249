/**
 * Whether each kind of bad input has its tests: the table beside them names every number once, its
 * files have tests by that name, and no test names a number that the table does not have.
 *
 * @module
 */

import { BAD_INPUTS, type BadInput } from "../../test/bad_inputs/table.ts";
import { type Project, type Rule, sourceFiles } from "./source.ts";

/** How many kinds there are. */
const COUNT = 60;

const TABLE = "test/bad_inputs/table.ts";

/** The table of bad inputs and the tests say the same. */
export const badInputs: Rule = {
  name: "each kind of bad input has its tests",
  find: (project) => findUnmet(BAD_INPUTS, project),
};

/** What is wrong with a table. */
export function findUnmet(table: readonly BadInput[], project: Project): string[] {
  const ids = table.map(({ id }) => id);
  const expected = Array.from({ length: COUNT }, (_, n) => `B-${`${n + 1}`.padStart(2, "0")}`);
  const found = ids.join() === expected.join()
    ? []
    : [`${TABLE}: its numbers are not ${expected[0]} to ${expected.at(-1)}, each once`];
  const unknown = sourceFiles(project, "test/").flatMap(([path, text]) =>
    path.startsWith("test/tools/")
      ? []
      : [...text.matchAll(/\bB-\d\d\b/g)].flatMap(([id]) =>
        ids.includes(id) ? [] : [`${path}: ${id} is not in ${TABLE}`]
      )
  );
  return [...found, ...table.flatMap((row) => missingOf(row, project)), ...unknown];
}

function missingOf({ id, comes, tests, because }: BadInput, { files }: Project): string[] {
  if (comes === "not yet") {
    return because === undefined || tests.length > 0 ? [`${TABLE}: ${id} has no reason`] : [];
  }
  if (tests.length === 0) return [`${TABLE}: ${id} has no tests`];
  const missing = tests.filter((path) => !new RegExp(`\\b${id}\\b`).test(files.get(path) ?? ""))
    .map((path) => `${path}: no test names ${id}`);
  const comesEveryWay = tests.some((path) =>
    new RegExp(`everyWay(?:AtOnce)?\\(\\s*["'\`]${id}\\b`).test(files.get(path) ?? "")
  );
  if (comes === "by every way of a client" && !comesEveryWay) {
    missing.push(`${TABLE}: no test of ${id} is run by every way`);
  }
  return missing;
}
