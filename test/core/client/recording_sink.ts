// A client sink that writes down what it is told, in the order in which it is told.

import type { ClientSink, SilenceCause } from "../../../src/core/client/client_sink.ts";
import type { IncomingMessage } from "../../../src/core/client/incoming_message.ts";
import type { MqttError } from "../../../src/core/codec/error.ts";
import type {
  AuthPacket,
  ConnackPacket,
  DisconnectPacket,
  SubackPacket,
  UnsubackPacket,
} from "../../../src/core/codec/packet.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import type { Delivery } from "../../../src/core/session/delivery.ts";

const decoder = new TextDecoder();

export type Told =
  | ConnackPacket
  | SubackPacket
  | UnsubackPacket
  | AuthPacket
  | DisconnectPacket
  | { type: "lost"; topics: string[] }
  | { type: "message"; topic: string; payload: string; qos: number; retain: boolean }
  | { type: "published"; packetId: number; reasonCode: number }
  | { type: "error"; section: string }
  | { type: "silence"; cause: SilenceCause };

export class RecordingSink implements ClientSink {
  readonly told: Told[] = [];
  /** Properties of the messages that had any. */
  readonly properties: Properties[] = [];
  onMessageHook: ((message: IncomingMessage) => void) | undefined;

  /** What was told since the last time. */
  take(): Told[] {
    return this.told.splice(0);
  }

  onConnack(packet: ConnackPacket): void {
    this.told.push(packet);
  }

  onSessionLost(unacknowledged: readonly Delivery[]): void {
    const topics = unacknowledged.map(({ message }) => message.topic);
    this.told.push({ type: "lost", topics });
  }

  onMessage(message: IncomingMessage): void {
    const { topic, qos, retain } = message;
    const payload = decoder.decode(message.copyPayload());
    this.told.push({ type: "message", topic, payload, qos, retain });
    if (Object.keys(message.properties).length > 0) this.properties.push(message.properties);
    this.onMessageHook?.(message);
  }

  onPublished(packetId: number, reasonCode: number): void {
    this.told.push({ type: "published", packetId, reasonCode });
  }

  onSuback(packet: SubackPacket): void {
    this.told.push(packet);
  }

  onUnsuback(packet: UnsubackPacket): void {
    this.told.push(packet);
  }

  onAuth(packet: AuthPacket): void {
    this.told.push(packet);
  }

  onDisconnect(packet: DisconnectPacket): void {
    this.told.push(packet);
  }

  onError(error: MqttError): void {
    this.told.push({ type: "error", section: error.section });
  }

  onSilence(cause: SilenceCause): void {
    this.told.push({ type: "silence", cause });
  }
}
