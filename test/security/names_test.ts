// The name that counts is the one inside of the broker: with a mount point or an alias, in a Will,
// and where the name belongs to the broker itself.

import { assertEquals } from "@std/assert";
import type { Packet } from "../../src/core/codec/packet.ts";
import { test } from "../harness.ts";
import { credentials } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { type ConnectOptions, describe, WireClient } from "../support/wire_client.ts";

const ROOT = credentials({ username: "root" });
const ALICE = credentials({ username: "alice" });

function will(topic: string): NonNullable<ConnectOptions["will"]> {
  return { topic, payload: Uint8Array.of(120), qos: 0, retain: false, properties: {} };
}

function topics(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => packet.type === "publish" ? packet.topic : []);
}

const MOUNTED = {
  config: [
    "allow_anonymous true",
    "acl_file $DIR/acl",
    "log_type all",
    "listener $PORT1 127.0.0.1",
    "listener $PORT2 127.0.0.1",
    "mount_point mp/",
    "listener $PORT3 127.0.0.1",
    "mount_point $SYS/",
    "",
  ].join("\n"),
  files: {
    acl: [
      "user root",
      "topic #",
      "topic $SYS/#",
      "user alice",
      "topic mp/open",
      "topic read mp/in",
      "topic outside",
      "pattern mp/own/%u/%c",
      "",
    ].join("\n"),
  },
};

test(
  "B-44 Behind a mount point the whole name is judged, whatever way it goes",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(MOUNTED, async ({ ports: [plain, mounted] }) => {
      const root = await WireClient.connect(plain!, 5, ROOT);
      await root.subscribe(["#"], 0);
      for (const version of VERSIONS) {
        const inside = await WireClient.connect(mounted!, version, { ...ALICE, clientId: "c" });
        const attempts = [
          "open",
          "in",
          "outside",
          "mp/open",
          "own/alice/c",
          "own/alice/d",
          "mp/own",
        ];
        for (const topic of attempts) inside.publish(topic, "x", { qos: 1, retain: true });
        const answers = await inside.ping();
        assertEquals(topics(await root.ping()), ["mp/open", "mp/own/alice/c"]);
        const codes = answers.map((packet) => packet.type === "puback" ? packet.reasonCode : -1);
        const isGranted = [true, false, false, false, true, false, false];
        assertEquals(codes, isGranted.map((is) => is || version < 5 ? 0 : 0x87));

        // What was retained, what comes live and what comes by a shared group.
        for (const topic of ["mp/in", "mp/closed", "outside", "in", "mp/own/alice/d"]) {
          root.publish(topic, "x", { retain: true });
        }
        await root.ping();
        await inside.subscribe(["#"], 0);
        assertEquals(topics(await inside.ping()).sort(), ["in", "open", "own/alice/c"]);
        await inside.subscribe(["$share/group/#"], 0);
        for (const topic of ["mp/in", "mp/closed", "outside", "in"]) root.publish(topic, "x");
        await root.ping();
        assertEquals(topics(await inside.ping()), ["in", "in"]);

        for (const topic of ["open", "closed"]) {
          const options = { ...ALICE, clientId: "dying", will: will(topic) };
          (await WireClient.connect(mounted!, version, options)).destroy();
          (await WireClient.connect(mounted!, version, { ...ALICE, clientId: "dying" })).leave();
        }
        assertEquals(topics(await root.ping()), ["mp/open"]);
        assertEquals(topics(await inside.ping()), ["open", "open"]);
        inside.leave();

        // The same user without the mount point.
        const outside = await WireClient.connect(plain!, version, ALICE);
        for (const topic of ["open", "mp/open", "outside"]) outside.publish(topic, "x", { qos: 1 });
        await outside.ping();
        assertEquals(topics(await root.ping()), ["mp/open", "outside"]);
        outside.leave();
        for (
          const topic of [...attempts, "mp/in", "mp/closed", "mp/own/alice/c", "mp/own/alice/d"]
        ) {
          root.publish(topic, "", { retain: true });
        }
        root.publish("mp/open", "", { retain: true });
        await root.ping();
      }
    }),
);

test(
  "B-44 B-47 A mount point leads nobody into the broker's own topics",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(MOUNTED, async ({ ports: [plain, , system] }) => {
      const root = await WireClient.connect(plain!, 5, ROOT);
      await root.subscribe(["$SYS/forged/#", "$SYS/broker/version"], 0);
      await root.ping();
      const forger = await WireClient.connect(system!, 5, ROOT);
      for (const topic of ["forged/x", "broker/version"]) {
        forger.publish(topic, "x", { qos: 1, retain: true });
      }
      assertEquals((await forger.ping()).map(describe), ["puback 1 0x87", "puback 2 0x87"]);
      assertEquals(await root.ping(), []);
    }),
);

test(
  "B-44 An alias is judged by the topic that it stands for",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(MOUNTED, async ({ ports: [plain, mounted] }) => {
      const root = await WireClient.connect(plain!, 5, ROOT);
      await root.subscribe(["#"], 0);
      const alice = await WireClient.connect(mounted!, 5, ALICE);
      const send = (topic: string, topicAlias: number): void =>
        alice.publish(topic, "x", { qos: 1, properties: { topicAlias } });
      send("closed", 1);
      send("", 1);
      send("open", 2);
      send("", 2);
      send("outside", 2);
      send("", 2);
      const codes = (await alice.ping()).map((packet) =>
        "reasonCode" in packet && packet.reasonCode
      );
      assertEquals(codes, [0x87, 0x87, 0, 0, 0x87, 0x87]);
      assertEquals(topics(await root.ping()), ["mp/open", "mp/open"]);
    }),
);

const RESERVED = ["$SYS", "$SYS/x", "$SYS/broker/version", "$CONTROL", "$share/g/x", "$share"];

test(
  "B-47 Nobody publishes to the broker's own topics where everything is open",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "listener $PORT1 127.0.0.1\nallow_anonymous true\n",
    }, async ({ port }) => {
      const watcher = await WireClient.connect(port, 5);
      await watcher.subscribe(["$SYS/x", "$CONTROL/#", "$other/#", "#"], 0);
      for (const version of VERSIONS) {
        for (const qos of [1, 2] as const) {
          const client = await WireClient.connect(port, version);
          for (const topic of RESERVED) client.publish(topic, "forged", { qos, retain: true });
          const answers = await client.ping();
          const answer = version === 5 ? 0x87 : 0;
          assertEquals(
            answers.map((packet) => "reasonCode" in packet && packet.reasonCode),
            RESERVED.map(() => answer),
          );
          client.leave();
        }
      }
      const client = await WireClient.connect(port, 5);
      client.publish("$other/x", "x", { qos: 1 });
      await client.ping();
      // What is retained there is the broker's.
      await client.subscribe(["$SYS/broker/version"], 0);
      const version = (await client.ping()).map(describe);
      assertEquals(version.map((text) => /^publish \$SYS\/broker\/version midge/.test(text)), [
        true,
      ]);
      assertEquals(topics(await watcher.ping()), ["$other/x"]);
    }),
);

test(
  "B-47 Commands to the broker reach nobody else, and need a permission",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(MOUNTED, async ({ ports: [plain] }) => {
      const root = await WireClient.connect(plain!, 5, ROOT);
      await root.subscribe(["#", "$CONTROL/#", "$CONTROL/broker/v1"], 0);
      const alice = await WireClient.connect(plain!, 5, ALICE);
      for (const topic of ["$CONTROL/x", "$CONTROL/broker/v1"]) {
        alice.publish(topic, '{"commands":[{"command":"listListeners"}]}', {
          qos: 1,
          retain: true,
        });
      }
      assertEquals((await alice.ping()).map(describe), ["puback 1 0x87", "puback 2 0x87"]);
      assertEquals(await root.ping(), []);
    }),
);

test(
  "B-46 A Will that is not granted is told of at once, and published to nobody",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(MOUNTED, async (midge) => {
      const [plain, mounted] = midge.ports;
      const root = await WireClient.connect(plain!, 5, ROOT);
      await root.subscribe(["#"], 0);
      for (const version of VERSIONS) {
        const clientId = `dying ${version}`;
        const options = { ...ALICE, clientId, will: { ...will("closed"), retain: true } };
        const dying = await WireClient.connect(mounted!, version, options);
        await midge.logged(`Client ${clientId} may not publish its will message to 'mp/closed'.`);
        dying.destroy();
        (await WireClient.connect(mounted!, version, { ...ALICE, clientId })).leave();
      }
      assertEquals(topics(await root.ping()), []);
      const later = await WireClient.connect(plain!, 5, ROOT);
      await later.subscribe(["#"], 0);
      assertEquals(topics(await later.ping()), []);
    }),
);
