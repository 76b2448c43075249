/**
 * MQTT in the binary frames of a WebSocket, over any transport, with HTTP on the same port for
 * everything that is no WebSocket. Beneath it there may be TLS, a PROXY header, a Unix socket or a
 * pipe; above it is the broker, which sees one more transport.
 *
 * The idea: bytes in are unmasked where they lie and handed on; bytes out get a header in front, in
 * a borrowed buffer. One write is outstanding below at a time, and whatever else is due (a pong,
 * the next piece of a long write, the closing frame) waits for it in a field, not in a queue.
 *
 * @module
 */

import { BufferPool } from "../core/base/buffer_pool.ts";
import { copyBytes } from "../core/base/bytes.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { TlsPeer } from "../core/session/peer.ts";
import { CLOSE_TIMEOUT_MS, HALF_CLOSE_GRACE_MS } from "./closing.ts";
import type { HttpHandler } from "./http.ts";
import { HttpConnection, type HttpOptions, type Upgrade } from "./http_connection.ts";
import type { Accept, Transport, TransportHandler } from "./transport.ts";
import { WaitingRoom } from "./waiting_room.ts";
import {
  CloseCode,
  FrameReader,
  writeClose,
  writeFrameHeader,
  writePong,
} from "./websocket_frames.ts";
import { asksForWebSocket, formatReply, judgeHandshake } from "./websocket_handshake.ts";

export interface WebSocketOptions extends HttpOptions {
  /** Where pages may come from that connect, to the letter; none: anywhere. */
  readonly origins?: readonly string[];
  /** What clients have to speak, the best first; MQTT's names unless told. */
  readonly subprotocols?: readonly string[];
  /** Answers what is no WebSocket; without it such a connection is closed without a word. */
  readonly http?: HttpHandler;
}

const SUBPROTOCOLS: readonly string[] = Object.freeze(["mqtt", "mqttv3.1"]);

/** Makes each connection a WebSocket before `accept` sees it. */
export function withWebSocket(accept: Accept, options: WebSocketOptions): Accept {
  const room = new WaitingRoom(options.waitingMax);
  const pool = new BufferPool(POOL_BYTES_MAX);
  const rules = {
    origins: options.origins ?? [],
    subprotocols: options.subprotocols ?? SUBPROTOCOLS,
  };
  const upgrade: Upgrade = {
    isAsked: asksForWebSocket,
    async reply(head, transport) {
      const handshake = judgeHandshake(head, rules);
      if (handshake.isAccepted) return await formatReply(handshake.key, handshake.subprotocol);
      options.onRejected?.(handshake.reason, transport);
      return undefined;
    },
    start(transport, isWriting) {
      const connection = new WebSocketConnection(transport, isWriting, pool);
      connection.start(accept(connection));
      return connection;
    },
  };
  return (transport) => new HttpConnection(transport, options, room, options.http, upgrade);
}

/** Idle buffers of one listener. */
const POOL_BYTES_MAX = 1_048_576;

/** With its header a frame fills a buffer of the pool. */
const PIECE_MAX = 65_532;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** `open` to `closing` by either side, to `ended` when all that is left is the transport's work. */
type State = "open" | "closing" | "ended";

class WebSocketConnection implements Transport, TransportHandler {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly tls: TlsPeer | undefined;
  readonly #inner: Transport;
  readonly #pool: BufferPool;
  readonly #reader: FrameReader = new FrameReader();
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

  constructor(inner: Transport, isBusy: boolean, pool: BufferPool) {
    this.remoteAddress = inner.remoteAddress;
    this.remotePort = inner.remotePort;
    this.localPort = inner.localPort;
    this.tls = inner.tls;
    this.#inner = inner;
    this.#isBusy = isBusy;
    this.#pool = pool;
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
    const count = Math.min(this.#length - this.#framed, PIECE_MAX);
    const frame = this.#pool.take(count + 4);
    const start = writeFrameHeader(frame, count);
    copyBytes(frame, start, this.#payload, this.#framed, this.#framed + count);
    this.#framed += count;
    this.#send(frame, start + count);
  }

  #sendPong(): void {
    const { ping, pingLength } = this.#reader;
    this.#reader.pingLength = -1;
    const frame = this.#pool.take(pingLength + 2);
    this.#send(frame, writePong(frame, ping, pingLength));
  }

  #sendClose(code: number): void {
    const frame = this.#pool.take(4);
    this.#send(frame, writeClose(frame, code));
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
