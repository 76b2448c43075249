/**
 * The numbers behind `$SYS`, gathered from the core's counters and gauges and from the process.
 * Which topics they appear under is in sys_metrics.ts.
 *
 * The idea: plain numbers, read all at once, so that one update tells of one instant.
 *
 * @module
 */

import type { Counters } from "../core/broker/counters.ts";

/** One reading. Counts grow from the start of the broker; the rest is as of now. */
export interface SysReadings {
  /** Sessions, with or without a connection. */
  readonly clientsTotal: number;
  /** Open connections, also those that have not said who they are. */
  readonly clientsConnected: number;
  /** Sessions without a connection. */
  readonly clientsDisconnected: number;
  readonly clientsExpired: number;
  /** Messages kept: retained, queued and in flight, each once. */
  readonly messagesStored: number;
  readonly messageBytesStored: number;
  /** Subscriptions that are not shared. */
  readonly subscriptions: number;
  readonly sharedSubscriptions: number;
  readonly retainedMessages: number;
  readonly heapBytes: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly publishReceived: number;
  readonly publishSent: number;
  readonly publishDropped: number;
  readonly publishBytesReceived: number;
  readonly publishBytesSent: number;
  /** What waits in outgoing buffers. */
  readonly packetsWaiting: number;
  readonly packetBytesWaiting: number;
  readonly socketsAccepted: number;
  /** CONNECT packets received. */
  readonly connectsReceived: number;
}

/** What there is of things that come and go. */
export interface SysGauges {
  readonly connections: number;
  /** Sessions with a connection. */
  readonly connectedSessions: number;
  /** With or without a connection. */
  readonly sessions: number;
  readonly subscriptions: number;
  readonly sharedSubscriptions: number;
  readonly retained: number;
  readonly storedMessages: number;
  readonly storedBytes: number;
  readonly waitingPackets: number;
  readonly waitingBytes: number;
  readonly heapBytes: number;
}

/** The counters that `$SYS` shows. */
export type SysCounters = Pick<
  Counters,
  | "bytesReceived"
  | "bytesSent"
  | "packetsReceived"
  | "packetsSent"
  | "publishReceived"
  | "publishSent"
  | "publishDropped"
  | "publishBytesReceived"
  | "publishBytesSent"
  | "connectionsOpened"
  | "connectsReceived"
  | "sessionsExpired"
>;

/** Puts a reading together. */
export function sysReadings(counters: Readonly<SysCounters>, gauges: SysGauges): SysReadings {
  return {
    clientsTotal: gauges.sessions,
    clientsConnected: gauges.connections,
    // Not the difference of the two above: who has yet to say who he is would count as a session.
    clientsDisconnected: gauges.sessions - gauges.connectedSessions,
    clientsExpired: counters.sessionsExpired,
    messagesStored: gauges.storedMessages,
    messageBytesStored: gauges.storedBytes,
    subscriptions: gauges.subscriptions,
    sharedSubscriptions: gauges.sharedSubscriptions,
    retainedMessages: gauges.retained,
    heapBytes: gauges.heapBytes,
    packetsReceived: counters.packetsReceived,
    packetsSent: counters.packetsSent,
    bytesReceived: counters.bytesReceived,
    bytesSent: counters.bytesSent,
    publishReceived: counters.publishReceived,
    publishSent: counters.publishSent,
    publishDropped: counters.publishDropped,
    publishBytesReceived: counters.publishBytesReceived,
    publishBytesSent: counters.publishBytesSent,
    packetsWaiting: gauges.waitingPackets,
    packetBytesWaiting: gauges.waitingBytes,
    socketsAccepted: counters.connectionsOpened,
    connectsReceived: counters.connectsReceived,
  };
}
