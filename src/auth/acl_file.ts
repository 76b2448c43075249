/**
 * The access file: its text, line by line, into entries. What the entries decide together is in
 * `access_list.ts`.
 *
 * @module
 */

import { encodedLength } from "../core/base/utf8.ts";
import { countLevels, isFilter } from "../core/topic/filter.ts";
import {
  concealed,
  type FileProblem,
  type Parsed,
  parsed,
  significantLines,
  trimBlanks,
} from "./text_lines.ts";

/** What an entry is about: `deny` is both kinds. */
export type AclAccess = "read" | "write" | "readwrite" | "deny";

export interface AclEntry {
  readonly access: AclAccess;
  readonly filter: string;
}

/** The entries of an access file, each list in the file's order. */
export interface AclEntries {
  /** Of `topic` lines before any `user` line: for clients without a user name. */
  readonly anonymous: readonly AclEntry[];
  readonly users: ReadonlyMap<string, readonly AclEntry[]>;
  /** For all clients, with `%c` and `%u` in their filters. */
  readonly patterns: readonly AclEntry[];
}

const FILTER_BYTES_MAX = 65_535;
const FILTER_LEVELS_MAX = 201;

/** Reads an access file's text; `path` is for the messages. */
export function parseAclFile(text: string, path: string): Parsed<AclEntries> {
  const anonymous: AclEntry[] = [];
  const users = new Map<string, AclEntry[]>();
  const patterns: AclEntry[] = [];
  const problems: FileProblem[] = [];
  let current = anonymous;
  for (const [content, line] of significantLines(text)) {
    const { word, rest } = splitWord(trimBlanks(content));
    if (word === "") continue;
    const fail = (message: string): void => {
      problems.push({ severity: "error", message, line });
    };
    if (word === "topic" || word === "pattern") {
      const entry = parseEntry(rest, path);
      if (typeof entry === "string") {
        fail(entry);
        continue;
      }
      (word === "topic" ? current : patterns).push(entry);
      if (word === "pattern" && !hasPlaceholder(entry.filter)) {
        const message = `Warning: ACL pattern '${entry.filter}' does not contain '%c' or '%u'.`;
        problems.push({ severity: "warning", message, line });
      }
    } else if (word === "user") {
      if (rest === "") {
        fail(`Error: Missing username in acl_file "${path}".`);
        continue;
      }
      let entries = users.get(rest);
      if (entries === undefined) users.set(rest, entries = []);
      current = entries;
    } else {
      fail(`Error: Invalid line in acl_file "${path}": ${concealed(trimBlanks(content))}.`);
    }
  }
  return parsed({ anonymous, users, patterns }, problems);
}

/** The entry behind `topic` or `pattern`, or what is wrong with it. */
function parseEntry(text: string, path: string): AclEntry | string {
  if (text === "") return `Error: Empty topic in acl_file "${path}".`;
  const { word, rest } = splitWord(text);
  // A single word is a filter, even if it reads like a kind of access.
  if (rest === "") return checkFilter("readwrite", word, path);
  if (!isAccess(word)) return `Error: Invalid topic access type "${word}" in acl_file "${path}".`;
  return checkFilter(word, rest, path);
}

function checkFilter(access: AclAccess, filter: string, path: string): AclEntry | string {
  if (
    isFilter(filter) && isPrintable(filter) && countLevels(filter) <= FILTER_LEVELS_MAX &&
    encodedLength(filter) <= FILTER_BYTES_MAX
  ) return { access, filter };
  return `Error: Invalid ACL topic "${filter}" in acl_file "${path}".`;
}

/** No topic has control characters, so an entry with one would deny nothing that it seems to. */
function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
  }
  return true;
}

function isAccess(word: string): word is AclAccess {
  return word === "read" || word === "write" || word === "readwrite" || word === "deny";
}

/** Whether something is substituted in a pattern, which is done to whole levels only. */
function hasPlaceholder(filter: string): boolean {
  return filter.split("/").some((level) => level === "%c" || level === "%u");
}

/** The word before the first space, and what follows. */
function splitWord(text: string): { readonly word: string; readonly rest: string } {
  const space = text.indexOf(" ");
  if (space < 0) return { word: text, rest: "" };
  return { word: text.slice(0, space), rest: trimBlanks(text.slice(space + 1)) };
}
