// A network connection between a simulated client and the broker's driver. Bytes keep their order
// and nothing else: they are late, split and merged, and a connection breaks at any moment, for both
// ends, for one of them first, or for one of them only.
//
// Every buffer that is only lent is spoilt as soon as its loan ends.

import type { Transport, TransportHandler } from "../../src/transport/transport.ts";
import type { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

/** How bad the network is. */
export interface Weather {
  delayMsMax: number;
  /** Of a thousand writes, how many are taken apart. */
  readonly splitPerMille: number;
  /** Bytes on the way to a client before the broker has to wait. */
  readonly windowBytes: number;
}

/** What a client's end tells. */
export interface ClientEnd {
  onBytes(chunk: Uint8Array): void;
  /** The connection is gone, by whomever; nothing is called after it. */
  onClose(): void;
}

const SPOILT = 0xa5;
/** How long the end of a connection takes to be noticed. */
const NOTICE_MS_MAX = 300;
/** How long an end that was closed waits for the other one. */
const LINGER_MS = 3000;

/** Bytes on their way in one direction; an empty piece is the end. */
class Pipe {
  isPaused = false;
  isBroken = false;
  /** Bytes on the way. */
  size = 0;
  #pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #onPiece: (piece: Uint8Array) => void;

  constructor(
    scheduler: Scheduler,
    chance: Chance,
    weather: Weather,
    onPiece: (piece: Uint8Array) => void,
  ) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#weather = weather;
    this.#onPiece = onPiece;
  }

  push(bytes: Uint8Array): void {
    this.size += bytes.length;
    // Nobody takes it any more, but it takes up room.
    if (this.isBroken) return;
    let start = 0;
    while (bytes.length - start > 1 && this.#chance.happens(this.#weather.splitPerMille)) {
      const end = this.#chance.between(start + 1, Math.min(bytes.length - 1, start + 40));
      this.#add(bytes.slice(start, end));
      start = end;
    }
    this.#add(bytes.slice(start));
  }

  resume(): void {
    this.isPaused = false;
    this.#scheduler.after(0, () => this.#arrive());
  }

  /** What is on the way is lost, from some piece on. */
  break(): void {
    this.isBroken = true;
    this.#pieces.length = 0;
  }

  #add(bytes: Uint8Array): void {
    const delay = this.#chance.below(this.#weather.delayMsMax + 1);
    const last = this.#pieces.at(-1)?.at ?? 0;
    const at = Math.max(last, this.#scheduler.now + delay);
    this.#pieces.push({ at, bytes });
    this.#scheduler.after(at - this.#scheduler.now, () => this.#arrive());
  }

  #arrive(): void {
    while (!this.isPaused && !this.isBroken) {
      const first = this.#pieces[0];
      if (first === undefined || first.at > this.#scheduler.now) return;
      this.#pieces.shift();
      let { bytes } = first;
      // What arrives together is often read together.
      while (bytes.length > 0 && this.#chance.happens(500)) {
        const next = this.#pieces[0];
        if (next === undefined || next.at > this.#scheduler.now || next.bytes.length === 0) break;
        this.#pieces.shift();
        bytes = joined(bytes, next.bytes);
      }
      this.size -= bytes.length;
      this.#onPiece(bytes);
      bytes.fill(SPOILT);
    }
  }
}

export class SimConnection implements Transport {
  readonly remoteAddress = "192.0.2.1";
  readonly remotePort: number;
  readonly localPort = 1883;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #client: ClientEnd;
  readonly #up: Pipe;
  readonly #down: Pipe;
  #handler: TransportHandler | undefined;
  #isClientGone = false;
  #isClientDeaf = false;
  #isServerGone = false;
  #isServerDeaf = false;
  #isServerClosing = false;
  /** A write that the transport has yet to take. */
  #held: Uint8Array | undefined;
  #heldLength = 0;
  /** When the broker wrote, and the bytes up to the end of what it wrote then. */
  readonly #written: { readonly step: number; readonly now: number; readonly end: number }[] = [];
  #writtenBytes = 0;
  #arrivedBytes = 0;
  /** What arrives at the client was decided upon after this step … */
  gatedFrom = 0;
  /** The same as an instant, and not before the connection was there. */
  gatedMs: number;
  /** … and was written in this one or before. */
  writtenAt = 0;

  constructor(
    number: number,
    scheduler: Scheduler,
    chance: Chance,
    weather: Weather,
    client: ClientEnd,
  ) {
    this.remotePort = number;
    this.gatedMs = scheduler.now;
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#weather = weather;
    this.#client = client;
    this.#up = new Pipe(scheduler, chance, weather, (piece) => this.#arriveUp(piece));
    this.#down = new Pipe(scheduler, chance, weather, (piece) => this.#arriveDown(piece));
    // Nobody listens yet.
    this.#up.isPaused = true;
  }

  /** Both ends know that it is over. */
  get isOver(): boolean {
    return this.#isClientGone && this.#isServerGone;
  }

  /** The broker has taken it in. */
  accepted(handler: TransportHandler): void {
    this.#handler = handler;
    this.#up.resume();
  }

  /** From the client. */
  send(bytes: Uint8Array): void {
    if (!this.#isClientGone && bytes.length > 0) this.#up.push(bytes);
  }

  /** From the client: it reads no more for a while. */
  freeze(): void {
    this.#down.isPaused = true;
  }

  thaw(): void {
    this.#down.resume();
  }

  /** From the client: it ends the connection after what it has sent. */
  end(): void {
    if (this.#isClientGone) return;
    this.#isClientGone = true;
    const hasUnread = this.#down.size > 0 || this.#held !== undefined;
    this.#down.break();
    // What nobody reads any more is answered by a reset.
    if (hasUnread) this.#tellServer(new Error("Connection reset by peer"));
    else this.#up.push(new Uint8Array(0));
    this.#scheduler.after(LINGER_MS, () => this.#tellServer(new Error("Connection reset by peer")));
  }

  /** The connection breaks; whoever is deaf does not learn of it before `heal`. */
  cut(deaf: "client" | "server" | undefined): void {
    if (deaf === "server") this.#isServerDeaf = true;
    if (deaf === "client") this.#isClientDeaf = true;
    this.#up.break();
    this.#down.break();
    this.#tellServer(new Error("Connection timed out"));
    this.#tellClient();
  }

  /** The network works again, and says which connections it has lost. */
  heal(): void {
    const isLost = this.#isClientDeaf || this.#isServerDeaf;
    this.#isClientDeaf = this.#isServerDeaf = false;
    if (isLost) this.cut(undefined);
  }

  /** The broker's process is gone. */
  killServer(isTold: boolean): void {
    this.#isServerGone = true;
    this.#handler = undefined;
    this.#up.break();
    this.#down.break();
    if (isTold) this.#tellClient();
    else this.#isClientDeaf = true;
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#isServerGone || this.#isServerClosing) return true;
    if (this.#held !== undefined) throw new Error("A write was made while another one waits");
    this.#writtenBytes += length;
    const { step, now } = this.#scheduler;
    this.#written.push({ step, now, end: this.#writtenBytes });
    if (this.#isClientGone) this.#tellServer(new Error("Broken pipe"));
    const isFull = this.#down.size >= this.#weather.windowBytes;
    if (isFull || this.#chance.happens(this.#weather.splitPerMille)) {
      this.#held = bytes;
      this.#heldLength = length;
      if (!isFull) this.#scheduler.after(this.#chance.below(50), () => this.#takeHeld());
      return false;
    }
    this.#take(bytes, length);
    return true;
  }

  pause(): void {
    this.#up.isPaused = true;
  }

  resume(): void {
    this.#up.resume();
  }

  close(): void {
    if (this.#isServerGone || this.#isServerClosing) return;
    this.#isServerClosing = true;
    this.#up.break();
    if (this.#held === undefined) this.#finish();
    this.#scheduler.after(LINGER_MS, () => this.abort());
  }

  abort(): void {
    if (this.#isServerGone) return;
    this.#isServerClosing = true;
    this.#up.break();
    this.#down.break();
    this.#isServerDeaf = false;
    this.#tellServer(undefined);
    this.#tellClient();
  }

  #finish(): void {
    if (this.#isClientGone || this.#down.isBroken) this.#tellServer(undefined);
    else this.#down.push(new Uint8Array(0));
  }

  #take(bytes: Uint8Array, length: number): void {
    this.#down.push(bytes.subarray(0, length));
    bytes.fill(SPOILT);
  }

  #takeHeld(): void {
    const held = this.#held;
    if (held === undefined || this.#isServerGone) return;
    this.#held = undefined;
    this.#take(held, this.#heldLength);
    if (this.#isServerClosing) this.#finish();
    else this.#handler?.onWritable();
  }

  #arriveUp(piece: Uint8Array): void {
    if (this.#isServerGone || this.#isServerClosing) return;
    if (piece.length > 0) this.#handler?.onBytes(piece);
    else this.#tellServer(undefined);
  }

  #arriveDown(piece: Uint8Array): void {
    if (this.#isClientGone) return;
    if (piece.length === 0) {
      this.#tellClient();
      this.#tellServer(undefined);
      return;
    }
    this.#dateArrival(piece.length);
    this.#client.onBytes(piece);
    if (this.#held !== undefined && this.#down.size < this.#weather.windowBytes) {
      this.#scheduler.after(0, () => this.#takeHeld());
    }
  }

  /**
   * What is in one write was gathered after the write before the last one: while bytes are held for
   * a store, the next ones gather already.
   */
  #dateArrival(bytes: number): void {
    const written = this.#written;
    const first = written.findIndex(({ end }) => end > this.#arrivedBytes);
    const before = written[first - 2];
    this.gatedFrom = before?.step ?? 0;
    if (before !== undefined) this.gatedMs = before.now;
    this.#arrivedBytes += bytes;
    this.writtenAt = written.find(({ end }) => end >= this.#arrivedBytes)!.step;
    if (first > 2) written.splice(0, first - 2);
  }

  #tellServer(error: Error | undefined): void {
    this.#scheduler.after(this.#chance.below(NOTICE_MS_MAX), () => {
      if (this.#isServerGone || this.#isServerDeaf) return;
      this.#isServerGone = true;
      this.#up.break();
      this.#held?.fill(SPOILT);
      this.#held = undefined;
      this.#handler?.onClose(error);
    });
  }

  #tellClient(): void {
    this.#scheduler.after(this.#chance.below(NOTICE_MS_MAX), () => {
      if (this.#isClientGone || this.#isClientDeaf) return;
      this.#isClientGone = true;
      this.#down.break();
      this.#client.onClose();
    });
  }
}

/** Both in new memory, one behind the other. */
export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
