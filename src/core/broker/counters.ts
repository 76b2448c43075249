/**
 * What `$SYS` and metrics count. Plain numbers that only grow, except where the name says
 * otherwise; whoever wants a rate takes differences.
 *
 * @module
 */

export class Counters {
  bytesReceived = 0;
  bytesSent = 0;
  packetsReceived = 0;
  packetsSent = 0;
  publishReceived = 0;
  publishSent = 0;
  /** Messages that a client should have had and did not get: limits, expiry of queues, size. */
  publishDropped = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  /** Times that a client had to wait because it published too fast. */
  publishesDelayed = 0;
  /** Messages that were to be retained when there was no room for another topic. */
  retainedRefused = 0;
  connectionsOpened = 0;
  /** CONNECT packets, also those that were refused. */
  connectsReceived = 0;
  connectsAccepted = 0;
  connectsRefused = 0;
  protocolErrors = 0;
  /** Connections closed because too little was heard of them, before their CONNECT or after. */
  timeouts = 0;
  sessionsExpired = 0;
  takeOvers = 0;
  /** Sessions that ended because somebody else came with their identifier. */
  sessionsDiscarded = 0;
  /** Times that we were broken and a connection paid for it. */
  internalErrors = 0;
}
