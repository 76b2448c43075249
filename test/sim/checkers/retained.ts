// What is retained is what was published last: each topic below `r` has one writer, so what it was
// told of its messages says what the last one is, or which few it can be.

import { type SentMessage, Violation } from "../model.ts";
import type { World } from "../world.ts";
import { wasAccepted } from "./loss.ts";

/** To be called when the auditor has asked for everything below `r`. */
export function checkRetained(world: World): Violation | undefined {
  const { model, authority, auditor } = world;
  const session = model.current.get(auditor.clientId);
  if (session === undefined) return undefined;
  const topics = new Map<string, SentMessage[]>();
  for (const message of model.messages.values()) {
    if (!message.topic.startsWith("r/")) continue;
    const messages = topics.get(message.topic);
    if (messages === undefined) topics.set(message.topic, [message]);
    else messages.push(message);
  }
  // There may be no room for it.
  const isCrowded = world.limits.retainedMessagesMax < 100;
  for (const [topic, messages] of topics) {
    const got = session.receipts.filter((receipt) => receipt.topic === topic && receipt.retain);
    const found = got.at(-1)?.id ?? "";
    const possible = possibleValues(world, messages);
    const { publisher } = messages[0]!;
    if (isCrowded || !authority.hasRetained({ clientId: publisher, username: undefined }, topic)) {
      possible.add("");
    }
    if (possible.has(found) && got.length <= 1) continue;
    const wanted = [...possible].map((id) => id || "nothing").join(" or ");
    return new Violation("retained", `${topic} holds ${found || "nothing"}, and not ${wanted}`);
  }
  return undefined;
}

/** What may be retained after these messages of one writer; `""` is nothing. */
function possibleValues(world: World, messages: readonly SentMessage[]): Set<string> {
  let possible = new Set([""]);
  const unsure: SentMessage[] = [];
  for (const message of messages) {
    if (message.isRefused && !message.isResent) continue;
    if (wasAccepted(world, message)) {
      // What came again after it counts again.
      const again = unsure.filter(({ acknowledgedAt }) => acknowledgedAt > message.sentAt);
      possible = new Set([message, ...again].map(({ id }) => id));
      if ([message, ...again].some(({ expirySeconds }) => expirySeconds !== undefined)) {
        possible.add("");
      }
    } else {
      possible.add(message.id);
      if (message.expirySeconds !== undefined) possible.add("");
    }
    if (message.qos > 0 && message.isResent) unsure.push(message);
  }
  return possible;
}
