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

/** Listens on a TCP port; see `Runtime.listenTcp`. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  // `Bun.listen` throws at once; the contract promises a promise.
  return new Promise((resolve) => resolve(open(options, accept)));
}

function open(options: ListenOptions, accept: Accept): Listener {
  let listener: BunListener;
  try {
    listener = bunApi().listen({
      hostname: options.hostname,
      port: options.port,
      allowHalfOpen: true,
      socket: tcpHandlers(accept, options.onError),
    });
  } catch (error) {
    throw listenError(options.hostname, options.port, error);
  }
  return {
    hostname: options.hostname,
    port: listener.port,
    close() {
      listener.stop(false);
      return Promise.resolve();
    },
  };
}
