/**
 * The topic alias of `-D publish topic-alias`: the first message of a connection says what it
 * stands for, and those after it leave the topic out.
 *
 * @module
 */

import type { ConnackPacket } from "../../core/codec/packet.ts";
import type { Properties } from "../../core/codec/property.ts";
import { ReasonCode } from "../../core/codec/reason_code.ts";
import { type ClientFailure, disconnectFailure } from "./client_failure.ts";

/** Why the alias cannot be used on this connection, if so. */
export function aliasFailure(
  { topicAlias = 0 }: Properties,
  { properties: { topicAliasMaximum = 0 } }: ConnackPacket,
): ClientFailure | undefined {
  return topicAlias > topicAliasMaximum
    ? disconnectFailure(ReasonCode.TOPIC_ALIAS_INVALID)
    : undefined;
}

/** The topic to send, which is none once the broker knows the alias. */
export function topicToSend(topic: string, properties: Properties, isKnown: boolean): string {
  return isKnown && properties.topicAlias !== undefined ? "" : topic;
}
