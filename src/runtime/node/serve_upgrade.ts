/**
 * WebSockets of the requests that a server of `node:http` or `node:https` announces by its event
 * `upgrade`. The socket is ours from then on: the frames are our own, and so is back-pressure.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpHead } from "../../transport/http_request.ts";
import type { Accept } from "../../transport/transport.ts";
import { afterRequest } from "../../transport/websocket.ts";
import { formatReply, judgeHandshake, SUBPROTOCOLS } from "../../transport/websocket_handshake.ts";
import { answer, judgeUpgrade } from "../../transport/websocket_upgrade.ts";
import { serveTcp } from "./tcp_connection.ts";

/** What the event says. */
export interface AnnouncedUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client has sent behind its request. */
  readonly head: Uint8Array;
}

/** The socket has been read from, so it reads into buffers of its own. */
const NOTHING = new Uint8Array(0);

/** Makes WebSockets of the requests and serves them, or answers why not. */
export function upgradeServer(
  accept: Accept,
  /** Where pages may come from that connect; none: anywhere. */
  origins: readonly string[],
): (announced: AnnouncedUpgrade) => Promise<void> {
  const rules = { origins, subprotocols: SUBPROTOCOLS };
  const webSocket = afterRequest(accept);
  return async ({ request, socket, head }) => {
    const asked = headOf(request);
    const handshake = judgeHandshake(asked, rules);
    if (!handshake.isAccepted) {
      const verdict = judgeUpgrade(asked, rules);
      const response = typeof verdict === "string"
        ? answer(400, `The request is none for a WebSocket: ${handshake.reason}.`)
        : verdict;
      return void socket.end(await formatResponse(response));
    }
    const reply = await formatReply(handshake.key, handshake.subprotocol);
    // A socket of a server; the event's type leaves room for servers on something else.
    if (!socket.destroyed) {
      serveTcp(socket as Socket, NOTHING, webSocket(reply, Uint8Array.from(head)));
    }
  };
}

function headOf({ method, url, httpVersionMinor, headers }: IncomingMessage): HttpHead {
  const list = Object.entries(headers).map(([name, value]) =>
    [name, Array.isArray(value) ? value.join(", ") : value ?? ""] as const
  );
  return {
    method: method ?? "",
    target: url ?? "",
    minorVersion: httpVersionMinor === 1 ? 1 : 0,
    headers: new Map(list),
  };
}

async function formatResponse(response: Response): Promise<string> {
  const body = await response.text();
  const lines = Array.from(response.headers, ([name, value]) => `${name}: ${value}`);
  return [
    `HTTP/1.1 ${response.status} ${REASONS[response.status] ?? ""}`,
    ...lines,
    `Content-Length: ${body.length}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  405: "Method Not Allowed",
  426: "Upgrade Required",
};
