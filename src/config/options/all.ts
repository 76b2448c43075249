/**
 * All options there are, and how one is found by the name that stands in a file.
 *
 * @module
 */

import type { Option } from "../option.ts";
import { BRIDGE_OPTIONS } from "./bridge.ts";
import { BRIDGE_TLS_OPTIONS } from "./bridge_tls.ts";
import { GENERAL_OPTIONS } from "./general.ts";
import { IGNORED_OPTIONS } from "./ignored.ts";
import { LISTENER_OPTIONS } from "./listener.ts";
import { LOG_OPTIONS } from "./log.ts";
import { PERSISTENCE_OPTIONS } from "./persistence.ts";
import { PLUGIN_OPTIONS } from "./plugin.ts";
import { RATE_LIMIT_OPTIONS } from "./rate_limit.ts";
import { SECURITY_OPTIONS } from "./security.ts";
import { TLS_OPTIONS } from "./tls.ts";

/** The tables, in the order of the documentation. */
export const OPTION_TABLES: readonly {
  readonly title: string;
  readonly rows: readonly Option[];
}[] = [
  { title: "General", rows: GENERAL_OPTIONS },
  { title: "Security", rows: SECURITY_OPTIONS },
  { title: "Plugins", rows: PLUGIN_OPTIONS },
  { title: "Listeners", rows: LISTENER_OPTIONS },
  { title: "TLS", rows: TLS_OPTIONS },
  { title: "Log", rows: LOG_OPTIONS },
  { title: "Persistence", rows: PERSISTENCE_OPTIONS },
  { title: "Rate limits", rows: RATE_LIMIT_OPTIONS },
  { title: "Bridges", rows: BRIDGE_OPTIONS },
  { title: "TLS of bridges", rows: BRIDGE_TLS_OPTIONS },
  { title: "Without effect", rows: IGNORED_OPTIONS },
];

/** Every option. */
export const OPTIONS: readonly Option[] = OPTION_TABLES.flatMap(({ rows }) => rows);

const BY_NAME: ReadonlyMap<string, Option> = new Map(
  OPTIONS.filter(({ prefixes }) => prefixes === undefined)
    .flatMap((option) => [option.name, ...option.aliases ?? []].map((name) => [name, option])),
);

const FAMILIES: readonly (readonly [prefix: string, option: Option])[] = OPTIONS
  .flatMap((option) => (option.prefixes ?? []).map((prefix) => [prefix, option] as const));

/** An option by its name; for one of a family also the part of the name that was not given. */
export interface FoundOption {
  readonly option: Option;
  /** The name, or for a family the prefix, as the tables have it. */
  readonly stem: string;
  /** What stands after the prefix of a family. */
  readonly key: string | undefined;
}

/** Finds what a name means; `undefined` when it is no option. */
export function findOption(name: string): FoundOption | undefined {
  const option = BY_NAME.get(name);
  if (option !== undefined) return { option, stem: name, key: undefined };
  const family = FAMILIES.find(([prefix]) => name.startsWith(prefix));
  if (family === undefined) return undefined;
  return { option: family[1], stem: family[0], key: name.slice(family[0].length) };
}
