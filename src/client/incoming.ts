/**
 * Messages on their way from the engine to the application: to a callback, to the streams whose
 * filter matches, or to nobody. When a stream is full the connection is not read.
 *
 * @module
 */

import type { ClientEngine } from "../core/client/client_engine.ts";
import type { IncomingMessage } from "../core/client/incoming_message.ts";
import { AckOrder, type AckRecord } from "./ack_order.ts";
import { type Message, messageOf } from "./message.ts";
import { type MessagesOptions, MessageStream } from "./message_stream.ts";

/** What the incoming side needs of its client. */
export interface IncomingOwner {
  /** Acknowledgements have been gathered. */
  wake(): void;
  pauseReading(): void;
  resumeReading(): void;
  /** The answers to requests: `true` when the message is one. */
  takeResponse(view: IncomingMessage): boolean;
  readonly onMessage: ((message: Message) => void) | undefined;
}

export class Incoming {
  readonly #engine: ClientEngine;
  readonly #owner: IncomingOwner;
  readonly #streams: Set<MessageStream> = new Set();
  #acks: AckOrder;

  constructor(engine: ClientEngine, owner: IncomingOwner) {
    this.#engine = engine;
    this.#owner = owner;
    this.#acks = this.#newAcks();
  }

  /** Whether the connection may be read. */
  get hasRoom(): boolean {
    for (const stream of this.#streams) if (stream.isFull) return false;
    return true;
  }

  /** Opens a reader. */
  open(filter: string | undefined, options: MessagesOptions): MessageStream {
    const stream = new MessageStream(
      {
        onRoom: () => this.#readOn(),
        onEnded: (ended) => void this.#streams.delete(ended),
      },
      filter,
      options,
    );
    if (!options.signal?.aborted) this.#streams.add(stream);
    return stream;
  }

  /** A message arrived; it is acknowledged when all who are given it have done with it. */
  receive(view: IncomingMessage): void {
    const acks = this.#acks;
    const record = view.qos > 0 ? acks.add(view.packetId) : undefined;
    try {
      if (!this.#owner.takeResponse(view)) this.#hand(view, acks, record);
    } finally {
      if (record !== undefined) acks.release(record);
    }
  }

  #hand(view: IncomingMessage, acks: AckOrder, record: AckRecord | undefined): void {
    const { onMessage } = this.#owner;
    let message: Message | undefined;
    const { topic } = view;
    for (const stream of this.#streams) {
      if (!stream.takes(topic)) continue;
      message ??= messageOf(view);
      if (record === undefined) stream.push(message, undefined);
      else {
        record.holders++;
        stream.push(message, () => acks.release(record));
      }
      if (stream.isFull) this.#owner.pauseReading();
    }
    onMessage?.(message ?? messageOf(view));
  }

  /** The connection is gone. */
  connectionLost(): void {
    this.#acks.end();
    this.#acks = this.#newAcks();
  }

  /** The client is done. */
  end(error: unknown): void {
    for (const stream of [...this.#streams]) stream.end(error);
  }

  #newAcks(): AckOrder {
    return new AckOrder((packetId) => {
      if (this.#engine.acknowledge(packetId)) this.#owner.wake();
    });
  }

  #readOn(): void {
    if (this.hasRoom) this.#owner.resumeReading();
  }
}
