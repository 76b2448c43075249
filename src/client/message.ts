/**
 * A message as an application gets it: an object that owns its bytes. The engine's own view of a
 * message is valid during a call only, so this is where it is copied.
 *
 * @module
 */

import type { IncomingMessage } from "../core/client/incoming_message.ts";
import type { Properties } from "../core/codec/property.ts";
import type { QoS } from "../core/codec/protocol.ts";

/** A message that was received (section 3.3 of the standard). */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** It was retained, unless the subscription asked to be told as published. */
  readonly retain: boolean;
  /** It may have been delivered before. */
  readonly dup: boolean;
  /** Of version 5; empty before. */
  readonly properties: Properties;
}

/** Copies what has arrived. */
export function messageOf(view: IncomingMessage): Message {
  const { topic, qos, retain, dup, properties } = view;
  return { topic, payload: view.copyPayload(), qos, retain, dup, properties };
}
