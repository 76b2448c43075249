/**
 * How fast one client may publish: a bucket that holds so many PUBLISH packets and fills again as
 * time passes. Who has emptied it is not read from for a while: nothing is lost, and nobody else
 * notices. With the limit off this file is never entered.
 *
 * @module
 */

import { PacketType } from "../codec/protocol.ts";
import type { Connection } from "./connection.ts";
import type { BrokerState } from "./state.ts";

/** Who waits does so for this long at least, where the bucket allows: waking up has its price. */
const WAIT_MS_MIN = 100;
/** What arithmetic may lose of one packet. */
const ROUNDING = 1e-6;

/**
 * Whether the packet that the framer stands on has to wait; if not, and it is a PUBLISH, it is
 * counted.
 */
export function mustWait(state: BrokerState, connection: Connection, now: number): boolean {
  if (connection.framer.firstByte >> 4 !== PacketType.PUBLISH) return false;
  const { publishRateCount: count, publishRateSeconds: seconds } = state.limits;
  const msPerPacket = seconds * 1000 / count;
  const filled = connection.publishesLeft + (now - connection.publishesCountedAt) / msPerPacket;
  const left = Math.min(count, filled);
  connection.publishesCountedAt = now;
  if (left >= 1 - ROUNDING) {
    connection.publishesLeft = left - 1;
    connection.waitsUntil = 0;
    return false;
  }
  connection.publishesLeft = left;
  if (connection.waitsUntil > now) return true;
  const waitMs = Math.max((1 - left) * msPerPacket, Math.min(WAIT_MS_MIN, count * msPerPacket));
  connection.waitsUntil = now + waitMs;
  const silentAt = connection.heapIndex === -1 ? Infinity : connection.at;
  state.deadlines.set(connection, Math.min(silentAt, connection.waitsUntil));
  state.counters.publishesDelayed++;
  const { session } = connection;
  if (!connection.hasWaited && session !== undefined) {
    connection.hasWaited = true;
    state.emit({ kind: "publish-rate-exceeded", clientId: session.clientId });
  }
  return true;
}
