// The far end of a TCP connection as a contract test uses it, over `node:net`, which every runtime
// has.

import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, TLSSocket } from "node:tls";
import type { Peer } from "../contract/transport.ts";

/** Connects and gives the peer once the connection stands. */
export function connectPeer(hostname: string, port: number): Promise<SocketPeer> {
  const socket = connect({ host: hostname, port, allowHalfOpen: true, noDelay: true });
  return opened(socket, "connect");
}

/** As `connectPeer`, on a Unix socket. */
export function connectUnixPeer(path: string): Promise<SocketPeer> {
  return opened(connect({ path, allowHalfOpen: true }), "connect");
}

/** As `connectPeer`, once the client's part of the handshake is done. */
export function connectTlsPeer(options: ConnectionOptions): Promise<SocketPeer> {
  // The option is passed on to the socket below; its type does not know that.
  const settings = { allowHalfOpen: true, servername: "localhost", ...options };
  return opened(connectTls(settings), "secureConnect");
}

function opened(socket: Socket | TLSSocket, event: string): Promise<SocketPeer> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once(event, () => {
      socket.off("error", reject);
      resolve(new SocketPeer(socket));
    });
  });
}

export class SocketPeer implements Peer {
  onChunk: (chunk: Uint8Array) => void = () => {};
  isEnded = false;
  isBroken = false;
  readonly #socket: Socket;
  /** Unix sockets know nothing of that, and not every TLS socket passes it on. */
  readonly #canReset: boolean;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#canReset = socket.remotePort !== undefined && !(socket instanceof TLSSocket);
    socket.on("data", (chunk: Uint8Array) => this.onChunk(chunk));
    socket.on("end", () => this.isEnded = true);
    socket.on("error", () => this.isBroken = true);
    socket.on("close", () => this.isEnded = true);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, (error) => {
        if (!error) resolve();
      });
    });
  }

  finish(): void {
    this.#socket.end();
  }

  abort(): void {
    if (this.#canReset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  setReading(isReading: boolean): void {
    if (isReading) this.#socket.resume();
    else this.#socket.pause();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
