/**
 * WebSockets of requests to `Deno.serve`, on Deno Deploy too. What becomes of one is in
 * transport/web_socket_transport.ts.
 *
 * @module
 */

import { unmapped } from "../../transport/ip_address.ts";
import type { Accept } from "../../transport/transport.ts";
import { serveWebSocket, type WebSocketPlace } from "../../transport/web_socket_transport.ts";
import type { UpgradeRequest } from "../runtime.ts";

/** See `BrokerRuntime.upgradeWebSocket`. */
export function upgradeWebSocket(
  { request, context, subprotocol, onError }: UpgradeRequest,
  accept: Accept,
): Response {
  // Afterwards the request is closed, and there is no address any more.
  const place = placeOf(context);
  const { socket, response } = Deno.upgradeWebSocket(request, { protocol: subprotocol });
  serveWebSocket(socket, accept, place).catch(onError);
  return response;
}

/** The peer's address, when the handler was given it and has passed it on. */
function placeOf(context: unknown): WebSocketPlace {
  const { remoteAddr } = (context ?? {}) as Partial<Deno.ServeHandlerInfo>;
  if (remoteAddr === undefined || !("hostname" in remoteAddr)) return {};
  return { remoteAddress: unmapped(remoteAddr.hostname), remotePort: remoteAddr.port };
}
