/**
 * A client comes whose identifier has a session already: it resumes it, ends it, or is turned away
 * because it does so too often.
 *
 * The idea: a session belongs to the identity that made it. Whoever else is allowed to use the
 * identifier gets a session of his own, and never what was meant for its owner.
 *
 * @module
 */

import { ReasonCode } from "../codec/reason_code.ts";
import type { Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import { endConnection, removeSession } from "./end.ts";
import { sendDisconnect } from "./send.ts";
import type { BrokerState } from "./state.ts";
import { discardWill, publishWill } from "./wills.ts";

/** Whose a session is. */
export interface Identity {
  /** `undefined`: anybody who gave no name. */
  readonly username: string | undefined;
  /** The name is proven by TLS and not by what the client said. */
  readonly isIdentified: boolean;
}

/** Of a session from another broker that did not note who made it: the first who comes. */
export const UNKNOWN_IDENTITY: Identity = Object.freeze({
  username: undefined,
  // Nobody else has this without a name.
  isIdentified: true,
});

/** Whether the session was made by this identity, as far as anybody knows. */
export function belongsTo(session: Session<Connection>, identity: Identity): boolean {
  if (session.isIdentified && session.username === undefined) return true;
  return session.username === identity.username && session.isIdentified === identity.isIdentified;
}

/** Counts a take-over, unless there have been too many of late. */
export function mayTakeOver(
  state: BrokerState,
  holder: Session<Connection>,
  now: number,
): boolean {
  const seconds = (now - holder.takenOverAt) / 1000;
  const recent = Math.max(0, holder.recentTakeOvers - seconds);
  if (recent + 1 > state.limits.takeOverBurst) return false;
  holder.recentTakeOvers = recent + 1;
  holder.takenOverAt = now;
  return true;
}

/**
 * Ends whatever must not go on under this identifier; returns the session to resume, if any.
 * [MQTT-3.1.4-4]
 */
export function takeSession(
  state: BrokerState,
  clientId: string,
  isFresh: boolean,
  now: number,
): Session<Connection> | undefined {
  const connected = state.sessions.get(clientId);
  if (connected?.connection !== undefined) {
    state.counters.takeOvers++;
    // [MQTT-3.1.4-3] [MQTT-3.1.1-3.1.4-2]
    sendDisconnect(state, connected.connection, ReasonCode.SESSION_TAKEN_OVER);
    endConnection(state, connected.connection, {
      cause: "session taken over",
      // A session that goes on has not lost its client.
      publishesWill: isFresh || connected.expiryInterval === 0,
    }, now);
  }
  const session = state.sessions.get(clientId);
  if (session === undefined) return undefined;
  // [MQTT-3.1.2-5] [MQTT-3.1.1-3.1.2-4]
  if (!isFresh && session.endsAt > now) {
    discardWill(state, session);
    return session;
  }
  // [MQTT-3.1.2-4]: the old session ends, and its delayed Will with it.
  removeSession(state, session);
  publishWill(state, session, now);
  return undefined;
}
