/**
 * Accepts connections on a Unix socket on Bun. What happens on one is in tcp_connection.ts.
 *
 * @module
 */

import { unixListenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, UnixListenOptions } from "../runtime.ts";
import { openUnixPath } from "../node/unix_path.ts";
import { bunApi, type BunListener } from "./bun_api.ts";
import { tcpHandlers } from "./tcp_connection.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";

/** Listens on a Unix socket; see `Runtime.listenUnix`. */
export async function listenUnix(options: UnixListenOptions, accept: Accept): Promise<Listener> {
  const { path, onError } = options;
  if (options.tls !== undefined) {
    const node = await import("../node/listen_tcp.ts");
    return node.listenUnix(options, accept, TLS_ABILITIES);
  }
  let listener: BunListener | undefined;
  let removePath: () => void;
  try {
    removePath = await openUnixPath(options, () => {
      const socket = tcpHandlers(accept, { onError, path });
      listener = bunApi().listen({ unix: path, allowHalfOpen: true, socket });
    });
  } catch (error) {
    listener?.stop(true);
    throw unixListenError(path, error);
  }
  return {
    hostname: path,
    port: 0,
    close() {
      listener!.stop(false);
      removePath();
      return Promise.resolve();
    },
  };
}
