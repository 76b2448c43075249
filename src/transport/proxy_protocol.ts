/**
 * Connections that come through a proxy, seen as if they came directly: one PROXY header is read,
 * and what is behind it is a transport with the client's address and what TLS the proxy ended.
 * Only for listeners that nobody but the proxy can reach, for it is believed.
 *
 * @module
 */

import type { TlsPeer } from "../core/session/peer.ts";
import { HEADER_BYTES_MAX, parseProxyHeader, type ProxyHeader } from "./proxy_header.ts";
import type { Accept, Transport, TransportHandler } from "./transport.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** A proxy sends its header at once. */
const HEADER_TIMEOUT_MS = 5000;

/** What an operator is told of a header that is none, or does not come. */
const CORRUPT_HEADER = "Connection rejected, corrupt PROXY header.";

export interface ProxyOptions {
  readonly version: 1 | 2;
  /** Refuses clients whose side of the proxy is not secured by TLS. Version 2 only. */
  readonly requiresTls?: boolean;
  /** Refuses clients who showed the proxy no certificate that it found good. Version 2 only. */
  readonly requiresCertificate?: boolean;
  /** How many connections may wait for their header at one time. */
  readonly waitingMax?: number;
  /** Told what to log, before the connection is closed; the transport has the proxy's address. */
  readonly onRejected?: (line: string, transport: Transport) => void;
}

/** Takes the header off each connection before `accept` sees it. */
export function withProxyHeader(accept: Accept, options: ProxyOptions): Accept {
  const room = new WaitingRoom(options.waitingMax);
  return (transport) => new ProxiedConnection(transport, accept, options, room);
}

/** The handler of the proxy's connection, and the transport of the client behind it. */
class ProxiedConnection implements Transport, TransportHandler {
  remoteAddress: string;
  remotePort: number;
  readonly localPort: number;
  tls: TlsPeer | undefined;
  /** For the peer that this transport is taken for. */
  readonly isProxied = true;
  readonly #inner: Transport;
  readonly #accept: Accept;
  readonly #options: ProxyOptions;
  readonly #room: WaitingRoom;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The header as far as it has come. */
  #held: Uint8Array | undefined;
  #heldLength = 0;
  #handler: TransportHandler | undefined;
  #isEnding = false;

  constructor(inner: Transport, accept: Accept, options: ProxyOptions, room: WaitingRoom) {
    this.#inner = inner;
    this.#accept = accept;
    this.#options = options;
    this.#room = room;
    this.remoteAddress = inner.remoteAddress;
    this.remotePort = inner.remotePort;
    this.localPort = inner.localPort;
    this.tls = inner.tls;
    this.#timer = setTimeout(() => this.#reject(CORRUPT_HEADER), HEADER_TIMEOUT_MS);
    room.enter(inner);
  }

  write(bytes: Uint8Array, length: number): boolean {
    return this.#inner.write(bytes, length);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(): void {
    this.#isEnding = true;
    this.#inner.close();
  }

  abort(): void {
    this.#isEnding = true;
    this.#inner.abort();
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#handler !== undefined) this.#handler.onBytes(chunk);
    else if (!this.#isEnding) this.#readHeader(chunk);
  }

  onWritable(): void {
    this.#handler?.onWritable();
  }

  onClose(error?: unknown): void {
    this.#stopWaiting();
    this.#isEnding = true;
    this.#handler?.onClose(error);
  }

  #readHeader(chunk: Uint8Array): void {
    const held = this.#held ??= new Uint8Array(HEADER_BYTES_MAX);
    const before = this.#heldLength;
    const taken = Math.min(chunk.length, held.length - before);
    held.set(chunk.subarray(0, taken), before);
    this.#heldLength = before + taken;
    const header = parseProxyHeader(this.#options.version, held, this.#heldLength);
    if (header === "incomplete") return;
    if (header === "corrupt") return this.#reject(CORRUPT_HEADER);
    const lack = this.#findLack(header);
    if (lack !== undefined) {
      return this.#reject(`Connection from ${this.#name(header)} rejected, ${lack}.`);
    }
    this.#held = undefined;
    this.#stopWaiting();
    if (header.isLocal) return this.close();
    this.#takeOver(header);
    this.#handler = this.#accept(this);
    const rest = header.length - before;
    if (rest < chunk.length && !this.#isEnding) this.#handler.onBytes(chunk.subarray(rest));
  }

  /** In what a connection of a client is less secured than the listener asks for. */
  #findLack({ isLocal, tls }: ProxyHeader): string | undefined {
    if (isLocal) return undefined;
    const { requiresTls = false, requiresCertificate = false } = this.#options;
    if (requiresTls && tls === undefined) return "client did not connect using TLS";
    if (requiresCertificate && tls?.isVerified !== true) {
      return "client did not provide a certificate";
    }
    return undefined;
  }

  #name({ source }: ProxyHeader): string {
    const { address, port } = source ?? { address: this.remoteAddress, port: this.remotePort };
    return `${address}:${port}`;
  }

  #takeOver({ source, tls }: ProxyHeader): void {
    if (source !== undefined) {
      this.remoteAddress = source.address;
      this.remotePort = source.port;
    }
    // The client's side, never that between the proxy and us.
    this.tls = tls && {
      version: tls.version,
      cipher: tls.cipher,
      certificate: tls.isVerified ? { commonName: tls.commonName, subject: undefined } : undefined,
      pskIdentity: undefined,
    };
  }

  #reject(line: string): void {
    this.#held = undefined;
    this.#stopWaiting();
    this.#options.onRejected?.(line, this.#inner);
    this.close();
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#room.leave(this.#inner);
  }
}
