/**
 * `deno task docs`: writes the parts of the documentation that tables of the source already say,
 * between the marks that are there for them. That they are up to date is one of the house rules.
 *
 * @module
 */

import { describeOptions } from "../src/config/describe.ts";
import { LOAD_PERIODS } from "../src/telemetry/load_average.ts";
import { SYS_LOADS, SYS_METRICS, SYS_PREFIX } from "../src/telemetry/sys_metrics.ts";
import { fillBetween, openingMark } from "./marks.ts";
import { fromRoot } from "./root.ts";
import type { Project, Rule } from "./tidy/source.ts";

/** Where the parts stand. */
export const GENERATED_PAGE = "docs/mosquitto.md";

const TASK = "docs";

/** What is written, by the name in its marks. */
const PARTS: Readonly<Record<string, () => string>> = {
  "options": describeOptions,
  "sys": describeSysTopics,
};

/** What the tables say is what the page says. */
export const generatedDocs: Rule = {
  name: `${GENERATED_PAGE} says what the tables of the source say`,
  find({ files }: Project): string[] {
    const page = files.get(GENERATED_PAGE);
    if (page === undefined) return [];
    const missing = Object.keys(PARTS).filter((name) => !page.includes(openingMark(name, TASK)));
    if (missing.length > 0) {
      return missing.map((name) => `${GENERATED_PAGE}: there are no marks for "${name}"`);
    }
    return fillIn(page) === page ? [] : [`${GENERATED_PAGE}: run "deno task docs"`];
  },
};

/** The page with its parts as they should be. */
export function fillIn(page: string): string {
  return Object.entries(PARTS).reduce(
    (text, [name, describe]) => fillBetween(text, openingMark(name, TASK), describe()),
    page,
  );
}

function describeSysTopics(): string {
  const rows = [
    `| \`${SYS_PREFIX}version\` | name and version |  |`,
    `| \`${SYS_PREFIX}uptime\` | \`<n> seconds\` |  |`,
    ...SYS_METRICS.map(({ topic, alias, isMaximum }) => {
      const also = alias === undefined ? "" : `\`${SYS_PREFIX}${alias}\``;
      const value = isMaximum ? "the highest number so far" : "number";
      return `| \`${SYS_PREFIX}${topic}\` | ${value} | ${also} |`;
    }),
    ...SYS_LOADS.map(({ what }) => `| \`${SYS_PREFIX}load/${what}/<period>\` | per minute |  |`),
  ];
  const periods = LOAD_PERIODS.map(({ name }) => `\`${name}\``).join(", ");
  return ["| Topic | Payload | Also as |", "| --- | --- | --- |", ...rows].join("\n") +
    `\n\n\`<period>\` is one of ${periods}.`;
}

if (import.meta.main) {
  const path = fromRoot(GENERATED_PAGE);
  await Deno.writeTextFile(path, fillIn(await Deno.readTextFile(path)));
}
