// Nothing is delivered that the last word of the authority forbids, neither to a client that may not
// read it nor from one that may not write it.

import { Violation } from "../model.ts";
import type { World } from "../world.ts";

export function checkAccess({ model, authority }: World): Violation | undefined {
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
