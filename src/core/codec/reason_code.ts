/**
 * Reason codes: how one side tells the other what became of its request. Midge speaks version 5's
 * codes throughout; this file also knows which packet may carry which of them, and how the six
 * return codes of a 3.x CONNACK relate to them. What a 3.x client is told of other failures is
 * the broker's decision, not this file's.
 *
 * @module
 */

import { PacketType } from "./protocol.ts";

/** Every reason code of version 5 by the standard's name; three names share the value 0. */
export const ReasonCode = Object.freeze(
  {
    SUCCESS: 0x00,
    NORMAL_DISCONNECTION: 0x00,
    GRANTED_QOS_0: 0x00,
    GRANTED_QOS_1: 0x01,
    GRANTED_QOS_2: 0x02,
    DISCONNECT_WITH_WILL_MESSAGE: 0x04,
    NO_MATCHING_SUBSCRIBERS: 0x10,
    NO_SUBSCRIPTION_EXISTED: 0x11,
    CONTINUE_AUTHENTICATION: 0x18,
    RE_AUTHENTICATE: 0x19,
    UNSPECIFIED_ERROR: 0x80,
    MALFORMED_PACKET: 0x81,
    PROTOCOL_ERROR: 0x82,
    IMPLEMENTATION_SPECIFIC_ERROR: 0x83,
    UNSUPPORTED_PROTOCOL_VERSION: 0x84,
    CLIENT_IDENTIFIER_NOT_VALID: 0x85,
    BAD_USER_NAME_OR_PASSWORD: 0x86,
    NOT_AUTHORIZED: 0x87,
    SERVER_UNAVAILABLE: 0x88,
    SERVER_BUSY: 0x89,
    BANNED: 0x8a,
    SERVER_SHUTTING_DOWN: 0x8b,
    BAD_AUTHENTICATION_METHOD: 0x8c,
    KEEP_ALIVE_TIMEOUT: 0x8d,
    SESSION_TAKEN_OVER: 0x8e,
    TOPIC_FILTER_INVALID: 0x8f,
    TOPIC_NAME_INVALID: 0x90,
    PACKET_IDENTIFIER_IN_USE: 0x91,
    PACKET_IDENTIFIER_NOT_FOUND: 0x92,
    RECEIVE_MAXIMUM_EXCEEDED: 0x93,
    TOPIC_ALIAS_INVALID: 0x94,
    PACKET_TOO_LARGE: 0x95,
    MESSAGE_RATE_TOO_HIGH: 0x96,
    QUOTA_EXCEEDED: 0x97,
    ADMINISTRATIVE_ACTION: 0x98,
    PAYLOAD_FORMAT_INVALID: 0x99,
    RETAIN_NOT_SUPPORTED: 0x9a,
    QOS_NOT_SUPPORTED: 0x9b,
    USE_ANOTHER_SERVER: 0x9c,
    SERVER_MOVED: 0x9d,
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: 0x9e,
    CONNECTION_RATE_EXCEEDED: 0x9f,
    MAXIMUM_CONNECT_TIME: 0xa0,
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: 0xa1,
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: 0xa2,
  } as const,
);

export type ReasonCode = typeof ReasonCode[keyof typeof ReasonCode];

const PUBACK_CODES = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const PUBREL_CODES = [0x00, 0x92];

// Section 2.4, one row per packet that has a reason code.
const CODES_BY_PACKET: Readonly<Record<number, readonly number[]>> = Object.freeze({
  // deno-fmt-ignore
  [PacketType.CONNACK]: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95,
    0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
  ],
  [PacketType.PUBACK]: PUBACK_CODES,
  [PacketType.PUBREC]: PUBACK_CODES,
  [PacketType.PUBREL]: PUBREL_CODES,
  [PacketType.PUBCOMP]: PUBREL_CODES,
  // deno-fmt-ignore
  [PacketType.SUBACK]: [
    0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2,
  ],
  [PacketType.UNSUBACK]: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  // deno-fmt-ignore
  [PacketType.DISCONNECT]: [
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
  [PacketType.AUTH]: [0x00, 0x18, 0x19],
});

/** Says whether a version 5 packet of this type may carry this reason code. */
export function mayCarry(packetType: PacketType, code: number): code is ReasonCode {
  return CODES_BY_PACKET[packetType]?.includes(code) ?? false;
}

/** The return code of a 3.x CONNACK. */
export type ReturnCode = 0 | 1 | 2 | 3 | 4 | 5;

/** Lowers a reason code to what a 3.x CONNACK can say; most refusals become "not authorized". */
export function toReturnCode(code: ReasonCode): ReturnCode {
  switch (code) {
    case ReasonCode.SUCCESS:
      return 0;
    // [MQTT-3.1.1-3.1.2-2]
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION:
      return 1;
    // [MQTT-3.1.1-3.1.3-9]
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID:
      return 2;
    case ReasonCode.SERVER_UNAVAILABLE:
    case ReasonCode.SERVER_BUSY:
      return 3;
    case ReasonCode.BAD_USER_NAME_OR_PASSWORD:
      return 4;
    default:
      return 5;
  }
}

const REASON_BY_RETURN_CODE: readonly ReasonCode[] = Object.freeze([
  ReasonCode.SUCCESS,
  ReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
  ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
  ReasonCode.SERVER_UNAVAILABLE,
  ReasonCode.BAD_USER_NAME_OR_PASSWORD,
  ReasonCode.NOT_AUTHORIZED,
]);

/** Lifts the return code of a 3.x CONNACK; `undefined` for the values that 3.x reserves. */
export function fromReturnCode(code: number): ReasonCode | undefined {
  return REASON_BY_RETURN_CODE[code];
}
