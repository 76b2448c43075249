// The client's half of a WebSocket over any peer of a contract test: it opens the handshake, masks
// what it sends, and takes the frames off what it receives. Written apart from the product's code,
// for it is what that code is checked against.

import type { Peer } from "../contract/transport.ts";
import { until } from "./wait.ts";

/** The example of RFC 6455, whose answer is known. */
export const SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** A request for a WebSocket; a header of `undefined` is left out. */
export function upgradeRequest(changes: Record<string, string | undefined> = {}): string {
  const headers: Record<string, string | undefined> = {
    Host: "localhost",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": SAMPLE_KEY,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "mqtt",
    ...changes,
  };
  const lines = Object.entries(headers)
    .flatMap(([name, value]) => value === undefined ? [] : [`${name}: ${value}`]);
  return ["GET /mqtt HTTP/1.1", ...lines, "", ""].join("\r\n");
}

export interface FrameOptions {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  readonly reserved?: number;
  readonly isMasked?: boolean;
  readonly key?: readonly number[];
  /** What the header says, if it lies; the payload follows nevertheless. */
  readonly length?: bigint;
}

/** One frame as a client sends it. */
export function clientFrame(payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const { opcode = 2, isFinal = true, reserved = 0, isMasked = true } = options;
  const { key = [0x12, 0x34, 0x56, 0x78], length = BigInt(payload.length) } = options;
  const header: number[] = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode];
  const mask = isMasked ? 0x80 : 0;
  if (length < 126n) header.push(mask | Number(length));
  else {
    const size = length < 65_536n ? 2 : 8;
    header.push(mask | (size === 2 ? 126 : 127));
    for (let i = size - 1; i >= 0; i--) header.push(Number(length >> BigInt(8 * i) & 0xffn));
  }
  if (isMasked) header.push(...key);
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  for (let i = 0; i < payload.length; i++) {
    bytes[header.length + i] = payload[i]! ^ (isMasked ? key[i % 4]! : 0);
  }
  return bytes;
}

export class WebSocketPeer implements Peer {
  onChunk: (chunk: Uint8Array) => void = () => {};
  /** A closing frame has come. */
  onGoodbye: () => void = () => {};
  /** What was not a payload: the head of the reply, and frames as `pong:…` or `close:1000`. */
  head = "";
  readonly control: string[] = [];
  /** Whether anything came that a server may not send. */
  readonly violations: string[] = [];
  readonly #inner: Peer;
  readonly #answersClose: boolean;
  #bytes: Uint8Array = new Uint8Array(0);

  /** @param answersClose whether it answers a closing frame, as servers may wait for. */
  constructor(inner: Peer, answersClose = false) {
    this.#inner = inner;
    this.#answersClose = answersClose;
    inner.onChunk = (chunk) => this.#receive(chunk);
  }

  /** Opens the handshake and waits for its end. */
  static async open(
    inner: Peer,
    request: string = upgradeRequest(),
    answersClose = false,
  ): Promise<WebSocketPeer> {
    const peer = new WebSocketPeer(inner, answersClose);
    await inner.send(new TextEncoder().encode(request));
    await until(() => peer.head !== "" || inner.isEnded, "the handshake is answered");
    return peer;
  }

  get isEnded(): boolean {
    return this.#inner.isEnded;
  }

  get isBroken(): boolean {
    return this.#inner.isBroken;
  }

  send(bytes: Uint8Array): Promise<void> {
    return this.#inner.send(clientFrame(bytes));
  }

  sendRaw(bytes: Uint8Array): Promise<void> {
    return this.#inner.send(bytes);
  }

  finish(): void {
    if (this.#inner.isEnded) return this.#inner.finish();
    this.#inner.send(clientFrame(Uint8Array.of(3, 232), { opcode: 8 })).catch(() => {});
  }

  abort(): void {
    this.#inner.abort();
  }

  setReading(isReading: boolean): void {
    this.#inner.setReading(isReading);
  }

  #receive(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    let at = 0;
    if (this.head === "") {
      at = endOfHead(bytes);
      this.head = new TextDecoder().decode(bytes.subarray(0, at));
    }
    while (this.head !== "" && at < bytes.length) {
      const end = this.#frame(bytes, at);
      if (end < 0) break;
      at = end;
    }
    this.#bytes = bytes.slice(at);
  }

  #closed(payload: Uint8Array): void {
    // A code is not obligatory; 1005 stands for none (7.1.5).
    const code = payload.length < 2 ? 1005 : payload[0]! << 8 | payload[1]!;
    this.control.push(`close:${code}`);
    if (this.#answersClose) this.finish();
    this.onGoodbye();
  }

  #frame(bytes: Uint8Array, at: number): number {
    const headerMax = bytes[at + 1] === 127 ? 10 : 4;
    if (at + headerMax > bytes.length && at + 2 + (bytes[at + 1] ?? 0) > bytes.length) return -1;
    let length = bytes[at + 1]!;
    let start = at + 2;
    if (length === 126) {
      length = bytes[at + 2]! << 8 | bytes[at + 3]!;
      start += 2;
    } else if (length === 127) {
      length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at + 2));
      start += 8;
    } else if (length > 126) this.violations.push(`length ${length}`);
    if (start + length > bytes.length) return -1;
    const payload = bytes.subarray(start, start + length);
    if (bytes[at] === 0x82) {
      if (payload.length > 0) this.onChunk(payload);
    } else if (bytes[at] === 0x88) this.#closed(payload);
    else if (bytes[at] === 0x8a) this.control.push(`pong:${payload.join()}`);
    else this.violations.push(`first byte ${bytes[at]}`);
    return start + length;
  }
}

function endOfHead(bytes: Uint8Array): number {
  for (let i = 3; i < bytes.length; i++) {
    if (bytes[i - 3] === 13 && bytes[i - 2] === 10 && bytes[i - 1] === 13 && bytes[i] === 10) {
      return i + 1;
    }
  }
  return 0;
}
