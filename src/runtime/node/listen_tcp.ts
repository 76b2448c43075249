/**
 * Accepts TCP connections on Node. What happens on a connection is in tcp_connection.ts.
 *
 * @module
 */

import { type AddressInfo, createServer, type Server } from "node:net";
import { listenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, ListenOptions } from "../runtime.ts";
import { serveTcp } from "./tcp_connection.ts";

const READ_BYTES = 65536;

/** Listens on a TCP port; see `Runtime.listenTcp`. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  // Reads are delivered one at a time, so one buffer serves all connections of the listener.
  const shared = new Uint8Array(READ_BYTES);
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.on("connection", (socket) => {
    try {
      serveTcp(socket, shared, accept);
    } catch (error) {
      options.onError?.(error);
    }
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(listenError(options.hostname, options.port, error));
    server.once("error", fail);
    server.listen({ host: options.hostname, port: options.port }, () => {
      server.off("error", fail);
      // From here on an error concerns one connection that could not be accepted.
      server.on("error", (error) => options.onError?.(error));
      resolve(listenerOf(server));
    });
  });
}

function listenerOf(server: Server): Listener {
  // An address in this form is what a server that listens on TCP has.
  const { address, port } = server.address() as AddressInfo;
  return {
    hostname: address,
    port,
    close() {
      // Its callback would wait for the connections too; the port is free at once.
      server.close();
      return Promise.resolve();
    },
  };
}
