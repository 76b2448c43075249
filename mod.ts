/**
 * Midge, an MQTT broker: as a library for Deno, Bun and Node, and as a program.
 *
 * ```ts
 * import { Broker } from "./mod.ts";
 *
 * const broker = new Broker();
 * const { port } = await broker.listen({ port: 0 });
 * console.log(`Listening on port ${port}`);
 * await broker.close();
 * ```
 *
 * @module
 */

import { Broker as NeutralBroker, type BrokerOptions } from "./src/app/broker.ts";
import {
  type BunWebSocketHandlers,
  WEB_SOCKET_HANDLERS,
} from "./src/runtime/bun/web_socket_connection.ts";
import { currentBrokerRuntime, currentRuntime } from "./src/runtime/current.ts";
import type { Store } from "./src/store/store.ts";

export type {
  Authenticator,
  Authorizer,
  Eventual,
  ExchangeReply,
  ExchangeStep,
  InboundMessage,
  Observer,
  TopicRules,
  Verdict,
} from "./src/auth/auth.ts";
export type { Plugin, PluginContext, PluginFactory, PluginLogType } from "./src/auth/plugin.ts";
export type { BrokerOptions, ListenOptions } from "./src/app/broker.ts";
export type { BrokerGauges, WebBrokerOptions } from "./src/app/web_broker.ts";
export { type PluginOptions, withPlugins } from "./src/app/with_plugins.ts";
export type { HostMessage } from "./src/core/broker/broker_core.ts";
export type { Counters } from "./src/core/broker/counters.ts";
export type { BrokerEvent, CloseCause, PacketEvent } from "./src/core/broker/event.ts";
export type { ListenerSettings, Peer, PeerCertificate, TlsPeer } from "./src/core/session/peer.ts";
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
export { OperationError, type OperationErrorCode } from "./src/core/base/operation_error.ts";
export type { FailureStage } from "./src/driver/driver.ts";
export type { ByteDuplex, StreamAddress } from "./src/driver/stream_connection.ts";
export type {
  BunWebSocket,
  BunWebSocketHandlers,
} from "./src/runtime/bun/web_socket_connection.ts";
export type { FetchHandler } from "./src/app/fetch_handler.ts";
export type { StandardWebSocket, WebSocketPlace } from "./src/transport/web_socket_transport.ts";
export type {
  BrokerRuntime,
  Listener,
  SocketUpgrade,
  SocketUpgrader,
  UpgradedRequest,
  UpgradedSocket,
  UpgradeRequest,
  UpgradeRules,
} from "./src/runtime/runtime.ts";
export type { PskOptions, TlsOptions } from "./src/runtime/tls.ts";
export { MemoryStore } from "./src/store/memory_store.ts";
export type { LoadLimits, Store } from "./src/store/store.ts";
export { type MemoryPipeOptions, openMemoryPipe } from "./src/transport/memory_pipe.ts";
export type { Accept, Transport, TransportHandler } from "./src/transport/transport.ts";

/**
 * An MQTT broker that can listen with the sockets of the runtime it finds itself on.
 *
 * ```ts
 * import { Broker } from "./mod.ts";
 *
 * const broker = new Broker({ limits: { maximumPacketSize: 65_536 } });
 * const { port } = await broker.listen({ port: 0 });
 * const payload = new TextEncoder().encode("world");
 * broker.publish({ topic: "hello", payload, retain: true });
 * console.log(`Try: mosquitto_sub -p ${port} -t hello`);
 * await broker.close();
 * ```
 */
export class Broker extends NeutralBroker {
  /** What `Bun.serve` needs beside {@linkcode Broker.fetch}; of all brokers the same. */
  readonly websocket: BunWebSocketHandlers = WEB_SOCKET_HANDLERS;

  constructor(options: BrokerOptions = {}) {
    super({ runtime: currentBrokerRuntime, ...options });
  }
}

/**
 * Opens the durable store in a file, which is made when it is not there, for the option `store` of
 * a {@linkcode Broker}. Whoever opens it closes it, when the broker is closed.
 *
 * ```ts
 * import { Broker, openStore } from "./mod.ts";
 *
 * const store = await openStore("broker.midge");
 * const broker = new Broker({ store });
 * await broker.listen();
 * ```
 *
 * @param sync `"full"` acknowledges what is on the disk, and `"later"` does so without blocking the
 * process while the disk works. With `"normal"` a power cut can take the last seconds.
 * @throws {OperationError} when it is open elsewhere, damaged, of a newer version, or when the
 * runtime has no SQLite.
 */
export async function openStore(
  path: string,
  sync: "full" | "later" | "normal" = "full",
): Promise<Store> {
  const { openSqliteStore } = await import("./src/app/open_store.ts");
  return await openSqliteStore(await currentRuntime(), { path, sync });
}

if (import.meta.main) {
  // Loaded only by the program, so that a library user needs none of what it imports.
  const { runCommandLine } = await import("./src/cli/main.ts");
  await runCommandLine(await currentRuntime());
}
