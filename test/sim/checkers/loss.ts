// No message of QoS 1 or 2 that was acknowledged is lost: whoever had subscribed to it before it was
// sent, still does, and was able and allowed to have it all the time, has got it in the end.

import { isSteady, type SentMessage, type SessionView, subscribedTo, Violation } from "../model.ts";
import type { World } from "../world.ts";

export function checkLoss(world: World): Violation | undefined {
  const { model } = world;
  for (const session of model.current.values()) {
    const got = new Set(session.receipts.map(({ id }) => id));
    for (const message of model.messages.values()) {
      if (got.has(message.id) || !isOwed(world, session, message)) continue;
      return new Violation(
        "loss",
        `${session.clientId} never got ${message.id} of ${message.topic}, QoS ${message.qos}`,
      );
    }
  }
  return undefined;
}

function isOwed(world: World, session: SessionView, message: SentMessage): boolean {
  const { clientId } = session;
  const { topic, publisher, sentAt } = message;
  if (message.id === "" || message.expirySeconds !== undefined) return false;
  if (message.topic.startsWith("s/")) return false;
  if (!wasAccepted(world, message) || wasDropping(world, clientId, session.startedAt)) return false;
  if (!mayHave(world, clientId, topic, sentAt)) return false;
  const matching = subscribedTo(session, topic).filter(({ shareName }) => shareName === undefined);
  // An older client may get the one copy that any of them earns it.
  if (matching.some(({ qos, noLocal }) => qos === 0 || (noLocal && publisher === clientId))) {
    return false;
  }
  return matching.some((subscribed) => isSteady(subscribed, sentAt));
}

/** Whether the client could read the topic from a step on, as far as it knows. */
export function mayHave(world: World, clientId: string, topic: string, from: number): boolean {
  const { authority, model } = world;
  const isTold = model.clients.get(clientId)!.versions.every((version) => version > 3);
  return !authority.hasForbiddenReading(clientId, topic, from) &&
    (isTold || !authority.hasRefusedReader(clientId));
}

/** Whether the broker has taken it, and nobody could have told it not to. */
export function wasAccepted(world: World, message: SentMessage): boolean {
  const { topic, publisher, sentAt, acknowledgedAt } = message;
  return message.qos > 0 && acknowledgedAt !== Infinity && !message.isRefused &&
    !world.authority.hasRefused(publisher, topic, sentAt, acknowledgedAt);
}

/**
 * Whether the broker has said that what waits for the client is too much. It does so once for each
 * connection, and the one that there was at that step it had accepted before.
 */
export function wasDropping({ events }: World, clientId: string, from: number): boolean {
  const accepted = events.findLast(({ step, event }) =>
    event.kind === "connected" && event.clientId === clientId && step <= from
  );
  const since = accepted?.step ?? 0;
  return events.some(({ step, event }) =>
    event.kind === "dropping" && event.clientId === clientId && step >= since
  );
}
