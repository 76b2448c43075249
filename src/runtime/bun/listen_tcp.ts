/**
 * Accepts TCP connections on Bun. What happens on a connection is in tcp_connection.ts.
 *
 * @module
 */

import { listenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, ListenOptions } from "../runtime.ts";
import { bunApi, type BunListener } from "./bun_api.ts";
import { tcpHandlers } from "./tcp_connection.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";

/** Listens on a TCP port; see `Runtime.listenTcp`. */
export async function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  const { hostname, port, onError } = options;
  // `Bun.listen` cannot change certificates while it listens.
  if (options.tls !== undefined) {
    const node = await import("../node/listen_tcp.ts");
    return node.listenTcp(options, accept, TLS_ABILITIES);
  }
  let listener: BunListener;
  try {
    listener = bunApi().listen({
      hostname,
      port,
      ipv6Only: hostname.includes(":"),
      allowHalfOpen: true,
      socket: tcpHandlers(accept, { onError, path: undefined }),
    });
  } catch (error) {
    throw listenError(hostname, port, error);
  }
  return {
    hostname,
    port: listener.port,
    close() {
      listener.stop(false);
      return Promise.resolve();
    },
  };
}
