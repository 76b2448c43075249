/**
 * Connections that we open on Deno. Plain ones are Deno's own: they need none of Node's modules,
 * whose loading would take longer than all else that a small client does. Whatever is more than
 * plain, or fails, is left to Node's way, which has TLS, proxies and the words for what goes wrong.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { DialOptions } from "../runtime.ts";
import { ReadBuffers } from "./read_buffers.ts";
import { serveTcp } from "./tcp_connection.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";

/** Connects; see `Runtime.dial`. */
export async function dial(options: DialOptions, accept: Accept): Promise<void> {
  const { tls, proxy, localAddress, noDelay = true } = options;
  options.signal?.throwIfAborted();
  const isPlain = tls === undefined && proxy === undefined && localAddress === undefined;
  const conn = isPlain ? await connect(options) : undefined;
  if (conn === undefined) {
    return await (await import("../node/dial.ts")).dial(options, accept, TLS_ABILITIES);
  }
  const path = "path" in options.address ? options.address.path : undefined;
  try {
    // What the handler throws at the end is nobody's to catch, here as elsewhere.
    void serveTcp(conn, { buffers: new ReadBuffers(), path }, accept);
    if ("setNoDelay" in conn) conn.setNoDelay(noDelay);
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** Connects, or leaves it to others to find out why that cannot be. */
async function connect(
  { address, timeoutMs, signal }: DialOptions,
): Promise<Deno.TcpConn | Deno.UnixConn | undefined> {
  if ("path" in address) {
    return await Deno.connect({ transport: "unix", path: address.path }).catch(() => undefined);
  }
  const { hostname, port } = address;
  const limit = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    limit.abort();
  }, timeoutMs);
  const onAbort = (): void => limit.abort();
  signal?.addEventListener("abort", onAbort);
  try {
    return await Deno.connect({ hostname, port, signal: limit.signal });
  } catch {
    signal?.throwIfAborted();
    if (!isLate) return undefined;
    const message = `Cannot connect to "${hostname}:${port}" within ${timeoutMs} ms`;
    throw new OperationError("timed-out", message);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
