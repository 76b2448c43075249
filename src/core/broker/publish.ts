/**
 * A message enters the broker, from a client, a Will or the host: it is retained if it says so, and
 * goes to everybody who subscribed to its topic. This is the only place that decides who that is.
 *
 * @module
 */

import type { Message } from "../session/message.ts";
import type { Session } from "../session/session.ts";
import type { SharedGroup } from "../session/shared_group.ts";
import type { Topic } from "../topic/route_table.ts";
import type { Connection, Target } from "./connection.ts";
import { deliver, mayHave } from "./deliver.ts";
import { retain } from "./retained.ts";
import type { BrokerState } from "./state.ts";

/** Publishes a message; returns how many subscriptions and shared groups it matched. */
export function publish(
  state: BrokerState,
  message: Message,
  topic: Topic<Target>,
  now: number,
): number {
  if (message.retain) retain(state, message, now);
  // [MQTT-3.3.2-3] [MQTT-4.5.0-1] [MQTT-4.6.0-5] [MQTT-4.6.0-6]
  const targets = state.routes.values(topic);
  if (targets.length === 0) return 0;
  state.encoder.begin(message, now);
  state.isForOne = targets.length === 1;
  const publication = state.limits.allowsDuplicateMessages ? 0 : ++state.publication;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (target.kind === "subscription") {
      if (publication > 0 && hasCopy(target.session, publication)) continue;
      // The flag of a live message is 0 unless the subscriber wants it as it was published
      // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.1.1-3.3.1-9]. Each subscription has its copy
      // [MQTT-3.3.4-2].
      deliver(state, message, target, message.retain && target.retainAsPublished, now);
    } else {
      deliverToOne(state, message, target, publication, now);
    }
  }
  return targets.length;
}

/** Whether a client of an older version has got a copy of this publication; if not, it does now. */
function hasCopy(session: Session<Connection>, publication: number): boolean {
  if (session.protocolVersion === 5) return false;
  if (session.lastPublication === publication) return true;
  session.lastPublication = publication;
  return false;
}

/**
 * Delivers to the member whose turn it is, passing over those who may not have the topic. A member
 * that is away keeps its turn: the message waits in its session. [MQTT-4.8.2-4] [MQTT-4.8.2-5]
 */
function deliverToOne(
  state: BrokerState,
  message: Message,
  group: SharedGroup<Connection>,
  publication: number,
  now: number,
): void {
  for (let tries = group.members.length; tries > 0; tries--) {
    const member = group.takeTurn();
    if (!mayHave(state, member.session, message)) continue;
    if (publication > 0 && hasCopy(member.session, publication)) return;
    deliver(state, message, member, message.retain && member.retainAsPublished, now);
    return;
  }
}
