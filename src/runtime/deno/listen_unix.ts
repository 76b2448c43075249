/**
 * Accepts connections on a Unix socket on Deno. What happens on one is in tcp_connection.ts.
 *
 * @module
 */

import { unixListenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, UnixListenOptions } from "../runtime.ts";
import { openUnixPath } from "../node/unix_path.ts";
import { acceptAll } from "./accept_all.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";

/** Listens on a Unix socket; see `Runtime.listenUnix`. */
export async function listenUnix(options: UnixListenOptions, accept: Accept): Promise<Listener> {
  const { path, onError } = options;
  if (options.tls !== undefined) {
    const node = await import("../node/listen_tcp.ts");
    return node.listenUnix(options, accept, TLS_ABILITIES);
  }
  let listener: Deno.UnixListener | undefined;
  try {
    const onClose = await openUnixPath(options, () => {
      listener = Deno.listen({ transport: "unix", path });
    });
    return acceptAll(listener!, { hostname: path, port: 0, path, onError, onClose }, accept);
  } catch (error) {
    listener?.close();
    throw unixListenError(path, error);
  }
}
