// The Worker as it is deployed, in workerd itself: with MQTT.js, with objects that are put to sleep
// after every packet, with a process that is killed and comes back, with many sockets at once, and
// where only time passes.

import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import mqtt, { type IClientOptions } from "mqtt";
import type { Packet } from "../../src/core/codec/packet.ts";
import { PBKDF2_OF_SECRET } from "../auth/hashes.ts";
import { test } from "../harness.ts";
import { endAll, JS_VERSION_NAMES, JS_VERSIONS, JsClient } from "../interop/js_client.ts";
import { skipWithout } from "../support/foreign.ts";
import { ForeignProcess, linesOf } from "../support/foreign_process.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { ack, bytesOf, publish, will } from "../support/packets.ts";
import { encoded } from "../support/raw_packet.ts";
import { until } from "../support/wait.ts";
import type { WireClient } from "../support/wire_client.ts";
import { WorkerdProcess } from "../support/workerd_process.ts";
import { SCENES } from "./scenes.ts";
import { Stage } from "./stage.ts";
import { connectTo, WorkerdTheatre } from "./workerd_theatre.ts";

const PUBACK = ack("puback", 0);

const OPEN = {
  bindings: { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_LOG_TYPE: "all" },
  isForgetful: true,
};

/** Opened one by one: each handshake is three turns of two processes. */
const MANY = 1000;
const AT_ONCE = 50;

async function connectJs(url: string, options: IClientOptions): Promise<JsClient> {
  const client = new JsClient(mqtt.connect(url, { reconnectPeriod: 0, ...options }));
  await until(() => client.connack !== undefined || client.isClosed, "the client is connected");
  return client;
}

test(
  "The Worker speaks MQTT with MQTT.js over a WebSocket, in each version",
  PROCESS_TEST,
  async () => {
    await WorkerdProcess.with(OPEN, async (workerd) => {
      for (const name of JS_VERSION_NAMES) {
        const version = JS_VERSIONS[name];
        const reader = await connectJs(workerd.url(), { ...version, clientId: "reader" });
        const grants = await reader.client.subscribeAsync(`${name}/#`, { qos: 2 });
        const writer = await connectJs(workerd.url(), {
          ...version,
          clientId: "writer",
          will: { topic: `${name}/will`, payload: Buffer.from("gone"), qos: 1, retain: false },
        });
        const large = "x".repeat(300_000);
        for (const qos of [0, 1, 2] as const) {
          await writer.publish(`${name}/${qos}`, large, { qos });
        }
        // MQTT.js shows a message of QoS 2 with its PUBREL, and later ones may overtake it.
        await reader.receives(3);
        await writer.publish(`${name}/kept`, "kept", { qos: 1, retain: true });
        writer.vanish();
        await reader.receives(5);
        const late = await connectJs(workerd.url(), { ...version, clientId: "late" });
        await late.client.subscribeAsync(`${name}/#`);
        await late.receives(1);
        assertEquals({
          grants: grants.map(({ qos }) => qos),
          received: reader.received.map(({ topic, text, qos }) => [topic, text.length, qos]),
          late: late.received.map(({ text, retain }) => [text, retain]),
        }, {
          grants: [2],
          received: [
            [`${name}/0`, 300_000, 0],
            [`${name}/1`, 300_000, 1],
            [`${name}/2`, 300_000, 2],
            [`${name}/kept`, 4, 1],
            [`${name}/will`, 4, 1],
          ],
          late: [["kept", true]],
        });
        endAll(reader, writer, late);
      }
    });
  },
);

test(
  "The Worker's object sleeps after every packet, and nobody notices",
  PROCESS_TEST,
  async () => {
    await WorkerdProcess.with(
      { ...OPEN, bindings: { ...OPEN.bindings, MIDGE_TENANTS: "path" } },
      async (workerd) => {
        for (const [i, scene] of SCENES.entries()) {
          if (scene.takesTime) continue;
          const stage = new Stage(new WorkerdTheatre(workerd, `/scene-${i}`), false);
          await scene.play(stage);
          assertEquals(await stage.seen(), scene.expected, scene.name);
        }
      },
    );
  },
);

test("The Worker's object sleeps in the middle of a packet", PROCESS_TEST, async () => {
  await WorkerdProcess.with(OPEN, async (workerd) => {
    const reader = await connectTo(workerd, "/mqtt", 5);
    await reader.handshake({ clientId: "reader" });
    await reader.subscribe(["t"], 1);
    const writer = await connectTo(workerd, "/mqtt", 4);
    await writer.handshake({ clientId: "writer" });
    // More than an attachment may hold, and a packet that an attachment holds easily.
    for (const size of [40_000, 400]) {
      const payload = new Uint8Array(size);
      const bytes = encoded(4, publish("t", { qos: 1, packetId: 1, payload }));
      const came: Packet[] = [];
      for (let at = 0; at < bytes.length; at += size / 4) {
        writer.send(bytes.subarray(at, at + size / 4));
        // Whoever comes later has been dealt with later.
        came.push(...await reader.ping());
        await workerd.evict();
      }
      assertEquals((await writer.next("the PUBACK")).type, "puback");
      came.push(...await reader.ping());
      assertEquals(came.map((packet) => packet.type === "publish" && packet.payload.length), [
        size,
      ]);
    }
  });
});

test("The Worker is reached by Debian's clients through the relay", {
  ...PROCESS_TEST,
  skip: skipWithout("mosquitto_sub", "mosquitto_pub"),
}, async () => {
  await WorkerdProcess.with(OPEN, async (workerd) => {
    const args = ["relay", "--to", workerd.url(), "--listen", "127.0.0.1:$PORT1"];
    await MidgeProcess.with({ args }, async ({ port }) => {
      const where = ["-h", "127.0.0.1", "-p", `${port}`, "-t", "t", "-V"];
      const readers = ["311", "5"].map((version) => {
        const words = [...where, version, "-i", `r${version}`, "-q", "2", "-C", "3", "-F", "%q %p"];
        return new ForeignProcess("mosquitto_sub", words);
      });
      await workerd.logged(/^r(?:311|5) 2 t$/, readers.length);
      for (const qos of ["0", "1", "2"]) {
        const words = [...where, "5", "-q", qos, "-m", `at ${qos}`];
        assertEquals((await new ForeignProcess("mosquitto_pub", words).ended).code, 0);
      }
      for (const reader of readers) {
        const { code, stdout } = await reader.ended;
        assertEquals([code, linesOf(stdout)], [0, ["0 at 0", "1 at 1", "2 at 2"]]);
      }
    });
  });
});

test(
  "The Worker loses no acknowledged message when workerd is killed [MQTT-4.3.2-4]",
  PROCESS_TEST,
  async () => {
    await WorkerdProcess.with({ ...OPEN, isForgetful: false }, async (workerd) => {
      const session = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
      let sent = 0;
      const acknowledged = new Set<string>();
      const received = new Set<string>();
      for (let life = 0; life < 3; life++) {
        const reader = await connectTo(workerd, "/mqtt", 5);
        const { sessionPresent } = await reader.handshake({ clientId: "reader", ...session });
        assertEquals(sessionPresent, life > 0);
        if (life === 0) await reader.subscribe(["t"], 1);
        const writer = await connectTo(workerd, "/mqtt", 5);
        await writer.handshake({ clientId: "writer" });
        const texts = new Map<number, string>();
        writer.onPacket = (packet) => {
          if (packet.type !== "puback") return;
          acknowledged.add(texts.get(packet.packetId)!);
          if (acknowledged.size % 40 === 0) workerd.kill().catch(() => {});
          else send();
        };
        reader.onPacket = (packet) => {
          if (packet.type !== "publish") return;
          received.add(new TextDecoder().decode(packet.payload));
          // Half of them stay in flight.
          if (packet.packetId % 2 === 0) {
            reader.sendPacket({ ...PUBACK, packetId: packet.packetId });
          }
        };
        const send = (): void => {
          const packetId = writer.nextPacketId();
          texts.set(packetId, `${sent}`);
          writer.publish("t", `${sent++}`, { qos: 1, packetId });
        };
        for (let i = 0; i < 10; i++) {
          send();
        }
        await until(() => writer.isClosed && reader.isClosed, "workerd is gone");
        await workerd.kill();
        await workerd.launch();
      }
      const reader = await connectTo(workerd, "/mqtt", 5);
      reader.onPacket = (packet) => {
        if (packet.type !== "publish") return;
        received.add(new TextDecoder().decode(packet.payload));
        reader.sendPacket({ ...PUBACK, packetId: packet.packetId });
      };
      reader.send(reader.connectBytes({ clientId: "reader", ...session }));
      await until(() => received.isSupersetOf(acknowledged), "all are delivered");
      assertEquals(acknowledged.size >= 120, true);
      reader.destroy();
    });
  },
);

test(
  "The Worker has a thousand sockets on one object, awake and asleep",
  PROCESS_TEST,
  async () => {
    await WorkerdProcess.with(OPEN, async (workerd) => {
      const readers: WireClient[] = [];
      for (let i = 0; i < MANY; i += AT_ONCE) {
        readers.push(
          ...await Promise.all(Array.from({ length: AT_ONCE }, async (_, j) => {
            const reader = await connectTo(workerd, "/mqtt", 4);
            await reader.handshake({ clientId: `reader-${i + j}` });
            assertEquals(await reader.subscribe(["all", `own/${i + j}`]), [0, 0]);
            return reader;
          })),
        );
      }
      const writer = await connectTo(workerd, "/mqtt", 5);
      await writer.handshake({ clientId: "writer" });
      for (const text of ["awake", "asleep"]) {
        if (text === "asleep") await workerd.evict();
        writer.publish("all", text);
        writer.publish("own/77", text);
        for (const reader of readers) await reader.next(`"${text}"`);
        assertEquals((await readers[77]!.next("its own")).type, "publish");
      }
      assertEquals(readers.map(({ packets }) => packets.length), Array(MANY).fill(0));
      for (const client of [...readers, writer]) client.destroy();
    });
  },
);

test(
  "The Worker's object is waked by its alarm, for Wills and for those who are silent",
  PROCESS_TEST,
  async () => {
    await WorkerdProcess.with(OPEN, async (workerd) => {
      const heir = await connectTo(workerd, "/mqtt", 5);
      await heir.handshake({ clientId: "heir" });
      await heir.subscribe(["w/#"]);
      const lost = await connectTo(workerd, "/mqtt", 5);
      await lost.handshake({
        clientId: "lost",
        properties: { sessionExpiryInterval: 60 },
        will: will("w/delayed", { properties: { willDelayInterval: 1 } }),
      });
      const silent = await connectTo(workerd, "/mqtt", 5);
      await silent.handshake({ clientId: "silent", keepAlive: 2, will: will("w/silent") });
      lost.destroy();
      await workerd.logged(/Client lost /);
      await workerd.evict();
      const first = await heir.next("the Will after its delay");
      await workerd.evict();
      const second = await heir.next("the Will of who was silent");
      const goodbye = await silent.untilClosed();
      assertEquals(
        [first, second].map((packet) => packet.type === "publish" && packet.topic),
        ["w/delayed", "w/silent"],
      );
      assertEquals(goodbye, []);
      heir.destroy();
    });
  },
);

test("The Worker checks a password while its client and others go on", PROCESS_TEST, async () => {
  const bindings = {
    MIDGE_PASSWORD_FILE: `ada:${PBKDF2_OF_SECRET[1]}\nbob:${PBKDF2_OF_SECRET[0]}\n`,
    MIDGE_ACL_FILE: "user ada\ntopic readwrite a/#\nuser bob\ntopic read a/#\n",
  };
  await WorkerdProcess.with({ bindings, isForgetful: true }, async (workerd) => {
    const right = { password: bytesOf("secret") };
    for (let round = 0; round < 5; round++) {
      const bob = await connectTo(workerd, "/mqtt", 5);
      await bob.handshake({ clientId: "bob", username: "bob", ...right });
      await bob.subscribe(["a/#", "b/#"]);
      const ada = await connectTo(workerd, "/mqtt", 5);
      const eve = await connectTo(workerd, "/mqtt", 5);
      // Nobody waits for an answer, and the object is told to sleep as soon as it may.
      ada.send(ada.connectBytes({ clientId: "ada", username: "ada", ...right }));
      eve.send(eve.connectBytes({ clientId: "eve", username: "ada", password: bytesOf("guess") }));
      for (const topic of ["a/1", "b/1"]) {
        ada.publish(topic, "ada");
        eve.publish(topic, "eve");
      }
      await workerd.evict();
      const refusal = (await eve.untilClosed())[0]!;
      await ada.next("the CONNACK");
      await ada.ping();
      const seen = (await bob.ping()).map((packet) =>
        packet.type === "publish"
          ? `${packet.topic} ${new TextDecoder().decode(packet.payload)}`
          : ""
      );
      assertEquals(seen, ["a/1 ada"]);
      assertEquals(refusal.type === "connack" && refusal.reasonCode, 135);
      for (const client of [ada, bob]) client.destroy();
    }
  });
});
