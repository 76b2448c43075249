// What a tab does when a test tells it to: an MQTT client and what it has received.
/// <reference lib="dom" />

import {
  Client,
  type ClientOptions,
  dialPort,
  type Message,
  type PublishOptions,
  type QoS,
} from "../../client_web.ts";
import { Broker } from "../../web.ts";

/** What the worker of the broker tells of itself. */
export interface Inside {
  readonly connections: number;
  readonly backlogBytes: number;
  readonly retained: number;
  readonly publishReceived: number;
  readonly publishDropped: number;
}

const decoder = new TextDecoder();

function line({ topic, payload, qos, retain }: Message): string {
  return `${topic} ${decoder.decode(payload)} qos ${qos}${retain ? " retained" : ""}`;
}

function sharedPort(): MessagePort {
  return new SharedWorker("shared_broker.js", { type: "module" }).port;
}

async function servicePort(): Promise<MessagePort> {
  await navigator.serviceWorker.register("service_broker.js", { type: "module" });
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  active!.postMessage("serve", [port2]);
  return port1;
}

export class Tab {
  readonly #received: string[] = [];
  #client: Client | undefined;
  #receivedBytes = 0;

  /** Connects; returns whether there was a session. */
  async connect(options: ClientOptions, kind: "shared" | "service" = "shared"): Promise<boolean> {
    let sessionPresent = false;
    this.#client = new Client(dialPort(kind === "shared" ? sharedPort : servicePort), {
      ...options,
      onMessage: (message) => {
        this.#receivedBytes += message.payload.length;
        if (message.payload.length < 100) this.#received.push(line(message));
      },
      onEvent: (event) => {
        if (event.kind === "connected") sessionPresent = event.connack.sessionPresent;
      },
    });
    await this.#client.open();
    return sessionPresent;
  }

  async subscribe(filter: string, qos: QoS): Promise<void> {
    await this.#client!.subscribe(filter, { qos });
  }

  async publish(topic: string, payload: string, options: PublishOptions = {}): Promise<void> {
    await this.#client!.publish(topic, payload, options);
  }

  async disconnect(): Promise<void> {
    await this.#client!.disconnect();
  }

  /** What has come since it was asked last, once there are so many. */
  async take(count: number): Promise<string[]> {
    while (this.#received.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#received.splice(0);
  }

  receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Publishes as fast as the broker takes it. */
  async flood(topic: string, count: number, bytes: number): Promise<void> {
    const client = this.#client!;
    const payload = new Uint8Array(bytes);
    for (let i = 0; i < count; i++) {
      if (!client.hasRoom) await client.ready();
      client.publish(topic, payload);
    }
    await client.publish("flood/over", "", { qos: 1 });
  }

  /** Reads no more, until the function that `release` calls. */
  stall(filter: string): void {
    const messages = this.#client!.messages(filter, { bufferMessagesMax: 1 });
    this.#release = async () => {
      for await (const _ of messages);
    };
  }

  release(): void {
    void this.#release();
  }

  #release: () => Promise<void> = () => Promise.resolve();

  /** What the broker's worker says of itself. */
  inside(): Promise<Inside> {
    return new Promise((resolve) => {
      const channel = new BroadcastChannel("inside");
      channel.onmessage = ({ data }) => {
        channel.close();
        resolve(data);
      };
      channel.postMessage("ask");
    });
  }

  /** A broker in the tab itself, with a client by a port and one by streams. */
  async alone(): Promise<string[]> {
    const broker = new Broker();
    const { port1, port2 } = new MessageChannel();
    broker.serve(port1);
    const [up, down] = [new TransformStream(), new TransformStream()];
    broker.serve({ readable: up.readable, writable: down.writable });
    const lines: string[] = [];
    const onMessage = (message: Message): void => void lines.push(line(message));
    const reader = await Client.connect(port2, { onMessage, protocolVersion: 4 });
    const writer = await Client.connect({ readable: down.readable, writable: up.writable });
    await reader.subscribe("#", { qos: 2 });
    for (const qos of [0, 1, 2] as const) await writer.publish("alone", `of ${qos}`, { qos });
    while (lines.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await writer.disconnect();
    await reader.disconnect();
    lines.push(`${broker.gauges.sessions} sessions`);
    await broker.close();
    return lines;
  }
}

(globalThis as unknown as { tab: Tab }).tab = new Tab();
