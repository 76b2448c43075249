/**
 * A WebSocket of an object as a transport. Frames are chunks of the stream that MQTT is
 * [MQTT-6.0.0-2]; what a turn has for a client leaves in one of them. At the end of the turn the
 * socket is given what it takes to go on without the object's memory, if that has changed.
 *
 * The host takes whatever is sent and tells nobody how much of it has left, and it cannot be made
 * to read less: so there is no back-pressure, and who sends on while it is not to is sent away.
 *
 * @module
 */

import type { Connection } from "../../core/broker/connection.ts";
import type { Writer } from "../../core/codec/writer.ts";
import type { Transport, TransportHandler } from "../../transport/transport.ts";
import { beginAttachment } from "./attachment.ts";
import type { HibernatingSocket } from "./workers_api.ts";

/** Bytes that a client may send while nobody wants to hear it. */
const UNHEARD_BYTES_MAX = 1024 * 1024;

const NORMAL_CLOSURE = 1000;
const UNSUPPORTED_DATA = 1003;
const POLICY_VIOLATION = 1008;

/** What a socket needs of its object. */
export interface SocketOwner {
  /** It has to be looked at when the turn ends. */
  touched(socket: ObjectSocket): void;
  /** It has been closed, and its handler is to be told when nobody is at work. */
  ended(socket: ObjectSocket, error: unknown): void;
  /** Writes the snapshot behind what is there; `false` while there cannot be one. */
  snapshot(connection: Connection, writer: Writer): boolean;
  /** What is to be attached for these bytes, as `Attachments.pack`. */
  pack(
    bytes: Uint8Array,
    id: number,
    remoteAddress: string,
    wasStored: boolean,
  ): Uint8Array<ArrayBuffer>;
  forget(id: number): void;
}

export class ObjectSocket implements Transport {
  readonly id: number;
  readonly remoteAddress: string;
  readonly remotePort = 0;
  readonly localPort = 0;
  readonly #socket: HibernatingSocket;
  readonly #owner: SocketOwner;
  #connection: Connection | undefined;
  #handler: TransportHandler | undefined;
  #isPaused = false;
  #unheardBytes = 0;
  #isEnded = false;
  /** What was written for it last, all of it. */
  #saved: Uint8Array | undefined;
  #isStored: boolean;
  #sentMark = 0;

  constructor(
    socket: HibernatingSocket,
    owner: SocketOwner,
    parts: { readonly id: number; readonly remoteAddress: string; readonly isStored?: boolean },
  ) {
    this.#socket = socket;
    this.#owner = owner;
    this.id = parts.id;
    this.remoteAddress = parts.remoteAddress;
    this.#isStored = parts.isStored ?? false;
  }

  /** The connection that it is, who hears of it, and what is attached already. */
  attend(connection: Connection, handler: TransportHandler, saved?: Uint8Array): void {
    this.#connection = connection;
    this.#handler = handler;
    this.#saved = saved;
    this.#sentMark = connection.sentMark;
    if (saved === undefined || connection.isPaused) this.#owner.touched(this);
  }

  /** A frame has come. */
  receive(message: ArrayBuffer | string): void {
    if (this.#isEnded) return;
    this.#owner.touched(this);
    // [MQTT-6.0.0-1]
    if (typeof message === "string") {
      return this.#end(UNSUPPORTED_DATA, new Error("A frame of text came, and MQTT is binary"));
    }
    if (this.#isPaused) {
      this.#unheardBytes += message.byteLength;
      if (this.#unheardBytes > UNHEARD_BYTES_MAX) {
        return this.#end(POLICY_VIOLATION, new Error("Too much came while nobody was to send"));
      }
    }
    this.#handler?.onBytes(new Uint8Array(message));
  }

  /** The peer has closed it, or it broke. */
  lost(error: unknown): void {
    if (this.#isEnded) return;
    this.#end(NORMAL_CLOSURE, error);
  }

  /** Tells its handler that it is over. */
  tellEnd(error: unknown): void {
    this.#handler?.onClose(error);
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#isEnded) return true;
    try {
      // The host keeps what it is given until that has left.
      this.#socket.send(bytes.slice(0, length));
    } catch (error) {
      this.#end(NORMAL_CLOSURE, error);
      return true;
    }
    if (this.#connection?.sentMark !== this.#sentMark) this.#owner.touched(this);
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#unheardBytes = 0;
  }

  close(): void {
    if (!this.#isEnded) this.#end(NORMAL_CLOSURE, undefined);
  }

  abort(): void {
    this.close();
  }

  /** Gives the socket what it takes to go on, unless it has that. */
  save(writer: Writer): void {
    const connection = this.#connection;
    if (this.#isEnded || connection === undefined) return;
    this.#sentMark = connection.sentMark;
    // It will go on by somebody's answer, or as time passes.
    if (connection.isPaused) this.#owner.touched(this);
    beginAttachment(writer, this.id, this.remoteAddress);
    if (!this.#owner.snapshot(connection, writer) || isSame(this.#saved, writer)) return;
    const bytes = writer.bytes.slice(0, writer.length);
    const attached = this.#owner.pack(bytes, this.id, this.remoteAddress, this.#isStored);
    this.#saved = bytes;
    this.#isStored = attached.length !== bytes.length;
    this.#socket.serializeAttachment(attached);
  }

  #end(code: number, error: unknown): void {
    this.#isEnded = true;
    if (this.#isStored) this.#owner.forget(this.id);
    try {
      // Nobody is to take it for a connection, should the host still show it.
      this.#socket.serializeAttachment(null);
      this.#socket.close(code);
    } catch {
      // It is closed already.
    }
    this.#owner.ended(this, error);
  }
}

function isSame(saved: Uint8Array | undefined, writer: Writer): boolean {
  if (saved === undefined || saved.length !== writer.length) return false;
  for (let i = 0; i < saved.length; i++) if (saved[i] !== writer.bytes[i]) return false;
  return true;
}
