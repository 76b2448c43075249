/**
 * The MQTT client for browsers, workers and every other place that has `WebSocket` and no sockets:
 * nothing in here needs a runtime. The broker may be in a worker of the same site: see `web.ts`. On
 * Deno, Bun and Node, `client.ts` has the same and connects over TCP, TLS and Unix sockets as well.
 *
 * ```ts
 * import { Client } from "./client_web.ts";
 *
 * async function show(url: string, print: (line: string) => void): Promise<void> {
 *   await using client = await Client.connect(url);
 *   const messages = client.messages("rooms/#");
 *   await client.subscribe("rooms/#");
 *   for await (const { topic, payload } of messages) {
 *     print(`${topic}: ${new TextDecoder().decode(payload)}`);
 *   }
 * }
 *
 * // In a page: await show("wss://broker.example/mqtt", console.log);
 * ```
 *
 * @module
 */

export type { Backoff } from "./src/client/backoff.ts";
export { Client, type DisconnectOptions } from "./src/client/client.ts";
export {
  ClientError,
  type ClientErrorCode,
  type ClientErrorDetails,
} from "./src/client/client_error.ts";
export type {
  Authentication,
  BrokerAddress,
  ClientEvent,
  ClientOptions,
  ClientRuntime,
  Dial,
  Reconnection,
  WebSocketOptions,
  WillOptions,
} from "./src/client/client_options.ts";
export { dialPort } from "./src/client/dial_port.ts";
export type { WaitOptions } from "./src/client/exchanges.ts";
export { MemorySessionStore } from "./src/client/memory_session_store.ts";
export type { Message } from "./src/client/message.ts";
export type { MessagesOptions, MessageStream } from "./src/client/message_stream.ts";
export type { PublishOptions, PublishResult } from "./src/client/outgoing_entry.ts";
export type { FilterRequest, SubscribeOptions, SubscribeResult } from "./src/client/requests.ts";
export type {
  SessionChange,
  SessionStore,
  StoredMessage,
  StoredOutgoing,
  StoredSession,
} from "./src/client/session_store.ts";
export type { ConnackPacket } from "./src/core/codec/packet.ts";
export type { Properties } from "./src/core/codec/property.ts";
export type { ProtocolVersion, QoS } from "./src/core/codec/protocol.ts";
export { ReasonCode } from "./src/core/codec/reason_code.ts";
export type { ByteDuplex } from "./src/driver/stream_connection.ts";
export type { Accept, Transport, TransportHandler } from "./src/transport/transport.ts";
