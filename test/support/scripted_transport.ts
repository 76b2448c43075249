// A transport that a test holds in its hands: it records what is written, and says what the test
// wants it to say.

import type { TlsPeer } from "../../src/core/session/peer.ts";
import type { Accept, Transport, TransportHandler } from "../../src/transport/transport.ts";

export class ScriptedTransport implements Transport {
  remoteAddress = "192.0.2.1";
  remotePort = 4711;
  localPort = 1883;
  tls: TlsPeer | undefined;
  /** Whether writes are consumed at once; otherwise `drain` says that they were. */
  isFast = true;
  /** What was written, byte by byte. */
  written: number[] = [];
  /** `pause`, `resume`, `close`, `abort`, in order. */
  readonly calls: string[] = [];
  #handler: TransportHandler | undefined;

  accept(accept: Accept): this {
    this.#handler = accept(this);
    return this;
  }

  /** What was written, as text, and forgets it. */
  takeText(): string {
    return String.fromCharCode(...this.takeBytes());
  }

  takeBytes(): number[] {
    return this.written.splice(0);
  }

  /** Lets bytes arrive, in a copy that may be overwritten. */
  receive(bytes: Uint8Array | string): void {
    this.#handler!.onBytes(typeof bytes === "string" ? encode(bytes) : bytes.slice());
  }

  receiveInPieces(bytes: Uint8Array, size: number): void {
    for (let at = 0; at < bytes.length; at += size) this.receive(bytes.subarray(at, at + size));
  }

  drain(): void {
    this.#handler!.onWritable();
  }

  end(error?: unknown): void {
    this.#handler!.onClose(error);
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.calls.includes("close") || this.calls.includes("abort")) return true;
    this.written.push(...bytes.subarray(0, length));
    return this.isFast;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  close(): void {
    this.calls.push("close");
  }

  abort(): void {
    this.calls.push("abort");
  }
}

/** Text as bytes, one each. */
export function encode(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
