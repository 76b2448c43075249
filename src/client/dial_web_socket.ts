/**
 * Opens a connection with the platform's own `WebSocket`, by the subprotocol `mqtt` [MQTT-6.0.0-3].
 * What becomes of it is in transport/web_socket_transport.ts.
 *
 * @module
 */

import type { Accept } from "../transport/transport.ts";
import { WebSocketTransport } from "../transport/web_socket_transport.ts";
import { ClientError } from "./client_error.ts";

const SUBPROTOCOL = "mqtt";

/** Opens a WebSocket; rejects with a {@linkcode ClientError}, or with the reason of the signal. */
export function dialWebSocket(
  url: string,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  accept: Accept,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = new WebSocket(url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.onopen = socket.onerror = socket.onclose = null;
    };
    const fail = (error: unknown): void => {
      end();
      socket.close();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onFailed = (): void =>
      fail(new ClientError("connect-failed", `Cannot open a WebSocket to "${url}"`));
    const timer = setTimeout(() => {
      const message = `Cannot open a WebSocket to "${url}" within ${timeoutMs} ms`;
      fail(new ClientError("timed-out", message));
    }, timeoutMs);
    signal.addEventListener("abort", onAbort);
    socket.onerror = socket.onclose = onFailed;
    socket.onopen = () => {
      end();
      const transport = new WebSocketTransport(socket);
      try {
        transport.start(accept(transport));
        resolve();
      } catch (error) {
        socket.close();
        reject(error);
      }
    };
  });
}
