/**
 * What the fifteen packets mean once they are read: one interface each, told apart by `type`.
 * There is one shape for all versions, that of version 5: older packets are lifted when they are
 * decoded (codes they cannot carry become success, options they lack become 0) and lowered when
 * they are encoded. How they look as bytes is in the file of each packet.
 *
 * A decoded packet owns its bytes: nothing in it refers to the buffer that it was read from.
 *
 * @module
 */

import type { Properties } from "./property.ts";
import type { ProtocolVersion, QoS } from "./protocol.ts";
import type { ReasonCode } from "./reason_code.ts";

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | PubackPacket
  | PubrecPacket
  | PubrelPacket
  | PubcompPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;

export interface ConnectPacket {
  type: "connect";
  protocolVersion: ProtocolVersion;
  /** The top bit of the level, by which bridges of version 3.1 and 3.1.1 announce themselves. */
  isBridge: boolean;
  clientId: string;
  cleanStart: boolean;
  /** In seconds; 0 turns the check off. */
  keepAlive: number;
  username?: string;
  password?: Uint8Array;
  will?: Will;
  properties: Properties;
}

/** The message that the broker publishes when the connection is lost. */
export interface Will {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties: Properties;
}

export interface ConnackPacket {
  type: "connack";
  sessionPresent: boolean;
  reasonCode: ReasonCode;
  properties: Properties;
}

export interface PublishPacket {
  type: "publish";
  /** Empty when a topic alias stands for it. */
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  /** 0 when the quality of service is 0. */
  packetId: number;
  properties: Properties;
}

interface Ack<Type extends string> {
  type: Type;
  packetId: number;
  reasonCode: ReasonCode;
  properties: Properties;
}

export interface PubackPacket extends Ack<"puback"> {}
export interface PubrecPacket extends Ack<"pubrec"> {}
export interface PubrelPacket extends Ack<"pubrel"> {}
export interface PubcompPacket extends Ack<"pubcomp"> {}

export type AckPacket = PubackPacket | PubrecPacket | PubrelPacket | PubcompPacket;

export interface SubscribePacket {
  type: "subscribe";
  packetId: number;
  subscriptions: SubscriptionRequest[];
  properties: Properties;
}

/** One filter of a SUBSCRIBE with its options; before version 5 all but the QoS are 0. */
export interface SubscriptionRequest {
  filter: string;
  qos: QoS;
  noLocal: boolean;
  retainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
}

export interface SubackPacket {
  type: "suback";
  packetId: number;
  reasonCodes: ReasonCode[];
  properties: Properties;
}

export interface UnsubscribePacket {
  type: "unsubscribe";
  packetId: number;
  filters: string[];
  properties: Properties;
}

export interface UnsubackPacket {
  type: "unsuback";
  packetId: number;
  /** Empty before version 5, which has none. */
  reasonCodes: ReasonCode[];
  properties: Properties;
}

export interface PingreqPacket {
  type: "pingreq";
}

export interface PingrespPacket {
  type: "pingresp";
}

export interface DisconnectPacket {
  type: "disconnect";
  reasonCode: ReasonCode;
  properties: Properties;
}

export interface AuthPacket {
  type: "auth";
  reasonCode: ReasonCode;
  properties: Properties;
}
