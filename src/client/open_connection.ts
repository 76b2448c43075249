/**
 * From the place of a broker to a way of opening connections to it.
 *
 * @module
 */

import { serveStream } from "../driver/stream_connection.ts";
import { ClientError } from "./client_error.ts";
import type { BrokerAddress, ClientOptions, Dial } from "./client_options.ts";
import type { Target } from "./mqtt_url.ts";
import { dialWebSocket } from "./web_socket_transport.ts";

const TIMEOUT_MS = 30_000;

/** How to connect; `target` is what the address says if it is a URL. */
export function dialFor(
  address: BrokerAddress,
  target: Target | undefined,
  options: ClientOptions,
): Dial {
  const timeoutMs = options.connectTimeoutMs ?? TIMEOUT_MS;
  if (typeof address === "function") return address;
  if (target === undefined) {
    let isUsed = false;
    return (accept) => {
      // Checked by its only use: what is neither a function nor a URL is a stream.
      const duplex = address as Exclude<BrokerAddress, string | URL | Dial>;
      if (isUsed) {
        return Promise.reject(new ClientError("connection-lost", "The stream is used up"));
      }
      isUsed = true;
      return serveStream(duplex, accept);
    };
  }
  const { kind, hostname, port, path, url } = target;
  if (kind === "websocket") {
    return (accept, signal) => dialWebSocket(url, { signal, timeoutMs }, accept);
  }
  const { runtime, localAddress } = options;
  const tls = kind === "tls" ? options.tls ?? {} : options.tls;
  return async (accept, signal) => {
    const dialer = typeof runtime === "function" ? await runtime() : runtime;
    if (dialer === undefined) {
      throw new ClientError("not-supported", "There is no runtime to connect with");
    }
    const place = kind === "unix" ? { path } : { hostname, port };
    await dialer.dial({ address: place, localAddress, tls, timeoutMs, signal }, accept);
  };
}
