/**
 * Accepts TCP connections on Deno. What happens on a connection is in tcp_connection.ts.
 *
 * The idea: a failed accept says nothing about the listener. A client that resets before it is
 * accepted makes `accept` throw (and would end a `for await` over the listener), and so does a lack
 * of file descriptors, so the loop goes on until the listener is closed.
 *
 * @module
 */

import { listenError } from "../../transport/listen_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { Listener, ListenOptions } from "../runtime.ts";
import { ReadBuffers } from "./read_buffers.ts";
import { serveTcp } from "./tcp_connection.ts";

const RETRY_MIN_MS = 5;
const RETRY_MAX_MS = 1000;

/** Listens on a TCP port; see `Runtime.listenTcp`. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  // `Deno.listen` throws at once; the contract promises a promise.
  return new Promise((resolve) => resolve(open(options, accept)));
}

function open(options: ListenOptions, accept: Accept): Listener {
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname: options.hostname, port: options.port });
  } catch (error) {
    throw listenError(options.hostname, options.port, error);
  }
  let isClosed = false;
  const loop = acceptAll(listener, accept, options.onError, () => isClosed);
  return {
    hostname: listener.addr.hostname,
    port: listener.addr.port,
    close() {
      if (!isClosed) {
        isClosed = true;
        listener.close();
      }
      return loop;
    },
  };
}

async function acceptAll(
  listener: Deno.TcpListener,
  accept: Accept,
  onError: ListenOptions["onError"],
  isClosed: () => boolean,
): Promise<void> {
  const buffers = new ReadBuffers();
  let failures = 0;
  while (!isClosed()) {
    let conn: Deno.TcpConn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (isClosed()) return;
      // Each such client is gone from the queue, so the next one need not wait.
      if (isClientGone(error)) continue;
      onError?.(error);
      // What is left is most often a lack of file descriptors, which only time can mend.
      await sleep(Math.min(RETRY_MAX_MS, RETRY_MIN_MS << Math.min(failures++, 10)));
      continue;
    }
    failures = 0;
    try {
      serveTcp(conn, buffers, accept).catch((error) => onError?.(error));
    } catch (error) {
      conn.close();
      onError?.(error);
    }
  }
}

function isClientGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
