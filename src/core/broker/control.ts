/**
 * Topics below `$CONTROL/`, where clients give commands: what is published there is handed to the
 * host and goes no further. What commands there are is the host's business, and so is the answer.
 * A host that takes no commands has such topics refused like others of the broker's own.
 *
 * @module
 */

import { NO_PROPERTIES } from "../codec/property.ts";
import { makeMessage } from "../session/make_message.ts";
import type { Message } from "../session/message.ts";
import type { Session } from "../session/session.ts";
import type { Topic } from "../topic/route_table.ts";
import type { Connection, Target } from "./connection.ts";
import { append, mayHave } from "./deliver.ts";
import { publish } from "./publish.ts";
import type { BrokerState } from "./state.ts";

/** Whether what is published to this topic is a command, and the host takes any. */
export function isCommand(state: BrokerState, topic: string): boolean {
  return state.takesCommands && topic.startsWith("$CONTROL/");
}

/** Publishes what a client was allowed to, or hands it over; as `publish`, which it counts like. */
export function publishOrHandOver(
  state: BrokerState,
  session: Session<Connection>,
  message: Message,
  topic: Topic<Target>,
  now: number,
): number {
  if (!topic.isReserved || !isCommand(state, topic.name)) {
    return publish(state, message, topic, now);
  }
  const { clientId, username } = session;
  const { payloadBytes, payloadStart, payloadEnd } = message;
  // The host reads it after the turn, when the bytes that came in are no more.
  const payload = payloadBytes.slice(payloadStart, payloadEnd);
  state.emit({ kind: "control", clientId, username, topic: topic.name, payload });
  return 1;
}

/** Sends one client a message that it need not have subscribed to; `false` when it is away. */
export function tell(
  state: BrokerState,
  clientId: string,
  topic: string,
  payload: Uint8Array,
  now: number,
): boolean {
  const session = state.sessions.get(clientId);
  const connection = session?.connection;
  if (session === undefined || connection === undefined) return false;
  // A client's own topic with something behind it may be none.
  if (state.routes.findName(topic) === null) return false;
  const properties = NO_PROPERTIES;
  const message = makeMessage({
    topic,
    payload,
    qos: 0,
    retain: false,
    properties,
    publisherId: "",
  });
  if (!mayHave(state, session, message) || state.isBacklogged(connection)) return false;
  state.encoder.begin(message, now);
  append(state, connection, message, 0, false, false, 0, 0);
  return true;
}
