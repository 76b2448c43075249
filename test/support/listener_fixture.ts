// A listener of a runtime, of any kind, as the transport contract wants it: one listener for each
// test, whose connections are handed out in the order in which they were asked for.

import type { Listener } from "../../src/runtime/runtime.ts";
import type { Accept } from "../../src/transport/transport.ts";
import type { TransportFixture } from "../contract/transport.ts";
import type { SocketPeer } from "./socket_peer.ts";

export interface ListenerFixtureOptions {
  readonly name: string;
  readonly listen: (accept: Accept) => Promise<Listener>;
  readonly connect: (listener: Listener) => Promise<SocketPeer>;
  /** Called after each test, when the listener is closed. */
  readonly onRelease?: () => void;
}

export function listenerFixture(options: ListenerFixtureOptions): TransportFixture {
  let listener: Listener | undefined;
  const peers: SocketPeer[] = [];
  const pending: Accept[] = [];
  return {
    name: options.name,
    heldBytesMax: 64 * 1_048_576,
    isHalfClosable: true,
    lingers: true,
    async connect(accept) {
      listener ??= await options.listen((transport) => pending.shift()!(transport));
      pending.push(accept);
      const peer = await options.connect(listener);
      peers.push(peer);
      return peer;
    },
    async release() {
      for (const peer of peers.splice(0)) peer.destroy();
      pending.length = 0;
      await listener?.close();
      listener = undefined;
      options.onRelease?.();
    },
  };
}
