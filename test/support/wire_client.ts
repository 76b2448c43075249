// A client that sends any bytes at all over a socket and reads what comes back through the codec. Every
// wait has a deadline and says what it waited for.

import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { ConnackPacket, ConnectPacket, Packet } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES, type Properties } from "../../src/core/codec/property.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { encoded } from "./raw_packet.ts";
import { sleep } from "./wait.ts";

/** Long for a busy machine, short for a person. */
const DEADLINE_MS = 10_000;

const PINGREQ = Uint8Array.of(0xc0, 0);

export type ConnectOptions = Partial<Omit<ConnectPacket, "type" | "protocolVersion">>;

export interface PublishOptions {
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetId?: number;
  readonly properties?: Properties;
}

/** What a client can be on: a socket, or a stream that does not know of ports and resets. */
export type WireSocket = Duplex & {
  readonly localPort?: number | undefined;
  readonly resetAndDestroy?: () => unknown;
};

export class WireClient {
  readonly version: ProtocolVersion;
  /** A closed socket has forgotten it. */
  readonly localPort: number;
  /** What came and was not taken yet. */
  packets: Packet[] = [];
  receivedBytes = 0;
  isClosed = false;
  /** Whether what comes is counted and not decoded. */
  isDeaf = false;
  /** Where packets go instead of `packets`, when set. */
  onPacket: ((packet: Packet) => void) | undefined;
  readonly #socket: WireSocket;
  readonly #framer: Framer = new Framer();
  #undecodable: unknown;
  #lastPacketId = 0;
  /** Wakes whoever waits for something to arrive or to end. */
  #wake: () => void = () => {};

  constructor(socket: WireSocket, version: ProtocolVersion) {
    this.#socket = socket;
    this.version = version;
    this.localPort = socket.localPort ?? 0;
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("end", () => this.#closed());
    socket.on("close", () => this.#closed());
    socket.on("error", () => this.#closed());
  }

  /** Connects the socket and sends nothing. */
  static open(port: number, version: ProtocolVersion = 5): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connectSocket({ host: "127.0.0.1", port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new WireClient(socket, version));
      });
    });
  }

  /** Connects the socket and the client; the CONNACK has to be a success. */
  static async connect(
    port: number,
    version: ProtocolVersion,
    options: ConnectOptions = {},
  ): Promise<WireClient> {
    const client = await WireClient.open(port, version);
    const { reasonCode } = await client.handshake(options);
    if (reasonCode !== 0) throw new Error(`The client was refused with ${reasonCode}`);
    return client;
  }

  /** Sends a CONNECT and takes the CONNACK. */
  async handshake(options: ConnectOptions = {}): Promise<ConnackPacket> {
    this.send(this.connectBytes(options));
    const packet = await this.next("the CONNACK");
    if (packet.type !== "connack") throw new Error(`Got ${packet.type} instead of CONNACK`);
    return packet;
  }

  connectBytes(options: ConnectOptions = {}): Uint8Array {
    return encoded(this.version, {
      type: "connect",
      protocolVersion: this.version,
      isBridge: false,
      clientId: `wire-${this.localPort}`,
      cleanStart: true,
      keepAlive: 0,
      properties: NO_PROPERTIES,
      ...options,
    });
  }

  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  sendPacket(...packets: readonly Packet[]): void {
    this.send(encoded(this.version, ...packets));
  }

  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}): void {
    const { qos = 0, retain = false, dup = false, packetId = 0, properties } = options;
    this.sendPacket({
      type: "publish",
      topic,
      payload: typeof payload === "string" ? new TextEncoder().encode(payload) : payload,
      qos,
      retain,
      dup,
      packetId: qos > 0 && packetId === 0 ? this.nextPacketId() : packetId,
      properties: properties ?? NO_PROPERTIES,
    });
  }

  /** Subscribes and takes the SUBACK; returns its codes. */
  async subscribe(filters: readonly string[], qos: QoS = 0): Promise<number[]> {
    const subscriptions = filters.map((filter) => ({
      filter,
      qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
    }));
    const packetId = this.nextPacketId();
    this.sendPacket({ type: "subscribe", packetId, subscriptions, properties: NO_PROPERTIES });
    const packet = await this.next("the SUBACK");
    if (packet.type !== "suback") throw new Error(`Got ${packet.type} instead of SUBACK`);
    return packet.reasonCodes;
  }

  nextPacketId(): number {
    this.#lastPacketId = this.#lastPacketId === 65_535 ? 1 : this.#lastPacketId + 1;
    return this.#lastPacketId;
  }

  /** The next packet; an end of the connection before it is an error. */
  async next(what: string, deadlineMs: number = DEADLINE_MS): Promise<Packet> {
    await this.#until(() => this.packets.length > 0 || this.isClosed, what, deadlineMs);
    const packet = this.packets.shift();
    if (packet === undefined) throw new Error(`The connection was closed before ${what}`);
    return packet;
  }

  /** Sends PINGREQ; all that came before its answer, which is left out. */
  async ping(deadlineMs: number = DEADLINE_MS): Promise<Packet[]> {
    this.send(PINGREQ);
    const isPong = (packet: Packet): boolean => packet.type === "pingresp";
    const isDone = (): boolean => this.isClosed || this.packets.some(isPong);
    await this.#until(isDone, "the PINGRESP", deadlineMs);
    const at = this.packets.findIndex(isPong);
    return at < 0 ? this.packets.splice(0) : this.packets.splice(0, at + 1).slice(0, -1);
  }

  /** All packets up to the end of the connection, by the broker's doing. */
  async untilClosed(deadlineMs: number = DEADLINE_MS): Promise<Packet[]> {
    await this.#until(() => this.isClosed, "the end of the connection", deadlineMs);
    return this.packets.splice(0);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Whether all that was sent has left. */
  get hasSentAll(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** Leaves as a client should. */
  leave(): void {
    this.send(encoded(this.version, {
      type: "disconnect",
      reasonCode: 0,
      properties: NO_PROPERTIES,
    }));
    this.#socket.end();
  }

  /** Ends our side of the connection without a DISCONNECT. */
  finish(): void {
    this.#socket.end();
  }

  /** Ends the connection with a reset. */
  reset(): void {
    // What is below TLS cannot be reached.
    if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy?.();
    this.#closed();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #receive(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length;
    if (this.isDeaf) return;
    const framer = this.#framer;
    try {
      framer.feed(chunk);
      while (framer.next()) {
        const { firstByte, bytes, bodyStart, end } = framer;
        const packet = decodePacket(firstByte, bytes, bodyStart, end, this.version);
        if (this.onPacket === undefined) this.packets.push(packet);
        else this.onPacket(packet);
      }
      framer.keepRest();
    } catch (error) {
      this.#undecodable ??= error;
    }
    this.#wake();
  }

  #closed(): void {
    this.isClosed = true;
    this.#wake();
  }

  async #until(condition: () => boolean, what: string, deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    for (;;) {
      if (this.#undecodable !== undefined) throw this.#undecodable;
      if (condition()) return;
      const left = end - performance.now();
      if (left <= 0) throw new Error(`Waited in vain for ${what}, ${deadlineMs} ms`);
      await Promise.race([
        new Promise<void>((resolve) => this.#wake = resolve),
        sleep(Math.min(left, 50)),
      ]);
    }
  }
}

/** A packet in a few words, for tables of what is expected. */
export function describe(packet: Packet): string {
  switch (packet.type) {
    case "connack":
    case "disconnect":
    case "auth":
      return `${packet.type} ${hex(packet.reasonCode)}`;
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return `${packet.type} ${packet.packetId} ${hex(packet.reasonCode)}`;
    case "suback":
    case "unsuback":
      return `${packet.type} ${packet.reasonCodes.map(hex).join(" ")}`.trimEnd();
    case "publish":
      return `publish ${packet.topic} ${new TextDecoder().decode(packet.payload)}`;
    default:
      return packet.type;
  }
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
