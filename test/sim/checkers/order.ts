// What one client publishes under one topic reaches each subscriber in that order, as far as it
// comes by the same QoS. Repetitions do not count, and neither does what was retained.

import { isUncertain, type Receipt, type SentMessage, Violation } from "../model.ts";
import type { World } from "../world.ts";

export function checkOrder(world: World): Violation | undefined {
  for (const { clientId, receipts } of world.model.sessions) {
    const seen = new Set<string>();
    const latest = new Map<string, SentMessage>();
    for (const receipt of receipts) {
      const message = world.model.messages.get(receipt.id);
      if (message === undefined || receipt.retain) continue;
      const key = `${receipt.qos} ${receipt.id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const lane = laneOf(message, receipt);
      const last = latest.get(lane);
      if (last !== undefined && last.number > message.number && isFirst(world, message, receipt)) {
        return new Violation("order", `${clientId} got ${message.id} after ${last.id}, in ${lane}`);
      }
      if (last === undefined || last.number < message.number) latest.set(lane, message);
    }
  }
  return undefined;
}

function laneOf({ publisher, topic }: SentMessage, { qos }: Receipt): string {
  return `${topic} of ${publisher} by QoS ${qos}`;
}

/**
 * Sent again, a QoS 1 message is a new one, behind what was sent meanwhile; so is one that was
 * refused at first, or that another member of a group had got from a broker that has died, or that
 * such a broker had handled without anything to hold back for it.
 */
function isFirst(world: World, message: SentMessage, { qos: receivedQos }: Receipt): boolean {
  const { authority, model, upheavals } = world;
  const { qos, isResent, publisher, topic, sentAt, acknowledgedAt } = message;
  if (!isResent) return true;
  // Who had more in flight than his present version may sends the rest by and by.
  if (model.clients.get(publisher)!.versions.length > 1) return false;
  if (qos < 2 || topic.startsWith("s/") || isUncertain(model, message)) return false;
  const isHandledAgain = receivedQos < 2 &&
    upheavals.some(({ kind, step }) =>
      kind === "crash" && step >= sentAt && step <= acknowledgedAt
    );
  return !isHandledAgain && !authority.hasRefused(publisher, topic, sentAt, acknowledgedAt);
}
