// Short ways to write packets down in tests: what is not said is what most packets have. Nothing
// here knows the broker; `virtual_broker.ts` sends these and gives back what it was sent.

import type {
  AckPacket,
  AuthPacket,
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  PublishPacket,
  SubackPacket,
  SubscribePacket,
  SubscriptionRequest,
  UnsubackPacket,
  UnsubscribePacket,
  Will,
} from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import type { ReasonCode } from "../../src/core/codec/reason_code.ts";

const encoder = new TextEncoder();

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Every field of a packet is free to be left out; payloads are written as text. */
type Parts<P> = Partial<Omit<P, "type" | "payload">>;

interface WithPayload {
  readonly payload?: string | Uint8Array;
}

function payloadOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? bytesOf(payload) : payload;
}

export function connect(parts: Parts<ConnectPacket> = {}): ConnectPacket {
  return {
    type: "connect",
    protocolVersion: 5,
    isBridge: false,
    clientId: "client",
    cleanStart: true,
    keepAlive: 0,
    properties: {},
    ...parts,
  };
}

export function will(topic: string, parts: Parts<Will> & WithPayload = {}): Will {
  const { payload = "gone", ...rest } = parts;
  return { topic, qos: 0, retain: false, properties: {}, ...rest, payload: payloadOf(payload) };
}

export function connack(
  reasonCode: number,
  properties: Properties = {},
  sessionPresent = false,
): ConnackPacket {
  return { type: "connack", sessionPresent, reasonCode: reasonCode as ReasonCode, properties };
}

export function publish(
  topic: string,
  parts: Parts<PublishPacket> & WithPayload = {},
): PublishPacket {
  const { payload = "", ...rest } = parts;
  return {
    type: "publish",
    topic,
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: {},
    ...rest,
    payload: payloadOf(payload),
  };
}

export function ack(
  type: AckPacket["type"],
  packetId: number,
  reasonCode: number = 0,
): AckPacket {
  return { type, packetId, reasonCode: reasonCode as ReasonCode, properties: {} };
}

/** One filter of a SUBSCRIBE. */
export function request(
  filter: string,
  parts: Parts<SubscriptionRequest> = {},
): SubscriptionRequest {
  const defaults = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return { ...defaults, ...parts, filter };
}

export function subscribe(
  packetId: number,
  subscriptions: readonly SubscriptionRequest[],
  properties: Properties = {},
): SubscribePacket {
  return { type: "subscribe", packetId, subscriptions: [...subscriptions], properties };
}

export function suback(packetId: number, reasonCodes: readonly number[]): SubackPacket {
  return {
    type: "suback",
    packetId,
    reasonCodes: reasonCodes as ReasonCode[],
    properties: {},
  };
}

export function unsubscribe(packetId: number, filters: readonly string[]): UnsubscribePacket {
  return { type: "unsubscribe", packetId, filters: [...filters], properties: {} };
}

export function unsuback(packetId: number, reasonCodes: readonly number[]): UnsubackPacket {
  return {
    type: "unsuback",
    packetId,
    reasonCodes: reasonCodes as ReasonCode[],
    properties: {},
  };
}

export function disconnect(reasonCode: number = 0, properties: Properties = {}): DisconnectPacket {
  return { type: "disconnect", reasonCode: reasonCode as ReasonCode, properties };
}

export function auth(reasonCode: number, properties: Properties): AuthPacket {
  return { type: "auth", reasonCode: reasonCode as ReasonCode, properties };
}
