/**
 * One device and its connection to the broker: from the device's first bytes, by way of a WebSocket
 * opened for it alone, to the end of both. No packet is looked at but the beginning of the first;
 * from then on bytes go either way as they come (one_way.ts).
 *
 * The idea: whoever ends first says why, and one line of the log repeats it. What is on its way to
 * the other side still gets there, within a bound of time.
 *
 * @module
 */

import type { BufferPool } from "../../core/base/buffer_pool.ts";
import { OperationError } from "../../core/base/operation_error.ts";
import type { LogType } from "../../telemetry/log_line.ts";
import { CLOSE_TIMEOUT_MS } from "../../transport/closing.ts";
import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";
import { type ConnectStart, readConnectStart } from "./connect_start.ts";
import { OneWay } from "./one_way.ts";

/** What a device needs of its broker. */
export interface BrokerRequest {
  readonly clientAddress: string;
  /** How the device's version of MQTT is called in a WebSocket. */
  readonly subprotocol: string;
  readonly signal: AbortSignal;
}

/** What a connection needs of the relay around it. */
export interface RelaySurroundings {
  /** Opens a WebSocket to the broker; rejects with the reason why there is none. */
  readonly openBroker: (request: BrokerRequest, accept: Accept) => Promise<void>;
  readonly pool: BufferPool;
  readonly log: (type: LogType, text: string) => void;
  /** How long a device may take to begin. */
  readonly timeoutMs: number;
  /** Both sides have ended. */
  readonly onEnded: (connection: RelayedConnection) => void;
}

type Version = Extract<ConnectStart, `mqtt-${string}`>;

const SUBPROTOCOLS: Readonly<Record<Version, string>> = {
  "mqtt-3.1": "mqttv3.1",
  "mqtt-3.1.1": "mqtt",
  "mqtt-5": "mqtt",
};

/** CONNACK packets that say, as far as each version can, that the server is not available. */
const UNAVAILABLE: Readonly<Record<Version, readonly number[]>> = {
  "mqtt-3.1": [0x20, 2, 0, 3],
  "mqtt-3.1.1": [0x20, 2, 0, 3],
  "mqtt-5": [0x20, 3, 0, 0x88, 0],
};

/** `beginning` until a CONNECT shows, `opening` until the broker answers. */
type State = "beginning" | "opening" | "relaying" | "ending";

/** The handler of the device's transport. */
export class RelayedConnection implements TransportHandler {
  readonly #device: Transport;
  readonly #surroundings: RelaySurroundings;
  readonly #toBroker: OneWay;
  readonly #opening: AbortController = new AbortController();
  #broker: Transport | undefined;
  #toDevice: OneWay | undefined;
  #state: State = "beginning";
  #isDeviceGone = false;
  #isBrokerGone = true;
  #timer: ReturnType<typeof setTimeout>;

  constructor(device: Transport, surroundings: RelaySurroundings) {
    this.#device = device;
    this.#surroundings = surroundings;
    this.#toBroker = new OneWay(device, surroundings.pool);
    const { timeoutMs } = surroundings;
    this.#timer = setTimeout(
      () => this.#cut(`no CONNECT within ${timeoutMs / 1000} seconds`),
      timeoutMs,
    );
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#state === "ending") return;
    if (!this.#toBroker.pass(chunk)) return this.#cut(TOO_MUCH);
    if (this.#state === "beginning") this.#recognise();
  }

  onWritable(): void {
    this.#toDevice?.drained();
  }

  onClose(error?: unknown): void {
    this.#isDeviceGone = true;
    this.#toDevice?.drop();
    if (this.#state !== "ending") {
      this.#end(error === undefined ? "closed its connection" : `disconnected: ${wordsOf(error)}`);
      this.#opening.abort(error);
      this.#toBroker.end();
    }
    this.#finishIfOver();
  }

  /** Ends both sides in order. */
  close(): void {
    if (this.#state === "ending") return;
    this.#end("disconnected: the relay ends");
    this.#opening.abort();
    this.#device.close();
    this.#broker?.close();
  }

  #recognise(): void {
    const start = readConnectStart(this.#toBroker.held);
    switch (start) {
      case "incomplete":
        return;
      case "tls":
        if (this.#device.tls === undefined) return this.#refuseTls();
        return this.#cut("protocol error");
      case "unknown":
        return this.#cut("protocol error");
      default:
        clearTimeout(this.#timer);
        this.#state = "opening";
        this.#toBroker.pause();
        this.#open(start);
    }
  }

  /** Never rejects. */
  async #open(version: Version): Promise<void> {
    const subprotocol = SUBPROTOCOLS[version];
    const { signal } = this.#opening;
    const clientAddress = this.#device.remoteAddress;
    this.#isBrokerGone = false;
    try {
      await this.#surroundings.openBroker(
        { clientAddress, subprotocol, signal },
        (broker) => this.#accept(broker),
      );
    } catch (error) {
      this.#isBrokerGone = true;
      if (this.#state === "opening") {
        this.#end(`disconnected: ${wordsOf(error)}`);
        const connack = Uint8Array.from(UNAVAILABLE[version]);
        this.#device.write(connack, connack.length);
        this.#device.close();
      }
      return this.#finishIfOver();
    }
    if (this.#state !== "opening") return this.#broker?.abort();
    this.#state = "relaying";
    this.#toBroker.connect(this.#broker!);
  }

  #accept(broker: Transport): TransportHandler {
    const toDevice = new OneWay(broker, this.#surroundings.pool);
    toDevice.connect(this.#device);
    this.#broker = broker;
    this.#toDevice = toDevice;
    return {
      onBytes: (chunk) => {
        if (this.#state !== "ending" && !toDevice.pass(chunk)) this.#cut(TOO_MUCH);
      },
      onWritable: () => this.#toBroker.drained(),
      onClose: (error) => this.#brokerClosed(error),
    };
  }

  #brokerClosed(error: unknown): void {
    this.#isBrokerGone = true;
    this.#toBroker.drop();
    if (this.#state !== "ending") {
      this.#end(
        error === undefined ? "disconnected" : `disconnected: lost the broker: ${wordsOf(error)}`,
      );
      this.#toDevice!.end();
    }
    this.#finishIfOver();
  }

  #refuseTls(): void {
    this.#surroundings.log(
      "notice",
      `Client from ${this.#name} appears to be using TLS to connect to a non-TLS listener.`,
    );
    this.#cut("protocol error");
  }

  /** Ends both sides at once. */
  #cut(reason: string): void {
    this.#end(`disconnected: ${reason}`);
    this.#device.abort();
    this.#broker?.abort();
  }

  #end(what: string): void {
    this.#state = "ending";
    clearTimeout(this.#timer);
    this.#surroundings.log("notice", `Client ${this.#name} ${what}.`);
    // What is held for one that does not take it must not be held for ever.
    this.#timer = setTimeout(() => {
      this.#device.abort();
      this.#broker?.abort();
    }, CLOSE_TIMEOUT_MS);
  }

  #finishIfOver(): void {
    if (!this.#isDeviceGone || !this.#isBrokerGone) return;
    clearTimeout(this.#timer);
    this.#toBroker.drop();
    this.#surroundings.onEnded(this);
  }

  get #name(): string {
    return `${this.#device.remoteAddress}:${this.#device.remotePort}`;
  }
}

const TOO_MUCH = "too much at once";

function wordsOf(error: unknown): string {
  if (error instanceof OperationError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
