/**
 * Whether something that came out of somebody's module is a plugin. Types promise it, but a module
 * may be JavaScript, or written for another version.
 *
 * The idea: a hook under a name that nobody knows would silently decide nothing, so in a plain
 * object every name has to be known.
 *
 * @module
 */

import type { Plugin, PluginFactory } from "./plugin.ts";

const PLUGIN_NAMES: readonly string[] = [
  "name",
  "version",
  "authenticator",
  "authorizer",
  "observer",
  "reload",
  "close",
];

type PartName = "authenticator" | "authorizer" | "observer";

/** The hooks of each part: functions, and at least one of them. */
const HOOKS: Readonly<Record<PartName, readonly string[]>> = {
  authenticator: ["authenticate", "exchange", "credentialOf"],
  authorizer: ["publish", "subscribe", "unsubscribe", "deliver", "rulesFor", "hasRetained"],
  observer: ["message", "connected", "disconnected"],
};

/** What else belongs into a part. */
const PART_NAMES: Readonly<Record<PartName, readonly string[]>> = {
  authenticator: ["name", "methods"],
  authorizer: ["name"],
  observer: ["name"],
};

/** Longer texts of errors are cut. */
const TEXT_MAX = 300;

/** The factory that a module exports. @throws {TypeError} when it exports none. */
export function factoryOf(module: unknown): PluginFactory {
  const exported = isObject(module) ? module["default"] ?? module["plugin"] : undefined;
  if (typeof exported === "function") return exported as PluginFactory;
  throw new TypeError('It exports no function, neither by default nor as "plugin"');
}

/** The same value as a plugin. @throws {TypeError} that says what is wrong with it. */
export function asPlugin(value: unknown): Plugin {
  if (!isObject(value)) throw new TypeError(`The plugin is no object but ${kindOf(value)}`);
  checkNames("The plugin", value, PLUGIN_NAMES);
  checkLabel("name", value["name"]);
  if (value["version"] !== undefined) checkLabel("version", value["version"]);
  checkFunctions("The plugin", value, ["reload", "close"]);
  const parts = (Object.keys(HOOKS) as PartName[]).filter((part) => value[part] !== undefined);
  if (parts.length === 0) {
    throw new TypeError("The plugin has no authenticator, no authorizer and no observer");
  }
  for (const part of parts) checkPart(part, value[part]);
  return value as unknown as Plugin;
}

function checkPart(part: PartName, value: unknown): void {
  const what = `Its ${part}`;
  if (!isObject(value)) throw new TypeError(`${what} is no object but ${kindOf(value)}`);
  const hooks = HOOKS[part];
  checkNames(what, value, [...hooks, ...PART_NAMES[part]]);
  if (value["name"] !== undefined) checkLabel("name", value["name"]);
  checkFunctions(what, value, hooks);
  if (!hooks.some((hook) => value[hook] !== undefined)) {
    throw new TypeError(`${what} has none of the functions ${hooks.join(", ")}`);
  }
  if (part !== "authenticator") return;
  if (value["authenticate"] === undefined) throw new TypeError(`${what} lacks "authenticate"`);
  const { methods, exchange } = value;
  const areMethods = Array.isArray(methods) && methods.length > 0 &&
    methods.every((method) => typeof method === "string" && method !== "");
  if (methods !== undefined && !areMethods) {
    throw new TypeError(`${what} has "methods" that are no list of names`);
  }
  if ((methods === undefined) !== (exchange === undefined)) {
    throw new TypeError(`${what} needs both "methods" and "exchange", or none`);
  }
}

/** An instance of a class has members of its own; a plain object is there for its hooks alone. */
function checkNames(what: string, value: object, known: readonly string[]): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return;
  const stranger = Object.keys(value).find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new TypeError(`${what} has "${stranger}", where only ${known.join(", ")} are known`);
  }
}

function checkFunctions(
  what: string,
  value: Readonly<Record<string, unknown>>,
  names: readonly string[],
): void {
  for (const name of names) {
    const member = value[name];
    if (member !== undefined && typeof member !== "function") {
      throw new TypeError(`${what} has "${name}" that is no function but ${kindOf(member)}`);
    }
  }
}

/** What appears in the log is one line. */
function checkLabel(what: string, label: unknown): void {
  // deno-lint-ignore no-control-regex
  if (typeof label === "string" && label !== "" && !/[\x00-\x1f\x7f]/.test(label)) return;
  throw new TypeError(`The ${what} of the plugin is no text`);
}

/** What an error says, in one line of bounded length. */
export function messageOf(error: unknown): string {
  let text = "";
  try {
    text = error instanceof Error ? `${error.message || error.name}` : String(error);
  } catch {
    text = "an error that cannot be shown";
  }
  // deno-lint-ignore no-control-regex
  return text.slice(0, TEXT_MAX).replaceAll(/[\x00-\x1f\x7f]+/g, " ");
}

/** Anything with members; a module and an array are such things too. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
