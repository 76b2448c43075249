/**
 * Chunks in, whole packets out. A packet that lies whole inside a chunk is shown where it lies, at
 * no cost; only one that a chunk cuts is put together in a buffer of the framer's own, which grows
 * with the bytes that have really arrived and goes when the packet is done. A packet that is longer
 * than its type may be is refused as soon as its length is known, before any of it is kept.
 *
 * Chunks are borrowed. Whoever fed one calls `next()` until it says no, or stops earlier; then,
 * before the chunk's memory is used for something else, `keepRest()`.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { BufferPool } from "../base/buffer_pool.ts";
import { copyBytes } from "../base/bytes.ts";
import { MalformedPacketError, MqttError } from "./error.ts";
import { VARINT_MAX } from "./protocol.ts";
import { ReasonCode } from "./reason_code.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** The least that is allocated for a packet whose size is not known to be smaller. */
const HELD_MIN = 64;

/**
 * Our own buffers of these sizes are borrowed: encrypted bytes come in pieces of 16 KiB, which cut
 * every larger packet. Below, a connection that never finishes its packet would hold more than it
 * has sent.
 */
const BORROWED_MIN = 2048;
const BORROWED_MAX = 262_144;

export class Framer {
  /** The largest remaining length of each packet type; replaced, or changed, at any time. */
  limits: Uint32Array;

  // The packet that `next()` found, as positions in `bytes`: valid until the next call.
  bytes: Uint8Array = NOTHING;
  firstByte = 0;
  /** Where its fixed header begins. */
  start = 0;
  /** Where its variable header begins. */
  bodyStart = 0;
  end = 0;

  // What is read at present, from `#at` up to `#to` of `bytes`: the chunk, or our own buffer.
  #at = 0;
  #to = 0;
  #isHeld = false;

  // While our own buffer is read: what of the chunk has not been moved there.
  #chunk: Uint8Array = NOTHING;
  #chunkAt = 0;

  readonly #pool: BufferPool | undefined;

  // How much of the header `#readHeader` found: 0 while it is not whole.
  #headerSize = 0;
  #bodySize = 0;

  /** With a pool, buffers of its own are borrowed there. */
  constructor(
    limits: Uint32Array = new Uint32Array(16).fill(VARINT_MAX),
    pool?: BufferPool,
  ) {
    this.limits = limits;
    this.#pool = pool;
  }

  /** How many bytes have come that have not been shown as part of a packet. */
  get bufferedBytes(): number {
    return this.#to - this.#at + this.#chunk.length - this.#chunkAt;
  }

  /** The bytes that have come and are part of no packet yet, once `keepRest` has been called. */
  get rest(): Uint8Array {
    assert(this.#chunk === NOTHING, "The rest of the last chunk was not kept");
    return this.bytes.subarray(this.#at, this.#to);
  }

  /** Takes a chunk, which must stay as it is until `keepRest()` or until all of it is shown. */
  feed(chunk: Uint8Array): void {
    assert(this.#chunk === NOTHING, "The rest of the last chunk was not kept");
    if (this.#at === this.#to) {
      this.bytes = chunk;
      this.#at = 0;
      this.#to = chunk.length;
      this.#isHeld = false;
      return;
    }
    assert(this.#isHeld, "The rest of the last chunk was not kept");
    this.#chunk = chunk;
    this.#chunkAt = 0;
  }

  /** Finds the next packet and says so; `false` when more bytes are needed for one. */
  next(): boolean {
    const { bytes } = this;
    const at = this.#at;
    // A packet with one byte of length, whole and within its limit: nearly every packet.
    if (at + 2 <= this.#to) {
      const size = bytes[at + 1]!;
      const end = at + 2 + size;
      const firstByte = bytes[at]!;
      if (size < 0x80 && end <= this.#to && size <= this.limits[firstByte >> 4]!) {
        this.firstByte = firstByte;
        this.start = at;
        this.bodyStart = at + 2;
        this.end = end;
        this.#at = end;
        return true;
      }
    }
    return this.#isHeld ? this.#nextHeld() : this.#nextWhole();
  }

  /** Has `next()` find the packet once more that it has just found. */
  unread(): void {
    this.#at = this.start;
  }

  /** Copies what was not shown, so that the memory of the chunk may be used for something else. */
  keepRest(): void {
    if (this.#at === this.#to && this.#chunk === NOTHING) {
      this.#become(NOTHING, 0, 0, false);
    } else if (!this.#isHeld) {
      const { bytes } = this;
      const at = this.#at;
      const count = this.#to - at;
      const held = this.#take(this.#heldSize(count));
      copyBytes(held, 0, bytes, at, this.#to);
      this.#become(held, 0, count, true);
    } else {
      this.#pull(this.#chunk.length - this.#chunkAt);
    }
  }

  #take(size: number): Uint8Array {
    const isBorrowed = size >= BORROWED_MIN && size <= BORROWED_MAX;
    return (isBorrowed ? this.#pool?.take(size) : undefined) ?? new Uint8Array(size);
  }

  #become(bytes: Uint8Array, at: number, to: number, isHeld: boolean): void {
    // What was found in it was valid until now.
    if (this.#isHeld && this.bytes.length >= BORROWED_MIN) this.#pool?.give(this.bytes);
    this.bytes = bytes;
    this.#at = at;
    this.#to = to;
    this.#isHeld = isHeld;
  }

  #nextWhole(): boolean {
    if (!this.#readHeader()) return false;
    if (this.#headerSize + this.#bodySize > this.#to - this.#at) return false;
    this.#show();
    return true;
  }

  /** Reads our own buffer, filling it from the chunk with what the cut packet lacks. */
  #nextHeld(): boolean {
    if (this.#at === this.#to) {
      // The packets of our own buffer are done: what follows is read where it lies.
      const chunk = this.#chunk;
      this.#become(chunk, this.#chunkAt, chunk.length, false);
      this.#chunk = NOTHING;
      this.#chunkAt = 0;
      return this.#at < this.#to && this.next();
    }
    while (!this.#readHeader()) {
      if (!this.#pull(1)) return false;
    }
    const missing = this.#headerSize + this.#bodySize - (this.#to - this.#at);
    if (missing > 0 && !this.#pull(missing)) return false;
    this.#show();
    return true;
  }

  #show(): void {
    const at = this.#at;
    this.firstByte = this.bytes[at]!;
    this.start = at;
    this.bodyStart = at + this.#headerSize;
    this.end = this.bodyStart + this.#bodySize;
    this.#at = this.end;
  }

  /**
   * Reads the fixed header at `#at`, if it is there, and refuses a length that is not allowed
   * [MQTT-1.5.5-1].
   */
  #readHeader(): boolean {
    const { bytes } = this;
    const at = this.#at;
    const count = this.#to - at;
    let size = 0;
    this.#headerSize = 0;
    // Known also of a packet that is refused.
    if (count > 0) this.firstByte = bytes[at]!;
    for (let i = 1; i < count; i++) {
      const byte = bytes[at + i]!;
      size |= (byte & 0x7f) << 7 * (i - 1);
      if (byte < 0x80) {
        if (byte === 0 && i > 1) {
          throw new MalformedPacketError("MQTT-1.5.5-1", "A length takes more bytes than it needs");
        }
        this.#checkLimit(bytes[at]! >> 4, size);
        this.#headerSize = 1 + i;
        this.#bodySize = size;
        return true;
      }
      if (i === 4) {
        throw new MalformedPacketError("1.5.5", "A length takes more than four bytes");
      }
    }
    return false;
  }

  #checkLimit(packetType: number, size: number): void {
    const limit = this.limits[packetType]!;
    if (size <= limit) return;
    throw new MqttError(
      ReasonCode.PACKET_TOO_LARGE,
      "MQTT-3.1.2-24",
      `A packet of type "${packetType}" is too large: "${size}" is above "${limit}"`,
    );
  }

  /** Moves up to `wanted` bytes from the chunk to our own buffer; says whether it got them all. */
  #pull(wanted: number): boolean {
    const from = this.#chunkAt;
    const count = Math.min(wanted, this.#chunk.length - from);
    this.#makeRoom(count);
    copyBytes(this.bytes, this.#to, this.#chunk, from, from + count);
    this.#to += count;
    this.#chunkAt = from + count;
    if (this.#chunkAt === this.#chunk.length) {
      this.#chunk = NOTHING;
      this.#chunkAt = 0;
    }
    return count === wanted;
  }

  /** Makes room behind `#to`, where the packets that were shown may be overwritten. */
  #makeRoom(count: number): void {
    if (this.#to + count <= this.bytes.length) return;
    const kept = this.#to - this.#at;
    const held = this.#take(this.#heldSize(kept + count));
    copyBytes(held, 0, this.bytes, this.#at, this.#to);
    this.#become(held, 0, kept, true);
  }

  /** How large a buffer of our own for `count` bytes is: with room to grow, but for one packet. */
  #heldSize(count: number): number {
    const roomy = Math.max(HELD_MIN, count * 2);
    const whole = this.#headerSize === 0 ? roomy : this.#headerSize + this.#bodySize;
    return Math.max(count, Math.min(roomy, whole));
  }
}
