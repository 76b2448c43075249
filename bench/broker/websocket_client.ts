/**
 * The client's half of a WebSocket, as fast as a load generator needs it: each MQTT packet becomes
 * a frame of its own, as clients send it, and what arrives is taken off its frames where it lies.
 * Only what a broker sends to a client that behaves is understood; anything else is a failure.
 *
 * @module
 */

const REPLY_MAX = 4096;
const CLOSE = 0x88;
const BINARY = 0x82;
const CONTINUATION = 0x80;
const FRAGMENT = 0x02;

/** Header and masking key of the longest frame that is sent. */
const OVERHEAD_MAX = 14;

/** The bytes of any key do; with a random one for each frame the generator would do more. */
const KEY = [0x3a, 0xc5, 0x96, 0x71] as const;
const KEY_WORD = new Int32Array(Uint8Array.from(KEY).buffer)[0]!;

/** Asks for a WebSocket that carries MQTT. */
export function upgradeRequest(host: string, port: number): Uint8Array {
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  return new TextEncoder().encode(
    `GET /mqtt HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n` +
      "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
  );
}

/** How many bytes frames take at most for the packets of `bytes[0..length)`. */
export function framedSizeMax(bytes: Uint8Array, length: number): number {
  let packets = 0;
  for (let at = 0; at < length; at = packetEnd(bytes, at)) packets++;
  return length + packets * OVERHEAD_MAX;
}

/** Puts each packet of `bytes[0..length)` into a frame; returns how much of `target` they take. */
export function writeFrames(target: Uint8Array, bytes: Uint8Array, length: number): number {
  let to = 0;
  for (let at = 0; at < length;) {
    const end = Math.min(length, packetEnd(bytes, at));
    to = writeMasked(target, writeHeader(target, to, end - at), bytes, at, end);
    at = end;
  }
  return to;
}

/** Where the packet at a place ends. */
function packetEnd(bytes: Uint8Array, start: number): number {
  let remaining = 0;
  let at = start + 1;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++]!;
    remaining += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return at + remaining;
  }
}

function writeHeader(target: Uint8Array, at: number, size: number): number {
  target[at++] = BINARY;
  if (size < 126) target[at++] = 0x80 | size;
  else if (size < 65_536) {
    target[at++] = 0x80 | 126;
    target[at++] = size >>> 8;
    target[at++] = size;
  } else {
    target[at++] = 0x80 | 127;
    target.fill(0, at, at + 4);
    at += 4;
    for (let shift = 24; shift >= 0; shift -= 8) target[at++] = size >>> shift;
  }
  for (const byte of KEY) target[at++] = byte;
  return at;
}

/** Copies and masks; returns where that ends. */
function writeMasked(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  from: number,
  end: number,
): number {
  const last = at + end - from;
  // Up to a multiple of four of the target, whose key then begins elsewhere.
  let turn = 0;
  for (; at < last && ((target.byteOffset + at) & 3) !== 0; turn++) {
    target[at++] = bytes[from++]! ^ KEY[turn & 3]!;
  }
  if (last - at >= 64) {
    target.set(bytes.subarray(from, end), at);
    const words = new Int32Array(target.buffer, target.byteOffset + at, (last - at) >> 2);
    const turned = (turn & 3) * 8;
    const key = KEY_WORD >>> turned | (turned === 0 ? 0 : KEY_WORD << (32 - turned));
    for (let i = 0; i < words.length; i++) words[i] = words[i]! ^ key;
    at += 4 * words.length;
    for (; at < last; turn++) target[at] = target[at++]! ^ KEY[turn & 3]!;
    return last;
  }
  for (; at < last; turn++) target[at++] = bytes[from++]! ^ KEY[turn & 3]!;
  return last;
}

/** Takes what arrives apart: first the reply to the request, then frames. */
export class WebSocketReader {
  /** The reply has come, and says yes. */
  isOpen = false;
  #head = "";
  /** A header of which only a part has come. */
  readonly #header: Uint8Array = new Uint8Array(10);
  #headerLength = 0;
  #left = 0;

  /**
   * Overwrites the chunk; returns how many bytes of payload now stand at its start. Throws when
   * the broker refuses, or ends the connection.
   */
  read(chunk: Uint8Array): number {
    let at = this.isOpen ? 0 : this.#readReply(chunk);
    let to = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        at = this.#readHeader(chunk, at);
        continue;
      }
      const count = Math.min(this.#left, chunk.length - at);
      if (count > 64) chunk.copyWithin(to, at, at + count);
      else for (let i = 0; i < count; i++) chunk[to + i] = chunk[at + i]!;
      to += count;
      at += count;
      this.#left -= count;
    }
    return to;
  }

  #readReply(chunk: Uint8Array): number {
    const before = this.#head.length;
    this.#head += String.fromCharCode(...chunk.subarray(0, REPLY_MAX));
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.#head.length > REPLY_MAX) throw new Error("The broker's reply has no end");
      return chunk.length;
    }
    const firstLine = this.#head.slice(0, this.#head.indexOf("\r\n"));
    if (!firstLine.startsWith("HTTP/1.1 101")) {
      throw new Error(`The broker refused the WebSocket: ${firstLine}`);
    }
    this.isOpen = true;
    this.#head = "";
    return end + 4 - before;
  }

  #readHeader(chunk: Uint8Array, start: number): number {
    const header = this.#header;
    let at = start;
    while (at < chunk.length) {
      header[this.#headerLength++] = chunk[at++]!;
      if (this.#headerLength < 2 || this.#headerLength < headerSize(header[1]!)) continue;
      this.#headerLength = 0;
      this.#begin(header);
      return at;
    }
    return at;
  }

  #begin(header: Uint8Array): void {
    const first = header[0]!;
    if (first === CLOSE) throw new Error("The broker closed the WebSocket");
    const isData = first === BINARY || first === CONTINUATION || first === FRAGMENT || first === 0;
    // Pings too: in the seconds of a run nobody sends one.
    if (!isData) {
      throw new Error(`The broker sent a frame that begins with 0x${first.toString(16)}`);
    }
    const length = header[1]!;
    if (length < 126) this.#left = length;
    else if (length === 126) this.#left = header[2]! << 8 | header[3]!;
    else for (let i = 2; i < 10; i++) this.#left = this.#left * 256 + header[i]!;
  }
}

function headerSize(second: number): number {
  return second < 126 ? 2 : second === 126 ? 4 : 10;
}
