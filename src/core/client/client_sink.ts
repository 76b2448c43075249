/**
 * What a client engine tells the application. Calls come from inside `receive`, `advance` and
 * `connectionLost`; each of them may call the engine back.
 *
 * @module
 */

import type { MqttError } from "../codec/error.ts";
import type {
  AuthPacket,
  ConnackPacket,
  DisconnectPacket,
  SubackPacket,
  UnsubackPacket,
} from "../codec/packet.ts";
import type { Properties } from "../codec/property.ts";
import type { ReasonCode } from "../codec/reason_code.ts";
import type { Delivery } from "../session/delivery.ts";
import type { IncomingMessage } from "./incoming_message.ts";

/** Why the engine gave a connection up without being told to. */
export type SilenceCause = "no CONNACK" | "no PINGRESP";

export interface ClientSink {
  /** The broker has answered: connected, or refused when the code is 0x80 or more. */
  onConnack(packet: ConnackPacket): void;
  /**
   * The broker has no session to resume [MQTT-3.2.2-5]: what was in flight is forgotten. These had
   * not been acknowledged; the application may publish them as new messages.
   */
  onSessionLost(unacknowledged: readonly Delivery[]): void;
  /** A message arrived. It is borrowed: valid during the call only. */
  onMessage(message: IncomingMessage): void;
  /** The broker has a QoS 2 message of ours; PUBREL is in the outbox. */
  onReceived?(packetId: number): void;
  /** We have a QoS 2 message; PUBREC is in the outbox, and it must not be shown again. */
  onHeld?(packetId: number): void;
  /** The broker has let go of the identifier of such a message; PUBCOMP is in the outbox. */
  onReleased?(packetId: number): void;
  /** A QoS 1 or 2 message of ours is done, or refused when the code is 0x80 or more. */
  onPublished(packetId: number, reasonCode: ReasonCode, properties: Properties): void;
  onSuback(packet: SubackPacket): void;
  onUnsuback(packet: UnsubackPacket): void;
  /** A step of an enhanced authentication; answer with `authenticate`. */
  onAuth(packet: AuthPacket): void;
  /** The broker ends the connection and says why. */
  onDisconnect(packet: DisconnectPacket): void;
  /** The broker broke the protocol. A DISCONNECT that says so is in the outbox. */
  onError(error: MqttError): void;
  /** The broker did not say what it should have said by now. */
  onSilence(cause: SilenceCause): void;
}
