/**
 * The options of a Worker's broker: bindings of text named `MIDGE_<OPTION>`, each with the meaning
 * and the words that it has in mosquitto.conf. The password file and the access file are such texts
 * themselves, line by line, because an object has no files.
 *
 * The idea: a binding of our prefix that is no option here is a fault, and with a fault nobody gets
 * in, because it may have been meant to protect something.
 *
 * @module
 */

import { AccessList } from "../../auth/access_list.ts";
import { parseAclFile } from "../../auth/acl_file.ts";
import type { Chain } from "../../auth/chain.ts";
import { parsePasswordFile, PasswordFile } from "../../auth/password_file.ts";
import type { FileProblem, Parsed } from "../../auth/text_lines.ts";
import { WorkGate } from "../../auth/work_gate.ts";
import type { ValueKind } from "../../config/option.ts";
import { countOrInfinity, countOrZero, empty, integer, text, truth } from "../../config/values.ts";
import { OperationError } from "../../core/base/operation_error.ts";
import { DEFAULT_LIMITS, DEFAULT_LISTENER, type Limits } from "../../core/broker/limits.ts";
import type { ListenerSettings } from "../../core/session/peer.ts";
import { ALL_LOG_TYPES, DEFAULT_LOG_TYPES, type LogType } from "../../telemetry/log_line.ts";
import type { Bindings } from "./workers_api.ts";

const PREFIX = "MIDGE_";
const ANSWERS = { runningMax: 1, waitingMax: 1000 };
const WINDOW_MAX = 65_535;

/** What an operator has decided. */
export interface Settings {
  readonly limits: Limits;
  readonly listener: ListenerSettings;
  readonly chain: Chain;
  /** Whether it is logged who connects and leaves. */
  readonly logsConnections: boolean;
  readonly logTypes: readonly LogType[];
  readonly tenants: Tenants;
}

/** What shares an object: everybody, or those with the same path, host or user name. */
export type Tenants = "one" | "path" | "host" | "username";

const TENANTS: readonly string[] = ["one", "path", "host", "username"] satisfies Tenants[];

/** Settings, or what is wrong with the bindings; each fault is a line for the log. */
export type SettingsResult =
  | { readonly settings: Settings; readonly notes: readonly string[] }
  | { readonly faults: readonly string[] };

/** Where the value of an option belongs. */
interface Place {
  readonly value: ValueKind;
  readonly limit?: keyof Limits;
  readonly grant?: keyof ListenerSettings;
}

const window = integer({
  max: WINDOW_MAX,
  fault: () => "'max_inflight_messages' must be <= 65535.",
  value: (number) => number < 0 || number === WINDOW_MAX ? 0 : number,
});
const aliases = integer({ min: 0, max: 65_535 });
/** The text of a whole file, which says itself what is wrong with a line of it. */
const lines: ValueKind = {
  syntax: "lines",
  read: (input) => input.text === "" ? empty(input) : { value: input.text },
};

const PLACES: Readonly<Record<string, Place>> = {
  acl_file: { value: lines },
  allow_anonymous: { value: truth },
  allow_duplicate_messages: { value: truth, limit: "allowsDuplicateMessages" },
  allow_zero_length_clientid: { value: truth, grant: "allowZeroLengthClientId" },
  auto_id_prefix: { value: text({ syntax: "text", bytesMax: 50 }), grant: "autoIdPrefix" },
  check_retain_source: { value: truth, limit: "checksRetainSource" },
  connection_messages: { value: truth },
  log_type: { value: lines },
  max_connections: { value: countOrInfinity, grant: "connectionsMax" },
  max_inflight_bytes: { value: countOrZero, limit: "inflightBytesMax" },
  max_inflight_messages: { value: window, limit: "inflightMessagesMax" },
  max_keepalive: { value: integer({ min: 0, max: 65_535 }), limit: "keepAliveMax" },
  max_packet_size: { value: integer({ min: 20 }), limit: "maximumPacketSize" },
  max_qos: { value: integer({ min: 0, max: 2 }), grant: "maximumQos" },
  max_queued_bytes: { value: countOrZero, limit: "queuedBytesMax" },
  max_queued_messages: { value: countOrZero, limit: "queuedMessagesMax" },
  max_topic_alias: { value: aliases, grant: "topicAliasMaximum" },
  max_topic_alias_broker: { value: aliases, grant: "topicAliasMaximumBroker" },
  message_size_limit: { value: integer({ min: 0 }), limit: "messageSizeLimit" },
  password_file: { value: lines },
  queue_qos0_messages: { value: truth, limit: "queueQos0Messages" },
  retain_available: { value: truth, limit: "retainAvailable" },
  tenants: { value: text({ syntax: "word" }) },
  upgrade_outgoing_qos: { value: truth, limit: "upgradesOutgoingQos" },
  use_username_as_clientid: { value: truth, grant: "usesUsernameAsClientId" },
};

/** Reads the bindings; those of other names are somebody else's. */
export function readSettings(bindings: Bindings): SettingsResult {
  const faults: string[] = [];
  const values = new Map<string, unknown>();
  for (const name of Object.keys(bindings).sort()) {
    if (!name.startsWith(PREFIX)) continue;
    const option = name.slice(PREFIX.length).toLowerCase();
    const value = bindings[name];
    const place = PLACES[option];
    if (place === undefined || name !== name.toUpperCase()) {
      faults.push(`Error: Unknown configuration variable '${name}'.`);
    } else if (typeof value !== "string") {
      faults.push(`Error: '${name}' is not a binding of text.`);
    } else {
      const input = { name: option, text: value.trim(), isWellFormed: true };
      const reading = place.value.read({ ...input, show: (word) => word });
      if ("fault" in reading) faults.push(`Error: ${reading.fault}`);
      else if ("value" in reading) values.set(option, reading.value);
    }
  }
  const tenants = values.get("tenants") ?? "one";
  if (!TENANTS.includes(tenants as string)) {
    faults.push(`Error: Invalid 'tenants' value (${tenants}).`);
  }
  const logTypes = logTypesOf(values.get("log_type"), faults);
  const notes: string[] = [];
  const chain = chainOf(values, faults, notes);
  if (faults.length > 0) return { faults };
  const settings = {
    limits: limitsOf(values),
    listener: { ...DEFAULT_LISTENER, ...placed(values, "grant"), name: "websockets" },
    chain,
    logTypes,
    logsConnections: values.get("connection_messages") !== false,
    // One of the words, as was just seen.
    tenants: tenants as Tenants,
  };
  return { settings, notes };
}

/** Words as after `log_type`, as many as there are lines. */
function logTypesOf(value: unknown, faults: string[]): readonly LogType[] {
  if (typeof value !== "string") return DEFAULT_LOG_TYPES;
  const words = value.split(/\s+/);
  if (words.includes("all")) return ALL_LOG_TYPES;
  for (const word of words) {
    const isKnown = word === "none" || (ALL_LOG_TYPES as readonly string[]).includes(word);
    if (!isKnown) faults.push(`Error: Invalid log_type value (${word}).`);
  }
  return ALL_LOG_TYPES.filter((type) => words.includes(type));
}

function limitsOf(values: ReadonlyMap<string, unknown>): Limits {
  const limits = { ...DEFAULT_LIMITS, ...placed(values, "limit") };
  // The one option bounds both directions.
  return { ...limits, receiveMaximum: limits.inflightMessagesMax };
}

/** The values of those options that have such a place. */
function placed(
  values: ReadonlyMap<string, unknown>,
  kind: "limit" | "grant",
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [option, value] of values) {
    const field = PLACES[option]![kind];
    if (field !== undefined) found[field] = value;
  }
  return found;
}

/** Who decides: the password file, then the access file, and `allow_anonymous` about the rest. */
function chainOf(
  values: ReadonlyMap<string, unknown>,
  faults: string[],
  notes: string[],
): Chain {
  const read = <T>(option: string, parse: (text: string, path: string) => Parsed<T>) => {
    const content = values.get(option);
    if (typeof content !== "string") return undefined;
    const { value, problems } = parse(content, variableOf(option));
    for (const problem of problems) {
      (problem.severity === "error" ? faults : notes).push(lineOf(problem));
    }
    return value;
  };
  const users = read("password_file", parsePasswordFile);
  const accesses = read("acl_file", parseAclFile);
  const passwords = users === undefined
    ? []
    : [new PasswordFile(users, { argon2id: noArgon2id, gate: new WorkGate(ANSWERS) })];
  const lists = accesses === undefined
    ? []
    : [new AccessList(accesses, { onNotice: (text) => console.log(text) })];
  return {
    allowAnonymous: values.get("allow_anonymous") === true,
    authenticators: passwords,
    authorizers: lists,
    observers: [],
  };
}

function lineOf({ message, line }: FileProblem): string {
  return line === undefined ? message : `${message} (line ${line})`;
}

function variableOf(option: string): string {
  return PREFIX + option.toUpperCase();
}

/** What it takes is more memory and time than an object has. */
function noArgon2id(): Promise<never> {
  const what = "Argon2id is not available here: make the hash with -H sha512-pbkdf2";
  return Promise.reject(new OperationError("not-supported", what));
}
