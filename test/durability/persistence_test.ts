// The program with `persistence true`: what comes back, what is taken over from Mosquitto, what the
// log says, and what it refuses to start on.

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Packet } from "../../src/core/codec/packet.ts";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { fullMosquittoDb } from "../support/mosquitto_db_file.ts";
import { WireClient } from "../support/wire_client.ts";

const CONFIG = `listener $PORT1 127.0.0.1
allow_anonymous true
persistence true
persistence_location $DIR
`;

const NEVER = { sessionExpiryInterval: 0xffffffff };

function restored(counts: readonly [number, number, number, number, number]): string[] {
  const what = ["base messages", "retained messages", "clients", "subscriptions"];
  return [...what, "client messages"].map((name, index) => `Restored ${counts[index]} ${name}`);
}

function restoredLines(midge: MidgeProcess): string[] {
  return midge.lines.filter((line) => line.startsWith("Restored "));
}

function textsOf(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) =>
    packet.type === "publish"
      ? [`${packet.topic} ${new TextDecoder().decode(packet.payload)} ${packet.qos}`]
      : []
  );
}

/** What a client gets that comes back to its session, with an answer to each message. */
async function come(port: number, clientId: string): Promise<string[]> {
  const client = await WireClient.open(port, 5);
  const connack = await client.handshake({ clientId, cleanStart: false, properties: NEVER });
  const texts = [String(connack.sessionPresent), ...textsOf(await client.ping())];
  client.destroy();
  return texts;
}

test(
  "a broker with persistence goes on after a restart as if nobody had noticed",
  PROCESS_TEST,
  async () => {
    await MidgeProcess.with({ config: CONFIG }, async (first) => {
      assertEquals(restoredLines(first), restored([0, 0, 0, 0, 0]));
      const { port } = first;
      for (const clientId of ["a", "b"]) {
        const client = await WireClient.connect(port, 5, {
          clientId,
          cleanStart: false,
          properties: NEVER,
        });
        await client.subscribe(["x/#"], 1);
        if (clientId === "a") await client.subscribe(["$share/g/y"], 1);
        client.leave();
        await client.untilClosed();
      }
      const willed = await WireClient.connect(port, 5, {
        clientId: "willed",
        cleanStart: false,
        properties: NEVER,
        will: {
          topic: "x/will",
          payload: new TextEncoder().encode("gone"),
          qos: 1,
          retain: false,
          properties: { willDelayInterval: 0 },
        },
      });
      const publisher = await WireClient.connect(port, 5);
      publisher.publish("x/1", "one", { qos: 1, retain: true });
      publisher.publish("y", "shared", { qos: 1 });
      publisher.publish("x/2", "two", { qos: 1 });
      for (let count = 0; count < 3; count++) await publisher.next("a PUBACK");
      await first.kill();
      willed.destroy();
      publisher.destroy();

      const second = first.again();
      await second.running();
      // The retained message is held by two queues as well; the shared one by one.
      assertEquals(restoredLines(second), restored([3, 1, 3, 3, 5]));
      assertEquals(await come(port, "a"), [
        "true",
        "x/1 one 1",
        "y shared 1",
        "x/2 two 1",
        "x/will gone 1",
      ]);
      assertEquals(await come(port, "b"), ["true", "x/1 one 1", "x/2 two 1", "x/will gone 1"]);
      const visitor = await WireClient.connect(port, 5);
      await visitor.subscribe(["#"], 1);
      assertEquals(textsOf(await visitor.ping()), ["x/1 one 1"]);
      second.signal("SIGUSR1");
      const path = join(second.folder, "mosquitto.midge");
      await second.logged("Database $DIR/mosquitto.midge is complete without its log.");
      assertEquals([statSync(`${path}-wal`).mode & 0o777, statSync(path).mode & 0o777], [
        0o600,
        0o600,
      ]);

      // Nobody else gets at it.
      const config = CONFIG.replace("$DIR", second.folder);
      const { status, lines } = await MidgeProcess.run({ config });
      assertEquals([status, lines.slice(-3)], [1, [
        `Error: Cannot use database "${path}": it is in use by another program.`,
        "Error: Couldn't open database.",
        "midge version 0.1.0 terminating",
      ]]);
      assertEquals(await second.stop(), 0);

      const third = first.again();
      await third.running();
      assertEquals(restoredLines(third)[1], "Restored 1 retained messages");
      assertEquals(await third.stop(), 0);
    });
  },
);

test(
  "a broker with persistence takes Mosquitto's database over once, and leaves it as it is",
  PROCESS_TEST,
  async () => {
    const database = fullMosquittoDb(6);
    await MidgeProcess.with(
      { config: CONFIG, files: { "mosquitto.db": database } },
      async (first) => {
        await first.logged("Importing the database of Mosquitto from $DIR/mosquitto.db.");
        assertEquals(restoredLines(first), restored([2, 1, 1, 1, 1]));
        assertEquals(await first.stop(), 0);
        assertEquals(readFileSync(join(first.folder, "mosquitto.db")), Buffer.from(database));
        const second = first.again();
        await second.running();
        assertEquals(second.lines.filter((line) => line.startsWith("Importing")), []);
        assertEquals(restoredLines(second), restored([2, 1, 1, 1, 1]));
        assertEquals(await second.stop(), 0);
      },
    );
  },
);

test(
  "a broker with persistence does not start on what it cannot read, and leaves it as it is",
  PROCESS_TEST,
  async () => {
    const failing = async (
      files: Record<string, string | Uint8Array>,
      more = "",
    ): Promise<unknown> => {
      const { status, lines } = await MidgeProcess.run({ config: CONFIG + more, files });
      const at = lines.findIndex((line) => line.startsWith("Error: "));
      return [status, lines.slice(at)];
    };
    const outcome = (...lines: string[]): unknown => [1, [
      ...lines,
      "Error: Couldn't open database.",
      "midge version 0.1.0 terminating",
    ]];
    const noise = new Uint8Array(8192).fill(0xa5);
    assertEquals(
      await failing({ "mosquitto.midge": noise }),
      outcome('Error: Cannot use database "$DIR/mosquitto.midge": it is not a database.'),
    );
    assertEquals(
      await failing({ "mosquitto.db": noise }),
      outcome("Error: Unable to restore persistent database. Unrecognised file format."),
    );
    const newer = fullMosquittoDb(6);
    newer[22] = 9;
    assertEquals(
      await failing({ "mosquitto.db": newer }),
      outcome("Error: Unsupported persistent database format version 9 (need version 6)."),
    );
    assertEquals(
      await failing({}, "persistence_file missing/x.db\n"),
      outcome('Error: Cannot open "$DIR/missing/x.midge": there is no such file.'),
    );
  },
);

test("a broker with a damaged database says so and does not touch it", PROCESS_TEST, async () => {
  await MidgeProcess.with({ config: CONFIG }, async (first) => {
    const client = await WireClient.connect(first.port, 5);
    for (let count = 0; count < 200; count++) {
      client.publish(`t/${count}`, new Uint8Array(1000), { qos: 1, retain: true });
    }
    for (let count = 0; count < 200; count++) await client.next("a PUBACK");
    client.destroy();
    await first.stop();
    const path = join(first.folder, "mosquitto.midge");
    const damaged = readFileSync(path).fill(0x5a, 4096 * 8, 4096 * 40);
    writeFileSync(path, damaged);
    const second = first.again();
    assertEquals(await second.within(20_000), 1);
    assertEquals(second.lines.slice(-3), [
      'Error: Cannot use database "$DIR/mosquitto.midge": it is damaged.',
      "Error: Couldn't open database.",
      "midge version 0.1.0 terminating",
    ]);
    assertEquals(readFileSync(path), damaged);
  });
});

test("a database that was copied while it was complete is a backup", PROCESS_TEST, async () => {
  await MidgeProcess.with({ config: CONFIG }, async (first) => {
    const client = await WireClient.connect(first.port, 5);
    client.publish("t", "kept", { qos: 1, retain: true });
    await client.next("the PUBACK");
    first.signal("SIGUSR1");
    await first.logged("Database $DIR/mosquitto.midge is complete without its log.");
    const folder = join(first.folder, "backup");
    mkdirSync(folder);
    copyFileSync(join(first.folder, "mosquitto.midge"), join(folder, "mosquitto.midge"));
    client.destroy();
    const config = CONFIG.replace("$DIR", folder);
    await MidgeProcess.with({ config }, async (second) => {
      assertEquals(restoredLines(second), restored([1, 1, 0, 0, 0]));
      assertEquals(await second.stop(), 0);
    });
    rmSync(folder, { recursive: true });
  });
});
