// MQTT.js as a client at a site: everything it can be asked to do as a promise with a limit, and
// everything it has received kept in order, as plain values.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import mqtt, {
  type IClientOptions,
  type IClientPublishOptions,
  type IConnackPacket,
  type IPublishPacket,
  MqttClient,
  type Packet,
} from "mqtt";
import { until } from "../support/wait.ts";
import type { Site } from "./site.ts";

/** The three versions in the options of MQTT.js. */
export const JS_VERSIONS = {
  "3.1": { protocolId: "MQIsdp", protocolVersion: 3 },
  "3.1.1": { protocolId: "MQTT", protocolVersion: 4 },
  "5": { protocolId: "MQTT", protocolVersion: 5 },
} as const;
export type JsVersion = keyof typeof JS_VERSIONS;
export const JS_VERSION_NAMES: readonly JsVersion[] = ["3.1", "3.1.1", "5"];

/** A received PUBLISH without what differs from run to run. */
export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export class JsClient {
  readonly client: MqttClient;
  /** Each PUBLISH as the application gets it: once per message, in the order of their coming. */
  readonly packets: IPublishPacket[] = [];
  /** Everything as it was on the wire, before MQTT.js does anything about it. */
  readonly wire: Packet[] = [];
  readonly errors: Error[] = [];
  /** The reason codes of the DISCONNECTs that the broker sent. */
  readonly disconnects: (number | undefined)[] = [];
  connack: IConnackPacket | undefined;
  isClosed = false;

  constructor(client: MqttClient) {
    this.client = client;
    // Where a topic alias stood for the topic, only the event has it.
    client.on("message", (topic, _, packet) => void this.packets.push({ ...packet, topic }));
    client.on("packetreceive", (packet) => void this.wire.push({ ...packet }));
    client.on("error", (error) => void this.errors.push(error));
    client.on("disconnect", (packet) => void this.disconnects.push(packet.reasonCode));
    client.on("connect", (connack) => {
      this.connack = connack;
      this.isClosed = false;
    });
    client.on("close", () => this.isClosed = true);
  }

  /** Connects over TCP; a client that is refused or cut off does not come back by itself. */
  static connect(site: Pick<Site, "port">, options: IClientOptions = {}): Promise<JsClient> {
    return JsClient.#whenConnected(mqtt.connect({
      protocol: "mqtt",
      host: "127.0.0.1",
      port: site.port,
      ...defaults(options),
    }));
  }

  /** Connects over a stream of the caller's. */
  static connectOver(stream: () => Duplex, options: IClientOptions = {}): Promise<JsClient> {
    return JsClient.#whenConnected(new MqttClient(stream, defaults(options)));
  }

  static async #whenConnected(client: MqttClient): Promise<JsClient> {
    const self = new JsClient(client);
    await until(
      () => self.connack !== undefined || self.errors.length > 0 || self.isClosed,
      `the client is connected`,
    );
    if (self.connack !== undefined) return self;
    client.end(true);
    throw self.errors[0] ?? new Error("The connection was closed before a CONNACK came");
  }

  /** What the application received, as plain values. */
  get received(): Received[] {
    return this.packets.map(plain);
  }

  get texts(): string[] {
    return this.packets.map(({ payload }) => payload.toString());
  }

  /** Resolves when this many messages have come. */
  receives(count: number): Promise<void> {
    const id = this.client.options.clientId;
    return until(
      () => this.packets.length >= count,
      `${id} has ${count} messages`,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it has ${this.packets.length}`, { cause: error });
    });
  }

  /** Resolves when the connection is over. */
  closes(): Promise<void> {
    return until(() => this.isClosed, `${this.client.options.clientId} is cut off`);
  }

  async publish(
    topic: string,
    payload: string | Uint8Array,
    options: IClientPublishOptions = {},
  ): Promise<Packet | undefined> {
    const bytes = typeof payload === "string" ? payload : Buffer.from(payload);
    return await this.client.publishAsync(topic, bytes, options);
  }

  /** Publishes texts in order with at most `window` unfinished; MQTT.js keeps no window itself. */
  async publishAll(
    topic: string,
    texts: readonly string[],
    options: IClientPublishOptions = {},
    window = 15,
  ): Promise<void> {
    for (let i = 0; i < texts.length; i += window) {
      const batch = texts.slice(i, i + window);
      await Promise.all(batch.map((text) => this.publish(topic, text, options)));
    }
  }

  /** Says goodbye. */
  async end(reasonCode?: number): Promise<void> {
    await this.client.endAsync(false, reasonCode === undefined ? {} : { reasonCode });
  }

  /** Goes without a word. */
  vanish(): void {
    this.client.stream.destroy();
    this.client.end(true);
  }
}

/** Ends clients whatever became of them. */
export function endAll(...clients: readonly JsClient[]): void {
  for (const { client } of clients) client.end(true);
}

/** A received packet without what differs from run to run. */
export function plain({ topic, payload, qos, retain, properties }: IPublishPacket): Received {
  const common = { topic, text: payload.toString(), qos, retain };
  if (properties === undefined) return common;
  const entries = Object.entries(properties).map(([name, value]) =>
    [name, value instanceof Uint8Array ? value.toString() : structuredClone(value)] as const
  );
  return { ...common, properties: Object.fromEntries(entries) };
}

export function texts(count: number, prefix = ""): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

function defaults(options: IClientOptions): IClientOptions {
  return {
    ...JS_VERSIONS["5"],
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    clientId: `js-${Math.random().toString(36).slice(2)}`,
    ...options,
  };
}
