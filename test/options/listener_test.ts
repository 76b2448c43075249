// Options of listeners that say what is granted to their clients: put in force by a reload, seen by
// clients of each version, taken out by another.

import { assertEquals } from "@std/assert";
import { connect as connectSocket } from "node:net";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { describe, WireClient } from "../support/wire_client.ts";
import { messages, type Row, type Trial, tryRows } from "./trial.ts";

const WILL = { topic: "w", payload: new Uint8Array(1), retain: false, properties: {} } as const;

/** A client of the listener that no line concerns. */
async function elsewhere(trial: Trial, version: ProtocolVersion): Promise<WireClient> {
  const socket = connectSocket({ path: `${trial.midge.folder}/mark.sock` });
  const client = new WireClient(socket, version);
  assertEquals((await client.handshake({ clientId: "elsewhere" })).reasonCode, 0);
  return client;
}

const ROWS: readonly Row[] = [
  {
    effect: "accept_protocol_versions refuses the others",
    lines: { listener: "accept_protocol_versions 4" },
    check: async (trial, isSet) =>
      assertEquals(
        await trial.knockAll(),
        isSet
          ? ["connack 0x84", "connack 0x00", "connack 0x84"]
          : ["connack 0x00", "connack 0x00", "connack 0x00"],
      ),
  },
  {
    effect: "accept_protocol_versions takes a list",
    lines: { listener: "accept_protocol_versions 3, 5" },
    check: async (trial, isSet) =>
      assertEquals(
        await trial.knockAll(),
        ["connack 0x00", isSet ? "connack 0x84" : "connack 0x00", "connack 0x00"],
      ),
  },
  {
    effect: "listener_allow_anonymous false refuses who has no name",
    lines: { listener: "listener_allow_anonymous false" },
    check: async (trial, isSet) => {
      const answer = isSet ? "connack 0x87" : "connack 0x00";
      assertEquals(await trial.knockAll(), [answer, answer, answer]);
    },
  },
  {
    effect: "listener_allow_anonymous wins over allow_anonymous, both ways",
    lines: { general: "allow_anonymous true", listener: "listener_allow_anonymous false" },
    check: async (trial, isSet) =>
      assertEquals(await trial.knock(4), isSet ? "connack 0x87" : "connack 0x00"),
  },
  {
    effect: "listener_auto_id_prefix wins over auto_id_prefix",
    lines: { general: "auto_id_prefix all-", listener: "listener_auto_id_prefix one-" },
    check: async (trial, isSet) => {
      const client = await trial.open(5);
      const { properties } = await client.handshake({ clientId: "" });
      assertEquals(properties.assignedClientId?.slice(0, -36), isSet ? "one-" : "auto-");
    },
  },
  {
    effect: "max_connections bounds the connections of the listener",
    lines: { listener: "max_connections 2" },
    check: async (trial, isSet) => {
      const denied = "Client connection from 127.0.0.1 denied: max_connections exceeded.";
      const before = trial.midge.lines.filter((line) => line === denied).length;
      await trial.connect(3);
      const second = await trial.connect(5);
      const third = await trial.open(5);
      if (!isSet) {
        assertEquals((await third.handshake()).reasonCode, 0);
        return;
      }
      assertEquals(await third.untilClosed(), []);
      await trial.midge.logged(denied, before + 1);
      const other = await elsewhere(trial, 5);
      other.leave();
      await other.untilClosed();
      // Who leaves makes room.
      second.leave();
      await second.untilClosed();
      assertEquals(await trial.knock(5), "connack 0x00");
    },
  },
  {
    effect: "max_qos is the highest of messages, subscriptions and Wills",
    lines: { listener: "max_qos 1" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        const client = await trial.open(version);
        const { properties } = await client.handshake();
        assertEquals(properties.maximumQos, isSet && version === 5 ? 1 : undefined);
        assertEquals(await client.subscribe(["q"], 2), [isSet ? 1 : 2]);
        client.publish("q", "m", { qos: 2, packetId: 9 });
        if (isSet) {
          const answers = (await client.untilClosed()).map(describe);
          assertEquals(answers, version === 5 ? ["disconnect 0x9b"] : []);
        } else {
          assertEquals((await client.ping()).map(describe).sort(), [
            "publish q m",
            "pubrec 9 0x00",
          ]);
        }
      }
      assertEquals(
        await trial.knockAll({ will: { ...WILL, qos: 2 } }),
        isSet
          ? ["closed", "closed", "connack 0x9b"]
          : ["connack 0x00", "connack 0x00", "connack 0x00"],
      );
    },
  },
  {
    effect: "maximum_qos 0 caps what comes from elsewhere as well",
    lines: { listener: "maximum_qos 0" },
    check: async (trial, isSet) => {
      const client = await trial.connect(4);
      assertEquals(await client.subscribe(["q"], 1), [isSet ? 0 : 1]);
      const other = await elsewhere(trial, 5);
      other.publish("q", "m", { qos: 1 });
      await other.ping();
      other.leave();
      await other.untilClosed();
      const packet = (await client.ping())[0]!;
      assertEquals(packet.type === "publish" && packet.qos, isSet ? 0 : 1);
    },
  },
  {
    effect: "max_topic_alias bounds the aliases of a client",
    lines: { listener: "max_topic_alias 2" },
    check: async (trial, isSet) => {
      const client = await trial.open(5);
      const { properties } = await client.handshake();
      assertEquals(properties.topicAliasMaximum, isSet ? 2 : 10);
      client.publish("a", "m", { properties: { topicAlias: 2 } });
      assertEquals(await client.ping(), []);
      client.publish("a", "m", { properties: { topicAlias: 3 } });
      if (isSet) assertEquals((await client.untilClosed()).map(describe), ["disconnect 0x94"]);
      else assertEquals(await client.ping(), []);
    },
  },
  {
    effect: "max_topic_alias 0 allows none and says nothing of it",
    lines: { listener: "max_topic_alias 0" },
    check: async (trial, isSet) => {
      const client = await trial.open(5);
      const { properties } = await client.handshake();
      assertEquals(properties.topicAliasMaximum, isSet ? undefined : 10);
      client.publish("a", "m", { properties: { topicAlias: 1 } });
      if (isSet) assertEquals((await client.untilClosed()).map(describe), ["disconnect 0x94"]);
      else assertEquals(await client.ping(), []);
    },
  },
  {
    effect: "max_topic_alias_broker bounds the aliases towards a client",
    lines: { listener: "max_topic_alias_broker 1" },
    check: async (trial, isSet) => {
      const client = await trial.connect(5, { properties: { topicAliasMaximum: 100 } });
      await client.subscribe(["#"]);
      for (const topic of ["a", "b", "a", "b"]) client.publish(topic, "m");
      const aliases = (await client.ping()).map((packet) =>
        packet.type === "publish" && [packet.topic, packet.properties.topicAlias]
      );
      assertEquals(
        aliases,
        isSet
          ? [["a", 1], ["b", undefined], ["", 1], ["b", undefined]]
          : [["a", 1], ["b", 2], ["", 1], ["", 2]],
      );
    },
  },
  {
    effect: "mount_point stands before every topic of the clients of the listener",
    lines: { listener: "mount_point mnt/" },
    check: async (trial, isSet) => {
      const outside = await elsewhere(trial, 5);
      await outside.subscribe(["#"]);
      const prefix = isSet ? "mnt/" : "";
      for (const version of VERSIONS) {
        const client = await trial.connect(version, { will: { ...WILL, qos: 0 } });
        await client.subscribe(["a/+", "$share/g/s"]);
        client.publish("a/b", "in");
        assertEquals(messages(await client.ping()), ["publish a/b in"]);
        outside.publish("mnt/a/c", "from outside");
        outside.publish("mnt/s", "shared");
        await outside.ping();
        const mounted = isSet ? ["publish a/c from outside", "publish s shared"] : [];
        assertEquals(messages(await client.ping()), mounted);
        const filters = ["a/+", "$share/g/s"];
        client.sendPacket({ type: "unsubscribe", packetId: 9, filters, properties: {} });
        const answer = await client.next("the UNSUBACK");
        const codes = answer.type === "unsuback" && answer.reasonCodes;
        assertEquals(codes, version === 5 ? [0, 0] : []);
        for (const topic of ["a/b", "mnt/a/b", "s", "mnt/s"]) outside.publish(topic, "late");
        await outside.ping();
        assertEquals(await client.ping(), []);
        client.reset();
        const will = await outside.next("the Will");
        assertEquals(describe(will), `publish ${prefix}w \0`);
        assertEquals(await outside.ping(), []);
      }
      outside.leave();
      await outside.untilClosed();
    },
  },
  {
    effect: "use_username_as_clientid takes the user name for the identifier",
    lines: { listener: "use_username_as_clientid true" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        const username = `name-${version}-${isSet}`;
        const client = await trial.connect(version, { clientId: "given", username });
        const name = isSet ? username : "given";
        const line = `as ${name} (p${version}, c1, k0, u'${username}').`;
        await trial.midge.logged(new RegExp(`^New client connected from .* ${escape(line)}$`));
        client.leave();
        await client.untilClosed();
      }
      // So the second connection of a user takes over the first.
      const first = await trial.connect(5, { clientId: "1", username: "same" });
      await trial.connect(4, { clientId: "2", username: "same" });
      if (isSet) assertEquals((await first.untilClosed()).map(describe), ["disconnect 0x8e"]);
      else assertEquals(await first.ping(), []);
      const answer = isSet ? "connack 0x87" : "connack 0x00";
      assertEquals(await trial.knockAll(), [answer, answer, answer]);
    },
  },
  {
    effect: "protocol websockets no longer takes plain MQTT",
    lines: { listener: "protocol websockets" },
    check: async (trial, isSet) =>
      assertEquals(await trial.knock(4), isSet ? "closed" : "connack 0x00"),
  },
];

function escape(text: string): string {
  return text.replaceAll(/[().']/g, "\\$&");
}

test(
  "Options of a listener say what its clients are granted, from a reload on",
  PROCESS_TEST,
  () => tryRows(ROWS),
);
