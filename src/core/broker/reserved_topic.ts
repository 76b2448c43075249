/**
 * Topics that belong to the broker. Whether a client may publish to one is not the policy's
 * business: nobody is asked, and nobody can allow it.
 *
 * @module
 */

/** Bridges, also those of other brokers, tell here whether they are connected. */
const BRIDGE_STATE = /^\$SYS\/broker\/connection\/[^/]*\/state$/;

/** Tells whether no client may publish to the topic, whose name is the one inside the broker. */
export function isReserved(topic: string): boolean {
  if (!topic.startsWith("$")) return false;
  if (topic === "$SYS" || topic.startsWith("$SYS/")) return !BRIDGE_STATE.test(topic);
  return topic.startsWith("$share") || topic === "$CONTROL" || topic.startsWith("$CONTROL/");
}
