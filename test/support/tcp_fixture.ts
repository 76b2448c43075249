// A runtime's TCP listener as the transport contract wants it: one listener for each test, whose
// connections are handed out in the order in which they were asked for.

import type { Listener, Runtime } from "../../src/runtime/runtime.ts";
import type { Accept } from "../../src/transport/transport.ts";
import type { TransportFixture } from "../contract/transport.ts";
import { connectPeer, type SocketPeer } from "./socket_peer.ts";

const LOOPBACK = "127.0.0.1";

export function tcpFixture(name: string, runtime: Runtime): TransportFixture {
  let listener: Listener | undefined;
  const peers: SocketPeer[] = [];
  const pending: Accept[] = [];
  return {
    name,
    heldBytesMax: 64 * 1_048_576,
    isHalfClosable: true,
    lingers: true,
    async connect(accept) {
      listener ??= await runtime.listenTcp(
        { hostname: LOOPBACK, port: 0 },
        (transport) => pending.shift()!(transport),
      );
      pending.push(accept);
      const peer = await connectPeer(LOOPBACK, listener.port);
      peers.push(peer);
      return peer;
    },
    async release() {
      for (const peer of peers.splice(0)) peer.destroy();
      pending.length = 0;
      await listener?.close();
      listener = undefined;
    },
  };
}
