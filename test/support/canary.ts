// A publisher and a subscriber, each on a connection of its own, that go on all through a test of
// something hostile: whatever happens to others, they must not lose, double or reorder a message.

import { assertEquals } from "@std/assert";
import type { Packet } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { sleep } from "./wait.ts";
import { openBy, type Way } from "./way.ts";
import type { WireClient } from "./wire_client.ts";

/** How long one round may take on a machine that others keep busy. */
const ROUND_MS = 20_000;

export class Canary {
  readonly #publisher: WireClient;
  readonly #subscriber: WireClient;
  readonly #received: string[] = [];
  #acknowledged = 0;
  #isStopping = false;
  #sings: Promise<number> | undefined;

  constructor(publisher: WireClient, subscriber: WireClient) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
  }

  /** Both of them come the same way, which is plain TCP unless told. */
  static async start(port: number, way: Way = "TCP"): Promise<Canary> {
    const [publisher, subscriber] = await Promise.all([
      openBy(way, port, 5),
      openBy(way, port, 4),
    ]);
    await publisher.handshake({ clientId: "canary-publisher", keepAlive: 90 });
    await subscriber.handshake({ clientId: "canary-subscriber", keepAlive: 90 });
    await subscriber.subscribe(["canary/+"], 1);
    const canary = new Canary(publisher, subscriber);
    subscriber.onPacket = (packet) => canary.#hear(packet);
    publisher.onPacket = (packet) => {
      if (packet.type === "puback") canary.#acknowledged++;
    };
    canary.#sings = canary.#sing();
    // What goes wrong is told by `stop`, which everybody calls.
    canary.#sings.catch(() => {});
    return canary;
  }

  /** Ends the song and says that it was heard whole. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    try {
      const rounds = await this.#sings!;
      const expected = Array.from({ length: rounds }, (_, n) => [`zero ${n}`, `one ${n}`]).flat();
      assertEquals(this.#received, expected);
    } finally {
      this.#publisher.destroy();
      this.#subscriber.destroy();
    }
  }

  async #sing(): Promise<number> {
    let round = 0;
    do {
      this.#publisher.publish("canary/zero", `zero ${round}`);
      this.#publisher.publish("canary/one", `one ${round}`, { qos: 1 });
      round++;
      const end = performance.now() + ROUND_MS;
      while (this.#received.length < round * 2 || this.#acknowledged < round) {
        if (performance.now() > end) throw new Error("The canary has fallen silent");
        await sleep(1);
      }
      await sleep(4);
    } while (!this.#isStopping);
    return round;
  }

  #hear(packet: Packet): void {
    if (packet.type !== "publish") return;
    this.#received.push(new TextDecoder().decode(packet.payload));
    if (packet.qos === 0) return;
    this.#subscriber.sendPacket({
      type: "puback",
      packetId: packet.packetId,
      reasonCode: 0,
      properties: NO_PROPERTIES,
    });
  }
}
