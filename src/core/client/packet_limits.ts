/**
 * What the framer is told of the size of packets that a client accepts.
 *
 * @module
 */

import { VARINT_MAX } from "../codec/protocol.ts";
import { varintWidth } from "../codec/writer.ts";

/** The largest remaining length of each packet type, from the size that the client accepts. */
export function limitsFor(maximumPacketSize: number | undefined): Uint32Array {
  const size = Math.min(maximumPacketSize ?? Infinity, 5 + VARINT_MAX);
  // The header takes from the size as many bytes as the rest then needs for its length.
  const remaining = Math.max(0, size - 1 - varintWidth(Math.max(0, size - 2)));
  return new Uint32Array(16).fill(remaining);
}
