/**
 * One Network Connection of a client: moves bytes between a transport and the engine, and keeps the
 * engine's deadline. What the packets mean, and what follows a lost connection, is the client's.
 *
 * The idea: whatever is sent during one turn of the event loop leaves in one write, unless so much
 * has been gathered that waiting would only cost memory.
 *
 * @module
 */

import type { ClientEngine } from "../core/client/client_engine.ts";
import { Alarm } from "../driver/alarm.ts";
import { CLOSE_TIMEOUT_MS } from "../transport/closing.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";

/** What a link needs of its client. */
export interface LinkOwner {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Runs `flush` at the end of the present turn of the event loop. */
  defer(flush: () => void): void;
  /** There is room: hands more to the engine; `true` if there is still something left to hand. */
  pump(): boolean;
  /** Makes durable what the bytes rest on, where something does; `undefined` when it is. */
  settle?(): Promise<void> | undefined;
  /** Called once; a link that was closed says nothing more. */
  onClosed(error: unknown): void;
}

/** Bytes gathered above which nothing more is handed to the engine until some have left. */
const OUTBOX_BYTES_MAX = 65_536;
const SPARE_BYTES = 256;

export class Link implements TransportHandler {
  readonly #engine: ClientEngine;
  readonly #transport: Transport;
  readonly #owner: LinkOwner;
  readonly #alarm: Alarm;
  readonly #onTurnEnd = (): void => {
    this.#isFlushDue = false;
    this.#flush();
  };
  #isFlushDue = false;
  /** What the transport is writing; it comes back as the spare buffer. */
  #outgoing: Uint8Array | undefined;
  #spare: Uint8Array | undefined;
  #isPaused = false;
  #isEnding = false;
  #isClosed = false;
  /** When the last word has to have been taken by the network. */
  #lateAt = Infinity;

  constructor(engine: ClientEngine, transport: Transport, owner: LinkOwner) {
    this.#engine = engine;
    this.#transport = transport;
    this.#owner = owner;
    this.#alarm = new Alarm(() => owner.now(), () => this.#advance());
  }

  /** Whether the engine should be given anything more to send. */
  get hasRoom(): boolean {
    if (this.#engine.outbox.length < OUTBOX_BYTES_MAX) return true;
    // The turn may go on for long: what can leave now leaves now.
    this.#write();
    return this.#engine.outbox.length < OUTBOX_BYTES_MAX;
  }

  /** The engine may have something to send, or another deadline. */
  wake(): void {
    if (this.#isFlushDue || this.#isClosed) return;
    this.#isFlushDue = true;
    this.#owner.defer(this.#onTurnEnd);
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#transport.pause();
  }

  /** Undoes `pause`. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#engine.excuseSilence(this.#owner.now());
    this.#transport.resume();
  }

  /** Ends the connection at once. */
  abort(): void {
    this.#isEnding = true;
    this.#transport.abort();
  }

  onBytes(chunk: Uint8Array): void {
    this.#engine.receive(chunk, this.#owner.now());
    this.wake();
  }

  onWritable(): void {
    this.#spare = this.#outgoing;
    this.#outgoing = undefined;
    this.#flush();
  }

  onClose(error?: unknown): void {
    this.#isClosed = true;
    this.#alarm.cancel();
    this.#owner.onClosed(error);
  }

  #advance(): void {
    const now = this.#owner.now();
    if (now >= this.#lateAt) {
      this.#lateAt = Infinity;
      return this.abort();
    }
    // An answer cannot be heard while nothing is read.
    if (this.#isPaused) this.#engine.excuseSilence(now);
    this.#engine.advance(now);
    this.#flush();
  }

  #flush(): void {
    if (this.#isClosed) return;
    for (let hasMore = true; hasMore;) {
      hasMore = this.#owner.pump() && this.#engine.outbox.length > 0;
      this.#write();
      if (this.#outgoing !== undefined) break;
    }
    if (this.#engine.phase === "ended") this.#end();
    this.#alarm.set(Math.min(this.#engine.nextDeadline, this.#lateAt));
  }

  /** The engine has nothing more to say: the transport ends once it has said the last. */
  #end(): void {
    if (this.#isEnding) return;
    if (this.#outgoing !== undefined) {
      this.#lateAt = Math.min(this.#lateAt, this.#owner.now() + CLOSE_TIMEOUT_MS);
      return;
    }
    this.#lateAt = Infinity;
    this.#isEnding = true;
    this.#transport.close();
  }

  #write(): void {
    const { outbox } = this.#engine;
    if (this.#outgoing !== undefined || outbox.length === 0) return;
    const { bytes, length } = outbox;
    const settling = this.#owner.settle?.();
    if (settling !== undefined) return this.#hold(bytes, length, settling);
    if (this.#transport.write(bytes, length)) {
      this.#engine.sent(this.#owner.now());
    } else this.#lend(bytes);
  }

  /** Writes when the store has caught up. If it never does, the client ends, and this link. */
  #hold(bytes: Uint8Array, length: number, settling: Promise<void>): void {
    this.#lend(bytes);
    settling.then(() => {
      if (!this.#isClosed && this.#transport.write(bytes, length)) this.onWritable();
    }, () => {});
  }

  /** The outbox goes on in another buffer until this one comes back. */
  #lend(bytes: Uint8Array): void {
    this.#outgoing = bytes;
    this.#engine.sent(this.#owner.now(), this.#spare ?? new Uint8Array(SPARE_BYTES));
    this.#spare = undefined;
  }
}
