// A relay between a client and a port, which stops taking what the port sends when it is told to. To
// the broker it is a client that does not read, whatever the client's runtime reads ahead.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Relay {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  #upstream: Socket | undefined;

  constructor(to: number) {
    this.#server = createServer((client) => {
      const upstream = connect({ host: "127.0.0.1", port: to, noDelay: true });
      this.#upstream = upstream;
      this.#sockets.push(client, upstream);
      client.pipe(upstream);
      upstream.on("data", (chunk: Uint8Array) => client.write(chunk));
      for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
  }

  /** Opens a relay for one client. */
  static async open(to: number): Promise<Relay> {
    const relay = new Relay(to);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Reads nothing more of what the port sends. */
  freeze(): void {
    this.#upstream!.pause();
  }

  thaw(): void {
    this.#upstream!.resume();
  }

  /** Ends the connections that there are. */
  cut(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
