/**
 * Options of the session: who the client is, which version it speaks, what it keeps.
 *
 * @module
 */

import type { ProtocolVersion } from "../../../core/codec/protocol.ts";
import { ALL, type ClientOption, CLIENTS } from "../option.ts";
import { applyProperty } from "../property_option.ts";
import { UsageError } from "../usage_error.ts";
import { mqttText, qosOf, wholeNumber } from "../values.ts";

const KEEP_ALIVE_MIN_S = 5;
const KEEP_ALIVE_MAX_S = 65_535;
const NEVER = 0xffff_ffff;
const NUMBER = /^[+-]?(0x[\da-f]+|\d+)$/i;

const VERSIONS: Readonly<Record<string, ProtocolVersion>> = {
  mqttv31: 3,
  "31": 3,
  mqttv311: 4,
  "311": 4,
  mqttv5: 5,
  "5": 5,
};

export const SESSION_OPTIONS: readonly ClientOption[] = [
  {
    names: ["-i", "--id"],
    tools: ALL,
    group: "Session",
    argument: "id",
    missing: "no id specified",
    help: "The client identifier; chosen by the broker unless given.",
    apply(draft, value) {
      if (draft.clientIdPrefix !== undefined) throw bothIds();
      draft.clientId = mqttText(value, "-i");
    },
  },
  {
    names: ["-I", "--id-prefix"],
    tools: CLIENTS,
    group: "Session",
    argument: "prefix",
    missing: "no id prefix specified",
    help: "Begin the client identifier with this and end it with the process id.",
    apply(draft, value) {
      if (draft.clientId !== undefined) throw bothIds();
      draft.clientIdPrefix = mqttText(value, "-I");
    },
  },
  {
    names: ["-V", "--protocol-version"],
    tools: ALL,
    group: "Session",
    argument: "version",
    candidates: ["mqttv31", "mqttv311", "mqttv5", "31", "311", "5"],
    missing: "no version specified",
    label: "--protocol-version",
    help: "The version of the protocol: mqttv5, mqttv311 or mqttv31, or 5, 311 or 31.",
    apply(draft, value) {
      if (!Object.hasOwn(VERSIONS, value)) {
        throw new UsageError("Error: Invalid protocol version argument given.");
      }
      draft.protocolVersion = VERSIONS[value];
    },
  },
  {
    names: ["-q", "--qos"],
    tools: CLIENTS,
    group: "Session",
    argument: "qos",
    candidates: ["0", "1", "2"],
    missing: "no QoS specified",
    help: "Quality of service: 0 (unless given), 1 or 2.",
    apply(draft, value) {
      const qos = qosOf(value);
      if (qos === undefined) throw new UsageError(`Error: Invalid QoS given: ${value}`);
      draft.qos = qos;
    },
  },
  {
    names: ["-k", "--keepalive"],
    tools: CLIENTS,
    group: "Session",
    argument: "seconds",
    missing: "no keepalive specified",
    help: "Let no more than this pass without a packet; 60 unless given, 5 to 65535.",
    apply(draft, value) {
      const seconds = wholeNumber(value, KEEP_ALIVE_MIN_S, KEEP_ALIVE_MAX_S);
      if (seconds === undefined) {
        const bounds = `between ${KEEP_ALIVE_MIN_S} and ${KEEP_ALIVE_MAX_S} inclusive`;
        throw new UsageError(`Error: Invalid keepalive given, it must be ${bounds}.`);
      }
      draft.keepAlive = seconds;
    },
  },
  {
    names: ["-c", "--disable-clean-session"],
    tools: CLIENTS,
    group: "Session",
    help: "Go on with the session that the broker has kept, and have it kept again. Needs -i.",
    apply: (draft) => void (draft.cleanStart = false),
  },
  {
    names: ["-x"],
    tools: CLIENTS,
    group: "Session",
    argument: "seconds",
    missing: "no session expiry interval specified",
    help: "How long the broker keeps the session; -1 for ever. Version 5.",
    apply(draft, value) {
      draft.sessionExpiryInterval = sessionExpiryOf(value);
    },
  },
  {
    names: ["-M"],
    tools: CLIENTS,
    group: "Session",
    argument: "count",
    missing: "max_inflight not specified",
    help: "QoS 1 and 2 messages in flight at most; 20 unless given.",
    apply(draft, value) {
      const count = wholeNumber(value, 1, Infinity);
      if (count === undefined) {
        throw new UsageError("Error: Maximum inflight messages must be greater than 0.");
      }
      draft.inflightMax = count;
    },
  },
  {
    names: ["-D", "--property"],
    tools: CLIENTS,
    group: "Session",
    argument: "packet name value",
    help: "Give a packet a property of version 5: -D publish content-type text/plain. A " +
      "user-property takes a key and a value. Packets: connect, publish, subscribe, " +
      "unsubscribe, disconnect, will.",
    applyWords: applyProperty,
  },
];

function bothIds(): UsageError {
  return new UsageError("Error: -i and -I argument cannot be used together.");
}

/** Decimal, hexadecimal after `0x` or octal after `0`. */
function sessionExpiryOf(word: string): number {
  if (word === "∞") return NEVER;
  if (!NUMBER.test(word)) throw new UsageError("Error: session-expiry-interval not a number.");
  const digits = word.replace(/^[+-]/, "");
  const isOctal = /^0\d/.test(digits);
  const magnitude = isOctal ? Number(`0o${digits.slice(1)}`) : Number(digits);
  if (Number.isNaN(magnitude)) {
    throw new UsageError("Error: session-expiry-interval not a number.");
  }
  const seconds = word.startsWith("-") ? -magnitude : magnitude;
  if (seconds === -1) return NEVER;
  if (seconds < 0 || seconds > NEVER) {
    throw new UsageError("Error: session-expiry-interval out of range.");
  }
  return seconds;
}
