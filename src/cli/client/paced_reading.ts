/**
 * A layer over a connection that rests for a moment while very many small chunks come: a broker
 * that writes each message on its own would otherwise wake the program for each, which costs far
 * more than the message.
 *
 * The idea: who reads what is printed does not see two milliseconds, and a connection at rest
 * gathers hundreds of messages for one reading. Whatever comes more slowly is handed on at once.
 *
 * @module
 */

import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";

/** Chunks closer to each other than this are one stream. */
const GAP_MS = 1;
/** Chunks of a stream that are handed on before the first rest. */
const CHUNKS_MAX = 50;
const REST_MS = 2;
/** Nobody has to wait for a chunk like this to grow. */
const CHUNK_BYTES = 16_384;

/** Lets a reader rest; `now` is in milliseconds. */
export function withPacedReading(accept: Accept, now: () => number): Accept {
  return (transport) => new PacedReading(transport, accept, now);
}

class PacedReading implements TransportHandler {
  readonly #transport: Transport;
  readonly #handler: TransportHandler;
  readonly #now: () => number;
  /** When the last chunk came or could have come, and how many may before the next rest. */
  #last = -Infinity;
  #left = CHUNKS_MAX;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The handler has its own reasons to read nothing. */
  #isPaused = false;
  readonly #goOn = (): void => {
    this.#timer = undefined;
    this.#last = this.#now();
    if (!this.#isPaused) this.#transport.resume();
  };

  constructor(transport: Transport, accept: Accept, now: () => number) {
    this.#transport = transport;
    this.#now = now;
    const { remoteAddress, remotePort, localPort, tls } = transport;
    this.#handler = accept({
      remoteAddress,
      remotePort,
      localPort,
      tls,
      write: (bytes, length) => transport.write(bytes, length),
      pause: () => {
        this.#isPaused = true;
        if (this.#timer === undefined) transport.pause();
      },
      resume: () => {
        this.#isPaused = false;
        if (this.#timer === undefined) transport.resume();
      },
      close: () => transport.close(),
      abort: () => transport.abort(),
    });
  }

  onBytes(chunk: Uint8Array): void {
    const now = this.#now();
    const isStream = chunk.length < CHUNK_BYTES && now - this.#last <= GAP_MS;
    this.#last = now;
    this.#handler.onBytes(chunk);
    if (!isStream) this.#left = CHUNKS_MAX;
    else if (this.#timer === undefined && --this.#left <= 0) this.#rest();
  }

  onWritable(): void {
    this.#handler.onWritable();
  }

  onClose(error?: unknown): void {
    clearTimeout(this.#timer);
    this.#handler.onClose(error);
  }

  #rest(): void {
    // As long as the stream goes on, the first chunk after a rest is the next one's reason.
    this.#left = 1;
    this.#timer = setTimeout(this.#goOn, REST_MS);
    if (!this.#isPaused) this.#transport.pause();
  }
}
