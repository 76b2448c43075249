// The two ends of a WebSocket at a faked Durable Object. Between them is a line that outlives the
// object's memory: its own end does not, and refuses to be used afterwards.

import { serialize } from "node:v8";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import type { FakeHost } from "./fake_durable_object.ts";
import { encoded } from "./raw_packet.ts";

const ATTACHMENT_BYTES_MAX = 16_384;

/** What the host knows of a socket. */
export class SocketLine {
  tags: readonly string[] = [];
  /** The object's end, while it remembers one. */
  end: ServerEnd | undefined;
  attachment: unknown = null;
  /** Sent in the present event, and not let out yet. */
  readonly #held: Uint8Array[] = [];
  readonly #arrived: Uint8Array[] = [];
  /** How many messages the object has sent that got out. */
  sends = 0;
  /** The object has closed it. */
  isClosing = false;
  /** It is closed, and the object has been told. */
  isClosed = false;
  closeCode: number | undefined;

  hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
  }

  /** The event is over: what was sent leaves. */
  release(): void {
    this.sends += this.#held.length;
    this.#arrived.push(...this.#held.splice(0));
  }

  /** The object's memory is gone. */
  forget(): void {
    this.end?.die();
    this.end = undefined;
  }

  /** The host is gone. */
  cut(): void {
    this.#held.length = 0;
    this.isClosed = true;
    this.closeCode ??= 1006;
  }

  takeArrived(): Uint8Array[] {
    return this.#arrived.splice(0);
  }
}

/** The object's end. */
export class ServerEnd {
  readonly line: SocketLine;
  #isDead = false;

  constructor(line: SocketLine) {
    this.line = line;
  }

  static newLine(): SocketLine {
    const line = new SocketLine();
    line.end = new ServerEnd(line);
    return line;
  }

  get readyState(): number {
    return this.line.isClosed ? 3 : this.line.isClosing ? 2 : 1;
  }

  send(data: Uint8Array | ArrayBuffer): void {
    this.#live();
    if (this.readyState !== 1) throw new TypeError("The socket is closed");
    this.line.hold(Uint8Array.from(data instanceof ArrayBuffer ? new Uint8Array(data) : data));
  }

  close(code = 1005): void {
    this.#live();
    if (this.readyState !== 1) return;
    this.line.isClosing = true;
    this.line.closeCode = code;
  }

  serializeAttachment(value: unknown): void {
    this.#live();
    const size = serialize(value).length;
    if (size > ATTACHMENT_BYTES_MAX) throw new Error(`An attachment of ${size} bytes is too large`);
    this.line.attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    this.#live();
    return structuredClone(this.line.attachment);
  }

  die(): void {
    this.#isDead = true;
  }

  #live(): void {
    if (this.#isDead) throw new Error("A socket was used after the memory that held it had gone");
  }
}

/** The client's end. */
export class FakePeer {
  version: ProtocolVersion = 5;
  readonly #host: FakeHost;
  readonly #line: SocketLine;
  readonly #framer: Framer = new Framer();

  constructor(host: FakeHost, line: SocketLine) {
    this.#host = host;
    this.#line = line;
  }

  get isClosed(): boolean {
    return this.#line.isClosing || this.#line.isClosed;
  }

  get closeCode(): number | undefined {
    return this.#line.closeCode;
  }

  /** How many messages have come. */
  get messages(): number {
    return this.#line.sends;
  }

  /** Bytes that the object keeps with the socket. */
  get attachment(): unknown {
    return this.#line.attachment;
  }

  /** Sends packets in one message. */
  async send(...packets: readonly Packet[]): Promise<void> {
    await this.sendBytes(encoded(this.version, ...packets));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#host.deliver(this.#line, bytes);
  }

  async sendText(text: string): Promise<void> {
    await this.#host.deliver(this.#line, text);
  }

  /** All packets that have come since the last time. */
  take(): Packet[] {
    const packets: Packet[] = [];
    const framer = this.#framer;
    for (const chunk of this.#line.takeArrived()) {
      framer.feed(chunk);
      while (framer.next()) {
        const { firstByte, bytes, bodyStart, end } = framer;
        packets.push(decodePacket(firstByte, bytes, bodyStart, end, this.version));
      }
      framer.keepRest();
    }
    return packets;
  }

  /** Sends packets and takes what comes back. */
  async exchange(...packets: readonly Packet[]): Promise<Packet[]> {
    await this.send(...packets);
    return this.take();
  }

  /** Closes the WebSocket, or is gone without a word. */
  async close(code = 1000): Promise<void> {
    await this.#host.closeLine(this.#line, code, code !== 1006);
  }
}
