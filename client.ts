/**
 * The MQTT client on Deno, Bun and Node: over TCP, TLS, WebSockets and Unix sockets, through a
 * proxy if need be, with sessions that survive the process. The guide is docs/client.md.
 *
 * ```ts
 * import { Client } from "./client.ts";
 * import { Broker } from "./mod.ts";
 *
 * const broker = new Broker();
 * const { port } = await broker.listen({ port: 0 });
 *
 * const client = await Client.connect(`mqtt://127.0.0.1:${port}`);
 * await client.publish("hello", "world", { qos: 1, retain: true });
 * await client.disconnect();
 * await broker.close();
 * ```
 *
 * @module
 */

import { Client as NeutralClient } from "./src/client/client.ts";
import type { BrokerAddress, ClientOptions } from "./src/client/client_options.ts";
import { SqliteSessionStore, type SqliteStoreOptions } from "./src/client/sqlite_session_store.ts";
import { currentRuntime } from "./src/runtime/current.ts";

export * from "./client_web.ts";
export { SqliteSessionStore, type SqliteStoreOptions } from "./src/client/sqlite_session_store.ts";
export { OperationError, type OperationErrorCode } from "./src/core/base/operation_error.ts";
export type { ProxyOptions } from "./src/runtime/runtime.ts";
export type { ClientPsk, TlsClientOptions } from "./src/runtime/tls.ts";

/**
 * An MQTT client that connects with the sockets of the runtime it finds itself on.
 *
 * ```ts
 * import { Client, ClientError } from "./client.ts";
 *
 * const nobody = "mqtt://127.0.0.1:1";
 * const error = await Client.connect(nobody).catch((error: unknown) => error);
 * if (error instanceof ClientError) console.log(error.code, error.reason);
 * ```
 */
export class Client extends NeutralClient {
  /** @throws {ClientError} with code `"invalid-argument"`. */
  constructor(address: BrokerAddress, options: ClientOptions = {}) {
    super(address, { runtime: currentRuntime, ...options });
  }
}

/**
 * Opens a file in which a client's session survives its process, for the option `store`; whoever
 * opened it closes it, after the client. It throws as `SqliteSessionStore.open` does.
 *
 * ```ts
 * import { Client, openSessionStore } from "./client.ts";
 * import { Broker } from "./mod.ts";
 *
 * const broker = new Broker();
 * const { port } = await broker.listen({ port: 0 });
 *
 * const store = await openSessionStore("sensor.db");
 * const client = new Client(`mqtt://127.0.0.1:${port}`, {
 *   clientId: "sensor",
 *   cleanStart: false,
 *   properties: { sessionExpiryInterval: 86_400 },
 *   store,
 * });
 * const sent = client.publish("temperature", "21.5", { qos: 2 });
 * await client.open();
 * await client.stored(); // From here on the message survives the process.
 * await sent; // And now the broker has it.
 * await client.disconnect();
 * store.close();
 * await broker.close();
 * ```
 */
export async function openSessionStore(
  path: string,
  options: Pick<SqliteStoreOptions, "sync"> = {},
): Promise<SqliteSessionStore> {
  return await SqliteSessionStore.open({ runtime: currentRuntime, path, ...options });
}
