// A database that Debian's mosquitto has written, imported: each client is given by the broker what
// mosquitto itself gives it after a restart on the same file; and the same file printed.

import { assertEquals } from "@std/assert";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { dbDump } from "../../src/cli/db_dump/db_dump.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { importMosquittoDb } from "../../src/store/import_mosquitto.ts";
import { test } from "../harness.ts";
import { skipWithout } from "../support/foreign.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { withMosquitto } from "../support/mosquitto_process.ts";
import { ack, connect, request, subscribe } from "../support/packets.ts";
import { inFolder, runInside } from "../support/tool_process.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";
import { WireClient } from "../support/wire_client.ts";

const LIFETIME_S = 100_000;
const MESSAGE_EXPIRY_S = 50_000;

/** Who is in the file, with the user that each gives as. */
const CLIENTS: readonly { clientId: string; version: ProtocolVersion; username?: string }[] = [
  { clientId: "queue-4", version: 4, username: "bob" },
  { clientId: "queue-5", version: 5 },
  { clientId: "flight-4", version: 4 },
  { clientId: "flight-5", version: 5, username: "bob" },
  { clientId: "local", version: 5 },
  { clientId: "sender", version: 5, username: "alice" },
];

const NAMES: readonly unknown[] = CLIENTS.map(({ username }) => username);

type Session = typeof CLIENTS[number];

/** What all that follows a CONNECT of this client needs, whoever is at the other end. */
function connectOf({ clientId, version, username }: Session) {
  return connect({
    protocolVersion: version,
    clientId,
    cleanStart: false,
    ...username === undefined ? {} : { username, password: new Uint8Array(1) },
    properties: version === 5 ? { sessionExpiryInterval: LIFETIME_S } : {},
  });
}

async function enter(port: number, session: Session): Promise<[WireClient, boolean]> {
  const client = await WireClient.open(port, session.version);
  const { sessionPresent } = await client.handshake(connectOf(session));
  return [client, sessionPresent];
}

type Six<T> = [T, T, T, T, T, T];

/** Leaves behind what a broker can have to remember. */
async function leaveTraces(port: number): Promise<void> {
  const clients: WireClient[] = [];
  // One after the other, since what mosquitto makes of their names depends on the order.
  for (const session of CLIENTS) clients.push((await enter(port, session))[0]);
  const [queue4, queue5, flight4, flight5, local, sender] = clients as Six<WireClient>;
  await queue4.subscribe(["all/#", "only/4"], 2);
  await flight4.subscribe(["all/+"], 2);
  const options = { noLocal: true, retainAsPublished: true };
  queue5.sendPacket(subscribe(1, [request("all/#", { ...options, qos: 1 })], {
    subscriptionIds: [70_000],
  }));
  await queue5.next("the SUBACK");
  flight5.sendPacket(subscribe(1, [request("all/+", { qos: 2 })], { subscriptionIds: [5] }));
  await flight5.next("the SUBACK");
  local.sendPacket(subscribe(1, [request("all/#", { ...options, qos: 2 })]));
  await local.next("the SUBACK");
  for (const client of [queue4, queue5]) client.destroy();

  const publisher = await WireClient.connect(port, 5, { clientId: "publisher" });
  const properties: Properties = {
    payloadFormatIndicator: 1,
    contentType: "text/plain",
    responseTopic: "answers/ü",
    correlationData: Uint8Array.of(0, 255),
    userProperties: [["name", "value"], ["name", "another"]],
  };
  const send = async (topic: string, payload: string, more = {}) => {
    publisher.publish(topic, payload, { qos: 2, ...more });
    const pubrec = await publisher.next("the PUBREC or PUBACK");
    if (pubrec.type !== "pubrec") return;
    publisher.sendPacket(ack("pubrel", pubrec.packetId));
    await publisher.next("the PUBCOMP");
  };
  await send("all/1", "one", { qos: 1 });
  await send("all/2", "two", { properties });
  await send("all/3", "three", { retain: true, properties });
  await send("all/deep/4", "", { qos: 1 });
  await send("all/5", "x".repeat(3000), {
    properties: { messageExpiryInterval: MESSAGE_EXPIRY_S },
  });
  await send("retained/1", "old", { retain: true });
  await send("retained/1", "new", { qos: 1, retain: true, properties });
  await send("retained/2", "expires", {
    retain: true,
    properties: { messageExpiryInterval: MESSAGE_EXPIRY_S },
  });
  await send("retained/3", "taken away", { retain: true });
  await send("retained/3", "", { retain: true });

  // One client acknowledges nothing, the other comes as far as PUBREC, and as PUBCOMP.
  await flight4.ping();
  const got = (await flight5.ping()).filter((packet) => packet.type === "publish");
  assertEquals(got.map(({ topic }) => topic), ["all/1", "all/2", "all/3", "all/5"]);
  flight5.sendPacket(ack("pubrec", got[1]!.packetId), ack("pubrec", got[2]!.packetId));
  const [, second] = [await flight5.next("a PUBREL"), await flight5.next("another PUBREL")];
  flight5.sendPacket(ack("pubcomp", got[2]!.packetId));
  assertEquals(second, ack("pubrel", got[2]!.packetId));
  await flight5.ping();
  // Messages that their senders have not released; the first must not come back to its own.
  local.publish("all/unreleased/1", "by local", { qos: 2, packetId: 77 });
  sender.publish("all/unreleased-2", "by sender", { qos: 2, packetId: 78, properties });
  await Promise.all([local.ping(), sender.ping()]);
  for (const client of [flight4, flight5, local, sender]) client.destroy();
  publisher.leave();
  await publisher.untilClosed();
}

/** What a client is sent, without identifiers that are of no consequence. */
function told(packets: readonly Packet[]): unknown[] {
  return packets.map((packet) => {
    if (packet.type !== "publish") return packet;
    const { messageExpiryInterval, ...properties } = packet.properties;
    // Some seconds have passed.
    if (messageExpiryInterval !== undefined) {
      assertEquals([messageExpiryInterval > MESSAGE_EXPIRY_S - 600, "expiry"], [true, "expiry"]);
    }
    return {
      ...packet,
      packetId: packet.dup ? packet.packetId : 0,
      payload: new TextDecoder().decode(packet.payload).slice(0, 30),
      properties: {
        ...properties,
        ...messageExpiryInterval === undefined ? {} : { messageExpiryInterval: MESSAGE_EXPIRY_S },
      },
    };
  });
}

/** A client of either broker. */
interface Served {
  readonly sessionPresent: boolean;
  /** Sends packets; all that comes before the broker is silent. */
  exchange(...packets: readonly Packet[]): Promise<Packet[]>;
  drop(): void;
}

type Enter = (session: Session) => Promise<Served>;

function entrance(port: number): Enter {
  return async (session) => {
    const [client, sessionPresent] = await enter(port, session);
    return {
      sessionPresent,
      exchange: (...packets) => {
        client.sendPacket(...packets);
        return client.ping();
      },
      drop: () => client.destroy(),
    };
  };
}

function virtualEntrance(broker: VirtualBroker): Enter {
  return (session) => {
    const client = broker.connect(connectOf(session));
    return Promise.resolve({
      sessionPresent: client.connack?.sessionPresent === true,
      exchange: (...packets) => Promise.resolve(client.exchange(...packets)),
      drop: () => client.drop(),
    });
  };
}

/** In an order that does not depend on who released what was not released. */
function inOrder(packets: readonly Packet[]): Packet[] {
  const isReleased = (packet: Packet): boolean =>
    packet.type === "publish" && packet.topic.startsWith("all/unreleased");
  return [
    ...packets.filter((packet) => !isReleased(packet)),
    ...packets.filter(isReleased).sort(byTopic),
  ];
}

/** Comes back as everybody, and as somebody new who asks for all that is retained. */
async function comeBack(enter: Enter): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {};
  for (const [session, packetId] of [[CLIENTS[5]!, 78], [CLIENTS[4]!, 77]] as const) {
    const { exchange, drop } = await enter(session);
    const answers = await exchange(ack("pubrel", packetId));
    seen[`release by ${session.clientId}`] = answers.filter(({ type }) => type === "pubcomp");
    drop();
  }
  for (const session of CLIENTS) {
    const { sessionPresent, exchange, drop } = await enter(session);
    seen[session.clientId] = { sessionPresent, packets: told(inOrder(await exchange())) };
    drop();
  }
  const { exchange, drop } = await enter({ clientId: "new", version: 5 });
  const [suback, ...retained] = await exchange(subscribe(9, [request("#", { qos: 2 })]));
  seen["retained"] = [suback, ...told(retained.sort(byTopic))];
  drop();
  return seen;
}

function byTopic(a: Packet, b: Packet): number {
  return a.type === "publish" && b.type === "publish" && a.topic < b.topic ? -1 : 1;
}

type JsonMessage = Record<"topic" | "clientid" | "qos" | "retain" | "payload", string>;
type JsonClient = Record<"username", string | undefined>;

const needsMosquitto = { ...PROCESS_TEST, skip: skipWithout("mosquitto") };

test(
  "importMosquittoDb() of a file by Debian's mosquitto gives each client what mosquitto gives it",
  needsMosquitto,
  async () => {
    await inFolder(async (folder) => {
      const options = {
        config: `listener $PORT1 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 20\n` +
          `persistence true\npersistence_location ${folder}/\n`,
      };
      const path = join(folder, "mosquitto.db");
      const copy = join(folder, "copy.db");
      await withMosquitto(options, leaveTraces);
      await copyFile(path, copy);
      let foreign: Record<string, unknown> = {};
      await withMosquitto(options, async (port) => {
        foreign = await comeBack(entrance(port));
      });

      const now = 1_000_000;
      const { changes, unreleased, counts, warnings } = importMosquittoDb(await readFile(copy), {
        clock: { now, epochMs: Date.now() },
      });
      const broker = new VirtualBroker({ now });
      broker.core.restore(changes, now);
      for (const message of unreleased) broker.core.publish(message, now);
      assertEquals(await comeBack(virtualEntrance(broker)), foreign);
      assertEquals([counts, warnings], [{
        baseMessages: 9,
        retainedMessages: 3,
        clients: 6,
        subscriptions: 6,
        clientMessages: 24,
      }, []]);

      const dump = async (option: string): Promise<string> => {
        const { status, stdout, stderr } = await runInside(dbDump, [option, copy], { folder });
        assertEquals([status, stderr], [0, ""]);
        return stdout;
      };
      assertEquals(
        await dump("--stats"),
        `DB_CHUNK_CFG:        1
DB_CHUNK_BASE_MSG:   9
DB_CHUNK_CLIENT_MSG: 24
DB_CHUNK_RETAIN:     3
DB_CHUNK_SUB:        6
DB_CHUNK_CLIENT:     6
`,
      );
      const json = JSON.parse(await dump("--json"));
      assertEquals(
        json["base-messages"].map(({ topic, clientid, qos, retain, payload = "" }: JsonMessage) =>
          `${topic} ${clientid} ${qos} ${retain} ${atob(payload).slice(0, 9)}`
        ).sort(),
        [
          "all/1 publisher 1 0 one",
          "all/2 publisher 2 0 two",
          "all/3 publisher 2 1 three",
          "all/5 publisher 2 0 xxxxxxxxx",
          "all/deep/4 publisher 1 0 ",
          "all/unreleased-2 sender 2 0 by sender",
          "all/unreleased/1 local 2 0 by local",
          "retained/1 publisher 1 1 new",
          "retained/2 publisher 2 1 expires",
        ],
      );
      // What Debian's mosquitto writes of its memory behind a name is not shown.
      const names: unknown[] = json.clients.map(({ username }: JsonClient) => username);
      assertEquals(names.filter((name) => name !== undefined && !NAMES.includes(name)), []);
    });
  },
);
