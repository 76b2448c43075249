/**
 * Makes new inputs out of those there are: a few small changes each, of the kinds that break
 * parsers. Bits flip, lengths are off by one, runs are left out or come twice, words of the format
 * stand where they should not, and two inputs become one.
 *
 * @module
 */

import { prng, type Random } from "../../src/core/base/prng.ts";

const CHANGES_MAX = 6;
const RUN_MAX = 64;

/** Bytes at which something turns: signs, widths, the ends of alphabets. */
const EDGES = Uint8Array.of(
  0,
  1,
  2,
  0x0a,
  0x0d,
  0x20,
  0x2b,
  0x2f,
  0x7f,
  0x80,
  0xc0,
  0xed,
  0xfe,
  0xff,
);

export class Mutator {
  readonly #random: Random;
  readonly #tokens: readonly Uint8Array[];
  readonly #bytesMax: number;

  /** Inputs do not become longer than `bytesMax`. */
  constructor(seed: number, tokens: readonly string[], bytesMax: number) {
    this.#random = prng(seed);
    this.#tokens = tokens.map((token) => new TextEncoder().encode(token));
    this.#bytesMax = bytesMax;
  }

  /** A new input out of one of those that are given. */
  mutate(inputs: readonly Uint8Array[]): Uint8Array {
    let bytes = this.#pick(inputs) ?? new Uint8Array(0);
    for (let left = 1 + this.#below(CHANGES_MAX); left > 0; left--) {
      bytes = this.#change(bytes, inputs);
    }
    return bytes.slice(0, this.#bytesMax);
  }

  #change(bytes: Uint8Array, inputs: readonly Uint8Array[]): Uint8Array {
    const at = this.#below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + this.#below(RUN_MAX));
    switch (this.#below(10)) {
      case 0:
        return replaced(bytes, at, at + 1, Uint8Array.of((bytes[at] ?? 0) ^ 1 << this.#below(8)));
      case 1:
        return replaced(bytes, at, at + 1, Uint8Array.of(this.#below(256)));
      case 2:
        return replaced(bytes, at, at + this.#below(2), Uint8Array.of(this.#pick([...EDGES])!));
      case 3:
        return replaced(bytes, at, at + 1, Uint8Array.of((bytes[at] ?? 0) + 255 + this.#below(3)));
      case 4:
        return replaced(bytes, at, end, new Uint8Array(0));
      case 5:
        return replaced(bytes, at, at, bytes.slice(at, end));
      case 6:
        return replaced(bytes, at, at + this.#below(2) * (end - at), this.#token());
      case 7:
        return replaced(bytes, at, end, this.#part(this.#pick(inputs) ?? bytes));
      case 8: {
        const other = this.#pick(inputs) ?? bytes;
        return replaced(bytes, at, bytes.length, other.slice(this.#below(other.length + 1)));
      }
      default:
        return replaced(bytes, at, at, this.#noise());
    }
  }

  #token(): Uint8Array {
    return this.#pick(this.#tokens) ?? this.#noise();
  }

  #part(bytes: Uint8Array): Uint8Array {
    const start = this.#below(bytes.length + 1);
    return bytes.slice(start, start + 1 + this.#below(RUN_MAX));
  }

  #noise(): Uint8Array {
    return Uint8Array.from({ length: 1 + this.#below(8) }, () => this.#below(256));
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#below(list.length)];
  }

  #below(limit: number): number {
    return limit === 0 ? 0 : this.#random() % limit;
  }
}

function replaced(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(end, bytes.length));
  const changed = new Uint8Array(start + by.length + rest.length);
  changed.set(bytes.subarray(0, start));
  changed.set(by, start);
  changed.set(rest, start + by.length);
  return changed;
}
