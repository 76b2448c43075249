/**
 * How large requests are, so that none is sent which the broker would not take.
 *
 * @module
 */

import { encodedLength } from "../core/base/utf8.ts";
import type { SubscriptionRequest } from "../core/codec/packet.ts";
import { encodeProperties, type Properties } from "../core/codec/property.ts";
import { PacketType } from "../core/codec/protocol.ts";
import { Writer } from "../core/codec/writer.ts";
import { ClientError } from "./client_error.ts";

/** What a subscription needs besides its filter: a length of two bytes, and the options. */
const FILTER_OVERHEAD = 3;
/** The header of a packet and its identifier. */
const HEADER_BYTES_MAX = 7;
/** More than this is not asked for at a time, whatever the broker takes. */
const BATCH_BYTES_MAX = 65_536;

/** The size of a request as `encode` writes it, tried where it cannot do harm. */
export function requestSize(filterCount: number, encode: (writer: Writer) => void): number {
  if (filterCount === 0) {
    throw new ClientError("invalid-argument", "Cannot make a request without a filter");
  }
  const writer = new Writer(new Uint8Array(256));
  try {
    encode(writer);
  } catch (cause) {
    throw new ClientError("invalid-argument", "Cannot encode the request", { cause });
  }
  return writer.length;
}

/** Subscriptions in as many requests as it takes to keep each below the size. */
export function batchesOf(
  requests: readonly SubscriptionRequest[],
  properties: Properties,
  packetSizeMax: number,
): SubscriptionRequest[][] {
  const writer = new Writer(new Uint8Array(64));
  encodeProperties(writer, properties, PacketType.SUBSCRIBE);
  const room = Math.min(packetSizeMax, BATCH_BYTES_MAX) - HEADER_BYTES_MAX - writer.length;
  const batches: SubscriptionRequest[][] = [];
  let left = 0;
  for (const request of requests) {
    const size = FILTER_OVERHEAD + encodedLength(request.filter);
    if (batches.length === 0 || size > left) {
      batches.push([]);
      left = room;
    }
    batches.at(-1)!.push(request);
    left -= size;
  }
  return batches;
}
