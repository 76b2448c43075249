/**
 * The shape of what we use of Bun, so that its types need not be installed to check the sources.
 *
 * @module
 */

/** A socket of `Bun.listen`; `data` is ours. On a Unix socket there are no addresses. */
export interface BunSocket<Data> {
  data: Data;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** How many bytes were taken, fewer than asked for when the kernel is full; -1 once closed. */
  write(bytes: Uint8Array, offset: number, length: number): number;
  pause(): void;
  resume(): void;
  /** Ends our writing side. */
  shutdown(): void;
  /** Closes at once. */
  terminate(): void;
  setNoDelay(noDelay: boolean): boolean;
}

/** What Bun calls; `end` is the peer's end of its own side, where half-open sockets are allowed. */
export interface BunSocketHandlers<Data> {
  open(socket: BunSocket<Data>): void;
  data(socket: BunSocket<Data>, chunk: Uint8Array): void;
  drain(socket: BunSocket<Data>): void;
  end(socket: BunSocket<Data>): void;
  close(socket: BunSocket<Data>, error?: Error): void;
  error(socket: BunSocket<Data>, error: Error): void;
}

export interface BunListener {
  readonly hostname: string;
  readonly port: number;
  /** Stops accepting; with `false`, connections live on. */
  stop(closeConnections: boolean): void;
}

export type BunAddress =
  | { readonly hostname: string; readonly port: number; readonly ipv6Only: boolean }
  | { readonly unix: string };

export interface BunApi {
  readonly version: string;
  listen<Data>(
    options: BunAddress & {
      readonly allowHalfOpen: boolean;
      readonly socket: BunSocketHandlers<Data>;
    },
  ): BunListener;
}

/** Bun itself; only what runs on Bun may call it. */
export function bunApi(): BunApi {
  // True on Bun, the only runtime that loads this folder.
  return (globalThis as unknown as { readonly Bun: BunApi }).Bun;
}
