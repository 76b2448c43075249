// Nothing is delivered that the last word of the authority forbids, neither to a client that may not
// read it nor from one that may not write it; and nobody connects under a name that is not theirs.

import { Violation } from "../model.ts";
import type { World } from "../world.ts";

export function checkAccess({ model, authority, events, rude }: World): Violation | undefined {
  const liars = new Set([...rude].map(({ remotePort }) => remotePort));
  for (const { event } of events) {
    if (event.kind !== "connected" || !event.clientId.startsWith("c")) continue;
    if (!liars.has(event.peer.remotePort)) continue;
    return new Violation("access", `Somebody else was let in as ${event.clientId}`);
  }
  for (const { clientId, receipts } of model.sessions) {
    for (const { id, topic, gatedFrom, writtenAt } of receipts) {
      if (authority.forbadeReading(clientId, topic, gatedFrom, writtenAt)) {
        return new Violation("access", `${clientId} got ${id} of ${topic}, which it may not read`);
      }
      const message = model.messages.get(id);
      if (message === undefined) continue;
      const { publisher, sentAt } = message;
      if (authority.forbadePublishing(publisher, topic, sentAt, writtenAt)) {
        return new Violation("access", `${publisher} may not have published ${id} to ${topic}`);
      }
    }
  }
  return undefined;
}
