// A message is worth nothing once its time is over: a broker that has waited longer than its Message
// Expiry Interval does not begin to deliver it. Before that, it says how much of the time is left.

import { type Receipt, type SentMessage, Violation } from "../model.ts";
import type { World } from "../world.ts";

export function checkExpiry(world: World): Violation | undefined {
  for (const { clientId, receipts } of world.model.sessions) {
    for (const receipt of receipts) {
      const message = world.model.messages.get(receipt.id);
      if (message === undefined) continue;
      const fault = faultOf(world, message, receipt, receipt.version === 5);
      if (fault === undefined) continue;
      return new Violation("expiry", `${clientId} got ${message.id} ${fault}`);
    }
  }
  return undefined;
}

/** What is wrong with what was received, in words. */
function faultOf(
  world: World,
  message: SentMessage,
  receipt: Receipt,
  isTold: boolean,
): string | undefined {
  const { expirySeconds: told } = receipt;
  const { expirySeconds: given } = message;
  if (given === undefined) {
    return told === undefined ? undefined : `with an interval of ${told} s that nobody gave it`;
  }
  // What is sent again in an older version has lost it.
  if (isTold && !message.isResent && (told === undefined || told > given)) {
    return `with an interval of ${told} s, and not of ${given} s at most`;
  }
  // What was begun before may end after it; and when a message came that was sent anew is unknown,
  // as is how long a broker was away by a clock that was set meanwhile.
  if (receipt.dup || message.isResent || world.has("set-clock")) return undefined;
  const waitedSeconds = (receipt.gatedMs - message.acknowledgedMs) / 1000;
  if (waitedSeconds > given) return `after ${waitedSeconds} s, and not within ${given} s`;
  const leftMax = Math.ceil(given - Math.max(0, waitedSeconds));
  return isTold && told! > leftMax ? `with ${told} s left, and not ${leftMax} s` : undefined;
}
