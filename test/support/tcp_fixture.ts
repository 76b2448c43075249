// A runtime's TCP listener as the transport contract wants it.

import type { Runtime } from "../../src/runtime/runtime.ts";
import type { TransportFixture } from "../contract/transport.ts";
import { listenerFixture } from "./listener_fixture.ts";
import { connectPeer } from "./socket_peer.ts";

const LOOPBACK = "127.0.0.1";

export function tcpFixture(name: string, runtime: Runtime): TransportFixture {
  return listenerFixture({
    name,
    listen: (accept) => runtime.listenTcp({ hostname: LOOPBACK, port: 0 }, accept),
    connect: ({ port }) => connectPeer(LOOPBACK, port),
  });
}
