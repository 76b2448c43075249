/**
 * How connections and sessions end, whoever ends them.
 *
 * @module
 */

import { NEVER_EXPIRES, type Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import type { CloseCause } from "./event.ts";
import type { BrokerState } from "./state.ts";
import { unsubscribeAll } from "./subscriptions.ts";
import { delayWill, discardWill, publishWill } from "./wills.ts";

export interface Ending {
  readonly cause: CloseCause;
  /** For the log: what was broken. */
  readonly detail?: string;
  /** Whether the Will is to be published; it is discarded otherwise. */
  readonly publishesWill: boolean;
}

/**
 * Ends a connection: what is in its outbox still leaves, then it is closed. Its session ends with
 * it or begins to expire. Nothing happens when it has ended already.
 */
export function endConnection(
  state: BrokerState,
  connection: Connection,
  ending: Ending,
  now: number,
): void {
  if (connection.phase === "ended") return;
  connection.phase = "ended";
  state.connections.delete(connection);
  state.leaveListener(connection.listener);
  state.starved.delete(connection);
  state.blocked.delete(connection);
  state.deadlines.delete(connection);
  state.forgetQuestion(connection);
  state.closings.push(connection);
  const { session, peer } = connection;
  if (session !== undefined) {
    state.connectedCount--;
    abandonPublish(session, connection);
  }
  state.emit({
    kind: "closed",
    peer,
    clientId: session?.clientId,
    cause: ending.cause,
    detail: ending.detail,
  });
  if (session !== undefined) leaveSession(state, session, ending, now);
}

/** A QoS 2 message that nobody has decided upon was not received: the client sends it again. */
function abandonPublish(session: Session<Connection>, { pending }: Connection): void {
  if (pending?.kind === "publish" && pending.qos === 2) session.receiver.release(pending.packetId);
}

function leaveSession(
  state: BrokerState,
  session: Session<Connection>,
  ending: Ending,
  now: number,
): void {
  session.connection = undefined;
  if (session.expiryInterval === 0) {
    const { will } = session;
    if (!ending.publishesWill) discardWill(state, session);
    removeSession(state, session);
    session.will = will !== undefined && ending.publishesWill ? will : undefined;
    publishWill(state, session, now);
    return;
  }
  session.settleDeliveries();
  if (state.isCrowded && state.records(session)) session.queue.unload();
  if (session.expiryInterval !== NEVER_EXPIRES) {
    session.endsAt = now + session.expiryInterval * 1000;
  }
  recordSession(state, session);
  const { will } = session;
  if (!ending.publishesWill) discardWill(state, session);
  else if (will !== undefined && will.delay > 0) delayWill(state, session, will, now);
  else publishWill(state, session, now);
  scheduleSession(state, session);
}

/** Sets the session's deadline to whatever comes first. */
export function scheduleSession(state: BrokerState, session: Session<Connection>): void {
  const at = Math.min(session.endsAt, session.willDueAt);
  if (at === Infinity) state.deadlines.delete(session);
  else state.deadlines.set(session, at);
}

/** Ends a session: everything it holds is forgotten. Its Will is the caller's business. */
export function removeSession(state: BrokerState, session: Session<Connection>): void {
  unsubscribeAll(state, session);
  session.discardDeliveries();
  state.deadlines.delete(session);
  if (state.sessions.get(session.clientId) === session) state.sessions.delete(session.clientId);
  forgetSession(state, session);
}

/** A session's deadline has come: its delayed Will, its end, or both. */
export function expireSession(
  state: BrokerState,
  session: Session<Connection>,
  now: number,
): void {
  // [MQTT-4.1.0-2]
  if (session.endsAt <= now) {
    state.counters.sessionsExpired++;
    state.emit({ kind: "session-expired", clientId: session.clientId });
    removeSession(state, session);
    // A delayed Will comes no later than the end of its session [MQTT-3.1.3-9].
    if (session.willDueAt !== Infinity) publishWill(state, session, now);
    return;
  }
  if (session.willDueAt <= now) publishWill(state, session, now);
  scheduleSession(state, session);
}

/**
 * Changes how long a session outlives its connection. One that no longer does is not stored, unless
 * the store alone has what it has yet to be given, or memory may be gone before the connection is.
 */
export function setExpiryInterval(
  state: BrokerState,
  session: Session<Connection>,
  seconds: number,
): void {
  session.expiryInterval = seconds;
  if (seconds > 0 || state.hibernates) session.isRecorded = true;
  else if (session.queue.leftCount === 0) forgetSession(state, session);
}

/** The store need not keep the session any more. */
function forgetSession(state: BrokerState, session: Session<Connection>): void {
  if (state.records(session)) {
    state.journal.record({ kind: "session-removed", clientId: session.clientId });
  }
  session.isRecorded = false;
}

/** Notes for the store who the session belongs to and when it ends. */
export function recordSession(state: BrokerState, session: Session<Connection>): void {
  if (!state.records(session)) return;
  const { clientId, username, isIdentified, protocolVersion, expiryInterval, endsAt } = session;
  state.journal.record({
    kind: "session-set",
    clientId,
    username,
    isIdentified,
    protocolVersion,
    listenerName: session.listener?.name ?? "",
    expiryInterval,
    endsAt,
  });
}
