/**
 * Values of plugin options: paths that may hold spaces, names, and what a plugin is told.
 *
 * @module
 */

import type { Input, Reading, ValueKind } from "./option.ts";
import { empty, textFault, words } from "./values.ts";

const MISSING_PATH = "Missing plugin path in configuration.";

/** A plugin that has a name. */
export interface NamedPath {
  readonly name: string;
  readonly path: string;
}

/** A path. */
export const pluginPath: ValueKind = {
  syntax: "path",
  read: (input) => input.text === "" ? { fault: MISSING_PATH } : checked(input, input.text),
};

/** A name and a path. */
export const pluginNameAndPath: ValueKind = {
  syntax: "`<name> <path>`",
  read(input) {
    const [name] = words(input.text);
    if (name === undefined) return empty(input);
    const path = input.text.slice(name.length).trim();
    if (path === "") return { fault: MISSING_PATH };
    return checked(input, { name, path } satisfies NamedPath);
  },
};

/** A name. */
export const pluginName: ValueKind = {
  syntax: "name",
  read: (input) => input.text === "" ? empty(input) : checked(input, input.text),
};

/** What a plugin is told; the key is a part of the option's name. */
export const pluginOption: ValueKind = {
  syntax: "text",
  read: (input) => input.text === "" ? empty(input) : checked(input, input.text),
};

function checked(input: Input, value: unknown): Reading {
  const fault = textFault(input, input.text);
  return fault === undefined ? { value } : { fault };
}
