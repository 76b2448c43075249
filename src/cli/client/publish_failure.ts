/**
 * Why a message could not be sent, or was refused, in the words of the tools.
 *
 * @module
 */

import { PublishRefusal } from "../../core/client/outbound.ts";
import type { Properties } from "../../core/codec/property.ts";
import { VARINT_MAX } from "../../core/codec/protocol.ts";
import { ReasonCode } from "../../core/codec/reason_code.ts";
import { ClientFailure, disconnectFailure, failureOf, FAILURES } from "./client_failure.ts";
import { reasonText } from "./reason_text.ts";

/** More than whatever stands in a PUBLISH beside topic, properties and payload. */
const HEADER_BYTES = 16;

/** Whether the protocol has no length for such a message. */
export function isTooLarge(topic: string, payload: Uint8Array): boolean {
  return payload.length + topic.length * 3 + HEADER_BYTES > VARINT_MAX;
}

/** What the engine's refusal to send a message means; it is none of those that pass. */
export function publishFailure(refusal: number): ClientFailure {
  switch (refusal) {
    case PublishRefusal.PACKET_TOO_LARGE:
      return failureOf("packetSize");
    case PublishRefusal.QOS_NOT_SUPPORTED:
      return new ClientFailure(
        FAILURES.qos.status,
        "Error: Message QoS not supported on broker, try a lower QoS.",
      );
    case PublishRefusal.RETAIN_NOT_SUPPORTED:
      return disconnectFailure(ReasonCode.RETAIN_NOT_SUPPORTED);
  }
  return failureOf("invalid");
}

/** What is said of a message that the broker has refused; nothing of one that it has taken. */
export function refusalWarning(
  packetId: number,
  reasonCode: ReasonCode,
  { reasonString }: Properties,
): string[] {
  if (reasonCode < ReasonCode.UNSPECIFIED_ERROR) return [];
  const warning = `Warning: Publish ${packetId} failed: ${reasonText(reasonCode)}.`;
  return reasonString === undefined ? [warning] : [warning, reasonString];
}
