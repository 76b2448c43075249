/**
 * A reload: other limits, another policy, other settings of listeners, without losing a connection
 * that may stay. What is bounded per connection holds for those that come from now on; how large a
 * packet may be holds for everybody at once.
 *
 * The bounds of what was made with the broker (buffers, remembered topics) stay as they were.
 *
 * @module
 */

import { ReasonCode } from "../codec/reason_code.ts";
import type { ListenerSettings } from "../session/peer.ts";
import { requestOf } from "./check_connect.ts";
import type { Connection } from "./connection.ts";
import { processPackets } from "./dispatch.ts";
import { handleConnect } from "./handle_connect.ts";
import type { Limits } from "./limits.ts";
import type { Client, ConnectRequest, Policy } from "./question.ts";
import { expelAs, refuseConnect } from "./refuse.ts";
import { scheduleSweep } from "./retained.ts";
import { type BrokerState, packetLimitsOf } from "./state.ts";

/** What a reload changes; what is left out stays. */
export interface Reconfiguration {
  readonly limits?: Limits;
  readonly policy?: Policy;
  /** For connections that come in by no listener of the host's. */
  readonly listener?: ListenerSettings;
  /** Whether there is an event for every packet. */
  readonly tracesPackets?: boolean;
  /** Whether connecting, publishing and subscribing are refused for want of memory. */
  readonly isShortOfMemory?: boolean;
  /** Settings that are there, and what takes their place, for present connections as well. */
  readonly listeners?: ReadonlyMap<ListenerSettings, ListenerSettings>;
}

/** Whether a client may stay; the request is that of its CONNECT, without the password. */
export type Judge = (client: Client, request: ConnectRequest) => ReasonCode;

export function configure(state: BrokerState, changes: Reconfiguration, now: number): void {
  const { limits, policy, listener, listeners = new Map() } = changes;
  if (policy !== undefined) state.policy = policy;
  if (limits !== undefined) setLimits(state, limits);
  state.tracesPackets = changes.tracesPackets ?? state.tracesPackets;
  state.isShortOfMemory = changes.isShortOfMemory ?? state.isShortOfMemory;
  const replaced = new Map<ListenerSettings, ListenerSettings>(listeners);
  if (listener !== undefined) {
    replaced.set(state.ownListener, listener);
    state.ownListener = listener;
  }
  if (replaced.size > 0) replaceListeners(state, replaced);
  state.scheduleHousekeeping(now);
  scheduleSweep(state, now);
}

function setLimits(state: BrokerState, limits: Limits): void {
  const old = state.packetLimits;
  const { beforeConnect, authenticating, connected } = state.packetLimits = packetLimitsOf(limits);
  const successors = new Map([
    [old.beforeConnect, beforeConnect],
    [old.authenticating, authenticating],
    [old.connected, connected],
  ]);
  state.limits = limits;
  state.journal.bytesMax = limits.uncommittedBytesMax;
  for (const { framer } of state.connections) {
    framer.limits = successors.get(framer.limits) ?? framer.limits;
  }
}

function replaceListeners(
  state: BrokerState,
  replaced: ReadonlyMap<ListenerSettings, ListenerSettings>,
): void {
  for (const connection of state.connections) {
    const fresh = replaced.get(connection.listener);
    if (fresh === undefined) continue;
    state.leaveListener(connection.listener);
    connection.listener = fresh;
    state.enterListener(fresh);
  }
  // Who is away is judged by the settings that he last came in by.
  for (const session of state.sessions.values()) {
    if (session.listener === undefined) continue;
    session.listener = replaced.get(session.listener) ?? session.listener;
  }
}

/** Judges every client that is connected, and starts anew where a decision was still awaited. */
export function recheck(state: BrokerState, judge: Judge, now: number): number {
  let count = 0;
  for (const connection of [...state.connections]) {
    const { session, phase } = connection;
    if (phase === "connecting") {
      decideAnew(state, connection, now);
    } else if (phase === "connected" && session !== undefined) {
      const request = requestOf(connection, session);
      const reasonCode = judge(session, request);
      if (reasonCode === ReasonCode.SUCCESS) continue;
      count++;
      expelAs(state, connection, reasonCode, "not authorised", now);
    }
  }
  return count;
}

/** The answer that a CONNECT waits for would be one by rules that are no more. */
function decideAnew(state: BrokerState, connection: Connection, now: number): void {
  const { pending } = connection;
  state.forgetQuestion(connection);
  if (pending?.kind === "connect") {
    handleConnect(state, connection, pending.packet, now);
    processPackets(state, connection, now);
  } else {
    refuseConnect(state, connection, ReasonCode.SERVER_BUSY, {
      detail: "The configuration has changed during the authentication",
    }, now);
  }
}
