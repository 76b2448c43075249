/**
 * The two files of a database, the log and the file itself, for one in which SQLite waits for no
 * disk: here is the waiting, in threads of the runtime. In which order it has to be is in
 * `sqlite.ts`.
 *
 * A disk that fails may forget what it was given, and says so only once. So after a failure all
 * that the log has is written again, where it was and where it belongs, before the next attempt.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import * as fs from "node:fs";

/** Waits until the disk has what was written to an open file. */
export interface Disk {
  /** While everything else goes on. */
  flush(file: number): Promise<void>;
  flushNow(file: number): void;
}

export const SYSTEM_DISK: Disk = {
  flush: (file) =>
    new Promise((resolve, reject) => {
      fs.fdatasync(file, (error) => error === null ? resolve() : reject(error));
    }),
  flushNow: (file) => fs.fdatasyncSync(file),
};

/** The log begins with this many bytes, of which four say how long a page is. */
const LOG_HEADER_BYTES = 32;
const PAGE_SIZE_AT = 8;
/** Each page in it follows its number, the length of the database, salt and sums. */
const FRAME_HEADER_BYTES = 24;
const LENGTH_AT = 4;
const SALT_AT = 8;
const SALT_BYTES = 8;
/** The salt of the log stands here in its header. */
const LOG_SALT_AT = 16;

/** The files of an open database; they are opened a second time when they are needed. */
export class DatabaseFiles {
  readonly #path: string;
  readonly #disk: Disk;
  #log: number | undefined;
  #file: number | undefined;
  /** What was written to it may be gone. */
  #isLogDoubtful = false;
  #isFileDoubtful = false;

  constructor(path: string, disk: Disk) {
    this.#path = path;
    this.#disk = disk;
  }

  get logBytes(): number {
    return fs.fstatSync(this.#openLog()).size;
  }

  async flushLog(): Promise<void> {
    const log = this.#completeLog();
    this.#isLogDoubtful = true;
    await this.#disk.flush(log);
    this.#isLogDoubtful = false;
  }

  /** The log has been flushed, and moved to the file. */
  async flushFile(): Promise<void> {
    const file = this.#completeFile();
    this.#isFileDoubtful = true;
    await this.#disk.flush(file);
    this.#isFileDoubtful = false;
  }

  /** For those who cannot go on before. */
  flushLogNow(): void {
    this.#disk.flushNow(this.#completeLog());
    this.#isLogDoubtful = false;
  }

  flushFileNow(): void {
    this.#disk.flushNow(this.#completeFile());
    this.#isFileDoubtful = false;
  }

  /** The database is closed; before that, closing a file of it would end the locks on it. */
  close(): void {
    for (const file of [this.#log, this.#file]) if (file !== undefined) fs.closeSync(file);
    this.#log = this.#file = undefined;
  }

  #completeLog(): number {
    const log = this.#openLog();
    if (this.#isLogDoubtful) writeWhole(log, readWhole(log), 0);
    return log;
  }

  #completeFile(): number {
    this.#file ??= fs.openSync(this.#path, fs.constants.O_RDWR);
    if (this.#isFileDoubtful) this.#rewriteFile(this.#file);
    return this.#file;
  }

  #openLog(): number {
    return this.#log ??= fs.openSync(`${this.#path}-wal`, fs.constants.O_RDWR);
  }

  /** Writes the pages of the log to their places in the file. */
  #rewriteFile(file: number): void {
    const log = readWhole(this.#openLog());
    if (log.length < LOG_HEADER_BYTES) return;
    const pageBytes = log.readUInt32BE(PAGE_SIZE_AT);
    const salt = log.subarray(LOG_SALT_AT, LOG_SALT_AT + SALT_BYTES);
    const frameBytes = FRAME_HEADER_BYTES + pageBytes;
    let frames: { readonly page: number; readonly at: number }[] = [];
    for (let at = LOG_HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
      const frame = log.subarray(at, at + FRAME_HEADER_BYTES);
      // Further on are the remains of a longer log.
      if (!frame.subarray(SALT_AT, SALT_AT + SALT_BYTES).equals(salt)) break;
      frames.push({ page: frame.readUInt32BE(0), at: at + FRAME_HEADER_BYTES });
      const length = frame.readUInt32BE(LENGTH_AT);
      // Only the last frame of a transaction says it, and what is behind the last of these never
      // came to be.
      if (length === 0) continue;
      for (const { page, at } of frames) {
        if (page > length) continue;
        writeWhole(file, log.subarray(at, at + pageBytes), (page - 1) * pageBytes);
      }
      frames = [];
    }
  }
}

function writeWhole(file: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length;) {
    // Without a length Bun takes no notice of the position.
    at += fs.writeSync(file, bytes, at, bytes.length - at, position + at);
  }
}

function readWhole(file: number): Buffer {
  const bytes = Buffer.alloc(fs.fstatSync(file).size);
  let length = 0;
  while (length < bytes.length) {
    const count = fs.readSync(file, bytes, length, bytes.length - length, length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}
