/**
 * From settings to a way of opening connections to the broker: files of TLS read, proxy and
 * WebSocket put in between. What this runtime cannot do is refused; nothing is left out silently.
 *
 * @module
 */

import type { DialOptions, Runtime } from "../../runtime/runtime.ts";
import type { TlsClientOptions } from "../../runtime/tls.ts";
import type { Accept } from "../../transport/transport.ts";
import type { BrokerPlace, CommonSettings } from "./client_settings.ts";

/** Opens one connection and hands it over; rejects with what `dialFailure` understands. */
export type Opener = (accept: Accept, signal: AbortSignal) => Promise<void>;

const TIMEOUT_MS = 60_000;
const WEB_SOCKET_PATH = "/mqtt";

/** Makes the way to the broker; throws a `ClientFailure` when files do not serve. */
export async function openerOf(
  { place, tls: tlsSettings }: CommonSettings,
  runtime: Runtime,
): Promise<Opener> {
  let tls: TlsClientOptions | undefined;
  if (tlsSettings !== undefined) {
    const { readTlsFiles } = await import("./tls_files.ts");
    const options = await readTlsFiles(tlsSettings, await runtime.files());
    tls = { ...options, ignoresServerName: place.unixPath !== undefined };
  }
  const { unixPath, hostname, port, localAddress, proxy, noDelay } = place;
  const options: DialOptions = {
    address: unixPath === undefined ? { hostname, port } : { path: unixPath },
    localAddress,
    proxy,
    noDelay,
    tls,
    timeoutMs: TIMEOUT_MS,
  };
  const dial: Opener = (accept, signal) => runtime.dial({ ...options, signal }, accept);
  return place.usesWebSocket ? await overWebSocket(dial, place) : dial;
}

async function overWebSocket(dial: Opener, place: BrokerPlace): Promise<Opener> {
  const { openWebSocket } = await import("../../transport/websocket_client.ts");
  const host = hostOf(place);
  return (accept, signal) => {
    const request = { host, resource: WEB_SOCKET_PATH, timeoutMs: TIMEOUT_MS, signal };
    return openWebSocket((carry) => dial(carry, signal), request, accept);
  };
}

/** As HTTP names it. */
function hostOf({ unixPath, hostname, port }: BrokerPlace): string {
  if (unixPath !== undefined) return "localhost";
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
