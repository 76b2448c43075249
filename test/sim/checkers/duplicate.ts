// Nobody gets a message by QoS 2 more often than it has subscriptions that match, whatever happened
// on the way: to its publisher's connection, to its own, or to the broker.

import { isUncertain, type Model, type SessionView, subscribedTo, Violation } from "../model.ts";
import type { World } from "../world.ts";

export function checkDuplicates({ model }: World): Violation | undefined {
  for (const session of model.sessions) {
    const counts = new Map<string, number>();
    for (const { id, topic, qos, retain } of session.receipts) {
      const message = model.messages.get(id);
      if (message?.qos !== 2 || qos !== 2 || retain || isUncertain(model, message)) continue;
      const count = (counts.get(id) ?? 0) + 1;
      counts.set(id, count);
      const filters = new Set(
        viewsOf(model, session).flatMap((view) => subscribedTo(view, topic))
          .map(({ filter, shareName }) => `${shareName ?? ""} ${filter}`),
      );
      // Once may be by one that it gave up before it lost sight of its session.
      if (count <= Math.max(1, filters.size)) continue;
      const { clientId } = session;
      return new Violation(
        "duplicate",
        `${clientId} got ${id} of ${topic} ${count} times by QoS 2, by ${filters.size} filters`,
      );
    }
  }
  return undefined;
}

/** Who has lost sight of a session may still have what it had subscribed to there. */
function viewsOf({ sessions, clients }: Model, session: SessionView): readonly SessionView[] {
  const { clientId } = session;
  if (clients.get(clientId)!.kind !== "brief") return [session];
  return sessions.filter((other) => other.clientId === clientId);
}
