/**
 * The messages of one reader, as an async iterable with a bounded buffer. A message counts as
 * processed, and is acknowledged, when the reader asks for the next one or ends.
 *
 * @module
 */

import { RingQueue } from "../core/base/ring_queue.ts";
import { matches, parseFilter } from "../core/topic/filter.ts";
import { ClientError } from "./client_error.ts";
import type { Message } from "./message.ts";

/** How messages are read. */
export interface MessagesOptions {
  /** Messages that wait for the reader before the connection is not read; 256 unless given. */
  readonly bufferMessagesMax?: number;
  /** Payload bytes that wait likewise; 1 MiB unless given. */
  readonly bufferBytesMax?: number;
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal;
}

/** What a stream tells the client. */
export interface StreamOwner {
  /** It has room again. */
  onRoom(): void;
  /** It will take nothing more. */
  onEnded(stream: MessageStream): void;
}

interface Held {
  readonly message: Message;
  readonly release: (() => void) | undefined;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<Message, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** An async iterable of messages; see {@linkcode MessagesOptions} for its bounds. */
export class MessageStream implements AsyncIterableIterator<Message, undefined> {
  readonly #owner: StreamOwner;
  readonly #filter: string | undefined;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#fail(this.#signal!.reason);
  readonly #buffer: RingQueue<Held> = new RingQueue();
  readonly #waiters: RingQueue<Waiter> = new RingQueue();
  #bytes = 0;
  #isFull = false;
  /** What the reader is busy with. */
  #releaseCurrent: (() => void) | undefined;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  /** @param filter only what it matches, a shared one by what stands behind its name. */
  constructor(owner: StreamOwner, filter: string | undefined, options: MessagesOptions) {
    this.#owner = owner;
    this.#filter = filter === undefined ? undefined : plainFilter(filter);
    this.#messagesMax = options.bufferMessagesMax ?? 256;
    this.#bytesMax = options.bufferBytesMax ?? 1_048_576;
    this.#signal = options.signal;
    if (this.#signal?.aborted) this.#fail(this.#signal.reason);
    else this.#signal?.addEventListener("abort", this.#onAbort);
  }

  /** Whether the connection must not be read until the reader has caught up. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether messages of this topic are for this reader. */
  takes(topic: string): boolean {
    return !this.#isEnded && (this.#filter === undefined || matches(this.#filter, topic));
  }

  /** A message came; `release` is called when the reader is done with it. */
  push(message: Message, release: (() => void) | undefined): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      this.#take(release);
      waiter.resolve({ done: false, value: message });
      return;
    }
    this.#buffer.push({ message, release });
    this.#bytes += message.payload.length;
    this.#isFull ||= this.#buffer.length >= this.#messagesMax || this.#bytes >= this.#bytesMax;
  }

  /** The next message; those before it are processed. */
  next(): Promise<IteratorResult<Message, undefined>> {
    this.#take(undefined);
    const held = this.#buffer.shift();
    if (held !== undefined) {
      this.#bytes -= held.message.payload.length;
      this.#take(held.release);
      this.#makeRoom();
      return Promise.resolve({ done: false, value: held.message });
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure.error);
    if (this.#isEnded) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Ends the iteration; what is in the buffer is dropped. */
  return(): Promise<IteratorResult<Message, undefined>> {
    this.#dropAll();
    this.end(undefined);
    return Promise.resolve(DONE);
  }

  /** Nothing more will come; what has come is still read, then `error`, if any, is thrown. */
  end(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    if (error !== undefined) this.#failure = { error };
    for (let waiter = this.#waiters.shift(); waiter; waiter = this.#waiters.shift()) {
      // The first is told of the failure, as a later reader would be.
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure === undefined) waiter.resolve(DONE);
      else waiter.reject(failure.error);
    }
    this.#owner.onEnded(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #fail(error: unknown): void {
    this.#dropAll();
    this.end(error);
  }

  #dropAll(): void {
    this.#take(undefined);
    for (let held = this.#buffer.shift(); held; held = this.#buffer.shift()) held.release?.();
    this.#bytes = 0;
    this.#makeRoom();
  }

  #take(release: (() => void) | undefined): void {
    const previous = this.#releaseCurrent;
    this.#releaseCurrent = release;
    previous?.();
  }

  /** Reading goes on when half is free, so that it does not start and stop for each message. */
  #makeRoom(): void {
    if (!this.#isFull) return;
    if (this.#buffer.length > this.#messagesMax / 2 || this.#bytes > this.#bytesMax / 2) return;
    this.#isFull = false;
    this.#owner.onRoom();
  }
}

function plainFilter(filter: string): string {
  const parsed = parseFilter(filter);
  if (typeof parsed === "string") {
    throw new ClientError("invalid-argument", `Cannot use the topic filter "${filter}"`);
  }
  return parsed.filter;
}
