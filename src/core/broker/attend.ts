/**
 * What is done when time has passed, and connections that somebody has to look after: those who
 * have been silent for long, who have waited because they publish too fast or because the store is
 * behind, who take nothing while others go short, and the one whose bytes we could not handle by
 * our own fault.
 *
 * @module
 */

import { ReasonCode } from "../codec/reason_code.ts";
import type { Connection } from "./connection.ts";
import { processPackets } from "./dispatch.ts";
import { endConnection, expireSession } from "./end.ts";
import { pump } from "./pump.ts";
import { expel } from "./refuse.ts";
import { sweepRetained } from "./retained.ts";
import type { BrokerState } from "./state.ts";

/** Does whatever is due. */
export function advance(state: BrokerState, now: number): void {
  for (let due = state.deadlines.takeDue(now); due; due = state.deadlines.takeDue(now)) {
    switch (due.kind) {
      case "session":
        expireSession(state, due, now);
        break;
      case "connection":
        attend(state, due, now);
        break;
      case "housekeeping":
        state.pool.trim();
        if (state.isOverTotal) expelStuck(state, now);
        else feed(state, now);
        state.scheduleHousekeeping(now);
        break;
      case "retain-sweep":
        sweepRetained(state, now);
    }
  }
}

/** A connection's deadline: it has waited, has not connected in time, or is silent for long. */
function attend(state: BrokerState, connection: Connection, now: number): void {
  if (connection.phase === "connected") {
    if (connection.waitsUntil !== 0 && connection.waitsUntil <= now) {
      connection.waitsUntil = 0;
      hear(state, connection, now);
    }
    if (connection.phase !== "connected") return;
    const { silenceMaxMs, waitsUntil, questionId } = connection;
    // While its packets wait it cannot be heard.
    const isHeard = questionId === 0 && waitsUntil === 0 && !state.blocked.has(connection) &&
      !(connection.isPaused && state.starved.has(connection));
    const heardAt = isHeard ? connection.lastHeardAt : now;
    const silentAt = silenceMaxMs === 0 ? Infinity : heardAt + silenceMaxMs;
    if (silentAt > now) {
      const due = waitsUntil === 0 ? silentAt : Math.min(silentAt, waitsUntil);
      if (due !== Infinity) state.deadlines.set(connection, due);
      return;
    }
  }
  // [MQTT-3.1.2-22]
  state.counters.timeouts++;
  endConnection(state, connection, { cause: "exceeded timeout", publishesWill: true }, now);
}

/** Listens again to those who had to wait for the store, until it is behind once more. */
export function unblock(state: BrokerState, now: number): void {
  let failure: { readonly error: unknown } | undefined;
  for (const connection of state.blocked) {
    if (state.journal.isFull) break;
    state.blocked.delete(connection);
    try {
      hear(state, connection, now);
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}

/** Goes on with those who wait for the total backlog to go, as far as it has gone. */
export function feedStarved(state: BrokerState, now: number): void {
  // Only once there is room for some time, so that it is not asked for each packet.
  if (state.backlogBytes <= state.limits.backlogBytesTotalMax / 2) feed(state, now);
}

/** Sends what waited for the total, and listens again to those who could not be answered. */
function feed(state: BrokerState, now: number): void {
  for (const connection of state.starved) {
    state.starved.delete(connection);
    if (connection.session !== undefined) pump(state, connection.session, now);
    if (connection.isPaused) hear(state, connection, now);
    if (state.isOverTotal) return;
  }
}

/** Sends away who has taken nothing for long while others go short because of the total. */
function expelStuck(state: BrokerState, now: number): void {
  for (const connection of state.connections) {
    if (connection.lentSince === 0) continue;
    if (now - connection.lentSince < state.limits.stuckMsMax) continue;
    expel(state, connection, ReasonCode.QUOTA_EXCEEDED, true, now);
  }
}

/** Handling this connection's bytes failed by our own fault. */
export function fail(state: BrokerState, connection: Connection, now: number): void {
  state.counters.internalErrors++;
  expel(state, connection, ReasonCode.UNSPECIFIED_ERROR, true, now);
}

/** Goes on with what somebody has sent who had to wait. */
function hear(state: BrokerState, connection: Connection, now: number): void {
  connection.lastHeardAt = now;
  try {
    processPackets(state, connection, now);
  } catch (error) {
    fail(state, connection, now);
    throw error;
  }
}
