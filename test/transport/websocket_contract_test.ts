// A WebSocket is one more transport: the contract over a pipe and over TCP, with a client that
// masks what it sends.

import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import { withWebSocket } from "../../src/transport/websocket.ts";
import { transportSuite } from "../contract/transport.ts";
import { runtime } from "../support/current_runtime.ts";
import { tcpFixture } from "../support/tcp_fixture.ts";
import { TransportPeer } from "../support/transport_peer.ts";
import { WebSocketPeer } from "../support/websocket_peer.ts";

const OPTIONS = { headBytesMax: 4096 };

transportSuite({
  name: "withWebSocket() over a pipe",
  heldBytesMax: 4 * 65_536,
  isHalfClosable: true,
  lingers: false,
  async connect(accept) {
    let peer: TransportPeer | undefined;
    openMemoryPipe(
      withWebSocket(accept, OPTIONS),
      (transport) => peer = new TransportPeer(transport),
    );
    return await WebSocketPeer.open(peer!);
  },
  release: () => Promise.resolve(),
});

const tcp = tcpFixture("withWebSocket() over TCP", runtime);
transportSuite({
  ...tcp,
  async connect(accept) {
    return await WebSocketPeer.open(await tcp.connect(withWebSocket(accept, OPTIONS)));
  },
});
