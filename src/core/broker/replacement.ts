/**
 * A message that somebody outside put in the place of a client's: made from what he gave, which is
 * checked like a packet, and judged anew where it goes elsewhere than the one that it replaces.
 *
 * @module
 */

import { ReasonCode } from "../codec/reason_code.ts";
import { makeMessage } from "../session/make_message.ts";
import type { Message } from "../session/message.ts";
import { isMessageContents, type MessageContents } from "../session/message_contents.ts";
import type { Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import type { PublishDecision } from "./question.ts";
import { isReserved } from "./reserved_topic.ts";
import type { BrokerState } from "./state.ts";

/** Makes a message of what somebody outside put in the place of one; a reason code if he cannot. */
export function replaceMessage(
  state: BrokerState,
  session: Session<Connection>,
  contents: MessageContents,
  now: number,
): Message | ReasonCode {
  const { topic, payload, qos, properties } = contents;
  const { messageSizeLimit, retainAvailable } = state.limits;
  if (typeof topic !== "string" || state.routes.findName(topic) === null) {
    return ReasonCode.TOPIC_NAME_INVALID;
  }
  if (isReserved(topic)) return ReasonCode.NOT_AUTHORIZED;
  if (
    !isMessageContents(contents) || (messageSizeLimit > 0 && payload.length > messageSizeLimit)
  ) return ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR;
  const message = makeMessage({
    topic,
    payload,
    qos,
    retain: contents.retain && retainAvailable,
    properties,
    publisherId: session.clientId,
    publisherUsername: session.username,
  });
  const { messageExpiryInterval } = properties;
  if (messageExpiryInterval !== undefined) message.expiresAt = now + messageExpiryInterval * 1000;
  return message;
}

/** One that goes elsewhere, or otherwise, than was asked about needs a permission of its own. */
export function decideAgain(
  state: BrokerState,
  session: Session<Connection>,
  asked: Message,
  { topic, qos, retain }: Message,
): PublishDecision {
  const isSame = topic === asked.topic && qos === asked.qos && retain === asked.retain;
  return isSame ? ReasonCode.SUCCESS : state.policy.publish(session, topic, qos, retain);
}
