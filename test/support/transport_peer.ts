// The far end of a connection that is a transport itself, as a contract test uses it.

import type { Peer } from "../contract/transport.ts";
import type { Transport, TransportHandler } from "../../src/transport/transport.ts";

export class TransportPeer implements Peer, TransportHandler {
  onChunk: (chunk: Uint8Array) => void = () => {};
  isEnded = false;
  isBroken = false;
  readonly #transport: Transport;
  #onTaken: (() => void) | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  send(bytes: Uint8Array): Promise<void> {
    if (this.#transport.write(bytes, bytes.length)) return Promise.resolve();
    return new Promise((resolve) => this.#onTaken = resolve);
  }

  finish(): void {
    this.#transport.close();
  }

  abort(): void {
    this.#transport.abort();
  }

  setReading(isReading: boolean): void {
    if (isReading) this.#transport.resume();
    else this.#transport.pause();
  }

  onBytes(chunk: Uint8Array): void {
    this.onChunk(chunk);
  }

  onWritable(): void {
    this.#onTaken?.();
  }

  onClose(error?: unknown): void {
    this.isEnded = true;
    this.isBroken = error !== undefined;
  }
}
