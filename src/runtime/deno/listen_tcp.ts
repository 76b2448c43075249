/**
 * Accepts TCP connections on Deno. What happens on a connection is in tcp_connection.ts.
 *
 * @module
 */

import { listenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, ListenOptions } from "../runtime.ts";
import { acceptAll } from "./accept_all.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";

/** Listens on a TCP port; see `Runtime.listenTcp`. */
export async function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  const { hostname, port, onError } = options;
  // `Deno.listenTls` tells neither version nor cipher and asks for no client certificates; and
  // `Deno.listen` takes IPv4 as well on this address.
  if (options.tls !== undefined || hostname === "::") {
    const node = await import("../node/listen_tcp.ts");
    return node.listenTcp(options, accept, TLS_ABILITIES);
  }
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    throw listenError(hostname, port, error);
  }
  return acceptAll(listener, { ...listener.addr, onError }, accept);
}
