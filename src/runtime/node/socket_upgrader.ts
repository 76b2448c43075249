/**
 * WebSockets of the requests that a server of `node:http` or `node:https` announces by its event
 * `upgrade`. The socket is ours from then on: the frames are our own, and so is back-pressure.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { HttpHead } from "../../transport/http_request.ts";
import type { Accept } from "../../transport/transport.ts";
import { afterRequest } from "../../transport/websocket.ts";
import { formatReply, judgeHandshake, SUBPROTOCOLS } from "../../transport/websocket_handshake.ts";
import { answer, judgeUpgrade } from "../../transport/websocket_upgrade.ts";
import type { SocketUpgrader, UpgradedRequest, UpgradeRules } from "../runtime.ts";
import { serveTcp } from "./tcp_connection.ts";

/** The socket has been read from, so it reads into buffers of its own. */
const NOTHING = new Uint8Array(0);

/** See `BrokerRuntime.socketUpgrader`. */
export function socketUpgrader(
  { origins, isClosed }: UpgradeRules,
  accept: Accept,
): SocketUpgrader {
  const rules = { origins, subprotocols: SUBPROTOCOLS };
  const webSocket = afterRequest(accept);
  return async ({ request, socket: given, head }) => {
    // The server's own kind of socket; the contract says as much of it as others need.
    const socket = given as unknown as Socket;
    const refuse = async (response: Response): Promise<void> =>
      void socket.end(await formatResponse(response));
    const asked = headOf(request);
    const handshake = judgeHandshake(asked, rules);
    if (!handshake.isAccepted) {
      const verdict = judgeUpgrade(asked, rules);
      const reason = `The request is none for a WebSocket: ${handshake.reason}.`;
      return await refuse(typeof verdict === "string" ? answer(400, reason) : verdict);
    }
    const reply = await formatReply(handshake.key, handshake.subprotocol);
    if (isClosed()) return await refuse(answer(503, "The broker is closed."));
    if (!socket.destroyed) serveTcp(socket, NOTHING, webSocket(reply, Uint8Array.from(head)));
  };
}

function headOf({ method, url, httpVersionMinor, headers }: UpgradedRequest): HttpHead {
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
  503: "Service Unavailable",
};
