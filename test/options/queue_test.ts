// Options that bound what is in flight to a client and what waits for it, each put in force by a
// reload and seen by clients that acknowledge nothing or are away.

import { assertEquals } from "@std/assert";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { describe } from "../support/wire_client.ts";
import { messages, type Row, type Trial, tryRows } from "./trial.ts";

const DEFAULT_WINDOW = 20;
const SENT = 25;

/** How many of `SENT` messages of four bytes a client is sent that acknowledges none. */
async function inFlight(trial: Trial, version: ProtocolVersion): Promise<number> {
  const subscriber = await trial.connect(version);
  await subscriber.subscribe(["f"], 1);
  const publisher = await trial.connect(4);
  for (let i = 0; i < SENT; i++) publisher.publish("f", "4444", { qos: 1 });
  await publisher.ping();
  return messages(await subscriber.ping()).length;
}

/** What waits for a client that was away while `SENT` messages of four bytes came. */
async function waiting(trial: Trial, version: ProtocolVersion, qos: QoS = 1): Promise<number> {
  const properties = version === 5 ? { sessionExpiryInterval: 100 } : {};
  const stays = { clientId: `away-${version}`, cleanStart: false, properties };
  const first = await trial.connect(version, stays);
  await first.subscribe(["w"], 1);
  first.leave();
  await first.untilClosed();
  const publisher = await trial.connect(4);
  for (let i = 0; i < SENT; i++) publisher.publish("w", "4444", { qos });
  await publisher.ping();
  const again = await trial.connect(version, stays);
  let count = 0;
  for (;;) {
    const packets = (await again.ping()).filter((packet) => packet.type === "publish");
    if (packets.length === 0) break;
    count += packets.length;
    for (const { packetId } of packets.filter((packet) => packet.qos > 0)) {
      again.sendPacket({ type: "puback", packetId, reasonCode: 0, properties: {} });
    }
  }
  again.leave();
  await again.untilClosed();
  await trial.knock(5, { clientId: stays.clientId });
  return count;
}

/** What waits for two clients together that were away while `SENT` messages of four bytes came. */
async function waitingForTwo(trial: Trial): Promise<number> {
  const stays = ["one", "two"].map((clientId) => ({ clientId, cleanStart: false }));
  for (const options of stays) {
    const client = await trial.connect(4, options);
    await client.subscribe(["t"], 1);
    client.leave();
    await client.untilClosed();
  }
  const publisher = await trial.connect(4);
  for (let i = 0; i < SENT; i++) publisher.publish("t", "4444", { qos: 1 });
  await publisher.ping();
  let count = 0;
  for (const options of stays) {
    const client = await trial.connect(4, options);
    // All that waited is sent at once: it is as long as the window, or there is more than that.
    count += messages(await client.ping()).length;
    client.leave();
    await client.untilClosed();
    await trial.knock(4, { clientId: options.clientId });
  }
  return count;
}

/** The Receive Maximum that a version 5 client is told. */
async function receiveMaximum(trial: Trial): Promise<number | undefined> {
  const client = await trial.open(5);
  return (await client.handshake()).properties.receiveMaximum;
}

const ROWS: readonly Row[] = [
  {
    effect: "max_inflight_messages bounds what is in flight, both ways",
    lines: { general: "max_inflight_messages 2" },
    check: async (trial, isSet) => {
      const window = isSet ? 2 : DEFAULT_WINDOW;
      assertEquals(await receiveMaximum(trial), window);
      for (const version of VERSIONS) assertEquals(await inFlight(trial, version), window);
      const client = await trial.connect(5, { clientId: "greedy" });
      for (let packetId = 1; packetId <= 3; packetId++) {
        client.publish("f", "m", { qos: 2, packetId });
      }
      const codes = ["0x00", "0x00", isSet ? "0x97" : "0x00"];
      assertEquals(
        (await client.ping()).map(describe),
        codes.map((code, i) => `pubrec ${i + 1} ${code}`),
      );
      // Older versions know no such window, and lose nothing by it.
      const older = await trial.connect(4);
      await older.subscribe(["o"]);
      for (let packetId = 1; packetId <= 3; packetId++) {
        older.publish("o", "m", { qos: 2, packetId });
      }
      assertEquals(messages(await older.ping()), Array(3).fill("publish o m"));
      if (!isSet) return;
      await trial.midge.logged(
        "Client greedy has exceeded its receive-maximum quota. " +
          "This behaviour must be fixed on the client.",
      );
    },
  },
  {
    effect: "max_inflight_messages 0 does not limit it",
    lines: { general: "max_inflight_messages 0" },
    check: async (trial, isSet) => {
      assertEquals(await receiveMaximum(trial), isSet ? undefined : DEFAULT_WINDOW);
      for (const version of VERSIONS) {
        assertEquals(await inFlight(trial, version), isSet ? SENT : DEFAULT_WINDOW);
      }
    },
  },
  {
    effect: "max_inflight_bytes stops once so many payload bytes are in flight",
    lines: { general: "max_inflight_bytes 10" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        assertEquals(await inFlight(trial, version), isSet ? 3 : DEFAULT_WINDOW);
      }
    },
  },
  {
    effect: "max_queued_messages bounds what waits for who is away",
    lines: { general: "max_queued_messages 7" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        assertEquals(await waiting(trial, version), isSet ? 7 : SENT);
        if (!isSet) continue;
        await trial.midge.logged(`Outgoing messages are being dropped for client away-${version}.`);
      }
    },
  },
  {
    effect: "max_queued_messages lets another window wait for who is there",
    lines: { general: "max_queued_messages 3\nmax_inflight_messages 2" },
    check: async (trial, isSet) => {
      const subscriber = await trial.connect(4);
      await subscriber.subscribe(["f"], 1);
      const publisher = await trial.connect(4);
      for (let i = 0; i < SENT; i++) publisher.publish("f", `${i}`, { qos: 1 });
      await publisher.ping();
      const got: string[] = [];
      for (;;) {
        const packets = (await subscriber.ping()).filter((packet) => packet.type === "publish");
        if (packets.length === 0) break;
        got.push(...messages(packets));
        for (const { packetId } of packets) {
          subscriber.sendPacket({ type: "puback", packetId, reasonCode: 0, properties: {} });
        }
      }
      const expected = Array.from({ length: isSet ? 2 + 2 + 3 : SENT }, (_, i) => `publish f ${i}`);
      assertEquals(got, expected);
    },
  },
  {
    effect: "max_queued_messages counts QoS 0 where that waits",
    lines: { general: "max_queued_messages 7\nqueue_qos0_messages true" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        assertEquals(await waiting(trial, version, 0), isSet ? 7 : 0);
      }
    },
  },
  {
    effect: "max_queued_messages 0 does not limit it",
    lines: { general: "max_queued_messages 0\nmax_queued_bytes 0" },
    check: async (trial) => {
      assertEquals(await waiting(trial, 4), SENT);
    },
  },
  {
    effect: "max_queued_bytes bounds the bytes that wait for who is away",
    lines: { general: "max_queued_bytes 10" },
    check: async (trial, isSet) => {
      for (const version of VERSIONS) {
        assertEquals(await waiting(trial, version), isSet ? 2 : SENT);
      }
    },
  },
  {
    effect: "max_queued_messages_total bounds what waits for all clients",
    lines: { general: "max_queued_messages_total 7" },
    check: async (trial, isSet) => {
      assertEquals(await waitingForTwo(trial), isSet ? 7 : 2 * DEFAULT_WINDOW);
    },
  },
  {
    effect: "max_queued_bytes_total bounds the bytes that wait for all clients",
    lines: { general: "max_queued_bytes_total 15" },
    check: async (trial, isSet) => {
      assertEquals(await waitingForTwo(trial), isSet ? 3 : 2 * DEFAULT_WINDOW);
    },
  },
];

test(
  "Options that bound what is in flight and what waits do so, from a reload on",
  PROCESS_TEST,
  () => tryRows(ROWS),
);
