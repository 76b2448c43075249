/**
 * Mosquitto's own plugins, as far as a configuration may name them: which of them this broker has
 * built in, and what to tell who asks for another library.
 *
 * @module
 */

/** Parts of this broker that Mosquitto loads as plugins. */
export type BuiltInKind = "password-file" | "acl-file";

/** Which part a path means, and the one option that it takes. */
export interface BuiltInPlugin {
  readonly kind: BuiltInKind;
  /** The option that names the file, without `plugin_opt_`. */
  readonly option: string;
}

const BUILT_IN: Readonly<Record<string, BuiltInPlugin>> = {
  mosquitto_password_file: { kind: "password-file", option: "password_file" },
  mosquitto_acl_file: { kind: "acl-file", option: "acl_file" },
};

const ADVICE: Readonly<Record<string, string>> = {
  mosquitto_dynamic_security:
    "Dynamic security is not part of this broker; use password_file and acl_file, or a plugin",
  mosquitto_persist_sqlite:
    'This broker keeps its sessions in SQLite by itself: use "persistence true" instead',
  mosquitto_sparkplug_aware: "Use examples/plugins/sparkplug_aware.ts instead",
};

const LIBRARY = /^(?:.*[/\\])?(.*?)\.(?:so(?:\.\d+)*|dll|dylib)$/i;

/** The built-in part that a path means, if it means one. */
export function findBuiltIn(path: string): BuiltInPlugin | undefined {
  const name = libraryName(path);
  return name !== undefined && Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
}

/** Why the library at this path cannot be loaded; `undefined` when it is none. */
export function libraryAdvice(path: string): string | undefined {
  const name = libraryName(path);
  if (name === undefined) return undefined;
  if (Object.hasOwn(ADVICE, name)) return ADVICE[name];
  return "C plugins cannot be loaded: a plugin is a JavaScript or TypeScript module, " +
    "see docs/plugins.md";
}

function libraryName(path: string): string | undefined {
  return LIBRARY.exec(path)?.[1];
}
