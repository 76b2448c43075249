// A client's WebSocket as a stream of bytes, for whoever speaks MQTT over a socket otherwise. Each
// chunk goes out in a frame of its own.

import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { SocketPeer } from "./socket_peer.ts";
import { upgradeRequest, WebSocketPeer } from "./websocket_peer.ts";
import type { WireSocket } from "./wire_client.ts";

/** Opens a WebSocket on a port of this machine, or on a socket that is connected or about to be. */
export async function openWebSocket(
  where: number | Socket,
  request: string = upgradeRequest(),
): Promise<WireSocket> {
  const socket = typeof where === "number"
    ? connect({ host: "127.0.0.1", port: where, noDelay: true })
    : where;
  // Once it is closed, nobody knows any more.
  let { localPort } = socket;
  socket.once("connect", () => localPort = socket.localPort);
  const inner = new SocketPeer(socket);
  const peer = await WebSocketPeer.open(inner, request);
  if (!peer.head.startsWith("HTTP/1.1 101 ")) {
    socket.destroy();
    throw new Error(`There is no WebSocket: "${peer.head}"`);
  }
  let isFinished = false;
  const finish = (): void => {
    if (!isFinished) peer.finish();
    isFinished = true;
  };
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Uint8Array, _encoding, done) => void peer.send(chunk).then(() => done()),
    final(done) {
      finish();
      done();
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  peer.onChunk = (chunk) => {
    if (!stream.push(chunk.slice())) socket.pause();
  };
  // Whoever is told of the end answers, or a server may wait for that.
  peer.onGoodbye = () => {
    finish();
    stream.push(null);
  };
  // Some are closed as soon as they are open.
  if (socket.closed) stream.push(null);
  else socket.on("close", () => stream.push(null));
  return Object.assign(stream, {
    localPort,
    resetAndDestroy: () => {
      inner.abort();
      return stream.destroy();
    },
  });
}
