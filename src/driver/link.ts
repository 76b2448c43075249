/**
 * One connection between its transport and the broker: what the transport brings goes to whoever
 * drives the broker, and what the broker has gathered goes to the transport, at the end of a turn.
 * Bytes that promise something durable leave when it is; see `commits.ts`.
 *
 * @module
 */

import type { Connection } from "../core/broker/connection.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";

/** How long a connection that we end may take to accept our last bytes. */
const LINGER_MS = 5000;

/**
 * What becomes of bytes that depend on a change: they leave at once, are held until the batch on
 * its way is durable, or are kept until there is a batch that they can wait for.
 */
export type Fate = "leave" | "hold" | "keep";

/** Who drives the broker. */
export interface LinkOwner {
  receive(connection: Connection, chunk: Uint8Array): void;
  /** What the outbox held is with the transport. */
  written(connection: Connection, bytes: number): void;
  /** The transport is writable. */
  drained(connection: Connection): void;
  /** The transport is gone. */
  closed(connection: Connection, error: unknown): void;
  /** Tells what to do with bytes that depend on a change, and remembers whom it let wait. */
  fateOf(link: Link, change: number): Fate;
}

/** One connection between its transport and the broker. */
export class Link implements TransportHandler {
  /** Resolves when the transport is gone. */
  readonly closed: Promise<void>;
  readonly #owner: LinkOwner;
  readonly #connection: Connection;
  readonly #transport: Transport;
  #isPaused = false;
  #isEnding = false;
  /** Bytes that leave when what they promise is durable; on loan from the outbox. */
  #held: Uint8Array | undefined;
  #heldLength = 0;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #resolveClosed: () => void = () => {};

  constructor(owner: LinkOwner, connection: Connection, transport: Transport) {
    this.#owner = owner;
    this.#connection = connection;
    this.#transport = transport;
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
  }

  onBytes(chunk: Uint8Array): void {
    this.#owner.receive(this.#connection, chunk);
  }

  onWritable(): void {
    this.#owner.drained(this.#connection);
    if (this.#isEnding) this.close();
  }

  onClose(error?: unknown): void {
    this.#held = undefined;
    if (this.#lingering !== undefined) clearTimeout(this.#lingering);
    this.#owner.closed(this.#connection, error);
    this.#resolveClosed();
  }

  /** Hands over what has been gathered, and pauses or resumes reading. */
  flush(): void {
    const { outbox, isPaused } = this.#connection;
    if (outbox.gatheredBytes > 0 && !outbox.isLent) {
      const { awaitedChange } = outbox;
      const fate = awaitedChange === 0 ? "leave" : this.#owner.fateOf(this, awaitedChange);
      if (fate === "leave") this.#write();
      else if (fate === "hold") this.#hold();
    }
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#transport.pause();
    else this.#transport.resume();
  }

  /** What was kept may be able to leave now. */
  resume(): void {
    this.flush();
    if (this.#isEnding) this.close();
  }

  /** What was held leaves now. */
  release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    const isTaken = this.#transport.write(held, this.#heldLength);
    this.#owner.written(this.#connection, this.#heldLength);
    if (isTaken) this.#owner.drained(this.#connection);
    if (this.#isEnding) this.close();
  }

  #write(): void {
    const { outbox } = this.#connection;
    const length = outbox.gatheredBytes;
    if (this.#transport.write(outbox.take(), length)) outbox.consumed();
    else outbox.lend();
    this.#owner.written(this.#connection, length);
  }

  #hold(): void {
    const { outbox } = this.#connection;
    this.#heldLength = outbox.gatheredBytes;
    this.#held = outbox.take();
    outbox.lend();
  }

  /** Closes the transport once the last bytes are with it, or when that takes too long. */
  close(): void {
    this.#isEnding = true;
    this.flush();
    const { outbox } = this.#connection;
    if (outbox.gatheredBytes === 0 && this.#held === undefined) {
      this.#transport.close();
    } else {
      this.#lingering ??= setTimeout(() => this.#transport.abort(), LINGER_MS);
    }
  }
}
