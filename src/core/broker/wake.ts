/**
 * The broker wakes: its memory was gone, and its connections were not. What the store has kept is
 * there again (`restore.ts`); here each connection is put back from its snapshot and goes on with
 * the session that it had. Nobody is told anything, because for the clients nothing has happened.
 *
 * @module
 */

import { Connection } from "./connection.ts";
import { processPackets } from "./dispatch.ts";
import type { Hibernation, Sleeper, Woken } from "./hibernation.ts";
import { pump } from "./pump.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";
import type { BrokerState } from "./state.ts";

/** For a broker whose host may take its memory away. */
export const HIBERNATION: Hibernation = Object.freeze({ write: writeSnapshot, putBack });

function putBack(state: BrokerState, sleepers: Iterable<Sleeper>): Woken {
  const rests: Uint8Array[] = [];
  const connections: Connection[] = [];
  for (const sleeper of sleepers) {
    const { peer, listener = state.ownListener, snapshot } = sleeper;
    const { beforeConnect } = state.packetLimits;
    const connection = new Connection(peer, listener, beforeConnect, state.pool);
    connections.push(connection);
    rests.push(putBackOne(state, connection, snapshot));
  }
  // Where each of many turns begins anew, the first member would have them all.
  for (const group of state.groups.values()) group.beginAt(state.random());
  const goOn = (now: number): void => {
    connections.forEach((connection, i) => goOnWith(state, connection, rests[i]!, now));
  };
  return { connections, goOn };
}

function putBackOne(
  state: BrokerState,
  connection: Connection,
  snapshot: Uint8Array,
): Uint8Array {
  const { clientId, rest } = readSnapshot(state, connection, snapshot);
  state.connections.add(connection);
  state.enterListener(connection.listener);
  if (clientId === undefined) return rest;
  const session = state.sessions.get(clientId);
  if (session === undefined || session.connection !== undefined) {
    // The store knows better: the session has ended, or somebody else has it.
    connection.phase = "ended";
    state.connections.delete(connection);
    state.leaveListener(connection.listener);
    state.deadlines.delete(connection);
    state.closings.push(connection);
    return rest;
  }
  session.connection = connection;
  session.listener = connection.listener;
  connection.session = session;
  connection.phase = "connected";
  connection.framer.limits = state.packetLimits.connected;
  state.connectedCount++;
  const { silenceMaxMs, waitsUntil, lastHeardAt } = connection;
  const silentAt = silenceMaxMs === 0 ? Infinity : lastHeardAt + silenceMaxMs;
  const at = waitsUntil === 0 ? silentAt : Math.min(silentAt, waitsUntil);
  if (at !== Infinity) state.deadlines.set(connection, at);
  return rest;
}

/** Takes up what a connection was at: what was not handled, and what waits to be sent. */
function goOnWith(
  state: BrokerState,
  connection: Connection,
  rest: Uint8Array,
  now: number,
): void {
  const { session } = connection;
  if (
    session !== undefined && connection.phase === "connected" &&
    (session.queue.length > 0 || session.owedRetained.size > 0 || session.sender.hasUnsent)
  ) {
    pump(state, session, now);
  }
  if (rest.length === 0 || connection.phase === "ended") return;
  connection.framer.feed(rest);
  processPackets(state, connection, now);
}
