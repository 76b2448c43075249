// WebSockets that a host makes of requests, as transports: those of `Deno.serve` and `Bun.serve`
// where they are, and those of `node:http` everywhere.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WEB_SOCKET_HANDLERS } from "../../src/runtime/bun/web_socket_connection.ts";
import { socketUpgrader } from "../../src/runtime/node/socket_upgrader.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { type TransportFixture, transportSuite } from "../contract/transport.ts";
import { runtime } from "../support/current_runtime.ts";
import { connectPeer, type SocketPeer } from "../support/socket_peer.ts";
import { HAS_WEB_HOST, serveWeb, type WebHost } from "../support/web_host.ts";
import { WebSocketPeer } from "../support/websocket_peer.ts";

function hosted(
  open: (accept: Accept) => Promise<WebHost>,
  { answersClose }: { readonly answersClose: boolean },
): Pick<TransportFixture, "connect" | "release"> {
  let host: WebHost | undefined;
  const peers: SocketPeer[] = [];
  const pending: Accept[] = [];
  return {
    async connect(accept) {
      host ??= await open((transport) => pending.shift()!(transport));
      pending.push(accept);
      const peer = await connectPeer("127.0.0.1", host.port);
      peers.push(peer);
      return await WebSocketPeer.open(peer, undefined, answersClose);
    },
    async release() {
      for (const peer of peers.splice(0)) peer.destroy();
      pending.length = 0;
      await host?.close();
      host = undefined;
    },
  };
}

function openNodeServer(accept: Accept): Promise<WebHost> {
  const serve = socketUpgrader({ origins: [], isClosed: () => false }, accept);
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    serve({ request, socket, head }).catch(() => socket.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      const close = (): Promise<void> => new Promise((done) => server.close(() => done()));
      resolve({ port, close });
    });
  });
}

transportSuite({
  name: "socketUpgrader()",
  heldBytesMax: 64 * 1_048_576,
  isHalfClosable: true,
  lingers: true,
  ...hosted(openNodeServer, { answersClose: false }),
});

if (HAS_WEB_HOST) {
  transportSuite({
    name: `upgradeWebSocket() on ${runtime.name}`,
    heldBytesMax: 64 * 1_048_576,
    isHalfClosable: false,
    lingers: false,
    readsAhead: true,
    ...hosted((accept) => {
      const onError = (): void => {};
      const upgrade = (request: Request, context: unknown): Response => {
        const asked = { request, context, subprotocol: "mqtt", onError };
        return runtime.upgradeWebSocket!(asked, accept) as Response;
      };
      return Promise.resolve(serveWeb(upgrade, WEB_SOCKET_HANDLERS));
    }, { answersClose: true }),
  });
}
