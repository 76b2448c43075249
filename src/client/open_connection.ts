/**
 * From the place of a broker to a way of opening connections to it.
 *
 * @module
 */

import { type ByteDuplex, serveStream } from "../driver/stream_connection.ts";
import type { Dialer, DialOptions } from "../runtime/runtime.ts";
import { servePort } from "../transport/message_port.ts";
import { openWebSocket } from "../transport/websocket_client.ts";
import { ClientError } from "./client_error.ts";
import type { BrokerAddress, ClientOptions, Dial, WebSocketOptions } from "./client_options.ts";
import type { Target } from "./mqtt_url.ts";
import { dialWebSocket } from "./dial_web_socket.ts";

const TIMEOUT_MS = 30_000;
const RESOURCE = "/mqtt";

/** A way over the sockets of a runtime. */
interface Route extends Omit<DialOptions, "signal"> {
  /** Makes it a WebSocket. */
  readonly webSocket?: WebSocketOptions | undefined;
}

/** How to connect; `target` is what the address says if it is a URL. */
export function dialFor(
  address: BrokerAddress,
  target: Target | undefined,
  options: ClientOptions,
): Dial {
  if (typeof address === "function") return address;
  if (target === undefined) {
    // Checked by its only use: what is neither a function nor a URL is at hand.
    return dialOnce(address as Exclude<BrokerAddress, string | URL | Dial>);
  }
  const { runtime, connectTimeoutMs: timeoutMs = TIMEOUT_MS } = options;
  if (runtime === undefined) return dialByPlatform(target, options, timeoutMs);
  const tls = target.isSecure ? options.tls ?? {} : options.tls;
  const { localAddress, proxy, noDelay } = options;
  const webSocket = target.webSocket === undefined
    ? options.webSocket
    : { resource: target.webSocket.resource, ...options.webSocket };
  const { address: place } = target;
  const route = { address: place, localAddress, proxy, noDelay, tls, timeoutMs, webSocket };
  if (webSocket !== undefined) checkWebSocket(webSocket);
  return async (accept, signal) => {
    const dialer = typeof runtime === "function" ? await runtime() : runtime;
    await dialBy(dialer, route)(accept, signal);
  };
}

/** How to connect by the sockets of a runtime. */
function dialBy(dialer: Dialer, { webSocket, ...socket }: Route): Dial {
  if (webSocket === undefined) {
    return (accept, signal) => dialer.dial({ ...socket, signal }, accept);
  }
  const { address, tls, timeoutMs } = socket;
  const { resource = RESOURCE, headers } = webSocket;
  const host = hostOf(address, tls !== undefined);
  return (accept, signal) =>
    openWebSocket(
      (opened) => dialer.dial({ ...socket, signal }, opened),
      { host, resource, headers, timeoutMs, signal },
      accept,
    );
}

/** With nothing but the platform's own WebSocket, which takes no wishes. */
function dialByPlatform(target: Target, options: ClientOptions, timeoutMs: number): Dial {
  const { tls, webSocket, proxy, localAddress } = options;
  if (
    target.webSocket === undefined ||
    [tls, webSocket, proxy, localAddress].some((wish) => wish !== undefined)
  ) {
    return () =>
      Promise.reject(new ClientError("not-supported", "There is no runtime to connect with"));
  }
  const { url } = target.webSocket;
  return (accept, signal) => dialWebSocket(url, { signal, timeoutMs }, accept);
}

/** A port or a stream is one connection. */
function dialOnce(end: Exclude<BrokerAddress, string | URL | Dial>): Dial {
  let isUsed = false;
  return (accept) => {
    if (isUsed) {
      const name = isPort(end) ? "port" : "stream";
      return Promise.reject(new ClientError("connection-lost", `The ${name} is used up`));
    }
    isUsed = true;
    return isPort(end) ? servePort(end, accept) : serveStream(end, accept);
  };
}

function isPort(end: ByteDuplex | MessagePort): end is MessagePort {
  return "postMessage" in end;
}

function checkWebSocket({ resource = RESOURCE, headers }: WebSocketOptions): void {
  try {
    new Headers(headers);
  } catch (cause) {
    throw new ClientError("invalid-argument", "Cannot use the headers of a WebSocket", { cause });
  }
  if (/^\/[!-~]*$/.test(resource)) return;
  throw new ClientError("invalid-argument", `Cannot ask for a WebSocket at "${resource}"`);
}

/** As HTTP names it: without the port that everybody expects. */
function hostOf(address: DialOptions["address"], isSecure: boolean): string {
  if ("path" in address) return "localhost";
  const { hostname, port } = address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return port === (isSecure ? 443 : 80) ? host : `${host}:${port}`;
}
