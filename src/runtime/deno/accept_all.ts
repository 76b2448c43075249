/**
 * Takes connections from a listener of Deno until it is closed.
 *
 * The idea: a failed accept says nothing about the listener. A client that resets before it is
 * accepted makes `accept` throw (and would end a `for await` over the listener), and so does a lack
 * of file descriptors, so the loop goes on until the listener is closed.
 *
 * @module
 */

import type { Accept } from "../../transport/transport.ts";
import type { Listener, ListenOptions } from "../runtime.ts";
import { ReadBuffers } from "./read_buffers.ts";
import { serveTcp } from "./tcp_connection.ts";

const RETRY_MIN_MS = 5;
const RETRY_MAX_MS = 1000;

/** What is done with a listener's connections. */
interface AcceptAllOptions extends Pick<Listener, "hostname" | "port"> {
  /** The address of all connections, for sockets that have none of their own. */
  readonly path?: string;
  readonly onError: ListenOptions["onError"];
  /** Called once, when the listener is closed. */
  readonly onClose?: () => void;
}

/** Serves all connections of a listener; what is returned closes it. */
export function acceptAll(
  listener: Deno.TcpListener | Deno.UnixListener,
  options: AcceptAllOptions,
  accept: Accept,
): Listener {
  const { hostname, port } = options;
  let isClosed = false;
  const loop = run(listener, options, accept, () => isClosed);
  return {
    hostname,
    port,
    close() {
      if (!isClosed) {
        isClosed = true;
        listener.close();
        options.onClose?.();
      }
      return loop;
    },
  };
}

async function run(
  listener: Deno.TcpListener | Deno.UnixListener,
  { path, onError }: AcceptAllOptions,
  accept: Accept,
  isClosed: () => boolean,
): Promise<void> {
  const buffers = new ReadBuffers();
  let failures = 0;
  while (!isClosed()) {
    let conn: Deno.TcpConn | Deno.UnixConn;
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
      serveTcp(conn, { buffers, path }, accept).catch((error) => onError?.(error));
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
