/**
 * A message as a JSON object: what `%j` and `%J` print.
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import type { Properties } from "../../core/codec/property.ts";
import type { Writer } from "../../core/codec/writer.ts";
import { appendText, makeTimeText } from "./append_text.ts";
import type { Arrival } from "./arrival.ts";
import { rewriteJson } from "./json_text.ts";
import { JsonWriter } from "./json_writer.ts";
import { appendDigits } from "./padding.ts";

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

/** Appends a message; `false`, and nothing, when its payload is not JSON and has to be. */
export type AppendMessageJson = (out: Writer, arrival: Arrival) => boolean;

/** Readies the form of `%j` or `%J`. */
export function makeMessageJson(options: MessageJsonOptions): AppendMessageJson {
  const dateText = makeTimeText("%Y-%m-%dT%H:%M:%S.");
  const zoneText = makeTimeText("%z");
  return (out, arrival) => {
    const start = out.length;
    const json = new JsonWriter(out, options.isPretty);
    json.openObject();
    json.key("tst");
    json.quote();
    appendText(out, dateText(arrival.time));
    const microseconds = Math.floor(arrival.time.nanoseconds / NS_PER_US);
    appendDigits(out, microseconds, MICROSECOND_DIGITS);
    appendText(out, zoneText(arrival.time));
    json.quote();
    if (appendRest(json, arrival, options)) return true;
    out.length = start;
    return false;
  };
}

/** All that comes behind the time. */
function appendRest(
  json: JsonWriter,
  { message, properties }: Arrival,
  { embedsPayload }: MessageJsonOptions,
): boolean {
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
  appendProperties(json, properties);
  json.key("payload");
  if (!appendPayload(json, message, embedsPayload)) return false;
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
