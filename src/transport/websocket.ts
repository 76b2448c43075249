/**
 * MQTT in the binary frames of a WebSocket, over any transport, with HTTP on the same port for
 * everything that is no WebSocket. Beneath it there may be TLS, a PROXY header, a Unix socket or a
 * pipe; above it is the broker, which sees one more transport.
 *
 * The frames are in websocket_connection.ts.
 *
 * @module
 */

import { BufferPool } from "../core/base/buffer_pool.ts";
import type { HttpHandler } from "./http.ts";
import { HttpConnection, type HttpOptions, type Upgrade } from "./http_connection.ts";
import type { Accept } from "./transport.ts";
import { WaitingRoom } from "./waiting_room.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import {
  asksForWebSocket,
  formatReply,
  judgeHandshake,
  SUBPROTOCOLS,
} from "./websocket_handshake.ts";

export interface WebSocketOptions extends HttpOptions {
  /** Where pages may come from that connect, to the letter; none: anywhere. */
  readonly origins?: readonly string[];
  /** What clients have to speak, the best first; MQTT's names unless told. */
  readonly subprotocols?: readonly string[];
  /** Answers what is no WebSocket; without it such a connection is closed without a word. */
  readonly http?: HttpHandler;
}

/** Makes each connection a WebSocket before `accept` sees it. */
export function withWebSocket(accept: Accept, options: WebSocketOptions): Accept {
  const room = new WaitingRoom(options.waitingMax);
  const pool = new BufferPool(POOL_BYTES_MAX);
  const rules = {
    origins: options.origins ?? [],
    subprotocols: options.subprotocols ?? SUBPROTOCOLS,
  };
  const upgrade: Upgrade = {
    isAsked: asksForWebSocket,
    async reply(head, transport) {
      const handshake = judgeHandshake(head, rules);
      if (handshake.isAccepted) return await formatReply(handshake.key, handshake.subprotocol);
      options.onRejected?.(handshake.reason, transport);
      return undefined;
    },
    start(transport, isWriting) {
      const connection = new WebSocketConnection(transport, { isWriting, pool });
      connection.start(accept(connection));
      return connection;
    },
  };
  return (transport) => new HttpConnection(transport, options, room, options.http, upgrade);
}

/** Makes a connection a WebSocket whose request somebody else has read. */
export type AfterRequest = (
  /** Agrees to the request. */
  reply: Uint8Array,
  /** What came behind the request; unmasked where it lies. */
  rest: Uint8Array,
) => Accept;

/** For servers of others, which read requests themselves. */
export function afterRequest(accept: Accept): AfterRequest {
  const pool = new BufferPool(POOL_BYTES_MAX);
  return (reply, rest) => (transport) => {
    const isWriting = !transport.write(reply, reply.length);
    const connection = new WebSocketConnection(transport, { isWriting, pool });
    connection.start(accept(connection));
    if (rest.length > 0) queueMicrotask(() => connection.onBytes(rest));
    return connection;
  };
}

/** Idle buffers of one listener. */
const POOL_BYTES_MAX = 1_048_576;
