// The HTTP server that this runtime has, with a fetch handler: that of Deno or Bun. Node has none.

import type { BunWebSocketHandlers } from "../../src/runtime/bun/web_socket_connection.ts";
import { currentRuntimeName } from "../../src/runtime/current.ts";

/** What `Deno.serve` and `Bun.serve` have in common, and what each takes. */
interface Globals {
  readonly Deno: {
    serve(
      options: { port: number; hostname: string; onListen: () => void },
      handler: (request: Request, info: unknown) => Response | Promise<Response>,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
  };
  readonly Bun: {
    serve(options: {
      port: number;
      hostname: string;
      fetch: (request: Request, server: unknown) => Response | Promise<Response>;
      websocket: BunWebSocketHandlers;
    }): { readonly port: number; stop(closesConnections: boolean): Promise<void> };
  };
}

export interface WebHost {
  readonly port: number;
  close(): Promise<void>;
}

/** Whether there is such a server here. */
export const HAS_WEB_HOST: boolean = currentRuntimeName() !== "node";

/** Serves on a free port of this machine. */
export function serveWeb(
  fetch: (request: Request, context: unknown) => Response | Promise<Response>,
  websocket: BunWebSocketHandlers,
): WebHost {
  const { Deno, Bun } = globalThis as unknown as Globals;
  const place = { port: 0, hostname: "127.0.0.1" };
  if (currentRuntimeName() === "deno") {
    const server = Deno.serve({ ...place, onListen: () => {} }, fetch);
    return { port: server.addr.port, close: () => server.shutdown() };
  }
  const server = Bun.serve({ ...place, fetch, websocket });
  return { port: server.port, close: () => server.stop(true) };
}
