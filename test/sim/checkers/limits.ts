// What the broker holds stays within its limits at every moment: what waits for a client, what is in
// flight to it, what its connection has not taken, and what is retained.

import type { Connection } from "../../../src/core/broker/connection.ts";
import { Violation } from "../model.ts";
import type { World } from "../world.ts";

/** The largest packets there are: a limit is looked at before one is added, not after. */
const PACKET_BYTES = 4000;

/** To be called after each step. */
export function checkLimits(world: World): Violation | undefined {
  const { limits } = world;
  const { core } = world.broker;
  if (core === undefined) return undefined;
  if (limits.retainedMessagesMax > 0 && core.retainedCount > limits.retainedMessagesMax) {
    return exceeded("Retained messages", core.retainedCount, limits.retainedMessagesMax);
  }
  for (const connection of core.connections) {
    if (connection.phase === "ended") continue;
    const violation = checkConnection(world, connection);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

function checkConnection(world: World, connection: Connection): Violation | undefined {
  const { limits } = world;
  const { session, outbox, label } = connection;
  const backlogMax = limits.backlogBytesMax + PACKET_BYTES + ACK_BYTES_MAX;
  if (outbox.backlog > backlogMax) {
    return exceeded(`Backlog of ${label}`, outbox.backlog, backlogMax);
  }
  if (session === undefined) return undefined;
  const { queue, sender, receiver } = session;
  if (limits.queuedMessagesMax > 0) {
    const queuedMax = limits.queuedMessagesMax + limits.inflightMessagesMax;
    if (queue.length > queuedMax) return exceeded(`Queue of ${label}`, queue.length, queuedMax);
  }
  if (limits.queuedBytesMax > 0 && queue.bytes > limits.queuedBytesMax) {
    return exceeded(`Queued bytes of ${label}`, queue.bytes, limits.queuedBytesMax);
  }
  if (session.isRecorded && queue.loadedCount > limits.queueWindowMessagesMax) {
    return exceeded(
      `Queue in memory of ${label}`,
      queue.loadedCount,
      limits.queueWindowMessagesMax,
    );
  }
  // Older versions have no such limit, and what they began is there in later connections.
  const versions = world.model.clients.get(session.clientId)?.versions ?? [];
  if (String(versions) === "5" && receiver.heldCount > limits.receiveMaximum) {
    return exceeded(`Held identifiers of ${label}`, receiver.heldCount, limits.receiveMaximum);
  }
  // What was in flight on an earlier connection stays so.
  const inflightMax = limits.inflightMessagesMax;
  if (inflightMax > 0 && sender.inflightCount > inflightMax) {
    return exceeded(`In flight to ${label}`, sender.inflightCount, inflightMax);
  }
  return undefined;
}

/** Acknowledgements of what is read before reading stops. */
const ACK_BYTES_MAX = 64 * 1024;

function exceeded(what: string, is: number, max: number): Violation {
  return new Violation("limits", `${what}: ${is}, and ${max} at most`);
}
