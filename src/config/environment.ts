/**
 * The environment as lines of a configuration: `MIDGE_<OPTION>` holds what stands after the name,
 * one line for each line of a file, and `MIDGE_<OPTION>_FILE` names a file that holds it, for
 * secrets. What is in such a file is never shown.
 *
 * The idea: a variable of our prefix that is no option is a fault, because a misspelt one may have
 * been meant to protect something. Only what is surely not meant for us is passed over.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { Files } from "../runtime/files.ts";
import { type ConfigError, lineError } from "./config_error.ts";
import { decode, type Line } from "./lines.ts";
import { findOption } from "./options/all.ts";
import { OPTIONS } from "./options/all.ts";
import type { Option } from "./option.ts";

const PREFIX = "MIDGE_";
const FILE_SUFFIX = "_FILE";
/** Replaces persistence_location, for whoever is used to it. */
const LOCATION = "MOSQUITTO_PERSISTENCE_LOCATION";

/** Tests may use variables of their own; Kubernetes tells of every service that is called midge. */
const FOREIGN = /^MIDGE_(?:TEST_.*|SERVICE_(?:HOST|PORT(?:_.*)?)|PORT_[0-9]+_.*)$/;
const SERVICE_ADDRESS = /^(?:tcp|udp|sctp):\/\//;

/** Sections are opened before what belongs to them. */
const FIRST = ["per_listener_settings"];
const OPENERS: Readonly<Record<string, number>> = {
  bind_address: 2,
  port: 2,
  listener: 2,
  plugin_load: 3,
  global_plugin: 4,
  plugin: 4,
  plugin_use: 4,
  connection: 6,
};
const RANK_OF_SCOPE: Readonly<Record<Option["scope"], number>> = {
  G: 1,
  Ld: 3,
  L: 3,
  Ln: 3,
  S: 3,
  P: 5,
  B: 7,
};

/** A variable that names an option. */
interface Variable {
  readonly variable: string;
  readonly name: string;
  readonly option: Option;
  readonly isFile: boolean;
}

/** Reads the lines that the environment holds, in an order in which they can be taken. */
export async function readEnvironment(
  environment: Readonly<Record<string, string>>,
  reader: Pick<Files, "readBytes">,
): Promise<{ readonly lines: readonly Line[]; readonly errors: readonly ConfigError[] }> {
  const errors: ConfigError[] = [];
  const variables: Variable[] = [];
  for (const variable of Object.keys(environment).sort()) {
    if (variable !== LOCATION && !isOurs(variable, environment[variable]!)) continue;
    const found = variable === LOCATION
      ? { variable, ...named("persistence_location")!, isFile: false }
      : findVariable(variable);
    if (found === undefined) {
      errors.push(lineError(`Unknown configuration variable '${variable}'.`, placeOf(variable)));
    } else variables.push(found);
  }
  variables.sort((one, other) => rank(one.option) - rank(other.option));
  const lines: Line[] = [];
  for (const one of variables) {
    if (one.isFile && environment[one.variable.slice(0, -FILE_SUFFIX.length)] !== undefined) {
      const plain = one.variable.slice(0, -FILE_SUFFIX.length);
      const what = `Only one of ${plain} and ${one.variable} can be set.`;
      errors.push(lineError(what, placeOf(one.variable)));
      continue;
    }
    const result = await readVariable(one, environment[one.variable]!, reader);
    if (typeof result === "string") errors.push(lineError(result, placeOf(one.variable)));
    else lines.push(...result);
  }
  return { lines, errors };
}

function isOurs(variable: string, value: string): boolean {
  if (!variable.startsWith(PREFIX) || FOREIGN.test(variable)) return false;
  return variable !== `${PREFIX}PORT` || !SERVICE_ADDRESS.test(value);
}

/** The variable of an option: dots and what else no variable has in its name are underscores. */
export function variableOf(name: string): string {
  return PREFIX + name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}

/** `MIDGE_PASSWORD_FILE` is the option password_file, and not the file of a password. */
function findVariable(variable: string): Variable | undefined {
  const exact = named(variable);
  if (exact !== undefined) return { variable, ...exact, isFile: false };
  if (!variable.endsWith(FILE_SUFFIX)) return undefined;
  const plain = named(variable.slice(0, -FILE_SUFFIX.length));
  return plain === undefined ? undefined : { variable, ...plain, isFile: true };
}

function named(variable: string): Pick<Variable, "name" | "option"> | undefined {
  for (const option of OPTIONS) {
    const names = [option.name, ...option.aliases ?? []];
    const name = names.find((one) => one === variable || variableOf(one) === variable);
    if (name !== undefined && option.prefixes === undefined) return { name, option };
  }
  // The key of a family has no other form, so that no part of it can be taken for a suffix.
  const family = findOption(variable.slice(PREFIX.length).toLowerCase());
  if (family?.option.prefixes === undefined) return undefined;
  return { name: variable.slice(PREFIX.length).toLowerCase(), option: family.option };
}

async function readVariable(
  { variable, name, option, isFile }: Variable,
  value: string,
  reader: Pick<Files, "readBytes">,
): Promise<Line[] | string> {
  let content = { text: value, isWellFormed: true };
  if (isFile) {
    try {
      content = decode(await reader.readBytes(value));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return `Unable to open file '${value}'.`;
    }
  }
  const texts = content.text.split("\n").map((text) => text.trim());
  while (texts.length > 1 && texts.at(-1) === "") texts.pop();
  if (texts.length > 1 && option.repeat !== "all") return `'${name}' has more than one line.`;
  return texts.flatMap((text, index) => {
    if (text === "" && texts.length > 1) return [];
    const place = placeOf(variable, texts.length > 1 ? index + 1 : 0);
    return { name, text, isWellFormed: content.isWellFormed, isSecret: isFile, place };
  });
}

function rank(option: Option): number {
  if (FIRST.includes(option.name)) return 0;
  return OPENERS[option.name] ?? RANK_OF_SCOPE[option.scope];
}

function placeOf(variable: string, line = 0): Line["place"] {
  return { at: { file: `environment:${variable}`, line }, includedAt: undefined };
}
