/**
 * Values of bridge options that have a grammar of their own: addresses, topics with their prefixes,
 * and periods. What several options of a bridge have to agree on is in check_bridge.ts.
 *
 * @module
 */

import type { BridgeConfig, BridgeTopicConfig } from "./config.ts";
import { isFilter } from "../core/topic/filter.ts";
import type { ConfigNote } from "./note.ts";
import type { Input, Reading, ValueKind } from "./option.ts";
import { empty, integer, parseInteger, textFault, words } from "./values.ts";

const DEFAULT_PORT = 1883;
const PORT_MAX = 65_535;
const RESTART_SECONDS_MAX = 3600;
const RESTART_CAP_MAX = 7200;
const SECONDS_MAX = 0x7fffffff;

/** Hosts with or without a port; a comment may follow. */
export const bridgeAddresses: ValueKind = {
  syntax: "`host[:port]`, one or more",
  read(input) {
    const addresses: BridgeConfig["addresses"][number][] = [];
    const fault = textFault(input, input.text);
    if (fault !== undefined) return { fault };
    for (const word of beforeComment(words(input.text))) {
      const bracketed = /^\[(.*)\](?::(.*))?$/.exec(word);
      const colon = word.lastIndexOf(":");
      const host = bracketed?.[1] ?? (colon < 0 ? word : word.slice(0, colon));
      const portWord = bracketed === null
        ? colon < 0 ? undefined : word.slice(colon + 1)
        : bracketed[2];
      const port = portWord === undefined ? DEFAULT_PORT : parseInteger(portWord);
      if (port === undefined || port < 1 || port > PORT_MAX) {
        return { fault: `Invalid bridge port value (${input.show(portWord ?? "")}).` };
      }
      if (host === "") return { fault: "Empty address value in configuration." };
      addresses.push({ host, port });
    }
    if (addresses.length === 0) return { fault: "Empty address value in configuration." };
    return { value: addresses };
  },
};

/** A filter, and where what it matches goes to. */
export const bridgeTopic: ValueKind = {
  syntax: "`<pattern> [<direction> [<qos> [<local prefix> [<remote prefix>]]]]`",
  read(input) {
    if (input.text === "") return empty(input);
    const malformed = textFault(input, input.text);
    if (malformed !== undefined) return { fault: malformed };
    const split = splitPattern(input);
    if ("fault" in split) return split;
    const [directionWord = "out", qosWord = "0", local = "", remote = ""] = beforeComment(
      split.rest,
    );
    const direction = directionWord.toLowerCase();
    if (direction !== "in" && direction !== "out" && direction !== "both") {
      return { fault: `Invalid bridge topic direction '${input.show(directionWord)}'.` };
    }
    if (qosWord !== "0" && qosWord !== "1" && qosWord !== "2") {
      return { fault: `Invalid bridge QoS level '${input.show(qosWord)}'.` };
    }
    const topic: BridgeTopicConfig = {
      pattern: split.pattern,
      direction,
      qos: qosWord === "0" ? 0 : qosWord === "1" ? 1 : 2,
      localPrefix: local === '""' ? "" : local,
      remotePrefix: remote === '""' ? "" : remote,
    };
    const fault = topicFault(topic, input.show);
    return fault === undefined ? { value: topic } : { fault };
  },
};

/** Takes the pattern, which quotes may surround, from what follows it. */
function splitPattern(
  input: Input,
): { readonly pattern: string; readonly rest: string[] } | { readonly fault: string } {
  if (!input.text.startsWith('"')) {
    const [pattern, ...rest] = words(input.text);
    return { pattern: pattern!, rest };
  }
  const end = input.text.indexOf('"', 1);
  if (end < 0) {
    return { fault: `Missing closing quote in topic value (${input.show(input.text.slice(1))}).` };
  }
  return { pattern: input.text.slice(1, end), rest: words(input.text.slice(end + 1)) };
}

function topicFault(topic: BridgeTopicConfig, show: Input["show"]): string | undefined {
  const { pattern, localPrefix, remotePrefix } = topic;
  if (pattern === "" && (localPrefix === "" || remotePrefix === "")) {
    return "Invalid bridge remapping.";
  }
  for (const [side, prefix] of [["local", localPrefix], ["remote", remotePrefix]] as const) {
    if (/[+#]/.test(prefix)) return `Invalid bridge topic ${side} prefix '${show(prefix)}'.`;
    if (!isFilter(prefix + pattern)) return `Invalid bridge topic '${show(prefix + pattern)}'.`;
  }
  return undefined;
}

/** Adds a topic, unless it is there. */
export function mergeTopics(
  before: readonly unknown[],
  added: unknown,
  show: Input["show"],
): Reading {
  // Made by the kind of value above, all of them.
  const topics = before as readonly BridgeTopicConfig[];
  const topic = added as BridgeTopicConfig;
  const isThere = topics.some((one) =>
    one.pattern === topic.pattern && one.direction === topic.direction && one.qos === topic.qos &&
    one.localPrefix === topic.localPrefix && one.remotePrefix === topic.remotePrefix
  );
  if (!isThere) return { value: [...topics, topic] };
  return {
    value: topics,
    notes: [{
      type: "information",
      text: `Duplicate bridge topic '${show(topic.pattern)}', skipping.`,
    }],
  };
}

/** A number that is raised to `min`, with a notice. */
export function clamped(
  min: number,
  notice: string,
  upper?: { readonly max: number; readonly fault: string },
): ValueKind {
  const plain = integer(
    upper === undefined ? {} : { max: upper.max, fault: () => upper.fault },
  );
  return {
    syntax: upper === undefined ? `${min} or more` : `${min} to ${upper.max}`,
    read(input) {
      const reading = plain.read(input);
      if (!("value" in reading) || reading.value as number >= min) return reading;
      return { value: min, notes: [{ type: "notice", text: notice }] };
    },
  };
}

/** A fixed period, or two bounds and what counts as stable; kept as three numbers. */
export const restartTimeout: ValueKind = {
  syntax: "`<seconds>` or `<base> <cap> [<stable>]`",
  read(input) {
    const numbers = readNumbers(input, 3);
    if (!Array.isArray(numbers)) return numbers;
    const [given, givenCap, stable = 0] = numbers;
    const notes: ConfigNote[] = [];
    const base = Math.min(Math.max(given!, 1), RESTART_SECONDS_MAX);
    if (base > given!) notes.push(tooFar("low", "1 second"));
    if (base < given!) notes.push(tooFar("high", "3600 seconds"));
    if (givenCap !== undefined && givenCap < base) {
      return { fault: "backoff cap is lower than the base in restart_timeout." };
    }
    if (stable < 0) return { fault: "stable connection period cannot be negative." };
    return { value: `${base} ${Math.min(givenCap ?? base, RESTART_CAP_MAX)} ${stable}`, notes };
  },
};

function tooFar(where: string, used: string): ConfigNote {
  return { type: "notice", text: `restart_timeout interval too ${where}, using ${used}.` };
}

/** Three numbers above 0; kept as such. */
export const tcpKeepalive: ValueKind = {
  syntax: "`<idle> <interval> <count>`",
  read(input) {
    const numbers = readNumbers(input, 3);
    if (!Array.isArray(numbers)) return numbers;
    const parts = ["idle", "interval", "counter"];
    const wrong = parts.find((_, i) => !(numbers[i]! > 0));
    if (wrong !== undefined) return { fault: `invalid TCP keepalive ${wrong} value.` };
    return { value: numbers.join(" ") };
  },
};

/** Up to `max` numbers; what follows them is ignored. */
function readNumbers(input: Input, max: number): number[] | Reading {
  const numbers: number[] = [];
  for (const word of beforeComment(words(input.text)).slice(0, max)) {
    const number = parseInteger(word);
    if (number === undefined) return { fault: `'${input.name}' value not a number.` };
    if (Math.abs(number) > SECONDS_MAX) return { fault: `'${input.name}' value out of range.` };
    numbers.push(number);
  }
  return numbers.length === 0 ? empty(input) : numbers;
}

function beforeComment(given: readonly string[]): readonly string[] {
  const end = given.findIndex((word) => word.startsWith("#"));
  return end < 0 ? given : given.slice(0, end);
}
