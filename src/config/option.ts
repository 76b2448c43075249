/**
 * What one row of the option tables says. The tables are in `options/`, the kinds of values in
 * values.ts; parse.ts, build.ts, diff.ts and describe.ts only walk them.
 *
 * The idea: an option is data. Its row is the only place that knows its default, its scope, its
 * limits and whether a reload may change it.
 *
 * @module
 */

import type {
  GeneralConfig,
  ListenerConfig,
  ListenerTlsConfig,
  LogConfig,
  PersistenceConfig,
  RateLimitConfig,
  SecurityConfig,
} from "./config.ts";
import type { ConfigNote } from "./note.ts";

/**
 * Where an option may stand: anywhere (`G`); anywhere, or in a listener with
 * `per_listener_settings true` (`S`); in a listener (`L`), in one that it may create (`Ld`), in one
 * that was written as such (`Ln`); in a bridge (`B`); after a plugin (`P`).
 */
export type Scope = "G" | "S" | "L" | "Ld" | "Ln" | "B" | "P";

/**
 * What a reload does: the new value counts (`Y`), also where the manual of Mosquitto says so and
 * its program does not (`D`); for new connections of the listener (`L`); only a restart changes it
 * (`N`); as `bridge_reload_type` says (`B`); there is nothing to change (`-`).
 */
export type Reload = "Y" | "D" | "L" | "N" | "B" | "-";

/** The part of a configuration that an option sets. */
export type Field =
  | `general.${keyof GeneralConfig}`
  | `security.${keyof SecurityConfig}`
  | `log.${keyof LogConfig}`
  | `persistence.${keyof PersistenceConfig}`
  | `rateLimits.${keyof RateLimitConfig}`
  | `listener.${keyof ListenerConfig}`
  | `tls.${keyof ListenerTlsConfig}`;

/** What stands after the name of an option. */
export interface Input {
  /** The name as it was written. */
  readonly name: string;
  /** The rest of the line, without blanks at its ends. */
  readonly text: string;
  /** Whether the line is UTF-8. */
  readonly isWellFormed: boolean;
  /** A word as it may be shown in a message; a secret may not. */
  show(word: string): string;
}

/** A value, or what is wrong with it; or nothing that the configuration would hold. */
export type Reading =
  | { readonly value: unknown; readonly notes?: readonly ConfigNote[] }
  | { readonly isIgnored: true; readonly notes: readonly ConfigNote[] }
  | { readonly fault: string };

/** How a value is written and read. */
export interface ValueKind {
  /** For the documentation. */
  readonly syntax: string;
  read(input: Input): Reading;
}

/** One option. */
export interface Option {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** The names of an open-ended family begin like this; `name` only describes it. */
  readonly prefixes?: readonly string[];
  readonly scope: Scope;
  readonly value: ValueKind;
  /** The default, as the configuration has it. */
  readonly fallback?: unknown;
  /** The default, as the documentation has it where the value does not say enough. */
  readonly default?: string;
  /** Of no use to the broker unless it has one, or its line does something (parse.ts). */
  readonly field?: Field;
  /**
   * What a second line does: it is an error (`never`), it replaces the first (`last`), or it adds
   * to it (`all`).
   */
  readonly repeat: "never" | "last" | "all";
  /** With `all`: a new value beside those that are there. */
  merge?(before: readonly unknown[], value: unknown, show: Input["show"]): Reading;
  readonly reload: Reload;
  /** Names (of a family: prefixes) that are deprecated, each with what to do instead. */
  readonly deprecated?: Readonly<Record<string, string>>;
  /** What is always said when the option is used. */
  readonly note?: ConfigNote;
  /** One sentence for the documentation. */
  readonly effect: string;
  /** What is not as in Mosquitto, and why. */
  readonly difference?: string;
}
