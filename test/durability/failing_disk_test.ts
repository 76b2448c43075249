// A broker and its clients while the disk is full, fails now and then, or is slow: nothing is
// acknowledged that is not on it, what needs no disk goes on, the operator is told once, and all
// goes on when the disk does.

import { assertEquals } from "@std/assert";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker } from "../../src/app/broker.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { prng, type Random } from "../../src/core/base/prng.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import type { Message } from "../../src/core/session/message.ts";
import { openDatabase } from "../../src/runtime/node/sqlite.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import { test } from "../harness.ts";
import { runtime } from "../support/current_runtime.ts";
import { faulty } from "../support/faulty_database.ts";
import { PaperDisk } from "../support/paper_disk.ts";
import { SqliteFiles } from "../support/sqlite_files.ts";
import { SteadyPublisher, SteadySubscriber } from "../support/steady_clients.ts";
import { until } from "../support/wait.ts";
import { WireClient } from "../support/wire_client.ts";

const LIMITS = { queuedMessagesMax: Infinity, queuedBytesMax: Infinity };
const ABSENT = "absent";
const EVERYTHING = { countMax: 1_000_000, bytesMax: Infinity };
/** Acknowledgements that a working disk gives in no time. */
const SOME = 40;

/** One broker on one database, with clients that know what it has acknowledged. */
class Scene {
  readonly files: SqliteFiles;
  readonly disk: PaperDisk | undefined;
  /** Throws what the next call of the database is to throw. */
  fault: () => void = () => {};
  /** What the operator is told. */
  readonly told: string[] = [];
  readonly publishers = [1, 2].map((qos) => new SteadyPublisher(`load/${qos}`, qos as 1 | 2));
  readonly absent = new SteadySubscriber(ABSENT);
  readonly random: Random = prng(11);
  port = 0;
  #broker: Broker | undefined;
  /** Says messages of QoS 0 to itself. */
  #free: WireClient | undefined;

  constructor(sync: "full" | "later") {
    this.files = new SqliteFiles(sync);
    if (sync === "later") this.files.disk = this.disk = new PaperDisk(this.files.path);
  }

  async open(): Promise<void> {
    const store = await this.files.open((database) => faulty(database, () => this.fault()));
    // The files have been made by now, and something of them is on the disk.
    store.checkpoint();
    const broker = new Broker({
      store,
      runtime,
      limits: LIMITS,
      onEvent: (event) => {
        if (event.kind === "store-failing") this.told.push(event.detail);
        if (event.kind === "store-recovered") this.told.push("recovered");
      },
    });
    this.#broker = broker;
    this.port = (await broker.listen({ port: 0 })).port;
    await this.absent.subscribe(this.port, "load/#");
    const free = this.#free = await WireClient.connect(this.port, 5);
    await free.subscribe(["free"]);
    for (const publisher of this.publishers) await publisher.start(this.port);
    await this.more();
  }

  get acknowledged(): number {
    return this.publishers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  }

  /** Acknowledgements go on. */
  async more(): Promise<void> {
    const goal = this.acknowledged + SOME;
    await until(() => this.acknowledged > goal, "there are more acknowledgements");
  }

  /** What needs no disk goes on. */
  async checkFree(): Promise<void> {
    for (let count = 0; count < 20; count++) {
      this.#free!.publish("free", String(count));
      const packet = await this.#free!.next("a message of QoS 0");
      assertEquals(packet.type, "publish");
    }
  }

  /** All that is acknowledged by now is in the database as a crash, or a power cut, leaves it. */
  async checkKept(): Promise<void> {
    const folder = fs.mkdtempSync(join(tmpdir(), "midge-cut-"));
    try {
      const acknowledged = this.publishers.map(({ acknowledged }) => [...acknowledged]);
      const path = this.disk?.cut(folder, this.random) ?? copy(this.files.path, folder);
      const database = await openDatabase({ path, sync: "normal" });
      const store = new SqliteStore({ database, path, clocks: this.files.clocks });
      const kept = new Map(this.publishers.map(({ topic }) => [topic, new Set<number>()]));
      const note = ({ message }: Delivery): void => {
        kept.get(message.topic)?.add(valueOf(message));
      };
      // Its client may have gone after the first of them.
      for (const record of store.load()) if (record.kind === "delivery-sent") note(record.delivery);
      store.loadDeliveries(ABSENT, 0, EVERYTHING).forEach(note);
      store.close();
      const lost = this.publishers.flatMap(({ topic }, index) =>
        acknowledged[index]!.filter((value) => !kept.get(topic)!.has(value))
      );
      assertEquals(lost, []);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }

  /** Everything that was ever acknowledged is delivered; what has QoS 2 once. */
  async finish(): Promise<void> {
    for (const publisher of this.publishers) await publisher.finish();
    await this.absent.start(this.port);
    for (const { topic, qos, acknowledged } of this.publishers) {
      const values = this.absent.valuesOf(topic);
      await until(() => acknowledged.every((value) => values.has(value)), `all of ${topic}`);
      if (qos === 2) assertEquals([...this.absent.repeatedOf(topic)], []);
    }
  }

  async close(): Promise<void> {
    this.fault = () => {};
    for (const publisher of this.publishers) publisher.disconnect();
    this.absent.disconnect();
    this.#free?.destroy();
    await this.#broker?.close();
    this.files.release();
  }
}

function copy(path: string, folder: string): string {
  const target = join(folder, "copy.midge");
  for (const ending of ["", "-wal"]) fs.copyFileSync(path + ending, target + ending);
  return target;
}

function valueOf({ payloadBytes, payloadStart, payloadEnd }: Message): number {
  return Number(new TextDecoder().decode(payloadBytes.subarray(payloadStart, payloadEnd)));
}

async function withScene(
  sync: "full" | "later",
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const scene = new Scene(sync);
  try {
    await scene.open();
    await body(scene);
  } finally {
    await scene.close();
  }
}

for (const sync of ["full", "later"] as const) {
  const flushed = sync === "later" ? ", flushed by another thread," : "";

  test(`a broker whose disk${flushed} is full acknowledges nothing, goes on with QoS 0, and recovers`, () =>
    withScene(sync, async (scene) => {
      const full = "The disk is full";
      for (let count = 1; count <= 3; count++) {
        scene.fault = () => {
          throw new OperationError("disk-full", full);
        };
        await until(() => scene.told.length === 2 * count - 1, "the operator is told");
        // What it has said before has arrived after so many messages.
        await scene.checkFree();
        const { acknowledged } = scene;
        await scene.checkKept();
        await scene.checkFree();
        assertEquals(scene.acknowledged, acknowledged);
        scene.fault = () => {};
        await scene.more();
        await scene.checkKept();
      }
      assertEquals(scene.told, [full, "recovered", full, "recovered", full, "recovered"]);
      await scene.finish();
    }));

  test(`a broker whose disk${flushed} fails at any call acknowledges what is on it and no more`, () =>
    withScene(sync, async (scene) => {
      const failure = "Input/output error";
      scene.fault = () => {
        if (scene.random() % 25 === 0) throw new OperationError("database-failed", failure);
      };
      for (let count = 0; count < 6; count++) {
        await until(() => scene.told.length > 2 * count, "the operator is told again");
        await scene.checkFree();
        await scene.checkKept();
      }
      scene.fault = () => {};
      await scene.more();
      // Once when it begins and once when it ends, each time.
      const times = scene.told.length / 2;
      assertEquals(
        scene.told,
        Array.from({ length: times }, () => [failure, "recovered"]).flat(),
      );
      await scene.finish();
    }));
}

test("a broker acknowledges nothing that another thread could not flush", () =>
  withScene("later", async (scene) => {
    const disk = scene.disk!;
    for (let count = 1; count <= 3; count++) {
      disk.onFlush = () => {
        throw new Error("Input/output error");
      };
      await until(() => scene.told.length === 2 * count - 1, "the operator is told");
      await scene.checkFree();
      const { acknowledged } = scene;
      for (let image = 0; image < 5; image++) await scene.checkKept();
      await scene.checkFree();
      assertEquals(scene.acknowledged, acknowledged);
      disk.onFlush = () => {};
      await scene.more();
    }
    const { path } = scene.files;
    const failure = `Cannot use database "${path}": the disk failed`;
    assertEquals(scene.told, [1, 2, 3].flatMap(() => [failure, "recovered"]));
    await scene.finish();
  }));

test("a broker whose disk is slow goes on meanwhile, also while the log is moved to the file", () =>
  withScene("later", async (scene) => {
    const disk = scene.disk!;
    const flushed: string[] = [];
    let release: (() => void) | undefined;
    let isEnd = true;
    disk.onFlush = (ending) => {
      isEnd = !isEnd;
      if (isEnd) return;
      flushed.push(ending);
      return new Promise((resolve) => release = resolve);
    };
    const payload = "x".repeat(100_000);
    const large = await WireClient.connect(scene.port, 4);
    // Until the log has been moved, which ends with a flush of its own, and there is a batch more.
    while (flushed.indexOf("") < 0 || flushed.indexOf("") > flushed.length - 3) {
      for (let count = 0; count < 10; count++) large.publish("load/large", payload, { qos: 1 });
      await until(() => release !== undefined, "there is a flush");
      await scene.checkFree();
      if (flushed.length % 3 === 0) await scene.checkKept();
      release!();
      release = undefined;
    }
    disk.onFlush = () => {};
    (release as (() => void) | undefined)?.();
    await scene.more();
    await scene.checkKept();
    assertEquals(scene.told, []);
    large.destroy();
  }));
