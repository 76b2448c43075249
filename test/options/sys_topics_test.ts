// The topics of $SYS as clients of a running broker see them: all of them, with what they should
// say after something has happened, and as often as they should.

import { assertEquals } from "@std/assert";
import { VERSION } from "../../src/app/version.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { until } from "../support/wait.ts";
import { describe, WireClient } from "../support/wire_client.ts";
import { withTrial } from "./trial.ts";

const PREFIX = "$SYS/broker/";

const WHOLE = /^\d+$/;
const POSITIVE = /^[1-9]\d*$/;
const RATE = /^\d+\.\d\d$/;
const POSITIVE_RATE = /^(?!0\.00)\d+\.\d\d$/;

/** What each topic says in the end: exactly that, or something like that. */
const TOPICS: Readonly<Record<string, string | RegExp>> = {
  "version": `midge version ${VERSION}`,
  "uptime": /^[1-9]\d* seconds$/,
  "clients/total": "3",
  "clients/maximum": "4",
  "clients/connected": "2",
  "clients/active": "2",
  "clients/disconnected": "1",
  "clients/inactive": "1",
  "clients/expired": "1",
  "messages/stored": POSITIVE,
  "store/messages/count": POSITIVE,
  "store/messages/bytes": POSITIVE,
  "subscriptions/count": "3",
  "shared_subscriptions/count": "1",
  "retained messages/count": "57",
  "heap/current": POSITIVE,
  "heap/maximum": POSITIVE,
  "messages/received": POSITIVE,
  "messages/sent": POSITIVE,
  "bytes/received": POSITIVE,
  "bytes/sent": POSITIVE,
  "publish/messages/received": "5",
  "publish/messages/sent": POSITIVE,
  "publish/messages/dropped": "1",
  "publish/bytes/received": "23",
  "publish/bytes/sent": POSITIVE,
  "packet/out/count": WHOLE,
  "packet/out/bytes": WHOLE,
  "connections/socket/count": "4",
};

const LOADS: Readonly<Record<string, RegExp>> = {
  "messages/received": POSITIVE_RATE,
  "messages/sent": POSITIVE_RATE,
  "publish/received": POSITIVE_RATE,
  "publish/sent": POSITIVE_RATE,
  "publish/dropped": RATE,
  "bytes/received": POSITIVE_RATE,
  "bytes/sent": POSITIVE_RATE,
  "sockets": POSITIVE_RATE,
  "connections": POSITIVE_RATE,
};

/** All of them with whether they say what they should, or else what they say. */
const WANTED: Readonly<Record<string, string | RegExp>> = {
  ...TOPICS,
  ...Object.fromEntries(
    Object.entries(LOADS).flatMap(([what, form]) =>
      ["1min", "5min", "15min"].map((period) => [`load/${what}/${period}`, form])
    ),
  ),
};

function judge(told: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...told].map(([topic, text]) => {
    const wanted = WANTED[topic];
    const isRight = wanted instanceof RegExp ? wanted.test(text) : wanted === text;
    return [topic, isRight ? "right" : text];
  }));
}

test("$SYS tells all its 56 topics, with what happened", PROCESS_TEST, () =>
  MidgeProcess.with({
    config:
      "sys_interval 1\nmessage_size_limit 10\nlistener $PORT1 127.0.0.1\nallow_anonymous true",
  }, async (midge) => {
    const watcher = await WireClient.connect(midge.port, 5);
    const told = new Map<string, string>();
    const flags = new Set<string>();
    const take = (packet: Packet): void => {
      if (packet.type !== "publish") return;
      told.set(packet.topic.slice(PREFIX.length), new TextDecoder().decode(packet.payload));
      flags.add(`${packet.topic.startsWith(PREFIX)} ${packet.qos}`);
    };
    await watcher.subscribe([`${PREFIX}#`]);
    for (const packet of await watcher.ping()) take(packet);
    watcher.onPacket = take;
    const worker = await WireClient.connect(midge.port, 4, { clientId: "worker" });
    await worker.subscribe(["a", "$share/g/b"], 1);
    worker.publish("a", "1234");
    worker.publish("b", "1234");
    worker.publish("r", "kept", { retain: true });
    worker.publish("nobody", "", { qos: 1 });
    // What is too large is dropped.
    worker.publish("a", "12345678901");
    await worker.ping();
    const away = await WireClient.connect(midge.port, 4, { clientId: "away", cleanStart: false });
    await away.subscribe(["c"], 1);
    const short = { clientId: "short", properties: { sessionExpiryInterval: 2 } };
    const leaving = await WireClient.connect(midge.port, 5, short);
    for (const client of [away, leaving]) {
      client.leave();
      await client.untilClosed();
    }
    await midge.logged("Expiring client short due to timeout.");

    const wanted = Object.fromEntries(Object.keys(WANTED).map((topic) => [topic, "right"]));
    const isRight = (): boolean =>
      Object.keys(wanted).every((topic) => judge(told)[topic] === "right");
    // In the end the difference says more than that it took too long.
    await until(isRight, "all topics are right").catch(() => {});
    assertEquals(judge(told), wanted);
    assertEquals(Object.keys(wanted).length, 56);
    assertEquals([...flags], ["true 0"]);
  }));

test(
  "sys_interval says how often, and is reloaded; 0 is never",
  PROCESS_TEST,
  () =>
    withTrial({}, async (trial) => {
      const client = await trial.connect(5);
      await client.subscribe(["$SYS/#"]);
      assertEquals(await client.ping(), []);
      await trial.apply({ general: "sys_interval 1" });
      const uptimes = new Set<string>();
      while (uptimes.size < 3) {
        const packet = await client.next("another uptime");
        if (packet.type === "publish" && packet.topic === `${PREFIX}uptime`) {
          uptimes.add(describe(packet));
        }
      }
    }),
);

test(
  "Nobody writes below $SYS, but the state of a bridge, and wildcards stay away from it",
  PROCESS_TEST,
  () =>
    withTrial({}, async (trial) => {
      await trial.apply({ general: "sys_interval 1" });
      const watcher = await trial.connect(5);
      await watcher.subscribe(["#", "+/broker/#"]);
      const reader = await trial.connect(4);
      await reader.subscribe(["$SYS/broker/connection/#"]);
      for (const version of VERSIONS) {
        const client = await trial.connect(version);
        client.publish("$SYS/broker/uptime", "never", { qos: 1, packetId: 1 });
        client.publish("$SYS/broker/connection/b/state", `${version}`, { qos: 1, packetId: 2 });
        client.publish("$SYS/broker/connection/b/other", "never", { qos: 1, packetId: 3 });
        const code = version === 5 ? "0x87" : "0x00";
        assertEquals((await client.ping()).map(describe), [
          `puback 1 ${code}`,
          "puback 2 0x00",
          `puback 3 ${code}`,
        ]);
        assertEquals((await reader.ping()).map(describe), [
          `publish $SYS/broker/connection/b/state ${version}`,
        ]);
      }
      assertEquals(await watcher.ping(), []);
    }),
);

test(
  "Without retained messages $SYS is told to who listens, and to nobody afterwards",
  PROCESS_TEST,
  () =>
    withTrial({}, async (trial) => {
      await trial.apply({ general: "sys_interval 1\nretain_available false" });
      const client = await trial.connect(5, { properties: {} });
      await client.subscribe([`${PREFIX}uptime`]);
      assertEquals(await client.ping(), []);
      const packet = await client.next("the uptime");
      assertEquals(packet.type === "publish" && [packet.topic, packet.retain], [
        `${PREFIX}uptime`,
        false,
      ]);
    }),
);
