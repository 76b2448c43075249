/**
 * Accepts TCP connections on Deno. What happens on a connection is in tcp_connection.ts.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import { listenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, ListenOptions } from "../runtime.ts";
import { acceptAll } from "./accept_all.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";

/** Listens on a TCP port; see `Runtime.listenTcp`. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  return options.hostname === "::" ? listenOnEach(options, accept) : listenAt(options, accept);
}

async function listenAt(options: ListenOptions, accept: Accept): Promise<Listener> {
  const { hostname, port, onError } = options;
  // `Deno.listenTls` tells neither version nor cipher and asks for no client certificates.
  if (options.tls !== undefined) {
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

/**
 * Listens on every IPv6 address that the machine has now. Nothing on Deno makes a socket for all of
 * them that leaves IPv4 alone, and the port of an IPv4 socket could not be shared with any other.
 */
async function listenOnEach(options: ListenOptions, accept: Accept): Promise<Listener> {
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  let missing: unknown = listenError(options.hostname, options.port, { code: "EADDRNOTAVAIL" });
  let { port } = options;
  for (const hostname of ownAddresses()) {
    try {
      const listener = await listenAt({ ...options, hostname, port }, accept);
      ({ port } = listener);
      listeners.push(listener);
    } catch (error) {
      missing = error;
      // An address may be tentative, or valid on one interface only.
      if (error instanceof OperationError && error.code === "address-not-available") continue;
      await close();
      throw error;
    }
  }
  if (listeners.length === 0) throw missing;
  const setTls: Listener["setTls"] = async (tls) => {
    for (const listener of listeners) await listener.setTls!(tls);
  };
  return { hostname: options.hostname, port, close, ...(options.tls && { setTls }) };
}

function ownAddresses(): readonly string[] {
  const addresses = Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv6" && !address.startsWith("fe80:"))
    .map(({ address }) => address);
  return [...new Set(addresses)];
}
