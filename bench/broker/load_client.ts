/**
 * One client of the load generator: a client engine on a socket, or on a WebSocket over one.
 * Whatever it has to say in one turn of the event loop leaves in one write.
 *
 * @module
 */

import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { ClientEngine } from "../../src/core/client/client_engine.ts";
import type { ClientSink } from "../../src/core/client/client_sink.ts";
import type { IncomingMessage } from "../../src/core/client/incoming_message.ts";
import type { ConnectPacket, SubackPacket } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { framedSizeMax, upgradeRequest, WebSocketReader, writeFrames } from "./websocket_client.ts";
import { isWebSocket, openSocket, type Wire } from "./wire.ts";

/** Where a broker is, and how to speak to it. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly wire: Wire;
  /** Who has to have signed the broker's certificate, as PEM; else whom the runtime trusts. */
  readonly authority?: string | undefined;
  readonly version: ProtocolVersion;
  /** Whether sessions outlive their connections. */
  readonly keepsSession?: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Who hears what a client receives. */
export interface LoadObserver {
  onMessage(client: LoadClient, message: IncomingMessage): void;
  /** A QoS 1 or 2 message is done. */
  onPublished(client: LoadClient, reasonCode: number): void;
  onUnsubscribed(client: LoadClient): void;
  /** The run cannot go on. */
  onFailure(error: Error): void;
}

export interface LoadClientOptions {
  readonly target: Target;
  readonly clientId: string;
  readonly observer: LoadObserver;
  readonly flusher: Flusher;
  readonly inflightMax: number;
  /** Its place among those that its observer knows. */
  readonly index?: number;
}

/** Bytes that wait in a socket above which a client counts as held up by the broker. */
const HELD_UP_BYTES = 128 * 1024;
const ANSWER_TIMEOUT_MS = 30_000;

interface Waiting {
  readonly timer: ReturnType<typeof setTimeout>;
  resolve(): void;
  reject(error: Error): void;
}

/** Ends turns: each client that has something to say is flushed once. */
export class Flusher {
  readonly #dirty: LoadClient[] = [];
  readonly #free: Uint8Array[] = [];
  #isScheduled = false;

  /** Has the client flushed when the present turn ends. */
  mark(client: LoadClient): void {
    this.#dirty.push(client);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#isScheduled = false;
    for (const client of this.#dirty.splice(0)) client.flush();
  }

  /** A buffer in place of one that a socket still holds. */
  take(size: number): Uint8Array {
    const buffer = this.#free.pop();
    return buffer !== undefined && buffer.length >= size ? buffer : new Uint8Array(size);
  }

  give(buffer: Uint8Array): void {
    if (this.#free.length < 256 && buffer.length <= 1 << 20) this.#free.push(buffer);
  }
}

export class LoadClient implements ClientSink {
  readonly engine: ClientEngine;
  readonly index: number;
  /** When the bytes that are read at present arrived. */
  heardAt = 0;
  readonly #options: LoadClientOptions;
  #socket: Socket | undefined;
  /** Reads frames, on a WebSocket. */
  #reader: WebSocketReader | undefined;
  #isDirty = false;
  #isClosing = false;
  /** Who waits for the answer to a CONNECT or SUBSCRIBE; there is one at a time. */
  #waiting: Waiting | undefined;

  constructor(options: LoadClientOptions) {
    this.#options = options;
    this.index = options.index ?? 0;
    this.engine = new ClientEngine(this, { inflightMax: options.inflightMax });
  }

  /** The broker takes less than this client has for it. */
  get isHeldUp(): boolean {
    return this.#socket!.writableLength > HELD_UP_BYTES;
  }

  /** Opens the connection; resolves when the broker has accepted it. */
  connect(): Promise<void> {
    const { target, clientId } = this.#options;
    if (this.#isClosing) return Promise.reject(new Error("The run has ended"));
    const greet = (): void => {
      this.engine.connect(connectPacket(target, clientId), performance.now());
      this.flush();
    };
    const reader = isWebSocket(target.wire) ? new WebSocketReader() : undefined;
    const socket = openSocket(target, () => {
      if (reader === undefined) greet();
      else socket.write(upgradeRequest(target.host, target.port));
    });
    this.#socket = socket;
    this.#reader = reader;
    socket.on("data", (chunk: Uint8Array) => {
      if (reader === undefined) return this.#receive(chunk);
      const wasOpen = reader.isOpen;
      try {
        const count = reader.read(chunk);
        if (count > 0) this.#receive(chunk.subarray(0, count));
      } catch (error) {
        // The reader throws nothing but errors.
        return this.#fail(error as Error);
      }
      if (reader.isOpen && !wasOpen) greet();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("The broker closed the connection")));
    return this.#answer("CONNECT");
  }

  /** Subscribes; resolves when all filters are granted. */
  subscribe(filters: readonly string[], qos: QoS): Promise<void> {
    this.requestSubscription(filters, qos);
    return this.#answer("SUBSCRIBE");
  }

  /** Subscribes without waiting for the answer. */
  requestSubscription(filters: readonly string[], qos: QoS): void {
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    this.engine.subscribe(filters.map((filter) => ({ filter, ...options })));
    this.changed();
  }

  requestUnsubscription(filters: readonly string[]): void {
    this.engine.unsubscribe([...filters]);
    this.changed();
  }

  /** Says that something was, or may have been, gathered. */
  changed(): void {
    if (this.#isDirty || this.engine.outbox.length === 0) return;
    this.#isDirty = true;
    this.#options.flusher.mark(this);
  }

  flush(): void {
    this.#isDirty = false;
    const socket = this.#socket!;
    const { outbox } = this.engine;
    if (outbox.length === 0 || socket.destroyed) return;
    const { bytes, length } = outbox;
    const { flusher } = this.#options;
    if (this.#reader !== undefined) {
      const frames = flusher.take(framedSizeMax(bytes, length));
      const end = writeFrames(frames, bytes, length);
      socket.write(frames.subarray(0, end), () => flusher.give(frames));
      return this.engine.sent(performance.now());
    }
    let isLent = false;
    socket.write(bytes.subarray(0, length), () => {
      if (isLent) flusher.give(bytes);
    });
    // Some runtimes have sent it by now and do not need the buffer any more.
    isLent = socket.writableLength > 0;
    this.engine.sent(performance.now(), isLent ? flusher.take(bytes.length) : undefined);
  }

  close(): void {
    this.#isClosing = true;
    this.engine.disconnect();
    this.flush();
    this.#socket?.end();
    this.#socket?.unref();
  }

  /** Closes without a word, and at once. */
  abort(): void {
    this.#isClosing = true;
    this.#socket?.destroy();
    this.#takeWaiting()?.reject(new Error("The run has ended"));
  }

  onConnack({ reasonCode }: { readonly reasonCode: ReasonCode }): void {
    if (reasonCode === ReasonCode.SUCCESS) this.#takeWaiting()?.resolve();
    else this.#fail(new Error(`The broker refused the connection: ${hex(reasonCode)}`));
  }

  onMessage(message: IncomingMessage): void {
    this.#options.observer.onMessage(this, message);
  }

  onPublished(_packetId: number, reasonCode: ReasonCode): void {
    this.#options.observer.onPublished(this, reasonCode);
  }

  onSuback({ reasonCodes }: SubackPacket): void {
    const refused = reasonCodes.find((code) => code >= ReasonCode.UNSPECIFIED_ERROR);
    if (refused === undefined) this.#takeWaiting()?.resolve();
    else this.#fail(new Error(`The broker refused a subscription: ${hex(refused)}`));
  }

  onUnsuback(): void {
    this.#options.observer.onUnsubscribed(this);
  }

  onDisconnect({ reasonCode }: { readonly reasonCode: ReasonCode }): void {
    this.#fail(new Error(`The broker ended a connection: ${hex(reasonCode)}`));
  }

  onError(error: Error): void {
    this.#fail(error);
  }

  onSilence(cause: string): void {
    this.#fail(new Error(`The broker is silent: ${cause}`));
  }

  onSessionLost(): void {}

  onAuth(): void {
    this.#fail(new Error("The broker asks for an enhanced authentication"));
  }

  #receive(chunk: Uint8Array): void {
    this.heardAt = performance.now();
    this.engine.receive(chunk, this.heardAt);
    this.changed();
  }

  #fail(error: Error): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#socket?.destroy();
    const waiting = this.#takeWaiting();
    if (waiting === undefined) this.#options.observer.onFailure(error);
    else waiting.reject(error);
  }

  #answer(request: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new Error(`The broker does not answer ${request}`));
      }, ANSWER_TIMEOUT_MS);
      this.#waiting = { resolve, reject, timer };
    });
  }

  #takeWaiting(): Waiting | undefined {
    const waiting = this.#waiting;
    clearTimeout(waiting?.timer);
    this.#waiting = undefined;
    return waiting;
  }
}

function connectPacket(target: Target, clientId: string): ConnectPacket {
  const { version, keepsSession = false, username, password } = target;
  return {
    type: "connect",
    protocolVersion: version,
    isBridge: false,
    clientId,
    cleanStart: !keepsSession,
    // Runs are short; nobody has to be reminded that we are here.
    keepAlive: 0,
    properties: keepsSession && version === 5 ? { sessionExpiryInterval: 0xffffffff } : {},
    ...username === undefined ? {} : { username },
    ...password === undefined ? {} : { password: new TextEncoder().encode(password) },
  };
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
