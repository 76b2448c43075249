// A message goes to exactly one member of a shared subscription: never to two, and to one for
// certain if all who were in the group by then have stayed, able and allowed to have it.

import { matches } from "../../../src/core/topic/filter.ts";
import { isSteady, isUncertain, type SentMessage, type SessionView, Violation } from "../model.ts";
import type { World } from "../world.ts";
import { mayHave, wasAccepted, wasDropping } from "./loss.ts";

/** Share names with the one filter that each has. */
const GROUPS = [["g0", "s/#"], ["g1", "s/+"]] as const;

export function checkShared(world: World): Violation | undefined {
  const { model } = world;
  for (const [shareName, filter] of GROUPS) {
    const members = model.sessions.filter(({ subscriptions }) =>
      subscriptions.some((one) => one.shareName === shareName)
    );
    if (members.length === 0) continue;
    for (const message of model.messages.values()) {
      if (message.id === "" || !matches(filter, message.topic)) continue;
      const got = members.filter((member) => hasReceived(member, message));
      if (isTwice(got, message) && !isUncertain(model, message)) {
        const names = got.map(({ clientId }) => clientId).join(" and ");
        return new Violation("shared", `${message.id} of ${shareName} went to ${names}`);
      }
      if (got.length > 0 || message.expirySeconds !== undefined) continue;
      if (!wasAccepted(world, message)) continue;
      const later = members.filter((member) => goneAt(world, member) > message.sentAt);
      if (later.length === 0) continue;
      if (!later.every((member) => isReliable(world, member, shareName, message))) continue;
      return new Violation("shared", `Nobody of ${shareName} got ${message.id}`);
    }
  }
  return undefined;
}

/** A client may have given a session up that the broker does not know to be over. */
function goneAt({ model }: World, { clientId, startedAt }: SessionView): number {
  const next = model.sessions.find((one) => one.clientId === clientId && one.startedAt > startedAt);
  return next?.startedAt ?? Infinity;
}

function hasReceived({ receipts }: SessionView, message: SentMessage): boolean {
  return receipts.some(({ id, qos }) => id === message.id && qos > 0);
}

/**
 * A message that is sent again as a new one may go to another member, and so may one that came by
 * QoS 1 from a broker that has died before it could note that.
 */
function isTwice(got: readonly SessionView[], { id, qos, isResent }: SentMessage): boolean {
  if (qos === 1 && isResent) return false;
  const least = isResent ? 2 : 1;
  const holders = got.filter(({ endedAt, receipts }) =>
    endedAt === Infinity && receipts.some((receipt) => receipt.id === id && receipt.qos >= least)
  );
  return holders.length > 1;
}

function isReliable(
  world: World,
  member: SessionView,
  shareName: string,
  { topic, sentAt }: SentMessage,
): boolean {
  const { clientId, startedAt, endedAt, subscriptions } = member;
  if (endedAt !== Infinity || wasDropping(world, clientId, startedAt)) return false;
  if (!mayHave(world, clientId, topic, sentAt)) return false;
  const own = subscriptions.filter((one) => one.shareName === shareName && !one.isRefused);
  return own.every(({ qos }) => qos > 0) && own.some((one) => isSteady(one, sentAt));
}
