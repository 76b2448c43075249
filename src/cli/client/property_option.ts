/**
 * `-D packet name value`: a property of version 5 for one of the packets that the tools send.
 *
 * @module
 */

import type { Properties } from "../../core/codec/property.ts";
import type { Draft, PropertyCarrier } from "./draft.ts";
import { UsageError } from "./usage_error.ts";
import { isPublishTopic, mqttText, wholeNumber } from "./values.ts";
import { bytesOfText } from "./words.ts";

type ValueKind = "flag" | "byte" | "u16" | "u32" | "varint" | "binary" | "text" | "topic" | "pair";

interface Definition {
  readonly key: keyof Properties;
  readonly kind: ValueKind;
  /** 0 is a number of the wire that the protocol forbids. */
  readonly isAboveZero?: boolean;
}

const DEFINITIONS: Readonly<Record<string, Definition>> = {
  "assigned-client-identifier": { key: "assignedClientId", kind: "text" },
  "authentication-data": { key: "authenticationData", kind: "binary" },
  "authentication-method": { key: "authenticationMethod", kind: "text" },
  "content-type": { key: "contentType", kind: "text" },
  "correlation-data": { key: "correlationData", kind: "binary" },
  "maximum-packet-size": { key: "maximumPacketSize", kind: "u32", isAboveZero: true },
  "maximum-qos": { key: "maximumQos", kind: "byte" },
  "message-expiry-interval": { key: "messageExpiryInterval", kind: "u32" },
  "payload-format-indicator": { key: "payloadFormatIndicator", kind: "byte" },
  "reason-string": { key: "reasonString", kind: "text" },
  "receive-maximum": { key: "receiveMaximum", kind: "u16", isAboveZero: true },
  "request-problem-information": { key: "requestProblemInformation", kind: "flag" },
  "request-response-information": { key: "requestResponseInformation", kind: "flag" },
  "response-information": { key: "responseInformation", kind: "text" },
  "response-topic": { key: "responseTopic", kind: "topic" },
  "retain-available": { key: "retainAvailable", kind: "flag" },
  "server-keep-alive": { key: "serverKeepAlive", kind: "u16" },
  "server-reference": { key: "serverReference", kind: "text" },
  "session-expiry-interval": { key: "sessionExpiryInterval", kind: "u32" },
  "shared-subscription-available": { key: "sharedSubscriptionAvailable", kind: "flag" },
  "subscription-identifier": { key: "subscriptionIds", kind: "varint", isAboveZero: true },
  "subscription-identifier-available": { key: "subscriptionIdsAvailable", kind: "flag" },
  "topic-alias": { key: "topicAlias", kind: "u16", isAboveZero: true },
  "topic-alias-maximum": { key: "topicAliasMaximum", kind: "u16" },
  "user-property": { key: "userProperties", kind: "pair" },
  "wildcard-subscription-available": { key: "wildcardSubscriptionAvailable", kind: "flag" },
  "will-delay-interval": { key: "willDelayInterval", kind: "u32" },
};

const MESSAGE_PROPERTIES = [
  "content-type",
  "correlation-data",
  "message-expiry-interval",
  "payload-format-indicator",
  "response-topic",
  "user-property",
] as const;

/** Which packets take which properties. */
const PROPERTIES_OF: Readonly<Record<PropertyCarrier, readonly string[]>> = {
  connect: [
    "authentication-data",
    "authentication-method",
    "maximum-packet-size",
    "receive-maximum",
    "request-problem-information",
    "request-response-information",
    "session-expiry-interval",
    "topic-alias-maximum",
    "user-property",
  ],
  publish: [...MESSAGE_PROPERTIES, "topic-alias"],
  subscribe: ["subscription-identifier", "user-property"],
  unsubscribe: ["user-property"],
  disconnect: ["session-expiry-interval", "user-property", "reason-string", "server-reference"],
  will: [...MESSAGE_PROPERTIES, "will-delay-interval"],
};

/** Packets that have properties, none of which can be given. */
const NOT_GIVEN = ["auth", "puback", "pubrec", "pubrel", "pubcomp", "suback", "unsuback"];

const NUMBER_MAX: Readonly<Partial<Record<ValueKind, number>>> = {
  flag: 0xff,
  byte: 0xff,
  u16: 0xffff,
  u32: 0xffff_ffff,
  varint: 0x0fff_ffff,
};

/** Takes the words of one property and adds it to its packet; gives how many they were. */
export function applyProperty(draft: Draft, words: readonly string[]): number {
  const [carrierWord, nameWord, value, second] = words;
  if (carrierWord === undefined || nameWord === undefined || value === undefined) throw tooFew();
  const name = nameWord.toLowerCase();
  const definition = Object.hasOwn(DEFINITIONS, name) ? DEFINITIONS[name] : undefined;
  const carrier = carrierWord.toLowerCase();
  const isCarrier = (text: string): text is PropertyCarrier => Object.hasOwn(PROPERTIES_OF, text);
  if (!isCarrier(carrier) && !NOT_GIVEN.includes(carrier)) {
    throw new UsageError(`Error: Invalid command ${carrierWord} given in --property argument.`);
  }
  if (definition === undefined) {
    throw new UsageError(`Error: Invalid property name ${nameWord} given in --property argument.`);
  }
  const isUnsupported = carrier === "publish" && name === "subscription-identifier";
  if (!isCarrier(carrier) || isUnsupported) {
    const what = `${nameWord} property not supported for ${carrierWord}`;
    throw new UsageError(`Error: ${what} in --property argument.`);
  }
  if (!PROPERTIES_OF[carrier].includes(name)) {
    const what = `${nameWord} property not allowed for ${carrierWord}`;
    throw new UsageError(`Error: ${what} in --property argument.`);
  }
  const properties: Properties = draft.properties[carrier] ??= {};
  if (definition.kind === "pair") {
    if (second === undefined) throw tooFew();
    const pair: [string, string] = [text(value), text(second)];
    (properties.userProperties ??= []).push(pair);
    return 4;
  }
  if (properties[definition.key] !== undefined) {
    throw faulty(carrier, "Duplicate property in property list");
  }
  // Each value is of the kind that the definition of its key says.
  Object.assign(properties, { [definition.key]: valueOf(definition, { name, value, carrier }) });
  return 3;
}

interface Given {
  readonly name: string;
  readonly value: string;
  readonly carrier: PropertyCarrier;
}

function valueOf({ kind, isAboveZero }: Definition, { name, value, carrier }: Given): unknown {
  switch (kind) {
    case "binary":
      return bytesOfText(value);
    case "topic":
      if (!isPublishTopic(text(value))) throw unspeakable(carrier);
      return value;
    case "text":
    case "pair":
      return text(value);
  }
  const number = wholeNumber(value, 0, NUMBER_MAX[kind]!);
  if (number === undefined) {
    const message = `Error: Property value (${value}) out of range for property ${name}.`;
    throw new UsageError(message);
  }
  if (isAboveZero === true && number === 0) throw unspeakable(carrier);
  if ((kind === "flag" || kind === "byte") && number > 1) throw unspeakable(carrier);
  return kind === "flag" ? number === 1 : kind === "varint" ? [number] : number;
}

function text(word: string): string {
  return mqttText(word, "--property");
}

function tooFew(): UsageError {
  return new UsageError("Error: --property argument given but not enough arguments specified.");
}

function unspeakable(carrier: PropertyCarrier): UsageError {
  const what = "A network protocol error occurred when communicating with the broker";
  return faulty(carrier, what);
}

function faulty(carrier: PropertyCarrier, what: string): UsageError {
  return new UsageError(`Error in ${carrier.toUpperCase()} properties: ${what}`);
}
