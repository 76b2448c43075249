/**
 * One WebSocket of which the handshake is done, at either end, over any transport: MQTT in binary
 * frames [MQTT-6.0.0-1], wherever its packets begin and end in them [MQTT-6.0.0-2].
 *
 * The idea: bytes in are unmasked where they lie and handed on; bytes out get a header in front, in
 * a borrowed buffer. One write is outstanding below at a time, and whatever else is due (a pong,
 * the next piece of a long write, the closing frame) waits for it in a field, not in a queue.
 *
 * @module
 */

import type { BufferPool } from "../core/base/buffer_pool.ts";
import { copyBytes } from "../core/base/bytes.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { TlsPeer } from "../core/session/peer.ts";
import { CLOSE_TIMEOUT_MS, HALF_CLOSE_GRACE_MS } from "./closing.ts";
import type { Transport, TransportHandler } from "./transport.ts";
import {
  CloseCode,
  FrameReader,
  writeClose,
  writeFrameHeader,
  writePong,
} from "./websocket_frames.ts";
import { applyMask, type WebSocketMasks } from "./websocket_mask.ts";

/** What a frame fills, header included: a buffer of the pool. */
const FRAME_MAX = 65_536;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** `open` to `closing` by either side, to `ended` when all that is left is the transport's work. */
type State = "open" | "closing" | "ended";

/** What a connection begins with. */
export interface WebSocketStart {
  /** A write of the handshake is still outstanding below. */
  readonly isWriting: boolean;
  /** Where frames are made. */
  readonly pool: BufferPool;
  /** For a client: what it hides its frames behind (5.3). A server has none. */
  readonly masks?: WebSocketMasks;
}

/** A WebSocket whose handshake is done: a transport to those above, a handler to the one below. */
export class WebSocketConnection implements Transport, TransportHandler {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly tls: TlsPeer | undefined;
  readonly #inner: Transport;
  readonly #pool: BufferPool;
  readonly #masks: WebSocketMasks | undefined;
  /** The most that stands in front of a payload. */
  readonly #overhead: number;
  readonly #reader: FrameReader;
  #handler: TransportHandler | undefined;
  #state: State = "open";
  /** A write is outstanding with the transport below; our own buffer, if it has one. */
  #isBusy: boolean;
  #lent: Uint8Array | undefined;
  /** The handler's write: what has gone into frames, and all of it. */
  #payload: Uint8Array = NO_BYTES;
  #framed = 0;
  #length = 0;
  /** The handler waits for `onWritable`. */
  #isOwed = false;
  /** Not 0 when a closing frame is to be the last thing written. */
  #closeCode = 0;
  /** The peer has closed, and has had its time to be answered. */
  #endsWhenIdle = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(inner: Transport, { isWriting, pool, masks }: WebSocketStart) {
    this.remoteAddress = inner.remoteAddress;
    this.remotePort = inner.remotePort;
    this.localPort = inner.localPort;
    this.tls = inner.tls;
    this.#inner = inner;
    this.#isBusy = isWriting;
    this.#pool = pool;
    this.#masks = masks;
    this.#overhead = masks === undefined ? 4 : 8;
    this.#reader = new FrameReader(masks === undefined ? "client" : "server");
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open") return true;
    this.#payload = bytes;
    this.#framed = 0;
    this.#length = length;
    this.#pump();
    this.#isOwed = this.#isBusy;
    return !this.#isBusy;
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(): void {
    if (this.#state === "open") this.#close(CloseCode.NORMAL);
  }

  abort(): void {
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#inner.abort();
  }

  onBytes(chunk: Uint8Array): void {
    const reader = this.#reader;
    if (this.#state !== "open" || reader.peerCode !== 0) return;
    const count = reader.read(chunk);
    // What came before a violation counts.
    if (count > 0) this.#handler!.onBytes(chunk.subarray(0, count));
    if (this.#state !== "open") return;
    if (reader.violation !== 0) this.#fail(reader.violation);
    else if (reader.peerCode !== 0) this.#limit(HALF_CLOSE_GRACE_MS, this.#onGraceOver);
    else if (reader.pingLength >= 0) this.#pump();
  }

  onWritable(): void {
    this.#isBusy = false;
    this.#giveBack();
    this.#pump();
    if (this.#isBusy || this.#state !== "open") return;
    if (this.#isOwed) {
      this.#isOwed = false;
      this.#payload = NO_BYTES;
      this.#handler!.onWritable();
    }
    if (this.#endsWhenIdle && !this.#isBusy) this.#answerClose();
  }

  onClose(error?: unknown): void {
    // After we have closed, an error is only the echo of that.
    const cause = this.#state === "open" ? error : undefined;
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#giveBack();
    this.#tell(cause);
  }

  /** Writes what is due, the most urgent first, until the transport is busy or nothing is left. */
  #pump(): void {
    while (!this.#isBusy && this.#state !== "ended") {
      if (this.#reader.pingLength >= 0 && this.#state === "open") this.#sendPong();
      else if (this.#framed < this.#length) this.#sendPiece();
      else if (this.#closeCode !== 0) this.#sendClose(this.#closeCode);
      else return;
    }
  }

  #sendPiece(): void {
    const count = Math.min(this.#length - this.#framed, FRAME_MAX - this.#overhead);
    const frame = this.#pool.take(count + this.#overhead);
    const start = writeFrameHeader(frame, count, this.#masks);
    copyBytes(frame, start, this.#payload, this.#framed, this.#framed + count);
    if (this.#masks !== undefined) applyMask(frame, start, start + count);
    this.#framed += count;
    this.#send(frame, start + count);
  }

  #sendPong(): void {
    const { ping, pingLength } = this.#reader;
    this.#reader.pingLength = -1;
    const frame = this.#pool.take(pingLength + this.#overhead);
    this.#send(frame, writePong(frame, ping.subarray(0, pingLength), this.#masks));
  }

  #sendClose(code: number): void {
    const frame = this.#pool.take(2 + this.#overhead);
    this.#send(frame, writeClose(frame, code, this.#masks));
    // The transport waits for that write, and has a limit of its own from here on.
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#inner.close();
  }

  #send(frame: Uint8Array, length: number): void {
    if (this.#inner.write(frame, length)) return this.#pool.give(frame);
    this.#isBusy = true;
    this.#lent = frame;
  }

  #giveBack(): void {
    if (this.#lent !== undefined) this.#pool.give(this.#lent);
    this.#lent = undefined;
  }

  #close(code: number): void {
    this.#state = "closing";
    this.#closeCode = code;
    this.#limit(CLOSE_TIMEOUT_MS, this.#onLate);
    this.#pump();
  }

  /** The peer broke the rules: it gets the code, and what it was being sent ends here. */
  #fail(code: number): void {
    this.#length = 0;
    this.#framed = 0;
    this.#close(code);
    this.#tell(new OperationError("closed", `The WebSocket peer broke the protocol: ${code}`));
  }

  /** Closes after the peer has: with its own code, and once the answers to it have left. */
  readonly #onGraceOver = (): void => {
    this.#endsWhenIdle = true;
    if (!this.#isBusy) return this.#answerClose();
    this.#limit(CLOSE_TIMEOUT_MS, this.#onLate);
  };

  #answerClose(): void {
    this.#close(this.#reader.peerCode);
    this.#tell(undefined);
  }

  readonly #onLate = (): void => this.abort();

  #limit(ms: number, ring: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(ring, ms);
  }

  #tell(error: unknown): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#payload = NO_BYTES;
    handler?.onClose(error);
  }
}
