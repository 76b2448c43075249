/**
 * The option tables as documentation: for docs/mosquitto.md, and for shells that complete names.
 * What the rows say is said here in columns; nothing is known here that they do not say.
 *
 * @module
 */

import type { Option, Reload, Scope } from "./option.ts";
import { OPTION_TABLES, OPTIONS } from "./options/all.ts";

const WHERE: Readonly<Record<Scope, string>> = {
  G: "anywhere",
  S: "anywhere, or per listener",
  L: "listener",
  Ld: "listener, or the default one",
  Ln: "listener",
  B: "bridge",
  P: "plugin",
};

const RELOAD: Readonly<Record<Reload, string>> = {
  Y: "yes",
  D: "yes",
  L: "new connections",
  N: "restart",
  B: "see bridge_reload_type",
  "-": "",
};

const HEAD = ["Option", "Where", "Value", "Default", "Reload", "Effect", "Not as in Mosquitto"];

/** All options as Markdown, a table for each section. */
export function describeOptions(): string {
  return OPTION_TABLES.map(({ title, rows }) =>
    [`### ${title}`, "", line(HEAD), line(HEAD.map(() => "---")), ...rows.map(describe)].join("\n")
  ).join("\n\n") + "\n";
}

/** The names of all options, aliases included; of a family, what its names begin with. */
export function optionNames(): string[] {
  return OPTIONS.flatMap(({ name, aliases, prefixes }) => prefixes ?? [name, ...aliases ?? []])
    .sort();
}

function describe(option: Option): string {
  const names = [option.name, ...option.aliases ?? []].map((name) => `\`${name}\``).join(", ");
  return line([
    names,
    WHERE[option.scope],
    option.value.syntax,
    defaultOf(option),
    RELOAD[option.reload],
    option.effect + deprecationOf(option),
    option.difference ?? "",
  ]);
}

function deprecationOf({ name, aliases, prefixes, deprecated = {} }: Option): string {
  const names = Object.keys(deprecated);
  if (names.length === 0) return "";
  const all = prefixes ?? [name, ...aliases ?? []];
  if (names.length === all.length) return " Deprecated.";
  return ` Deprecated as ${names.map((one) => `\`${one}\``).join(", ")}.`;
}

function defaultOf({ default: text, fallback }: Option): string {
  return text ?? (typeof fallback === "number" ? String(fallback) : `\`${fallback}\``);
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
