/**
 * A message as a JSON object: what `%j` and `%J` print.
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import type { Properties } from "../../core/codec/property.ts";
import type { Writer } from "../../core/codec/writer.ts";
import { strftime } from "../../telemetry/strftime.ts";
import type { Arrival } from "./arrival.ts";
import { rewriteJson } from "./json_text.ts";
import { JsonWriter } from "./json_writer.ts";
import type { WallTime } from "./wall_clock.ts";

const NS_PER_US = 1000;
const MICROSECOND_DIGITS = 6;

/** What the properties of a message are called. */
const NAMES: Readonly<Partial<Record<keyof Properties, string>>> = {
  payloadFormatIndicator: "payload-format-indicator",
  messageExpiryInterval: "message-expiry-interval",
  contentType: "content-type",
  responseTopic: "response-topic",
  correlationData: "correlation-data",
  subscriptionIds: "subscription-identifier",
  topicAlias: "topic-alias",
  userProperties: "user-properties",
};

export interface MessageJsonOptions {
  readonly isPretty: boolean;
  /** The payload is JSON itself, not a string. */
  readonly embedsPayload: boolean;
}

/** Appends the message; `false`, and nothing, when its payload is not JSON and has to be. */
export function appendMessageJson(
  out: Writer,
  arrival: Arrival,
  { isPretty, embedsPayload }: MessageJsonOptions,
): boolean {
  const start = out.length;
  const json = new JsonWriter(out, isPretty);
  const { message } = arrival;
  json.openObject();
  json.key("tst");
  json.text(timestamp(arrival.time));
  json.key("topic");
  json.bytes(message.topicBytes, message.topicStart, message.topicEnd);
  json.key("qos");
  json.word(String(message.qos));
  json.key("retain");
  json.word(String(message.retain));
  json.key("payloadlen");
  json.word(String(message.payloadLength));
  if (message.qos > 0) {
    json.key("mid");
    json.word(String(message.packetId));
  }
  appendProperties(json, arrival.properties);
  json.key("payload");
  if (!appendPayload(json, message, embedsPayload)) {
    out.length = start;
    return false;
  }
  json.closeObject();
  return true;
}

function appendPayload(
  json: JsonWriter,
  { bytes, payloadStart, payloadEnd }: IncomingMessage,
  embedsPayload: boolean,
): boolean {
  if (payloadStart === payloadEnd) {
    json.word("null");
    return true;
  }
  if (embedsPayload) return rewriteJson(json, bytes, { start: payloadStart, end: payloadEnd });
  json.bytes(bytes, payloadStart, textEnd(bytes, payloadStart, payloadEnd));
  return true;
}

function appendProperties(json: JsonWriter, properties: Properties): void {
  const entries = Object.entries(properties);
  if (entries.length === 0) return;
  json.key("properties");
  json.openObject();
  for (const [field, value] of entries) {
    // A message has no other properties than those.
    const name = NAMES[field as keyof Properties] ?? field;
    if (field === "subscriptionIds") {
      // Each of them was a property of its own, and so it is here.
      for (const id of properties.subscriptionIds ?? []) {
        json.key(name);
        json.word(String(id));
      }
      continue;
    }
    json.key(name);
    if (field === "userProperties") appendPairs(json, properties.userProperties ?? []);
    else if (value instanceof Uint8Array) json.bytes(value, 0, textEnd(value, 0, value.length));
    else if (typeof value === "string") json.text(value);
    else json.word(String(value));
  }
  json.closeObject();
}

function appendPairs(json: JsonWriter, pairs: readonly (readonly [string, string])[]): void {
  json.openArray();
  for (const [key, value] of pairs) {
    json.element();
    json.openObject();
    json.key(key);
    json.text(value);
    json.closeObject();
  }
  json.closeArray();
}

/** A string ends at its first NUL. */
function textEnd(bytes: Uint8Array, start: number, end: number): number {
  const at = bytes.indexOf(0, start);
  return at < 0 ? end : Math.min(at, end);
}

function timestamp({ date, nanoseconds }: WallTime): string {
  const fraction = String(Math.floor(nanoseconds / NS_PER_US)).padStart(MICROSECOND_DIGITS, "0");
  return strftime(`%Y-%m-%dT%H:%M:%S.${fraction}%z`, date);
}
