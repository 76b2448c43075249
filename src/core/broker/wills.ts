/**
 * Wills: published when a client goes missing, at once or after its Will Delay Interval, and never
 * more than once.
 *
 * @module
 */

import type { Session } from "../session/session.ts";
import type { Will } from "../session/will.ts";
import type { Connection } from "./connection.ts";
import { publish } from "./publish.ts";
import type { BrokerState } from "./state.ts";

/** Publishes the session's Will, if it has one, and forgets it. [MQTT-3.1.2-8] [MQTT-3.1.2-10] */
export function publishWill(
  state: BrokerState,
  session: Session<Connection>,
  now: number,
): void {
  const will = session.will;
  if (will === undefined) return;
  discardWill(state, session);
  publishMessageOf(state, session, will, now);
}

function publishMessageOf(
  state: BrokerState,
  session: Session<Connection>,
  will: Will,
  now: number,
): void {
  const { message, messageExpiryInterval } = will;
  const topic = state.routes.findName(message.topic);
  if (topic === null) return;
  // The permission is that of now, not of when the Will was left.
  const { policy } = state;
  if (!state.isOpen && policy.publish(session, message.topic, message.qos, message.retain) !== 0) {
    return;
  }
  if (messageExpiryInterval !== undefined) message.expiresAt = now + messageExpiryInterval * 1000;
  publish(state, message, topic, now);
}

/** Forgets the session's Will without publishing it. [MQTT-3.14.4-3] */
export function discardWill(state: BrokerState, session: Session<Connection>): void {
  if (session.will === undefined) return;
  session.will = undefined;
  session.willDueAt = Infinity;
  if (state.keepsJournal && session.isPersistent) {
    state.record({ kind: "will-removed", clientId: session.clientId });
  }
}

/** Has the Will published after its delay, or with the end of the session. [MQTT-3.1.3-9] */
export function delayWill(
  state: BrokerState,
  session: Session<Connection>,
  will: Will,
  now: number,
): void {
  session.willDueAt = now + will.delay * 1000;
  if (state.keepsJournal && session.isPersistent) {
    const { clientId } = session;
    state.record({ kind: "will-set", clientId, will, dueAt: session.willDueAt });
  }
}
