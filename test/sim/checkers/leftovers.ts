// When all have gone, nothing is left of them: no connection, session, subscription, message or
// byte, no timer, nothing in the store.

import { Violation } from "../model.ts";
import type { World } from "../world.ts";

/** To be called when everybody has left for good. */
export function checkLeftovers(world: World): Violation | undefined {
  const { broker, scheduler } = world;
  const core = broker.core!;
  const left = {
    connections: core.connectionCount,
    connected: core.connectedCount,
    sessions: core.sessionCount,
    subscriptions: core.subscriptionCount,
    shared: core.sharedSubscriptionCount,
    retained: core.retainedCount,
    messages: core.storedCount,
    bytes: core.storedBytes,
    backlog: core.backlogBytes,
    changes: core.hasChanges ? 1 : 0,
    timers: scheduler.timerCount,
    records: broker.countRecords(),
  };
  const found = Object.entries(left).filter(([, count]) => count !== 0);
  if (found.length === 0) return undefined;
  const list = found.map(([what, count]) => `${count} ${what}`).join(", ");
  return new Violation("leftovers", `Left over when all have gone: ${list}`);
}
