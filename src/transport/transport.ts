/**
 * The contract between a network connection and the driver. A runtime's adapter, a Web Streams
 * duplex and an in-memory pipe implement `Transport`; the driver implements `TransportHandler`.
 *
 * Bytes arrive in both directions as they were sent, all of them and in order [MQTT-4.2.0-1].
 *
 * The idea: both directions are plain calls. Nothing here is a promise, so nothing is allocated per
 * message, and at most one write is outstanding per connection.
 *
 * @module
 */

import type { TlsPeer } from "../core/session/peer.ts";

/** What the driver may do to one connection. */
export interface Transport {
  /** The peer's address as text, `""` where there is none. */
  readonly remoteAddress: string;
  /** The peer's port, 0 where there is none. */
  readonly remotePort: number;
  /** The port that accepted the connection, 0 where there is none. */
  readonly localPort: number;
  /** What TLS says of the peer, once the handshake is done; a transport is accepted after that. */
  readonly tls?: TlsPeer | undefined;
  /**
   * Sends `bytes[0..length)`. `true`: consumed, the buffer may be reused at once. `false`: the
   * transport owns the buffer until it calls `onWritable`, and nothing may be written before that.
   */
  write(bytes: Uint8Array, length: number): boolean;
  /** Stops `onBytes` until `resume`; a chunk already on its way may still be delivered. */
  pause(): void;
  /** Undoes `pause`. */
  resume(): void;
  /**
   * Ends the connection after an outstanding write, or after a few seconds if the peer does not
   * take it. From here on writes are dropped (and return `true`), and only `onClose` is still
   * called.
   */
  close(): void;
  /** As `close`, but at once: what has not left is dropped. */
  abort(): void;
}

/** What a transport tells the driver. Calls are never nested inside a call to the transport. */
export interface TransportHandler {
  /**
   * Bytes arrived. The chunk is borrowed: it is valid during the call only, and may be overwritten,
   * because masked or encrypted bytes are best made readable where they lie.
   */
  onBytes(chunk: Uint8Array): void;
  /** The outstanding write is done and its buffer belongs to the caller of `write` again. */
  onWritable(): void;
  /**
   * The connection is gone, and an outstanding write's buffer belongs to the caller of `write`
   * again. Called exactly once, and nothing is called after it. `error` is what broke the
   * connection; without one, somebody ended it. A peer that ends its own side gets the answers to
   * what it sent.
   */
  onClose(error?: unknown): void;
}

/** Called once per accepted connection; bytes flow after it returns. */
export type Accept = (transport: Transport) => TransportHandler;
