// A Will is published exactly once when its client goes missing, and never when it said good-bye.
// Where that is a question of moments, because the client came back in time or the broker died, it
// is published once or not at all.

import type { BrokerEvent } from "../../../src/core/broker/event.ts";
import { Violation, type WillLeft } from "../model.ts";
import { wasDropping } from "./loss.ts";
import type { Witnessed, World } from "../world.ts";

/** What the broker may take to publish what is due. */
const SLACK_MS = 5000;

type Ended = Witnessed & { readonly event: Extract<BrokerEvent, { readonly kind: "closed" }> };

export function checkWills(world: World): Violation | undefined {
  const { model, auditor } = world;
  const counts = new Map<string, number>();
  for (const session of model.sessions) {
    if (session.clientId !== auditor.clientId) continue;
    for (const { id, qos } of session.receipts) {
      // By QoS 1 it may come again, so that it only counts as having come.
      counts.set(id, qos === 2 ? (counts.get(id) ?? 0) + 1 : 1);
    }
  }
  for (const will of model.wills.values()) {
    const count = counts.get(will.id) ?? 0;
    const [least, most] = bounds(world, will);
    if (count >= least && count <= most) continue;
    return new Violation(
      "wills",
      `${will.id} was published ${count} times, and not ${least === most ? least : "0 or 1"}`,
    );
  }
  return undefined;
}

function bounds(world: World, will: WillLeft): readonly [least: number, most: number] {
  const { events, authority, model } = world;
  const ended = events.find((one): one is Ended =>
    one.event.kind === "closed" && one.event.peer.remotePort === will.number
  );
  if (ended === undefined || !will.isConfirmed) return [0, 1];
  // Nobody acknowledges a good-bye, so a broker that dies later may never have noted it.
  const isForgotten = world.upheavals.some(({ kind, step }) =>
    kind === "crash" && step >= ended.step
  );
  if (ended.event.cause === "client disconnected") return isForgotten ? [0, 1] : [0, 0];
  const { clientId, topic, qos, delayMs } = will;
  const isDurable = model.clients.get(clientId)!.kind === "durable";
  if (ended.event.cause === "session taken over") return [0, 1];
  // Who may not be here any more leaves without it, unless it was there that he failed to say who
  // he is.
  if (ended.event.cause === "not authorised") return [0, 1];
  if (qos === 0 || !isOld(world, ended) || wasDropping(world, world.auditor.clientId, 0)) {
    return [0, 1];
  }
  if (authority.hasRefusedSince(clientId, topic, ended.now)) return [0, 1];
  // A broker that died before it had noted the loss begins to wait when it is back.
  const lostAt = world.upheavals.reduce(
    (at, { kind, step, now }) => kind === "crash" && step >= ended.step ? now : at,
    ended.now,
  );
  const until = lostAt + delayMs + SLACK_MS;
  const isDisturbed = world.upheavals.some(({ kind, step }) =>
    step >= ended.step && (kind === "jump" ? delayMs > 0 : !isDurable)
  );
  if (isDisturbed) return [0, 1];
  // Back in time, or perhaps so.
  const isBack = delayMs > 0 &&
    events.some(({ step, now, event }) =>
      event.kind === "connected" && event.clientId === clientId && step >= ended.step &&
      now <= until
    );
  return isBack ? [0, 1] : [1, 1];
}

/** Whether the broker has had the time to publish it, also where it was started anew. */
function isOld(world: World, { now }: Witnessed): boolean {
  return world.scheduler.now - now > 20_000;
}
