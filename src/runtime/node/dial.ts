/**
 * Connections that we open, over `node:net` and `node:tls`, on all three runtimes; once open they
 * are served like accepted ones.
 *
 * The idea: an attempt is a few steps in a row (connect, ask the proxy, secure), and whatever goes
 * wrong meanwhile, at the socket, by the clock or by the caller, ends the step that is under way.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { OperationError } from "../../core/base/operation_error.ts";
import { dialError, type DialStage } from "../../transport/dial_error.ts";
import { Socks5Dialogue } from "../../transport/socks5.ts";
import type { Accept } from "../../transport/transport.ts";
import type { DialOptions } from "../runtime.ts";
import { serveSecure, serveTcp } from "./tcp_connection.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";
import type { Place, TlsClient } from "./tls_client.ts";
import type { TlsAbilities } from "./tls_settings.ts";

const READ_BYTES = 65_536;
const PROXY_PORT = 1080;

/** Connects; see `Runtime.dial`. */
export async function dial(
  options: DialOptions,
  accept: Accept,
  abilities: TlsAbilities = TLS_ABILITIES,
): Promise<void> {
  const { address, proxy, tls, signal } = options;
  signal?.throwIfAborted();
  if (proxy !== undefined && "path" in address) {
    throw new OperationError("not-supported", "Unix sockets are not reached through a proxy");
  }
  const secure = tls && await secureBy(options, tls, abilities);
  signal?.throwIfAborted();
  const attempt = new Attempt(options);
  try {
    if (proxy === undefined) await attempt.connect(placeOf(options), nameOf(address), secure);
    else {
      const { hostname, port = PROXY_PORT } = proxy;
      const place = { hostname, port };
      await attempt.connect(placeOf({ ...options, address: place }), nameOf(place), undefined);
      // Of the two kinds of address, a path was refused above.
      const target = address as { readonly hostname: string; readonly port: number };
      await attempt.ask(new Socks5Dialogue({ ...target, ...loginOf(proxy) }));
      if (secure !== undefined) await attempt.secure(secure, nameOf(address));
    }
    const path = "path" in address ? address.path : undefined;
    const shared = new Uint8Array(READ_BYTES);
    const socket = attempt.finish();
    if (secure === undefined) serveTcp(socket, shared, accept, path);
    else {
      const secured = socket as TLSSocket; // made by `secure`
      serveSecure(secured, { tls: secure.finish(secured), path, shared }, accept);
    }
  } catch (error) {
    attempt.abandon();
    throw error;
  }
}

async function secureBy(
  { address }: DialOptions,
  tls: NonNullable<DialOptions["tls"]>,
  abilities: TlsAbilities,
): Promise<TlsClient> {
  // Loaded by those who need it only.
  const { TlsClient } = await import("./tls_client.ts");
  return new TlsClient(tls, "path" in address ? "localhost" : address.hostname, abilities);
}

class Attempt {
  readonly #options: DialOptions;
  readonly #failure: Promise<never>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #reject!: (error: unknown) => void;
  #hasFailed = false;
  #socket: Socket | undefined;
  #place = "";
  #stage: DialStage = "connecting";
  readonly #onAbort = (): void => this.#fail(this.#options.signal!.reason);
  readonly #onError = (cause: unknown): void =>
    this.#fail(dialError(this.#place, this.#stage, cause));
  readonly #onClose = (): void => this.#onError(new Error("The connection was closed"));

  constructor(options: DialOptions) {
    const { signal, timeoutMs } = options;
    this.#options = options;
    this.#failure = new Promise((_resolve, reject) => this.#reject = reject);
    // It may come when no step is under way.
    this.#failure.catch(() => {});
    this.#timer = setTimeout(() => {
      const message = `Cannot connect to "${this.#place}" within ${timeoutMs} ms`;
      this.#fail(new OperationError("timed-out", message));
    }, timeoutMs);
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** Opens the socket, with TLS at once where it is to have that. */
  async connect(place: Place, name: string, tls: TlsClient | undefined): Promise<void> {
    this.#place = name;
    if (tls !== undefined) return await this.#handshake(() => tls.open(place));
    await this.#step((done) => {
      const { noDelay = true } = this.#options;
      const options = { ...place, allowHalfOpen: true, noDelay };
      // Nothing may be read before the reader is known.
      this.#take(connect(options).pause()).once("connect", done);
    });
  }

  /** Has the proxy at the other end connect us further. */
  async ask(dialogue: Socks5Dialogue): Promise<void> {
    const socket = this.#socket!;
    let onData = (_chunk: Uint8Array): void => {};
    await this.#step((done) => {
      onData = (chunk) => {
        try {
          socket.write(dialogue.receive(chunk));
        } catch (error) {
          this.#fail(error);
        }
        if (dialogue.isDone) done();
      };
      socket.on("data", onData);
      socket.resume();
      socket.write(dialogue.begin());
    });
    socket.pause();
    socket.off("data", onData);
  }

  /** Puts TLS on the connection that a proxy has made. */
  async secure(tls: TlsClient, name: string): Promise<void> {
    const socket = this.#socket!;
    this.#release(socket);
    socket.on("error", () => {}); // told by the TLS socket as well
    this.#place = name;
    await this.#handshake(() => tls.open({ socket }));
  }

  /** Lets go of the socket: it is open, and nobody but the caller will hear of it. */
  finish(): Socket {
    const socket = this.#socket!;
    this.#end();
    return socket;
  }

  /** The attempt has come to nothing. */
  abandon(): void {
    this.#end();
    // It may still have something to say, to nobody.
    this.#socket?.on("error", () => {}).destroy();
  }

  async #handshake(open: () => TLSSocket): Promise<void> {
    await this.#step((done) => {
      let socket: TLSSocket;
      try {
        socket = open();
      } catch (cause) {
        this.#stage = "securing";
        return this.#onError(cause);
      }
      if (socket.connecting) socket.once("connect", () => this.#stage = "securing");
      else this.#stage = "securing";
      this.#take(socket);
      socket.setNoDelay(this.#options.noDelay ?? true);
      socket.once("secureConnect", done);
    });
  }

  /** Waits for `done`, or for what goes wrong before. */
  async #step(begin: (done: () => void) => void): Promise<void> {
    await Promise.race([new Promise<void>(begin), this.#failure]);
    // A failure that came in the same instant counts.
    if (this.#hasFailed) await this.#failure;
  }

  #take(socket: Socket): Socket {
    this.#socket = socket;
    return socket.on("error", this.#onError).on("close", this.#onClose);
  }

  #release(socket: Socket): void {
    socket.off("error", this.#onError).off("close", this.#onClose);
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#reject(error);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    if (this.#socket !== undefined) this.#release(this.#socket);
  }
}

function placeOf({ address, localAddress }: DialOptions): Place {
  if ("path" in address) return { path: address.path };
  const { hostname: host, port } = address;
  return localAddress === undefined ? { host, port } : { host, port, localAddress };
}

function nameOf(address: DialOptions["address"]): string {
  if ("path" in address) return address.path;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function loginOf(
  { username, password }: NonNullable<DialOptions["proxy"]>,
): { username?: string | undefined; password?: string | undefined } {
  return { username, password };
}
