// A SOCKS5 proxy for tests: it connects to this machine only, notes what it was asked for, and
// refuses as it is told.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export interface SocksOptions {
  /** `user:password` that it insists on. */
  readonly login?: string;
  /** What it answers to every request; 0 connects. */
  readonly status?: number;
}

export class SocksServer {
  readonly port: number;
  /** `host:port` of each request, and `user:password` where it asked for that. */
  readonly requests: string[];
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, requests: string[], sockets: Set<Socket>) {
    // It listens on TCP.
    this.port = (server.address() as AddressInfo).port;
    this.requests = requests;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async open(options: SocksOptions = {}): Promise<SocksServer> {
    const requests: string[] = [];
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
      void serve(socket, options, requests).catch(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new SocksServer(server, requests, sockets);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function serve(socket: Socket, options: SocksOptions, requests: string[]): Promise<void> {
  const { login, status = 0 } = options;
  const reader = new Reader(socket);
  const [, count] = await reader.take(2);
  await reader.take(count!);
  socket.write(Uint8Array.of(5, login === undefined ? 0 : 2));
  if (login !== undefined) {
    const [, length] = await reader.take(2);
    const username = text(await reader.take(length!));
    const password = text(await reader.take((await reader.take(1))[0]!));
    requests.push(`${username}:${password}`);
    const isRight = `${username}:${password}` === login;
    socket.write(Uint8Array.of(1, isRight ? 0 : 1));
    if (!isRight) return;
  }
  const [, , , type] = await reader.take(4);
  const host = type === 1
    ? (await reader.take(4)).join(".")
    : text(await reader.take((await reader.take(1))[0]!));
  const [high, low] = await reader.take(2);
  const port = high! * 256 + low!;
  requests.push(`${host}:${port}`);
  const reply = Uint8Array.of(5, status, 0, 1, 0, 0, 0, 0, 0, 0);
  if (status !== 0) return void socket.write(reply);
  const target = connect(port, "127.0.0.1", () => {
    socket.write(reply);
    reader.end();
    socket.pipe(target).pipe(socket);
  });
  target.on("error", () => socket.destroy());
  socket.on("close", () => target.destroy());
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Takes so many bytes at a time. */
class Reader {
  #bytes: number[] = [];
  #wake = (): void => {};
  readonly #socket: Socket;
  readonly #onData = (chunk: Uint8Array): void => {
    this.#bytes.push(...chunk);
    this.#wake();
  };

  constructor(socket: Socket) {
    this.#socket = socket.on("data", this.#onData);
  }

  async take(count: number): Promise<Uint8Array> {
    while (this.#bytes.length < count) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return Uint8Array.from(this.#bytes.splice(0, count));
  }

  end(): void {
    this.#socket.off("data", this.#onData);
  }
}
