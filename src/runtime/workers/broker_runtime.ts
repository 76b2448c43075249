/**
 * What an embedded broker needs of a Worker's host: WebSockets of requests, by `WebSocketPair`. The
 * connections live as long as the object that has them stays awake; broker_object.ts is the broker
 * that sleeps.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import type { Accept } from "../../transport/transport.ts";
import { serveWebSocket, type StandardWebSocket } from "../../transport/web_socket_transport.ts";
import type { BrokerRuntime, UpgradeRequest } from "../runtime.ts";

/** One end is for the client, the other is ours. */
type WebSocketPair = new () => {
  readonly 0: StandardWebSocket;
  readonly 1: StandardWebSocket & { accept(): void };
};

/** The runtime contract of a broker, in a Worker. */
export const workersRuntime: BrokerRuntime = {
  listenTcp: () => Promise.reject(noListeners()),
  listenUnix: () => Promise.reject(noListeners()),
  upgradeWebSocket,
  now: () => performance.now(),
  defer: (flush) => queueMicrotask(flush),
};

function upgradeWebSocket(
  { request, subprotocol, onError }: UpgradeRequest,
  accept: Accept,
): Response {
  // True in a Worker, the only host for which this is chosen.
  const { WebSocketPair } = globalThis as unknown as { readonly WebSocketPair: WebSocketPair };
  const pair = new WebSocketPair();
  pair[1].accept();
  const remoteAddress = request.headers.get("cf-connecting-ip") ?? "";
  serveWebSocket(pair[1], accept, { remoteAddress }).catch(onError);
  const headers = { "Sec-WebSocket-Protocol": subprotocol };
  return new Response(null, { status: 101, webSocket: pair[0], headers } as ResponseInit);
}

function noListeners(): OperationError {
  return new OperationError("not-supported", "Listeners are not supported in a Worker");
}
