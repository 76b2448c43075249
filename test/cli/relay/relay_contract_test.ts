// To those at its ends a relay is a connection: what every transport promises holds between a
// device's socket and the far side's WebSocket, with back-pressure either way and through both.

import type { Accept } from "../../../src/transport/transport.ts";
import { transportSuite } from "../../contract/transport.ts";
import { connectPeer, type SocketPeer } from "../../support/socket_peer.ts";
import { encode } from "../../support/scripted_transport.ts";
import { RelaySite } from "./relay_site.ts";

/** What a device has to begin with, and the suite knows nothing of. */
const CONNECT = encode("\x10\x10\0\x04MQTT\x05\x02\0\0\0\0\x03abc");

let site: RelaySite | undefined;
const peers: SocketPeer[] = [];
const pending: Accept[] = [];

transportSuite({
  name: "RelayServer",
  // What the sockets of three connections hold, on a machine that is generous with them.
  heldBytesMax: 64 * 1_048_576,
  isHalfClosable: false,
  lingers: false,
  async connect(accept) {
    site ??= await RelaySite.openTo((transport) => withoutConnect(pending.shift()!)(transport));
    pending.push(accept);
    const peer = await connectPeer("127.0.0.1", site.port);
    peers.push(peer);
    await peer.send(CONNECT);
    // The far side's connections come in the order in which they were asked for.
    while (pending.includes(accept)) await new Promise((resolve) => setTimeout(resolve, 1));
    return peer;
  },
  async release() {
    for (const peer of peers.splice(0)) peer.destroy();
    pending.length = 0;
    await site?.close();
    site = undefined;
  },
});

/** Takes the CONNECT off what arrives. */
function withoutConnect(accept: Accept): Accept {
  return (transport) => {
    const handler = accept(transport);
    let left = CONNECT.length;
    return {
      onBytes(chunk) {
        const count = Math.min(left, chunk.length);
        left -= count;
        if (count < chunk.length) handler.onBytes(chunk.subarray(count));
      },
      onWritable: () => handler.onWritable(),
      onClose: (error) => handler.onClose(error),
    };
  };
}
