/**
 * Accepts connections on Node, by TCP or a Unix socket, with TLS or without. What happens on a
 * connection is in tcp_connection.ts.
 *
 * Deno and Bun borrow this for TLS: their own listeners name neither version nor cipher, or cannot
 * change certificates while they listen.
 *
 * @module
 */

import { type AddressInfo, createServer, type Server } from "node:net";
import { listenError, unixListenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, ListenOptions, UnixListenOptions } from "../runtime.ts";
import { serveTcp } from "./tcp_connection.ts";
import { TlsAcceptor } from "./tls_acceptor.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";
import type { TlsAbilities } from "./tls_settings.ts";
import { openUnixPath } from "./unix_path.ts";

const READ_BYTES = 65536;

/** Listens on a TCP port; see `Runtime.listenTcp`. */
export async function listenTcp(
  options: ListenOptions,
  accept: Accept,
  abilities: TlsAbilities = TLS_ABILITIES,
): Promise<Listener> {
  const { hostname, port } = options;
  const acceptor = acceptorFor(options, undefined, accept, abilities);
  const server = serverFor(options, undefined, accept, acceptor);
  await listen(server, { host: hostname, port, ipv6Only: hostname.includes(":") }, options)
    .catch((error) => {
      throw listenError(hostname, port, error);
    });
  // An address in this form is what a server that listens on TCP has.
  const bound = server.address() as AddressInfo;
  return listenerOf(server, acceptor, { hostname: bound.address, port: bound.port });
}

/** Listens on a Unix socket; see `Runtime.listenUnix`. */
export async function listenUnix(
  options: UnixListenOptions,
  accept: Accept,
  abilities: TlsAbilities = TLS_ABILITIES,
): Promise<Listener> {
  const { path } = options;
  const acceptor = acceptorFor(options, path, accept, abilities);
  const server = serverFor(options, path, accept, acceptor);
  try {
    const removePath = await openUnixPath(options, () => listen(server, { path }, options));
    return listenerOf(server, acceptor, { hostname: path, port: 0 }, removePath);
  } catch (error) {
    throw unixListenError(path, error);
  }
}

type AnyListenOptions = Pick<ListenOptions, "tls" | "onError">;

function acceptorFor(
  options: AnyListenOptions,
  path: string | undefined,
  accept: Accept,
  abilities: TlsAbilities,
): TlsAcceptor | undefined {
  const { tls, onError } = options;
  if (tls === undefined) return undefined;
  return new TlsAcceptor({
    tls,
    abilities,
    ...(path === undefined ? {} : { path }),
    ...(onError === undefined ? {} : { onError }),
  }, accept);
}

function serverFor(
  options: AnyListenOptions,
  path: string | undefined,
  accept: Accept,
  acceptor: TlsAcceptor | undefined,
): Server {
  // Reads are delivered one at a time, so one buffer serves all connections of the listener.
  const shared = new Uint8Array(acceptor === undefined ? READ_BYTES : 0);
  const pauseOnConnect = acceptor === undefined;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect, noDelay: true });
  return server.on("connection", (socket) => {
    try {
      if (acceptor === undefined) serveTcp(socket, shared, accept, path);
      else acceptor.add(socket);
    } catch (error) {
      options.onError?.(error, path ?? socket.remoteAddress);
    }
  });
}

function listen(
  server: Server,
  where: { host: string; port: number; ipv6Only: boolean } | { path: string },
  options: AnyListenOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      // From here on an error concerns one connection that could not be accepted.
      server.on("error", (error) => options.onError?.(error));
      resolve();
    });
  });
}

function listenerOf(
  server: Server,
  acceptor: TlsAcceptor | undefined,
  { hostname, port }: Pick<Listener, "hostname" | "port">,
  removePath?: () => void,
): Listener {
  return {
    hostname,
    port,
    ...(acceptor === undefined
      ? {}
      : { setTls: (tls) => new Promise((resolve) => resolve(acceptor.setTls(tls))) }),
    close() {
      acceptor?.close();
      // Its callback would wait for the connections too; the port is free at once.
      server.close();
      removePath?.();
      return Promise.resolve();
    },
  };
}
