// The host may die in any event, before it has committed it or before anybody was told: then the
// sockets are gone, clients come back and go on where they were. Whatever they had been told is
// kept holds: QoS 1 arrives, and QoS 2 arrives once.

import { assertEquals } from "@std/assert";
import { BrokerObject } from "../../src/runtime/workers/worker.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { type Death, FakeHost } from "../support/fake_durable_object.ts";
import type { FakePeer } from "../support/fake_object_sockets.ts";
import { ack, connect, publish, request, subscribe } from "../support/packets.ts";
import { encoded } from "../support/raw_packet.ts";

const MESSAGES: readonly QoS[] = [1, 2, 1, 2];
const SESSION = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } } as const;

/** A client that comes back whenever it is cut off. */
class Stubborn {
  readonly #host: FakeHost;
  readonly #clientId: string;
  #peer: FakePeer | undefined;

  constructor(host: FakeHost, clientId: string) {
    this.#host = host;
    this.#clientId = clientId;
  }

  /** Sends a packet and takes what comes, once it is connected; `undefined` when it was cut off. */
  async exchange(...packets: readonly Packet[]): Promise<Packet[] | undefined> {
    const before: Packet[] = [];
    while (this.#peer === undefined || this.#peer.isClosed) {
      this.#peer = await this.#host.connect();
      before.push(...await this.#peer.exchange(connect({ clientId: this.#clientId, ...SESSION })));
    }
    if (packets.length === 0) return [...before, ...this.#peer.take()];
    const came = await this.#peer.exchange(...packets);
    const all = [...before, ...came];
    // Whatever came before the end counts.
    return this.#peer.isClosed && all.length === 0 ? undefined : all;
  }

  /** Sends a packet until one of a kind comes back for it. */
  async insist(packet: Packet, ...kinds: readonly Packet["type"][]): Promise<Packet["type"]> {
    for (let dup = false;; dup = true) {
      const again = packet.type === "publish" ? { ...packet, dup } : packet;
      const found = (await this.exchange(again))?.find(({ type }) => kinds.includes(type));
      if (found !== undefined) return found.type;
    }
  }
}

/** A subscriber that acknowledges as it should, and counts what reaches its application. */
class Reader extends Stubborn {
  readonly counts: Map<string, number> = new Map();
  readonly #open: Set<number> = new Set();

  /** Takes what there is until nothing more comes. */
  async settle(): Promise<void> {
    let packets = await this.exchange();
    while (packets === undefined || packets.length > 0) {
      const answers = (packets ?? []).flatMap((packet) => this.#answer(packet));
      packets = await this.exchange(...answers);
      if (answers.length === 0 && packets?.length === 0) return;
    }
  }

  #answer(packet: Packet): Packet[] {
    if (packet.type === "pubrel") {
      this.#open.delete(packet.packetId);
      return [ack("pubcomp", packet.packetId)];
    }
    if (packet.type !== "publish") return [];
    const { packetId, qos } = packet;
    const text = new TextDecoder().decode(packet.payload);
    if (!this.#open.has(packetId)) this.counts.set(text, (this.counts.get(text) ?? 0) + 1);
    if (qos === 2) this.#open.add(packetId);
    return [ack(qos === 2 ? "pubrec" : "puback", packetId)];
  }
}

/** Sends all messages, and gives what the reader has got. */
async function run(
  dies: { in: number; death: Death } | undefined,
): Promise<{ events: number; counts: ReadonlyMap<string, number> }> {
  const env = { MIDGE_ALLOW_ANONYMOUS: "true" };
  const host = new FakeHost(BrokerObject, dies === undefined ? { env } : { env, dies });
  try {
    const reader = new Reader(host, "reader");
    const writer = new Stubborn(host, "writer");
    await reader.insist(subscribe(1, [request("t", { qos: 2 })]), "suback");
    for (const [i, qos] of MESSAGES.entries()) {
      const message = publish("t", { qos, packetId: i + 1, payload: `${i} at ${qos}` });
      await writer.insist(message, qos === 1 ? "puback" : "pubrec");
      if (qos === 2) await writer.insist(ack("pubrel", i + 1), "pubcomp");
      await reader.settle();
    }
    await reader.settle();
    return { events: host.events, counts: reader.counts };
  } finally {
    host.close();
  }
}

for (const death of ["before it is committed", "before it is told"] as const) {
  test(`BrokerObject keeps its word when the host dies in an event ${death} [MQTT-4.3.2-4]`, async () => {
    const undisturbed = await run(undefined);
    assertEquals([...undisturbed.counts.values()], MESSAGES.map(() => 1));
    for (let event = 1; event <= undisturbed.events; event++) {
      const { counts } = await run({ in: event, death });
      const shown = MESSAGES.map((qos, i) => {
        const count = counts.get(`${i} at ${qos}`) ?? 0;
        return qos === 1 ? count >= 1 : count === 1;
      });
      assertEquals(shown, MESSAGES.map(() => true), `it dies in event ${event}`);
    }
  });
}

test("BrokerObject forgets what it kept for the sockets of a host that died", async () => {
  const host = new FakeHost(BrokerObject, {
    env: { MIDGE_ALLOW_ANONYMOUS: "true" },
    sleepsAfter: () => true,
    // The half of a long packet is kept in two parts then, and nobody comes for it any more.
    dies: { in: 3, death: "before it is told" },
  });
  try {
    const first = await host.connect();
    await first.send(connect({ clientId: "first" }));
    await first.sendBytes(encoded(5, longPublish("x".repeat(1_500_000))).subarray(0, 1_200_000));
    assertEquals(first.isClosed, true);
    // Its successor has the same number, and needs one part only.
    const second = await host.connect();
    await second.send(connect({ clientId: "second" }));
    const bytes = encoded(5, longPublish("y".repeat(100_000)));
    await second.sendBytes(bytes.subarray(0, 50_000));
    second.take();
    await second.sendBytes(bytes.subarray(50_000));
    assertEquals(second.take().map(({ type }) => type), ["puback"]);
  } finally {
    host.close();
  }
});

function longPublish(payload: string): Packet {
  return publish("t", { qos: 1, packetId: 1, payload });
}
