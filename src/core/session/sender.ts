/**
 * The sending half of QoS 1 and 2: which Packet Identifiers are in flight, how far each has come,
 * and how many more may be sent. It knows nothing of bytes, queues or connections; broker and
 * client stand on the same one.
 *
 * The idea: the sender chooses the identifiers, so it chooses them such that `packetId & mask` is
 * a free place of a small table. Finding an acknowledged packet is then one index, with no map and
 * no search, and a window of twenty costs a table of thirty-two.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { Delivery } from "./delivery.ts";
import type { StoredMessages } from "./stored_messages.ts";

const CAPACITY_MIN = 8;
const CAPACITY_MAX = 65_536;
/** What those share that have sent nothing above QoS 0; nothing is ever put into it. */
const NONE: never[] = [];

/** What the sender waits for. */
export const AwaitedPacket = Object.freeze({ NOTHING: 0, PUBACK: 1, PUBREC: 2, PUBCOMP: 3 });
export type AwaitedPacket = typeof AwaitedPacket[keyof typeof AwaitedPacket];

/** One packet in flight. Entries are reused: they are valid until the identifier is released. */
export interface InflightEntry {
  packetId: number;
  awaits: AwaitedPacket;
  /** What to send again on resume; `undefined` once received, or when the session cannot resume. */
  delivery: Delivery | undefined;
  /** It had something to send again when it began, and a store may know of it. */
  isResumable: boolean;
  /** What it counts for against the limit of bytes in flight. */
  payloadBytes: number;
  /** Position in the order of first sending. */
  order: number;
  /** Has yet to be sent again on the present connection. */
  isUnsent: boolean;
}

/** The window of packets that were sent and not yet acknowledged. */
export class Sender {
  #entries: (InflightEntry | undefined)[] = NONE;
  #count = 0;
  #window = 0;
  /** Payload bytes in flight, and how many there may be before nothing more is sent. */
  #bytes = 0;
  #bytesMax = Infinity;
  readonly #stored: StoredMessages | undefined;
  /** Entries that count against the window on the present connection. */
  #outstanding = 0;
  #lastPacketId = 0;
  #order = 0;
  #unsent: InflightEntry[] = NONE;
  #unsentAt = 0;

  /** Deliveries that it holds on to are counted by `stored`, if anybody wants to know. */
  constructor(stored?: StoredMessages) {
    this.#stored = stored;
  }

  /** How many packets may be in flight on the present connection. */
  get window(): number {
    return this.#window;
  }

  /** How many packets have begun. */
  get begun(): number {
    return this.#order;
  }

  /** The identifier that was given last. */
  get lastPacketId(): number {
    return this.#lastPacketId;
  }

  /** Packets in flight, sent on this connection or still to be sent again. */
  get inflightCount(): number {
    return this.#count;
  }

  /** Whether something from an earlier connection has still to be sent again. */
  get hasUnsent(): boolean {
    return this.#unsentAt < this.#unsent.length;
  }

  /** The send quota: how many more packets may be sent now. [MQTT-4.9.0-1] */
  get sendQuota(): number {
    return this.hasUnsent || this.#bytes >= this.#bytesMax ? 0 : this.#window - this.#outstanding;
  }

  /**
   * A connection begins: everything in flight has to be sent again, in its first order, before
   * anything new. [MQTT-4.4.0-1] [MQTT-4.6.0-1]
   */
  start(window: number, bytesMax: number = Infinity): void {
    this.#window = window;
    this.#bytesMax = bytesMax;
    this.#outstanding = 0;
    this.#unsent = this.#count === 0 ? NONE : this.entriesInOrder();
    this.#unsentAt = 0;
    for (const entry of this.#unsent) entry.isUnsent = true;
  }

  /**
   * A connection goes on that was there before the broker slept: what has yet to be sent again is
   * in `unsent`, and everything else has been.
   */
  goOn(
    window: number,
    bytesMax: number,
    unsent: ReadonlySet<number>,
    lastPacketId: number,
  ): void {
    this.start(window, bytesMax);
    this.#lastPacketId = lastPacketId;
    for (const entry of this.#unsent) entry.isUnsent = unsent.has(entry.packetId);
    this.#outstanding = this.#count;
    this.#unsent = this.#unsent.filter(({ isUnsent }) => isUnsent);
    this.#outstanding -= this.#unsent.length;
  }

  /**
   * The next packet to send again, if the window allows it; it then counts as sent. A PUBREL does
   * not wait for the window. [MQTT-4.9.0-3]
   */
  nextUnsent(): InflightEntry | undefined {
    for (; this.#unsentAt < this.#unsent.length; this.#unsentAt++) {
      const entry = this.#unsent[this.#unsentAt]!;
      // An acknowledgement from before the connection broke may still arrive first.
      if (entry.awaits === AwaitedPacket.NOTHING) continue;
      if (this.#outstanding >= this.#window && entry.awaits !== AwaitedPacket.PUBCOMP) {
        return undefined;
      }
      entry.isUnsent = false;
      this.#outstanding++;
      this.#unsentAt++;
      return entry;
    }
    // Asked often, answered mostly like this: it must not make an array each time.
    if (this.#unsent.length > 0) this.#unsent = NONE;
    this.#unsentAt = 0;
    return undefined;
  }

  /** All packets in flight in the order of first sending. */
  entriesInOrder(): InflightEntry[] {
    return this.#entries
      .filter((entry) => entry !== undefined && entry.awaits !== AwaitedPacket.NOTHING)
      .sort((a, b) => a!.order - b!.order) as InflightEntry[]; // filtered just above
  }

  /**
   * Takes an identifier for a packet that is sent now. The send quota must not be used up.
   * [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
   */
  begin(awaits: AwaitedPacket, delivery: Delivery | undefined, payloadBytes: number = 0): number {
    assert(this.sendQuota > 0, "A packet was sent beyond the send quota");
    this.#outstanding++;
    return this.#place(this.#nextPacketId(), awaits, delivery, payloadBytes);
  }

  /** Puts back a packet that was in flight when the broker stopped. */
  restore(
    packetId: number,
    awaits: AwaitedPacket,
    delivery: Delivery | undefined,
    payloadBytes: number = delivery?.message.payloadLength ?? 0,
  ): void {
    while (this.#capacityFor(packetId)) this.#grow();
    this.#lastPacketId = packetId;
    this.#place(packetId, awaits, delivery, payloadBytes);
  }

  /** The packet with this identifier, `undefined` when none is in flight. */
  find(packetId: number): InflightEntry | undefined {
    const entry = this.#entries[packetId & (this.#entries.length - 1)];
    return entry === undefined || entry.packetId !== packetId ||
        entry.awaits === AwaitedPacket.NOTHING
      ? undefined
      : entry;
  }

  /** Frees the identifier: the exchange is over. */
  release(entry: InflightEntry): void {
    assert(entry.awaits !== AwaitedPacket.NOTHING, "A packet identifier was released twice");
    if (!entry.isUnsent) this.#outstanding--;
    entry.awaits = AwaitedPacket.NOTHING;
    this.#letGo(entry);
    this.#bytes -= entry.payloadBytes;
    this.#count--;
  }

  /** The receiver has the message: only the identifier is left to be released. [MQTT-4.3.3-6] */
  received(entry: InflightEntry): void {
    entry.awaits = AwaitedPacket.PUBCOMP;
    this.#letGo(entry);
  }

  /** Forgets all that is in flight. */
  clear(): void {
    for (const entry of this.entriesInOrder()) this.release(entry);
    this.#outstanding = 0;
    this.#unsent = NONE;
    this.#unsentAt = 0;
  }

  #letGo(entry: InflightEntry): void {
    if (entry.delivery !== undefined) this.#stored?.release(entry.delivery.message);
    entry.delivery = undefined;
  }

  #place(
    packetId: number,
    awaits: AwaitedPacket,
    delivery: Delivery | undefined,
    payloadBytes: number,
  ): number {
    const index = packetId & (this.#entries.length - 1);
    const entry = this.#entries[index];
    const order = ++this.#order;
    if (entry === undefined) {
      this.#entries[index] = {
        packetId,
        awaits,
        delivery,
        isResumable: delivery !== undefined,
        payloadBytes,
        order,
        isUnsent: false,
      };
    } else {
      entry.packetId = packetId;
      entry.awaits = awaits;
      entry.delivery = delivery;
      entry.isResumable = delivery !== undefined;
      entry.payloadBytes = payloadBytes;
      entry.order = order;
      entry.isUnsent = false;
    }
    if (delivery !== undefined) this.#stored?.hold(delivery.message);
    this.#bytes += payloadBytes;
    this.#count++;
    return packetId;
  }

  /** The next identifier whose place is free. [MQTT-2.2.1-3] */
  #nextPacketId(): number {
    // Kept at most half full, so that a free place is near.
    if (this.#count * 2 >= this.#entries.length && this.#entries.length < CAPACITY_MAX) {
      this.#grow();
    }
    assert(this.#count < CAPACITY_MAX - 1, "All packet identifiers are in use");
    const mask = this.#entries.length - 1;
    let packetId = this.#lastPacketId;
    let entry: InflightEntry | undefined;
    do {
      packetId = packetId === 65_535 ? 1 : packetId + 1;
      entry = this.#entries[packetId & mask];
    } while (entry !== undefined && entry.awaits !== AwaitedPacket.NOTHING);
    this.#lastPacketId = packetId;
    return packetId;
  }

  #capacityFor(packetId: number): boolean {
    if (this.#entries.length === 0) return true;
    const entry = this.#entries[packetId & (this.#entries.length - 1)];
    return entry !== undefined && entry.awaits !== AwaitedPacket.NOTHING &&
      this.#entries.length < CAPACITY_MAX;
  }

  /** Doubles the table; places stay apart because they gain a bit of the identifier. */
  #grow(): void {
    const entries = new Array<InflightEntry | undefined>(
      Math.max(CAPACITY_MIN, this.#entries.length * 2),
    ).fill(undefined);
    for (const entry of this.#entries) {
      if (entry !== undefined && entry.awaits !== AwaitedPacket.NOTHING) {
        entries[entry.packetId & (entries.length - 1)] = entry;
      }
    }
    this.#entries = entries;
  }
}
