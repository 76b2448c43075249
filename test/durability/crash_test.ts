// The broker is killed at random moments under load, and everything that it has acknowledged is
// there when it comes back. MIDGE_TEST_CRASH_ROUNDS says how often; the seed of a run is printed when it
// fails, and MIDGE_TEST_CRASH_SEED takes it.

import { assertEquals } from "@std/assert";
import process from "node:process";
import { prng, type Random } from "../../src/core/base/prng.ts";
import { test } from "../harness.ts";
import { MidgeProcess } from "../support/midge_process.ts";
import { SteadyPublisher, SteadySubscriber } from "../support/steady_clients.ts";
import { sleep, until } from "../support/wait.ts";
import { WireClient } from "../support/wire_client.ts";

const ROUNDS = Number(process.env["MIDGE_TEST_CRASH_ROUNDS"] ?? 10);
const SEED = Number(process.env["MIDGE_TEST_CRASH_SEED"] ?? Date.now() % 1_000_000);
/** A round is a start, a load of random length, and what the clients find after it. */
const LIMIT_MS = 30_000 + ROUNDS * 10_000;
/** Messages for which somebody waits at once. */
const PIECE = 1000;
/** How long the load lasts at most before the broker is killed. */
const LOAD_MS_MAX = 250;

const CONFIG = `listener $PORT1 127.0.0.1
allow_anonymous true
max_queued_messages 0
persistence true
persistence_location $DIR
`;

/** Everything that a broker has acknowledged, and who checks it. */
class Witness {
  readonly #random: Random = prng(SEED);
  readonly #publishers = [1, 2, 1, 2].map((qos, index) =>
    new SteadyPublisher(`load/${index}`, qos as 1 | 2)
  );
  /** There all the time. */
  readonly #present = new SteadySubscriber("present");
  /** Comes when all is over. */
  readonly #absent = new SteadySubscriber("absent");
  /** The latest acknowledged value of each retained topic. */
  readonly #retained: Map<string, number> = new Map();
  /** Filters whose SUBACK has come. */
  readonly #filters: string[] = [];
  #value = 0;

  async prepare(port: number): Promise<void> {
    await this.#present.subscribe(port, "load/#");
    await this.#absent.subscribe(port, "load/#");
  }

  async resume(port: number): Promise<void> {
    await this.#present.start(port);
    await Promise.all(this.#publishers.map((publisher) => publisher.start(port)));
  }

  /** Works on the broker until it is killed at some moment. */
  async strain(midge: MidgeProcess, round: number): Promise<void> {
    const isDead = midge.ended.then(() => true);
    const kill = sleep(this.#random() % LOAD_MS_MAX).then(() => midge.kill());
    const work = [this.#retain(midge.port), this.#subscribe(midge.port, round)];
    // Whatever it was doing ends with the broker.
    await Promise.all(work.map((each) => Promise.race([each.catch(() => {}), isDead])));
    await kill;
    for (const publisher of this.#publishers) publisher.disconnect();
    this.#present.disconnect();
  }

  /** What the broker has to have kept; it serves again. */
  async check(port: number): Promise<void> {
    for (const publisher of this.#publishers) await publisher.finish();
    await this.#checkDeliveries(this.#present);
    await this.#checkRetained(port);
    await this.#checkSubscriptions(port);
  }

  async finish(port: number): Promise<void> {
    for (const publisher of this.#publishers) await publisher.finish();
    await this.#absent.start(port);
    await this.#checkDeliveries(this.#absent);
    this.#absent.disconnect();
    this.#present.disconnect();
    for (const publisher of this.#publishers) publisher.disconnect();
  }

  get acknowledgedCount(): number {
    return this.#publishers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  }

  async #checkDeliveries(subscriber: SteadySubscriber): Promise<void> {
    for (const { topic, qos, acknowledged } of this.#publishers) {
      const values = subscriber.valuesOf(topic);
      let found = 0;
      // In pieces: each may take as long as all of a short run.
      for (let goal = PIECE; found < acknowledged.length; goal += PIECE) {
        await until(() => {
          while (found < acknowledged.length && values.has(acknowledged[found]!)) found++;
          return found >= Math.min(goal, acknowledged.length);
        }, `${subscriber.clientId} has all of ${topic}`);
      }
      if (qos === 2) assertEquals([...subscriber.repeatedOf(topic)], []);
    }
  }

  async #checkRetained(port: number): Promise<void> {
    const client = await WireClient.connect(port, 4);
    await client.subscribe(["retained/#"], 1);
    const found: Map<string, number> = new Map();
    for (const packet of await client.ping()) {
      if (packet.type !== "publish") continue;
      found.set(packet.topic, Number(new TextDecoder().decode(packet.payload)));
    }
    client.destroy();
    // One that was not acknowledged may be there as well.
    const older = [...this.#retained].filter(([topic, value]) => !(found.get(topic)! >= value));
    assertEquals(older, []);
  }

  async #checkSubscriptions(port: number): Promise<void> {
    const client = await WireClient.open(port, 4);
    const connack = await client.handshake({ clientId: "collector", cleanStart: false });
    if (this.#filters.length > 0) assertEquals(connack.sessionPresent, true);
    for (const filter of this.#filters) client.publish(filter, "", { qos: 0 });
    const topics = (await client.ping()).flatMap((packet) =>
      packet.type === "publish" ? [packet.topic] : []
    );
    client.destroy();
    const missing = this.#filters.filter((filter) => !topics.includes(filter));
    assertEquals(missing, []);
  }

  async #retain(port: number): Promise<void> {
    const client = await WireClient.connect(port, 4);
    for (;;) {
      const topic = `retained/${this.#random() % 5}`;
      const value = ++this.#value;
      client.publish(topic, String(value), { qos: 1, retain: true });
      await client.next("the PUBACK");
      this.#retained.set(topic, value);
    }
  }

  async #subscribe(port: number, round: number): Promise<void> {
    const client = await WireClient.open(port, 4);
    await client.handshake({ clientId: "collector", cleanStart: false });
    for (let count = 0; count < 20; count++) {
      const filter = `collected/${round}/${count}`;
      await client.subscribe([filter], 1);
      this.#filters.push(filter);
    }
  }
}

test(
  "a broker that is killed under load has kept whatever it acknowledged",
  { timeout: LIMIT_MS },
  async () => {
    const witness = new Witness();
    let midge = await MidgeProcess.launch({ config: CONFIG });
    try {
      await midge.running();
      await witness.prepare(midge.port);
      await witness.resume(midge.port);
      for (let round = 0; round < ROUNDS; round++) {
        await witness.strain(midge, round);
        midge = midge.again();
        await midge.running();
        await witness.resume(midge.port);
        await witness.check(midge.port);
        await witness.resume(midge.port);
      }
      await witness.finish(midge.port);
      assertEquals(witness.acknowledgedCount > ROUNDS, true);
    } catch (error) {
      throw new Error(`With MIDGE_TEST_CRASH_SEED=${SEED}:\n${midge.stderr}`, { cause: error });
    } finally {
      await midge.discard();
    }
  },
);
