/**
 * Midge, an MQTT broker, for a browser's tab or worker, and every other place that has Web APIs and
 * no sockets: nothing in here needs a runtime, and a bundle of it imports nothing. Clients come in
 * over ports and streams; `client_web.ts` is the client for the other end.
 *
 * ```ts
 * import { Broker } from "./web.ts";
 * import { Client } from "./client_web.ts";
 *
 * const broker = new Broker();
 * const { port1, port2 } = new MessageChannel();
 * broker.serve(port1);
 * const client = await Client.connect(port2);
 * await client.publish("hello", "world", { qos: 1, retain: true });
 * await client.disconnect();
 * await broker.close();
 * ```
 *
 * A page hands `port2` to whom it likes. In a worker that several tabs share, each of them gets a
 * port of its own:
 *
 * ```js
 * import { Broker } from "./web.ts";
 *
 * const broker = new Broker();
 * self.onconnect = ({ ports: [port] }) => void broker.serve(port);
 * ```
 *
 * The guide is docs/browser.md.
 *
 * @module
 */

export {
  type BrokerGauges,
  WebBroker as Broker,
  type WebBrokerOptions as BrokerOptions,
} from "./src/app/web_broker.ts";
export { OperationError, type OperationErrorCode } from "./src/core/base/operation_error.ts";
export type { HostMessage } from "./src/core/broker/broker_core.ts";
export type { Counters } from "./src/core/broker/counters.ts";
export type { BrokerEvent, CloseCause, PacketEvent } from "./src/core/broker/event.ts";
export { DEFAULT_LIMITS, type Limits } from "./src/core/broker/limits.ts";
export {
  type Answer,
  ASK,
  type Client,
  type ConnectRequest,
  type Decision,
  OPEN_POLICY,
  type Policy,
  type Publisher,
  type Question,
} from "./src/core/broker/question.ts";
export type { Properties } from "./src/core/codec/property.ts";
export type { ProtocolVersion, QoS } from "./src/core/codec/protocol.ts";
export { ReasonCode } from "./src/core/codec/reason_code.ts";
export type { ListenerSettings, Peer, PeerCertificate, TlsPeer } from "./src/core/session/peer.ts";
export type { FailureStage } from "./src/driver/driver.ts";
export type { ByteDuplex, StreamAddress } from "./src/driver/stream_connection.ts";
export type { LoadLimits, Store } from "./src/store/store.ts";
export type { Accept, Transport, TransportHandler } from "./src/transport/transport.ts";
