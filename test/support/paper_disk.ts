/**
 * A disk that has of a file what was there when a flush of it began that has ended, and of what was
 * written since any part: what a power cut leaves. Flushes take as long as a test wants, and fail when
 * it says so.
 */

import * as fs from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/core/base/prng.ts";
import type { Disk } from "../../src/runtime/node/database_files.ts";

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

export class PaperDisk implements Disk {
  /** Called when a flush begins that others go on during, and once it has ended. */
  onFlush: (ending: string) => void | Promise<void> = () => {};
  /** Called when one begins that nobody does. */
  onFlushNow: (ending: string) => void = () => {};
  readonly #path: string;
  readonly #endings: readonly string[];
  readonly #durable: Map<string, Uint8Array> = new Map();

  constructor(path: string, endings: readonly string[] = ["", "-wal"]) {
    this.#path = path;
    this.#endings = endings;
  }

  async flush(file: number): Promise<void> {
    const ending = this.#endingOf(file);
    const bytes = fs.readFileSync(this.#path + ending);
    await this.onFlush(ending);
    this.#durable.set(ending, bytes);
    await this.onFlush(ending);
  }

  flushNow(file: number): void {
    const ending = this.#endingOf(file);
    this.onFlushNow(ending);
    this.#durable.set(ending, fs.readFileSync(this.#path + ending));
  }

  /** Writes what a power cut would leave to another folder; the path of the database there. */
  cut(folder: string, random: Random): string {
    const path = join(folder, "cut.midge");
    for (const ending of this.#endings) {
      fs.writeFileSync(path + ending, this.#left(ending, random));
    }
    return path;
  }

  /** What was written to a file and not flushed is gone. */
  forget(ending: string): void {
    fs.writeFileSync(this.#path + ending, this.#durable.get(ending) ?? new Uint8Array());
  }

  #left(ending: string, random: Random): Uint8Array {
    const written = fs.readFileSync(this.#path + ending);
    const durable = this.#durable.get(ending) ?? new Uint8Array();
    const left = new Uint8Array(random() % 2 === 0 ? written.length : durable.length);
    const isNew = partOf(left.length / SECTOR_BYTES, random);
    for (let at = 0; at < left.length; at += SECTOR_BYTES) {
      // A file that is made shorter loses nothing else.
      const source = isNew(at / SECTOR_BYTES) && at < written.length ? written : durable;
      left.set(source.subarray(at, Math.min(at + SECTOR_BYTES, left.length)), at);
    }
    return left;
  }

  #endingOf(file: number): string {
    const { ino } = fs.fstatSync(file);
    return this.#endings.find((ending) => fs.statSync(this.#path + ending).ino === ino)!;
  }
}

/** Which of the sectors that were written have come to the disk. */
function partOf(count: number, random: Random): (sector: number) => boolean {
  const border = random() % (count + 1);
  switch (random() % 5) {
    case 0:
      return () => false;
    case 1:
      return () => true;
    case 2:
      return (sector) => sector < border;
    case 3:
      return (sector) => sector >= border;
    default:
      return () => random() % 2 === 0;
  }
}
