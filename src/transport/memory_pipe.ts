/**
 * Two transports joined in memory: what one writes, the other receives. For embedders, which have a
 * client in the broker's own process, and for tests. There is no half-open state here: when one end
 * closes, the other gets what was written before and then closes too.
 *
 * The idea: each end owns an inbox of fixed size. What does not fit stays with its writer, who is
 * told when it has moved over. Every call to a handler is a task of its own, run by `defer`; with a
 * `defer` that keeps tasks in a list, a test decides when anything happens.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { Accept, Transport, TransportHandler } from "./transport.ts";

/** How a pipe is made. */
export interface MemoryPipeOptions {
  /** Bytes that each direction holds before a write waits; 65,536 unless told. */
  readonly capacityBytes?: number;
  /** Runs a task soon, in order; `queueMicrotask` unless told. */
  readonly defer?: (task: () => void) => void;
}

/** Opens a pipe; each `Accept` is given its end before this returns. */
export function openMemoryPipe(
  first: Accept,
  second: Accept,
  options: MemoryPipeOptions = {},
): void {
  const capacity = options.capacityBytes ?? 65_536;
  const defer = options.defer ?? ((task) => queueMicrotask(task));
  const left = new PipeEnd(capacity, defer);
  const right = new PipeEnd(capacity, defer);
  left.join(right);
  right.join(left);
  left.start(first(left));
  right.start(second(right));
}

class PipeEnd implements Transport {
  readonly remoteAddress = "";
  readonly remotePort = 0;
  readonly localPort = 0;
  readonly #inbox: Uint8Array;
  readonly #defer: (task: () => void) => void;
  readonly #step = (): void => this.#run();
  #peer: PipeEnd | undefined;
  #handler: TransportHandler | undefined;
  /** The inbox is a ring: where its first byte is, and how many there are. */
  #first = 0;
  #held = 0;
  /** The rest of the peer's last write, taken over when the peer closed. */
  #rest: Uint8Array | undefined;
  /** Our own write that waits for room: bytes `#sent` to `#length`. */
  #outgoing: Uint8Array | undefined;
  #sent = 0;
  #length = 0;
  #isWritableDue = false;
  #isStepDue = false;
  #isPaused = false;
  #isClosing = false;
  #isPeerGone = false;
  #error: unknown;

  constructor(capacity: number, defer: (task: () => void) => void) {
    this.#inbox = new Uint8Array(capacity);
    this.#defer = defer;
  }

  join(peer: PipeEnd): void {
    this.#peer = peer;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#isClosing || this.#isPeerGone) return true;
    const sent = this.#peer!.#take(bytes, 0, length);
    if (sent === length) return true;
    this.#outgoing = bytes;
    this.#sent = sent;
    this.#length = length;
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    // The buffer goes back to its owner, so what is left of it is copied: one write at most.
    if (this.#outgoing !== undefined) {
      this.#peer!.#rest = this.#outgoing.slice(this.#sent, this.#length);
    }
    this.#outgoing = undefined;
    this.#peer!.#losePeer();
    this.#schedule();
  }

  abort(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#outgoing = undefined;
    const peer = this.#peer!;
    peer.#held = 0;
    peer.#error = new OperationError("closed", "The other end of the pipe aborted");
    peer.#losePeer();
    this.#schedule();
  }

  /** Copies what fits into the inbox and says how far it came. */
  #take(bytes: Uint8Array, from: number, to: number): number {
    const inbox = this.#inbox;
    while (from < to && this.#held < inbox.length) {
      const at = (this.#first + this.#held) % inbox.length;
      const room = Math.min(inbox.length - this.#held, inbox.length - at, to - from);
      inbox.set(bytes.subarray(from, from + room), at);
      from += room;
      this.#held += room;
    }
    this.#schedule();
    return from;
  }

  #losePeer(): void {
    this.#isPeerGone = true;
    this.#outgoing = undefined;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isStepDue || this.#handler === undefined) return;
    this.#isStepDue = true;
    this.#defer(this.#step);
  }

  /** Makes the one call to the handler that is due, and comes back if there may be another. */
  #run(): void {
    this.#isStepDue = false;
    const handler = this.#handler;
    if (handler === undefined) return;
    if (this.#isClosing) this.#finish(handler, undefined);
    else if (this.#error !== undefined) this.#finish(handler, this.#error);
    else if (this.#isWritableDue) {
      this.#isWritableDue = false;
      handler.onWritable();
      this.#schedule();
    } else if (!this.#isPaused) this.#deliver(handler);
  }

  #deliver(handler: TransportHandler): void {
    if (this.#held > 0) {
      const length = Math.min(this.#held, this.#inbox.length - this.#first);
      handler.onBytes(this.#inbox.subarray(this.#first, this.#first + length));
      // An abort by the peer during the call has emptied the inbox.
      if (this.#held > 0) {
        this.#first = (this.#first + length) % this.#inbox.length;
        this.#held -= length;
        this.#peer!.#sendMore();
      }
      this.#schedule();
    } else if (this.#rest !== undefined) {
      const rest = this.#rest;
      this.#rest = undefined;
      handler.onBytes(rest);
      this.#schedule();
    } else if (this.#isPeerGone) {
      this.#isClosing = true;
      this.#finish(handler, undefined);
    }
  }

  #sendMore(): void {
    if (this.#outgoing === undefined) return;
    this.#sent = this.#peer!.#take(this.#outgoing, this.#sent, this.#length);
    if (this.#sent < this.#length) return;
    this.#outgoing = undefined;
    this.#isWritableDue = true;
    this.#schedule();
  }

  #finish(handler: TransportHandler, error: unknown): void {
    this.#isClosing = true;
    this.#handler = undefined;
    handler.onClose(error);
  }
}
