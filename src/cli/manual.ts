/**
 * What a command is for and what it understands, as data, and the help that people read of it.
 * Shell completion is made of the same data (completion.ts).
 *
 * The idea: an option is described once, beside what parses it; help and completion cannot differ
 * from each other, and nobody has to lay out columns.
 *
 * @module
 */

/** A command as its user sees it. */
export interface Manual {
  /** What the user calls it: `midge pub`, `mosquitto_pub`. */
  readonly name: string;
  /** Paragraphs that say what it does. */
  readonly about: readonly string[];
  /** The ways to call it, each without the name; a line break continues one. */
  readonly usage: readonly string[];
  readonly sections: readonly ManualSection[];
  /** Paragraphs behind the options; the exit statuses are among them. */
  readonly notes: readonly string[];
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** What stands behind the options, word by word; the last goes on for all that follow. */
  readonly operands?: readonly Candidates[];
}

/** What belongs together; one without a title comes first. */
export interface ManualSection {
  readonly title?: string;
  readonly entries: readonly ManualEntry[];
}

/** An option, or a word with a meaning. */
export interface ManualEntry {
  /** `-h` and `--host`, the short one first; or the word. */
  readonly names: readonly string[];
  /** What follows it, as in `<host>`. */
  readonly argument?: string;
  /** What may stand there. */
  readonly candidates?: Candidates;
  readonly text: string;
  /** What holds without it. */
  readonly default?: string;
}

/** Words that make sense in a place: files, folders, these, or anything. */
export type Candidates = "files" | "folders" | readonly string[] | undefined;

const COLUMNS = 92;
/** Where the texts begin at the latest; a longer label has its line to itself. */
const TEXT_COLUMN_MAX = 30;
const INDENT = "  ";
/** In place of the short form that an option does not have. */
const NO_SHORT = "    ";

/** The help. */
export function formatManual(manual: Manual): string {
  const { name, about, usage, sections, notes, examples } = manual;
  const parts = [
    ...about.flatMap((text) => [...fold(text, COLUMNS), ""]),
    ...usage.flatMap((way, index) =>
      formatWay(`${index === 0 ? "Usage:" : "      "} ${name}`, way)
    ),
    ...formatSections(sections),
    "",
    ...notes.flatMap((text) => [...fold(text, COLUMNS), ""]),
    "Try it:",
    ...examples.map((line) => INDENT + line),
  ];
  return `${parts.join("\n")}\n`;
}

function formatWay(start: string, way: string): string[] {
  const margin = " ".repeat(start.length);
  return way.split("\n").map((line, index) => `${index === 0 ? start : margin} ${line}`.trimEnd());
}

function formatSections(sections: readonly ManualSection[]): string[] {
  const columns = sections.flatMap(({ entries }) => entries)
    .map((entry) => labelOf(entry).length + INDENT.length);
  const column = Math.max(0, ...columns.filter((each) => each <= TEXT_COLUMN_MAX));
  return sections.flatMap(({ title, entries }) => [
    "",
    ...title === undefined ? [] : [`${title}:`],
    ...entries.flatMap((entry) => formatEntry(entry, column)),
  ]);
}

function formatEntry(entry: ManualEntry, column: number): string[] {
  const label = labelOf(entry);
  const said = entry.default === undefined
    ? entry.text
    : `${entry.text} Default: ${entry.default}.`;
  const lines = fold(said, COLUMNS - column).map((line) => " ".repeat(column) + line);
  if (label.length + INDENT.length > column) return [label, ...lines];
  return [label.padEnd(column) + lines[0]!.slice(column), ...lines.slice(1)];
}

function labelOf({ names, argument }: ManualEntry): string {
  const isLongOnly = names.every((name) => name.startsWith("--"));
  const label = argument === undefined ? names.join(", ") : `${names.join(", ")} ${argument}`;
  return INDENT + (isLongOnly ? NO_SHORT : "") + label;
}

/** Breaks a text between words, so that no line is longer; line breaks of its own stay. */
function fold(text: string, columns: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > columns) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    return [...lines, line];
  });
}
