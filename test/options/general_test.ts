// Options of the whole broker that say who may connect and what is delivered how: put in force by a
// reload, seen by clients, taken out by another.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { connect, publish } from "../support/packets.ts";
import { encoded, VERSIONS } from "../support/raw_packet.ts";
import { describe } from "../support/wire_client.ts";
import { exchangeRaw } from "./raw_exchange.ts";
import { messages, type Row, tryRows } from "./trial.ts";

const CONNECTING: readonly Row[] = [
  {
    effect: "allow_zero_length_clientid false refuses clients without an identifier",
    lines: { general: "allow_zero_length_clientid false" },
    check: async (trial, isSet) => {
      const answers = await trial.knockAll({ clientId: "" });
      assertEquals(
        answers,
        isSet
          ? ["connack 0x85", "connack 0x85", "connack 0x80"]
          : ["connack 0x85", "connack 0x00", "connack 0x00"],
      );
    },
  },
  {
    effect: "auto_id_prefix begins generated identifiers",
    lines: { general: "auto_id_prefix made up-" },
    check: async (trial, isSet) => {
      const client = await trial.open(5);
      const { properties } = await client.handshake({ clientId: "" });
      const id = (properties.assignedClientId ?? "").replaceAll(/[0-9A-F]/g, "X");
      const random = "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX";
      assertEquals(id, `${isSet ? "made up-" : "auto-"}${random}`);
    },
  },
  {
    effect: "clientid_prefixes refuses other identifiers",
    lines: { general: "clientid_prefixes ok-" },
    check: async (trial, isSet) => {
      assertEquals(
        await trial.knockAll({ clientId: "no-ok-" }),
        isSet
          ? ["connack 0x87", "connack 0x87", "connack 0x87"]
          : ["connack 0x00", "connack 0x00", "connack 0x00"],
      );
      assertEquals(await trial.knock(4, { clientId: "ok-" }), "connack 0x00");
    },
  },
  {
    effect: "connection_messages false logs nobody who comes and goes",
    lines: { general: "connection_messages false" },
    check: async (trial, isSet) => {
      const clientId = `seen-${isSet}`;
      assertEquals(await trial.knock(5, { clientId }), "connack 0x00");
      // A refused CONNECT is told in any case, and after what was before it.
      await trial.apply({ general: "connection_messages true" });
      const told = trial.midge.lines.filter((line) => line.includes(clientId));
      assertEquals(
        told.map((line) => line.replaceAll(/:\d+/g, ":N")),
        isSet ? [] : [
          `New client connected from 127.0.0.1:N as ${clientId} (p5, c1, k0).`,
          `Client ${clientId} [127.0.0.1:N] disconnected.`,
        ],
      );
    },
  },
  {
    effect: "global_max_clients bounds the sessions, connected or not",
    lines: { general: "global_max_clients 2" },
    check: async (trial, isSet) => {
      const away = await trial.connect(4, { clientId: "ok-away", cleanStart: false });
      away.leave();
      await away.untilClosed();
      await trial.connect(5, { clientId: "here" });
      assertEquals(
        await trial.knockAll({ clientId: "one more" }),
        isSet
          ? ["closed", "closed", "connack 0x89"]
          : ["connack 0x00", "connack 0x00", "connack 0x00"],
      );
      // Who has a session needs no other one.
      assertEquals(await trial.knock(4, { clientId: "ok-away" }), "connack 0x00");
    },
  },
  {
    effect: "global_max_connections bounds the connections of all listeners",
    lines: { general: "global_max_connections 2" },
    check: async (trial, isSet) => {
      const denied = "Client connection from 127.0.0.1 denied: max_connections exceeded.";
      const before = trial.midge.lines.filter((line) => line === denied).length;
      await trial.connect(4);
      await trial.connect(5);
      const third = await trial.open(5);
      if (isSet) {
        assertEquals(await third.untilClosed(), []);
        await trial.midge.logged(denied, before + 1);
        // Who leaves makes room, and who was turned away took none.
        await trial.clear();
        await trial.connect(4);
        await trial.connect(5);
      } else {
        assertEquals((await third.handshake()).reasonCode, 0);
      }
    },
  },
  {
    effect: "max_keepalive lowers that of version 5 and refuses the others",
    lines: { general: "max_keepalive 60" },
    check: async (trial, isSet) => {
      for (const [keepAlive, lowered] of [[61, 60], [0, 60], [60, undefined], [1, undefined]]) {
        const isRefused = isSet && lowered !== undefined;
        const old = isRefused ? "connack 0x85" : "connack 0x00";
        assertEquals(await trial.knock(3, { keepAlive: keepAlive! }), old);
        assertEquals(await trial.knock(4, { keepAlive: keepAlive! }), old);
        const client = await trial.open(5);
        const { reasonCode, properties } = await client.handshake({ keepAlive: keepAlive! });
        assertEquals([reasonCode, properties.serverKeepAlive], [0, isRefused ? 60 : undefined]);
      }
    },
  },
  {
    effect: "persistent_client_expiration ends sessions sooner than their clients want",
    lines: { general: "persistent_client_expiration 1s" },
    check: async (trial, isSet) => {
      const stays = { clientId: "ok-stays", cleanStart: false };
      for (const version of VERSIONS) {
        const sessionExpiryInterval = version === 5 ? { sessionExpiryInterval: 1000 } : {};
        const first = await trial.open(version);
        const { properties } = await first.handshake({
          ...stays,
          cleanStart: false,
          properties: sessionExpiryInterval,
        });
        if (version === 5) {
          assertEquals(properties.sessionExpiryInterval, isSet ? 1 : undefined);
        }
        const before = expired(trial.midge.lines);
        first.leave();
        await first.untilClosed();
        if (isSet) await trial.midge.logged(EXPIRED, before + 1);
        const again = await trial.open(version);
        const { sessionPresent } = await again.handshake(stays);
        // Version 3.1 has no way to say that there is one.
        assertEquals(sessionPresent, !isSet && version !== 3);
        again.leave();
        await again.untilClosed();
        await trial.knock(5, { clientId: stays.clientId });
      }
    },
  },
];

const EXPIRED = "Expiring client ok-stays due to timeout.";

function expired(lines: readonly string[]): number {
  return lines.filter((line) => line === EXPIRED).length;
}

test(
  "Options of the broker that say who may connect do so, from a reload on",
  PROCESS_TEST,
  () => tryRows(CONNECTING),
);

const DELIVERING: readonly Row[] = [
  {
    effect: "allow_duplicate_messages false sends older versions one copy",
    lines: { general: "allow_duplicate_messages false" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        const client = await trial.connect(version);
        await client.subscribe(["a/#", "a/b"]);
        client.publish("a/b", "m");
        const copies = isSet && version !== 5 ? 1 : 2;
        assertEquals(messages(await client.ping()), Array(copies).fill("publish a/b m"));
      }
    },
  },
  {
    effect: "queue_qos0_messages true lets QoS 0 wait for who is away",
    lines: { general: "queue_qos0_messages true" },
    check: async (trial, isSet) => {
      const stays = { clientId: "ok-stays", cleanStart: false };
      const first = await trial.connect(4, stays);
      await first.subscribe(["q"], 1);
      first.leave();
      await first.untilClosed();
      const publisher = await trial.connect(5);
      publisher.publish("q", "zero");
      publisher.publish("q", "one", { qos: 1 });
      await publisher.ping();
      const again = await trial.connect(4, stays);
      const waited = isSet ? ["publish q zero", "publish q one"] : ["publish q one"];
      assertEquals(messages(await again.ping()), waited);
      again.leave();
      await again.untilClosed();
      await trial.knock(5, { clientId: stays.clientId });
    },
  },
  {
    effect: "upgrade_outgoing_qos true delivers with the QoS of the subscription",
    lines: { general: "upgrade_outgoing_qos true" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        const client = await trial.connect(version);
        await client.subscribe(["u"], 2);
        client.publish("u", "m");
        const packet = (await client.ping())[0]!;
        assertEquals(packet.type === "publish" && [packet.qos, packet.packetId], [
          isSet ? 2 : 0,
          isSet ? 1 : 0,
        ]);
      }
      // What is retained, and what waits, is raised alike.
      const publisher = await trial.connect(5);
      publisher.publish("u", "kept", { retain: true });
      await publisher.ping();
      const subscriber = await trial.connect(4, { clientId: "ok-stays", cleanStart: false });
      await subscriber.subscribe(["u"], 1);
      const kept = await subscriber.next("what is retained");
      assertEquals(kept.type === "publish" && kept.qos, isSet ? 1 : 0);
      subscriber.leave();
      await subscriber.untilClosed();
      publisher.publish("u", "", { retain: true });
      await publisher.ping();
      const again = await trial.connect(4, { clientId: "ok-stays", cleanStart: false });
      const waited = isSet ? ["publish u kept", "publish u "] : [];
      assertEquals(messages(await again.ping()), waited);
      again.leave();
      await again.untilClosed();
      await trial.knock(5, { clientId: "ok-stays" });
    },
  },
  {
    effect: "retain_available false refuses retained messages and Wills",
    lines: { general: "retain_available false" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        const client = await trial.open(version);
        const { properties } = await client.handshake();
        const isTold = isSet && version === 5;
        assertEquals(properties.retainAvailable, isTold ? false : undefined);
        client.publish("r", "m", { retain: true });
        if (isSet) {
          const answers = (await client.untilClosed()).map(describe);
          assertEquals(answers, version === 5 ? ["disconnect 0x9a"] : []);
        } else {
          assertEquals(await client.ping(), []);
          client.publish("r", "", { retain: true });
        }
      }
      const will = { topic: "w", payload: new Uint8Array(1), qos: 0, retain: true } as const;
      assertEquals(
        await trial.knockAll({ will: { ...will, properties: {} } }),
        isSet
          ? ["closed", "closed", "connack 0x9a"]
          : ["connack 0x00", "connack 0x00", "connack 0x00"],
      );
    },
  },
  {
    effect: "message_size_limit acknowledges larger payloads and drops them",
    lines: { general: "message_size_limit 4" },
    check: async (trial, isSet) => {
      const subscriber = await trial.connect(4);
      await subscriber.subscribe(["s"]);
      for (const version of VERSIONS) {
        const { answer } = await exchangeRaw(
          trial.port,
          encoded(
            version,
            connect({ protocolVersion: version }),
            publish("s", { payload: "four", qos: 1, packetId: 7 }),
            publish("s", { payload: "fives", qos: 1, packetId: 8 }),
            publish("s", { payload: "fives", qos: 2, packetId: 9 }),
            publish("s", { payload: "fives" }),
          ),
        );
        // Not by the codec, because the standard has no such code for these packets.
        const acks = isSet && version === 5
          ? "40 03 00 08 95 50 03 00 09 95"
          : "40 02 00 08 50 02 00 09";
        assertEquals(answer.slice(answer.indexOf("40 02 00 07")), `40 02 00 07 ${acks}`);
        const large = isSet ? [] : ["publish s fives", "publish s fives", "publish s fives"];
        assertEquals(messages(await subscriber.ping()).sort(), [...large, "publish s four"].sort());
      }
      const will = { topic: "w", payload: new Uint8Array(5), qos: 0, retain: false } as const;
      assertEquals(
        await trial.knockAll({ will: { ...will, properties: {} } }),
        isSet
          ? ["connack 0x87", "connack 0x87", "connack 0x95"]
          : ["connack 0x00", "connack 0x00", "connack 0x00"],
      );
    },
  },
  {
    effect: "enable_control_api true answers commands",
    lines: { general: "enable_control_api true" },
    check: async (trial, isSet) => {
      const command = JSON.stringify({ commands: [{ command: "listPlugins" }] });
      const answer = isSet
        ? '{"responses":[{"command":"listPlugins","data":{"plugins":[]}}]}'
        : '{"error": "endpoint not available"}';
      for (const version of VERSIONS) {
        const client = await trial.connect(version);
        await client.subscribe(["$CONTROL/broker/#"]);
        client.publish("$CONTROL/broker/v1", command, { qos: 1, packetId: 1 });
        const packets = [await client.next("an answer"), await client.next("another one")];
        assertEquals(packets.map(describe).sort(), [
          "puback 1 0x00",
          `publish $CONTROL/broker/v1/response ${answer}`,
        ]);
      }
    },
  },
  {
    effect: "max_packet_size ends connections that send larger ones",
    // The second line of that name counts, and is the mark at the same time.
    lines: {},
    check: async (trial) => {
      for (const version of VERSIONS) {
        const client = await trial.connect(version);
        // A fixed header of 4 bytes, the topic's length and the topic.
        const overhead = 4 + 2 + 1 + (version === 5 ? 1 : 0);
        client.publish("p", new Uint8Array(trial.mark - overhead));
        assertEquals(await client.ping(), []);
        client.publish("p", new Uint8Array(trial.mark - overhead + 1));
        const answers = (await client.untilClosed()).map(describe);
        assertEquals(answers, version === 5 ? ["disconnect 0x95"] : []);
      }
    },
  },
];

test(
  "Options of the broker that say what is delivered do so, from a reload on",
  PROCESS_TEST,
  () => tryRows(DELIVERING),
);
