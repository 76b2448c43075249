/**
 * The topics of `$SYS` as tables: which reading each one shows, by what rule, and which other names
 * it goes by. What is done with them, and when, is in sys_topics.ts.
 *
 * @module
 */

import type { SysReadings } from "./sys_readings.ts";

/** What all topics begin with. */
export const SYS_PREFIX = "$SYS/broker/";

/** A topic that shows a whole number. */
export interface SysMetric {
  /** After the prefix. */
  readonly topic: string;
  /** A deprecated topic that says the same. */
  readonly alias?: string;
  /** Shows the highest value there has been. */
  readonly isMaximum?: boolean;
  value(readings: SysReadings): number;
}

export const SYS_METRICS: readonly SysMetric[] = [
  { topic: "clients/total", value: (now) => now.clientsTotal },
  { topic: "clients/maximum", isMaximum: true, value: (now) => now.clientsTotal },
  { topic: "clients/connected", alias: "clients/active", value: (now) => now.clientsConnected },
  {
    topic: "clients/disconnected",
    alias: "clients/inactive",
    value: (now) => now.clientsDisconnected,
  },
  { topic: "clients/expired", value: (now) => now.clientsExpired },
  { topic: "messages/stored", alias: "store/messages/count", value: (now) => now.messagesStored },
  { topic: "store/messages/bytes", value: (now) => now.messageBytesStored },
  { topic: "subscriptions/count", value: (now) => now.subscriptions },
  { topic: "shared_subscriptions/count", value: (now) => now.sharedSubscriptions },
  { topic: "retained messages/count", value: (now) => now.retainedMessages },
  { topic: "heap/current", value: (now) => now.heapBytes },
  { topic: "heap/maximum", isMaximum: true, value: (now) => now.heapBytes },
  { topic: "messages/received", value: (now) => now.packetsReceived },
  { topic: "messages/sent", value: (now) => now.packetsSent },
  { topic: "bytes/received", value: (now) => now.bytesReceived },
  { topic: "bytes/sent", value: (now) => now.bytesSent },
  { topic: "publish/messages/received", value: (now) => now.publishReceived },
  { topic: "publish/messages/sent", value: (now) => now.publishSent },
  { topic: "publish/messages/dropped", value: (now) => now.publishDropped },
  { topic: "publish/bytes/received", value: (now) => now.publishBytesReceived },
  { topic: "publish/bytes/sent", value: (now) => now.publishBytesSent },
  { topic: "packet/out/count", value: (now) => now.packetsWaiting },
  { topic: "packet/out/bytes", value: (now) => now.packetBytesWaiting },
  { topic: "connections/socket/count", value: (now) => now.socketsAccepted },
];

/** A count whose rate is shown, under `load/<what>/1min`, `/5min` and `/15min`. */
export interface SysLoad {
  readonly what: string;
  value(readings: SysReadings): number;
}

export const SYS_LOADS: readonly SysLoad[] = [
  { what: "messages/received", value: (now) => now.packetsReceived },
  { what: "messages/sent", value: (now) => now.packetsSent },
  { what: "publish/received", value: (now) => now.publishReceived },
  { what: "publish/sent", value: (now) => now.publishSent },
  { what: "publish/dropped", value: (now) => now.publishDropped },
  { what: "bytes/received", value: (now) => now.bytesReceived },
  { what: "bytes/sent", value: (now) => now.bytesSent },
  { what: "sockets", value: (now) => now.socketsAccepted },
  { what: "connections", value: (now) => now.connectsReceived },
];
