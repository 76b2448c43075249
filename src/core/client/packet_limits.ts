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
  let remaining = Math.max(0, size - 1 - varintWidth(Math.max(0, size - 2)));
  // With less to tell, the header may have become short enough for one more.
  if (1 + varintWidth(remaining + 1) + remaining + 1 <= size) remaining++;
  return new Uint32Array(16).fill(remaining);
}
