// A handler that records what a transport tells it and watches over the rules of the contract: no
// call nested inside a call to the transport, nothing after `onClose`, no `onWritable` that is not due.

import type { Transport, TransportHandler } from "../../src/transport/transport.ts";

export class Probe implements TransportHandler {
  readonly violations: string[] = [];
  /** What arrived, as long as `onChunk` is not set. */
  readonly received: number[] = [];
  writableCount = 0;
  closeCount = 0;
  error: unknown;
  onChunk: ((chunk: Uint8Array) => void) | undefined;
  onRoom: (() => void) | undefined;
  readonly #transport: Transport;
  #isInCall = false;
  #isWriting = false;
  #hasAskedToEnd = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get address(): { remoteAddress: string; remotePort: number; localPort: number } {
    const { remoteAddress, remotePort, localPort } = this.#transport;
    return { remoteAddress, remotePort, localPort };
  }

  write(bytes: Uint8Array, length = bytes.length): boolean {
    return this.#call(() => {
      const isConsumed = this.#transport.write(bytes, length);
      this.#isWriting = !isConsumed;
      return isConsumed;
    });
  }

  pause(): void {
    this.#call(() => this.#transport.pause());
  }

  resume(): void {
    this.#call(() => this.#transport.resume());
  }

  close(): void {
    this.#hasAskedToEnd = true;
    this.#call(() => this.#transport.close());
  }

  abort(): void {
    this.#hasAskedToEnd = true;
    this.#call(() => this.#transport.abort());
  }

  onBytes(chunk: Uint8Array): void {
    this.#note("onBytes", this.#hasAskedToEnd);
    if (chunk.length === 0) this.violations.push("onBytes with nothing");
    if (this.onChunk !== undefined) this.onChunk(chunk);
    else this.received.push(...chunk);
  }

  onWritable(): void {
    this.#note("onWritable", this.#hasAskedToEnd || !this.#isWriting);
    this.#isWriting = false;
    this.writableCount++;
    this.onRoom?.();
  }

  onClose(error?: unknown): void {
    this.#note("onClose", false);
    this.closeCount++;
    this.error = error;
  }

  #note(name: string, isUncalledFor: boolean): void {
    if (this.#isInCall) this.violations.push(`${name} nested in a call`);
    if (this.closeCount > 0) this.violations.push(`${name} after onClose`);
    if (isUncalledFor) this.violations.push(`${name} uncalled for`);
  }

  #call<T>(call: () => T): T {
    // A call from within `onBytes` and the like is allowed; only the reverse is not.
    const wasInCall = this.#isInCall;
    this.#isInCall = true;
    try {
      return call();
    } finally {
      this.#isInCall = wasInCall;
    }
  }
}
