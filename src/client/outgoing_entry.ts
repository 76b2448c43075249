/**
 * One message on its way to the broker: what the caller asked for, who waits, and how far it has
 * come; and what is checked before anything is done with it.
 *
 * @module
 */

import { encodedLength } from "../core/base/utf8.ts";
import type { PublishOptions as EnginePublishOptions } from "../core/client/publish_writer.ts";
import { encodeProperties, NO_PROPERTIES, type Properties } from "../core/codec/property.ts";
import { PacketType } from "../core/codec/protocol.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { Writer } from "../core/codec/writer.ts";
import { ClientError } from "./client_error.ts";

/** How a message is published; what is left out is 0, `false` or nothing. */
export interface PublishOptions extends EnginePublishOptions {
  /**
   * Rejects the call with its reason. A message that has not been sent is not sent any more; the
   * exchange of one that has been goes on to its end, unobserved.
   */
  readonly signal?: AbortSignal;
}

/** What became of a message. */
export interface PublishResult {
  /** Of PUBACK or PUBCOMP, below 0x80; 0 for QoS 0 and before version 5. */
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
}

/** A message until it is done, and who waits for that. */
export interface Entry {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly options: PublishOptions;
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: unknown) => void;
  isSettled: boolean;
  /** The broker has it: what is left of the exchange only frees its identifier. */
  isReceived: boolean;
  onAbort: (() => void) | undefined;
  /** Its name in the store; 0 for one that is not there. */
  sequence: number;
  /** It comes from an earlier process: nobody waits for it. */
  readonly isRestored: boolean;
}

/** What becomes of a message about which the broker says nothing. */
export const RESULT: PublishResult = Object.freeze({
  reasonCode: ReasonCode.SUCCESS,
  properties: NO_PROPERTIES,
});
const TOPIC_BYTES_MAX = 65_535;

/** Throws unless messages can be published to it. */
export function checkTopic(topic: string): void {
  const length = encodedLength(topic);
  if (length > 0 && length <= TOPIC_BYTES_MAX && !/[+#\0]/.test(topic)) return;
  throw new ClientError("invalid-argument", `Cannot publish to the topic "${topic}"`);
}

/** What waits is known to be encodable: whoever stores or sends it later has nobody to tell. */
export function checkProperties(properties: Properties): void {
  try {
    encodeProperties(new Writer(new Uint8Array(64)), properties, PacketType.PUBLISH);
  } catch (cause) {
    throw new ClientError("invalid-argument", "Cannot encode the message", { cause });
  }
}

/** The broker has it. */
export function settle(entry: Entry, result: PublishResult): void {
  finish(entry);
  entry.resolve(result);
}

/** It will not be delivered. */
export function fail(entry: Entry, error: unknown): void {
  finish(entry);
  entry.reject(error);
}

function finish(entry: Entry): void {
  entry.isSettled = true;
  const { onAbort } = entry;
  if (onAbort !== undefined) entry.options.signal?.removeEventListener("abort", onAbort);
}
