/**
 * The frames of a WebSocket (RFC 6455, section 5): those of the other end taken off the stream of
 * its bytes, and the headers of our own. What is a payload is handed on as it comes: no frame is
 * ever kept until it is whole, so a length costs nothing but the bytes that have really arrived.
 *
 * The idea: masked bytes have to be written anyway, so they are written to where they belong. After
 * `read` the payloads of a chunk lie one behind the other at its start, as if there were no frames.
 *
 * @module
 */

import { applyMask, type WebSocketMasks } from "./websocket_mask.ts";

/** Why a WebSocket is closed, as far as we have a reason of our own. */
export const CloseCode = Object.freeze({
  NORMAL: 1000,
  PROTOCOL_ERROR: 1002,
  UNSUPPORTED_DATA: 1003,
  INVALID_PAYLOAD: 1007,
  TOO_LARGE: 1009,
});

/** A longer frame could hold no MQTT packet; nor does today's broker take it. */
const PAYLOAD_MAX = 268_435_455;

const CONTROL_MAX = 125;
const HEADER_MAX = 14;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** From so many bytes on it pays to unmask four at a time. */
const LONG_RUN = 256;

const NO_BYTES: Uint8Array = new Uint8Array(0);

export class FrameReader {
  /** Not 0 once the peer broke the rules: the code to close with. Nothing is read after that. */
  violation = 0;
  /** Not 0 once the peer closes: its code, 1000 if it gave none. Nothing is read after that. */
  peerCode = 0;
  /** The payload of the last ping that was not taken; -1 bytes when there is none. */
  pingLength = -1;
  ping: Uint8Array = NO_BYTES;

  /** A header of which only a part has come. */
  readonly #header: Uint8Array = new Uint8Array(HEADER_MAX);
  #headerLength = 0;
  /** What is left of the present frame's payload. */
  #left = 0;
  #opcode = 0;
  /** The payload of a control frame, as far as it has come. */
  #control: Uint8Array = NO_BYTES;
  #controlLength = 0;
  /** A message has begun whose last fragment has not come. */
  #isFragmented = false;
  /** The masking key, turned so that its first byte is for the next byte of the payload. */
  #key0 = 0;
  #key1 = 0;
  #key2 = 0;
  #key3 = 0;
  readonly #isMasked: boolean;

  /** @param sender whose frames they are: those of clients are masked, those of servers are not. */
  constructor(sender: "client" | "server") {
    this.#isMasked = sender === "client";
  }

  /** Takes a chunk, overwrites it, and says how many payload bytes now stand at its start. */
  read(chunk: Uint8Array): number {
    let to = 0;
    let at = 0;
    const end = chunk.length;
    while (at < end && this.violation === 0 && this.peerCode === 0) {
      if (this.#left === 0) {
        at = this.#readHeader(chunk, at, end);
        continue;
      }
      const count = Math.min(this.#left, end - at);
      if (this.#opcode >= CLOSE) this.#readControl(chunk, at, count);
      else {
        this.#unmask(chunk, to, at, count);
        to += count;
      }
      at += count;
      this.#left -= count;
      if (this.#left === 0 && this.#opcode >= CLOSE) this.#finishControl();
    }
    return to;
  }

  /** Reads as much of a header as there is; gives where it ends in the chunk. */
  #readHeader(chunk: Uint8Array, at: number, end: number): number {
    if (this.#headerLength === 0 && at + 2 <= end) {
      const size = headerSize(chunk[at + 1]!);
      if (at + size <= end) {
        this.#begin(chunk, at, size);
        return at + size;
      }
    }
    const header = this.#header;
    let size = this.#headerLength < 2 ? 2 : headerSize(header[1]!);
    while (at < end && this.#headerLength < size) {
      header[this.#headerLength++] = chunk[at++]!;
      if (this.#headerLength === 2) size = headerSize(header[1]!);
    }
    if (this.#headerLength === size) {
      this.#headerLength = 0;
      this.#begin(header, 0, size);
    }
    return at;
  }

  /** Begins the frame whose header is at a place. */
  #begin(bytes: Uint8Array, at: number, size: number): void {
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const opcode = first & 0x0f;
    const isFinal = first >= 0x80;
    // Reserved bits are for extensions, of which there are none; clients have to mask (5.1).
    if ((first & 0x70) !== 0 || (second >= 0x80) !== this.#isMasked) {
      return this.#violate(CloseCode.PROTOCOL_ERROR);
    }
    const length = second & 0x7f;
    if (opcode >= CLOSE) {
      const isKnown = opcode <= PONG;
      if (!isKnown || !isFinal || length > CONTROL_MAX) {
        return this.#violate(CloseCode.PROTOCOL_ERROR);
      }
      if (this.#control.length === 0) this.#control = new Uint8Array(CONTROL_MAX);
      this.#controlLength = 0;
    } else {
      if (opcode === TEXT) return this.#violate(CloseCode.UNSUPPORTED_DATA);
      // A message goes on if and only if one has begun.
      if (opcode !== (this.#isFragmented ? CONTINUATION : BINARY)) {
        return this.#violate(CloseCode.PROTOCOL_ERROR);
      }
      this.#isFragmented = !isFinal;
    }
    this.#opcode = opcode;
    if (length < 126) this.#left = length;
    else if (length === 126) this.#left = bytes[at + 2]! << 8 | bytes[at + 3]!;
    else if (!this.#readLongLength(bytes, at + 2)) return;
    if (this.#isMasked) this.#takeKey(bytes, at + size - 4);
    if (this.#left === 0 && opcode >= CLOSE) this.#finishControl();
  }

  #takeKey(bytes: Uint8Array, at: number): void {
    this.#key0 = bytes[at]!;
    this.#key1 = bytes[at + 1]!;
    this.#key2 = bytes[at + 2]!;
    this.#key3 = bytes[at + 3]!;
  }

  #readLongLength(bytes: Uint8Array, at: number): boolean {
    let length = 0;
    for (let i = 0; i < 8; i++) length = length * 256 + bytes[at + i]!;
    if (length <= PAYLOAD_MAX) {
      this.#left = length;
      return true;
    }
    this.#violate(bytes[at]! >= 0x80 ? CloseCode.PROTOCOL_ERROR : CloseCode.TOO_LARGE);
    return false;
  }

  #readControl(chunk: Uint8Array, at: number, count: number): void {
    this.#unmask(chunk, at, at, count);
    for (let i = 0; i < count; i++) this.#control[this.#controlLength++] = chunk[at + i]!;
  }

  #finishControl(): void {
    if (this.#opcode === PING) {
      // The newest ping takes the place of one that was not answered (5.5.3).
      const spare = this.ping;
      this.ping = this.#control;
      this.pingLength = this.#controlLength;
      this.#control = spare;
    } else if (this.#opcode === CLOSE) this.#finishClose();
  }

  #finishClose(): void {
    const length = this.#controlLength;
    if (length === 0) {
      this.peerCode = CloseCode.NORMAL;
      return;
    }
    const code = this.#control[0]! << 8 | this.#control[1]!;
    if (length === 1 || !isCloseCode(code)) this.#violate(CloseCode.PROTOCOL_ERROR);
    else if (!isUtf8(this.#control.subarray(2, length))) this.#violate(CloseCode.INVALID_PAYLOAD);
    else this.peerCode = code;
  }

  #violate(code: number): void {
    this.violation = code;
    this.#left = 0;
  }

  /** Unmasks `count` bytes from `at` on and puts them at `to`, which is not behind `at`. */
  #unmask(chunk: Uint8Array, to: number, at: number, count: number): void {
    if (!this.#isMasked) {
      if (to !== at) chunk.copyWithin(to, at, at + count);
      return;
    }
    if (count >= LONG_RUN) return this.#unmaskLong(chunk, to, at, count);
    const key0 = this.#key0;
    const key1 = this.#key1;
    const key2 = this.#key2;
    const key3 = this.#key3;
    const whole = at + (count & ~3);
    for (; at < whole; at += 4, to += 4) {
      chunk[to] = chunk[at]! ^ key0;
      chunk[to + 1] = chunk[at + 1]! ^ key1;
      chunk[to + 2] = chunk[at + 2]! ^ key2;
      chunk[to + 3] = chunk[at + 3]! ^ key3;
    }
    for (let rest = count & 3; rest > 0; rest--) {
      chunk[to++] = chunk[at++]! ^ this.#key0;
      this.#turnKey();
    }
  }

  /** As above, four bytes at a time where the memory allows, then moved to their place as one. */
  #unmaskLong(chunk: Uint8Array, to: number, at: number, count: number): void {
    let from = at;
    const end = at + count;
    while (((chunk.byteOffset + from) & 3) !== 0) {
      chunk[from] = chunk[from]! ^ this.#key0;
      from++;
      this.#turnKey();
    }
    const words = (end - from) >> 2;
    const view = new Int32Array(chunk.buffer, chunk.byteOffset + from, words);
    const key = NATIVE_LITTLE
      ? this.#key0 | this.#key1 << 8 | this.#key2 << 16 | this.#key3 << 24
      : this.#key3 | this.#key2 << 8 | this.#key1 << 16 | this.#key0 << 24;
    for (let i = 0; i < words; i++) view[i] = view[i]! ^ key;
    for (from += 4 * words; from < end; from++) {
      chunk[from] = chunk[from]! ^ this.#key0;
      this.#turnKey();
    }
    if (to !== at) chunk.copyWithin(to, at, end);
  }

  #turnKey(): void {
    const first = this.#key0;
    this.#key0 = this.#key1;
    this.#key1 = this.#key2;
    this.#key2 = this.#key3;
    this.#key3 = first;
  }
}

const NATIVE_LITTLE: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The size of a header, from its second byte. */
function headerSize(second: number): number {
  const length = second & 0x7f;
  return 2 + (length < 126 ? 0 : length === 126 ? 2 : 8) + (second >= 0x80 ? 4 : 0);
}

/** Whether a peer may send this code (7.4). */
function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Writes the header of a frame that is a whole binary message; gives its size. */
export function writeFrameHeader(
  bytes: Uint8Array,
  payloadLength: number,
  masks?: WebSocketMasks,
): number {
  return writeHeader(bytes, BINARY, payloadLength, masks);
}

/** Writes a frame that answers a ping; gives its size. */
export function writePong(
  bytes: Uint8Array,
  payload: Uint8Array,
  masks?: WebSocketMasks,
): number {
  return writeControl(bytes, PONG, payload, masks);
}

/** Writes a frame that closes; gives its size. */
export function writeClose(bytes: Uint8Array, code: number, masks?: WebSocketMasks): number {
  return writeControl(bytes, CLOSE, Uint8Array.of(code >> 8, code & 0xff), masks);
}

function writeControl(
  bytes: Uint8Array,
  opcode: number,
  payload: Uint8Array,
  masks: WebSocketMasks | undefined,
): number {
  const start = writeHeader(bytes, opcode, payload.length, masks);
  const end = start + payload.length;
  bytes.set(payload, start);
  if (masks !== undefined) applyMask(bytes, start, end);
  return end;
}

function writeHeader(
  bytes: Uint8Array,
  opcode: number,
  length: number,
  masks: WebSocketMasks | undefined,
): number {
  const maskBit = masks === undefined ? 0 : 0x80;
  let size = 2;
  bytes[0] = 0x80 | opcode;
  if (length < 126) bytes[1] = maskBit | length;
  else {
    bytes[1] = maskBit | 126;
    bytes[2] = length >> 8;
    bytes[3] = length & 0xff;
    size = 4;
  }
  if (masks === undefined) return size;
  masks.put(bytes, size);
  return size + 4;
}
