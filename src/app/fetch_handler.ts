/**
 * The broker as a fetch handler: a request for a WebSocket that speaks MQTT becomes a client, and
 * any other request gets an answer in words. How a WebSocket is made of a request is the host's.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { BrokerRuntime, UpgradeRules } from "../runtime/runtime.ts";
import type { Accept } from "../transport/transport.ts";
import { SUBPROTOCOLS } from "../transport/websocket_handshake.ts";
import { answer, judgeUpgrade } from "../transport/websocket_upgrade.ts";

/**
 * Answers a request.
 *
 * @param context what the host hands its handler beside the request: of Bun's server it is needed,
 * and elsewhere it tells the address of the client.
 */
export type FetchHandler = (request: Request, context?: unknown) => Promise<Response>;

/** What is behind a handler. */
export interface FetchParts extends UpgradeRules {
  readonly findRuntime: () => Promise<Pick<BrokerRuntime, "upgradeWebSocket">>;
  readonly accept: Accept;
  readonly onError: (error: unknown) => void;
}

/** Makes the handler. */
export function createFetchHandler(parts: FetchParts): FetchHandler {
  const { accept, origins, onError } = parts;
  return async (request, context) => {
    const subprotocol = judgeUpgrade(request, { origins, subprotocols: SUBPROTOCOLS });
    if (typeof subprotocol !== "string") return subprotocol;
    if (parts.isClosed()) return answer(503, "The broker is closed.");
    try {
      const runtime = await parts.findRuntime();
      if (runtime.upgradeWebSocket === undefined) return noWebSockets();
      const made = runtime.upgradeWebSocket({ request, context, subprotocol, onError }, accept);
      // A host that has answered by itself expects nothing, though its types do not say so.
      return made ?? (undefined as unknown as Response);
    } catch (error) {
      onError(error);
      if (error instanceof OperationError) return noWebSockets();
      return answer(400, "The request is none for a WebSocket.");
    }
  };
}

function noWebSockets(): Response {
  return answer(501, "This server makes no WebSockets.");
}
