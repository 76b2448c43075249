/**
 * What an option of pub, sub, rr and ctrl is. One table of them (options/all.ts) is read by the
 * parser, by `--help` and by whoever writes shell completions.
 *
 * @module
 */

import type { Candidates } from "../manual.ts";
import type { ToolName } from "./client_settings.ts";
import type { Draft } from "./draft.ts";

/** The headings under which help lists the options. */
export type OptionGroup =
  | "Connection"
  | "Session"
  | "Message"
  | "Subscription"
  | "Output"
  | "Last will"
  | "TLS"
  | "Other";

interface OptionBase {
  /** As they are written, the short form first. */
  readonly names: readonly [string, ...string[]];
  readonly tools: readonly ToolName[];
  readonly group: OptionGroup;
  /** One or more sentences for the help. */
  readonly help: string;
}

/** An option that stands alone. */
export interface FlagOption extends OptionBase {
  readonly argument?: undefined;
  apply(draft: Draft): void;
}

/** An option that the next word belongs to. */
export interface ValueOption extends OptionBase {
  /** What the word is, for the help. */
  readonly argument: string;
  /** What it may be, for shells. */
  readonly candidates?: Candidates;
  /** What is told when there is no such word, after "argument given but". */
  readonly missing: string;
  /** The name that is told then; the first one unless given. */
  readonly label?: string;
  /** Throws a `UsageError` for a word that it does not take. */
  apply(draft: Draft, value: string): void;
}

/** An option that takes several words; it says itself how many. */
export interface WordsOption extends OptionBase {
  readonly argument: string;
  /** Takes its words from the front of those that are left and gives their count. */
  applyWords(draft: Draft, words: readonly string[]): number;
}

export type ClientOption = FlagOption | ValueOption | WordsOption;

export const ALL: readonly ToolName[] = ["pub", "sub", "rr", "ctrl"];
export const CLIENTS: readonly ToolName[] = ["pub", "sub", "rr"];
export const PUBLISHING: readonly ToolName[] = ["pub", "rr"];
export const RECEIVING: readonly ToolName[] = ["sub", "rr"];
export const PUB: readonly ToolName[] = ["pub"];
export const SUB: readonly ToolName[] = ["sub"];
export const RR: readonly ToolName[] = ["rr"];
export const CTRL: readonly ToolName[] = ["ctrl"];
