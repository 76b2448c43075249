// What the log of a real process says, to the letter: a table of what a client does, and the lines
// that come of it. `@` stands for the client's address and port, `#` for the listener's port.

import { assertEquals } from "@std/assert";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { bytesOf } from "../support/packets.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { until } from "../support/wait.ts";
import { type ConnectOptions, WireClient } from "../support/wire_client.ts";

/** A client that a row of the table steers. */
type Client = WireClient;

interface Row {
  readonly name: string;
  readonly version?: ProtocolVersion;
  /** Of the CONNECT; `null` sends none. */
  readonly connect?: ConnectOptions | null;
  /** What it does once connected; by the end the broker or the client has closed. */
  readonly act: (client: Client) => Promise<void> | void;
  /** After "New connection", which every row has. */
  readonly lines: readonly string[];
}

const CONNECTED = [
  "New client connected from @ as c (p5, c1, k0).",
  "No will message specified.",
  "Sending CONNACK to c (0, 0)",
];
const CONNECTED_4 = [
  "New client connected from @ as c (p4, c1, k0).",
  "No will message specified.",
  "Sending CONNACK to c (0, 0)",
];
const LEFT = ["Received DISCONNECT from c", "Client c [@] disconnected."];

const subscription = (filter: string, qos: QoS) => ({
  filter,
  qos,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0 as const,
});

const ROWS: readonly Row[] = [
  {
    name: "a client that comes and goes",
    act: (client) => client.leave(),
    lines: [...CONNECTED, ...LEFT],
  },
  {
    name: "a client of version 3.1 with a user, a Will and a keep alive",
    version: 3,
    connect: {
      clientId: "old",
      username: "ann",
      keepAlive: 60,
      cleanStart: false,
      will: {
        topic: "w/t",
        payload: bytesOf("bye"),
        qos: 1,
        retain: true,
        properties: NO_PROPERTIES,
      },
    },
    act: (client) => client.leave(),
    lines: [
      "New client connected from @ as old (p3, c0, k60, u'ann').",
      "Will message specified (3 bytes) (r1, q1).",
      "\tw/t",
      "Sending CONNACK to old (0, 0)",
      ...LEFT.map((line) => line.replace(/\bc\b/, "old")),
    ],
  },
  {
    name: "a bridge",
    version: 4,
    connect: { isBridge: true },
    act: (client) => client.leave(),
    lines: [
      "New bridge connected from @ as c (p4, c1, k0).",
      ...CONNECTED_4.slice(1),
      ...LEFT,
    ],
  },
  {
    name: "a session that is resumed",
    version: 4,
    connect: { cleanStart: false, clientId: "kept" },
    act: async (client) => {
      await client.ping();
      client.leave();
    },
    lines: [
      "New client connected from @ as kept (p4, c0, k0).",
      "No will message specified.",
      "Sending CONNACK to kept (1, 0)",
      "Received PINGREQ from kept",
      "Sending PINGRESP to kept",
      "Received DISCONNECT from kept",
      "Client kept [@] disconnected.",
    ],
  },
  {
    name: "a connection that is lost",
    act: (client) => client.finish(),
    lines: [...CONNECTED, "Client c [@] disconnected: connection closed by client."],
  },
  {
    name: "a connection that ends before its CONNECT",
    connect: null,
    act: (client) => client.finish(),
    lines: ["Client 127.0.0.1 [@] disconnected: connection closed by client."],
  },
  {
    name: "a first packet that is no CONNECT",
    connect: null,
    act: async (client) => {
      client.send(Uint8Array.of(0xc0, 0));
      await client.untilClosed();
    },
    lines: [
      "Protocol error from @: The first packet must be a CONNECT [MQTT-3.1.0-1].",
      "Client 127.0.0.1 [@] disconnected: protocol error.",
    ],
  },
  {
    name: "TLS on a listener without it",
    connect: null,
    act: async (client) => {
      client.send(Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3));
      await client.untilClosed();
    },
    lines: [
      "Client from @ appears to be using TLS to connect to a non-TLS listener.",
      "Protocol error from @: The packet ends before what it must hold [1.2].",
      "Client 127.0.0.1 [@] disconnected: malformed packet.",
    ],
  },
  {
    name: "a second CONNECT",
    act: async (client) => {
      client.send(client.connectBytes({ clientId: "c" }));
      await client.untilClosed();
    },
    lines: [
      ...CONNECTED,
      "Bad client @ sending multiple CONNECT messages.",
      "Client c [@] disconnected: protocol error.",
    ],
  },
  {
    name: "a DISCONNECT that asks for the Will",
    connect: {
      will: { topic: "w", payload: bytesOf("x"), qos: 0, retain: false, properties: NO_PROPERTIES },
    },
    act: async (client) => {
      client.sendPacket({ type: "disconnect", reasonCode: 4, properties: NO_PROPERTIES });
      await client.untilClosed();
    },
    lines: [
      CONNECTED[0]!,
      "Will message specified (1 bytes) (r0, q0).",
      "\tw",
      CONNECTED[2]!,
      ...LEFT,
    ],
  },
  {
    name: "subscriptions and their end",
    act: async (client) => {
      const { packetId, properties } = { packetId: 7, properties: NO_PROPERTIES };
      const subscriptions = [subscription("a/#", 1), subscription("b", 2)];
      client.sendPacket({ type: "subscribe", packetId, subscriptions, properties });
      await client.next("the SUBACK");
      client.sendPacket({ type: "unsubscribe", packetId: 8, filters: ["a/#", "x"], properties });
      await client.next("the UNSUBACK");
      client.leave();
    },
    lines: [
      ...CONNECTED,
      "Received SUBSCRIBE from c",
      "\ta/# (QoS 1)",
      "\tb (QoS 2)",
      "c 1 a/#",
      "c 2 b",
      "Sending SUBACK to c",
      "Received UNSUBSCRIBE from c",
      "\ta/#",
      "\tx",
      "c a/#",
      "c x",
      "Sending UNSUBACK to c",
      ...LEFT,
    ],
  },
  {
    name: "a message of QoS 0 to oneself",
    act: async (client) => {
      await client.subscribe(["a"]);
      client.publish("a", "four");
      await client.next("the PUBLISH");
      client.leave();
    },
    lines: [
      ...CONNECTED,
      "Received SUBSCRIBE from c",
      "\ta (QoS 0)",
      "c 0 a",
      "Sending SUBACK to c",
      "Received PUBLISH from c (d0, q0, r0, m0, 'a', ... (4 bytes))",
      "Sending PUBLISH to c (d0, q0, r0, m0, 'a', ... (4 bytes))",
      ...LEFT,
    ],
  },
  {
    name: "a message of QoS 1 to oneself",
    version: 4,
    act: async (client) => {
      await client.subscribe(["a"], 1);
      client.publish("a", "four", { qos: 1, packetId: 9 });
      const packets = [await client.next("the first"), await client.next("the second")];
      const publish = packets.find(({ type }) => type === "publish");
      const packetId = publish?.type === "publish" ? publish.packetId : 0;
      client.sendPacket({ type: "puback", packetId, reasonCode: 0, properties: NO_PROPERTIES });
      client.leave();
    },
    lines: [
      ...CONNECTED_4,
      "Received SUBSCRIBE from c",
      "\ta (QoS 1)",
      "c 1 a",
      "Sending SUBACK to c",
      "Received PUBLISH from c (d0, q1, r0, m9, 'a', ... (4 bytes))",
      "Sending PUBLISH to c (d0, q1, r0, m1, 'a', ... (4 bytes))",
      "Sending PUBACK to c (m9, rc0)",
      "Received PUBACK from c (Mid: 1, RC:0)",
      ...LEFT,
    ],
  },
  {
    name: "a message of QoS 2 to oneself",
    act: async (client) => {
      await client.subscribe(["a"], 2);
      client.publish("a", "", { qos: 2, packetId: 9, retain: true });
      await client.next("the PUBLISH");
      await client.next("the PUBREC");
      const properties = NO_PROPERTIES;
      client.sendPacket({ type: "pubrel", packetId: 9, reasonCode: 0, properties });
      await client.next("the PUBCOMP");
      client.sendPacket({ type: "pubrec", packetId: 1, reasonCode: 0, properties });
      await client.next("the PUBREL");
      client.sendPacket({ type: "pubcomp", packetId: 1, reasonCode: 0, properties });
      client.leave();
    },
    lines: [
      ...CONNECTED,
      "Received SUBSCRIBE from c",
      "\ta (QoS 2)",
      "c 2 a",
      "Sending SUBACK to c",
      "Received PUBLISH from c (d0, q2, r1, m9, 'a', ... (0 bytes))",
      "Sending PUBLISH to c (d0, q2, r0, m1, 'a', ... (0 bytes))",
      "Sending PUBREC to c (m9, rc0)",
      "Received PUBREL from c (Mid: 9)",
      "Sending PUBCOMP to c (m9)",
      "Received PUBREC from c (Mid: 1)",
      "Sending PUBREL to c (m1)",
      "Received PUBCOMP from c (Mid: 1, RC:0)",
      ...LEFT,
    ],
  },
  {
    name: "a message that is denied, and one that nobody wants",
    act: async (client) => {
      client.publish("secret/a", "four", { qos: 1, packetId: 3 });
      await client.next("the refusal");
      client.publish("a", "four", { qos: 1, packetId: 4 });
      await client.next("the PUBACK");
      client.leave();
    },
    lines: [
      ...CONNECTED,
      "Received PUBLISH from c (d0, q1, r0, m3, 'secret/a', ... (4 bytes))",
      "Denied PUBLISH from c (d0, q1, r0, m3, 'secret/a', ... (4 bytes))",
      "Sending PUBACK to c (m3, rc135)",
      "Received PUBLISH from c (d0, q1, r0, m4, 'a', ... (4 bytes))",
      "Sending PUBACK to c (m4, rc16)",
      ...LEFT,
    ],
  },
  {
    name: "a message whose payload is too large",
    act: async (client) => {
      // The standard gives this code to no PUBACK, but Mosquitto does.
      client.isDeaf = true;
      const before = client.receivedBytes;
      client.publish("a", "x".repeat(1001), { qos: 1, packetId: 3 });
      await until(() => client.receivedBytes > before, "it is answered");
      client.leave();
    },
    lines: [
      ...CONNECTED,
      "Received PUBLISH from c (d0, q1, r0, m3, 'a', ... (1001 bytes))",
      "Dropped too large PUBLISH from c (d0, q1, r0, m3, 'a', ... (1001 bytes))",
      "Sending PUBACK to c (m3, rc149)",
      ...LEFT,
    ],
  },
  {
    name: "a packet that is too large",
    act: async (client) => {
      client.publish("a", "x".repeat(3000));
      await client.untilClosed();
    },
    lines: [
      ...CONNECTED,
      "Sending DISCONNECT to c (rc149)",
      "Client c [@] disconnected: oversize packet.",
    ],
  },
  {
    name: "a topic with a wildcard",
    act: async (client) => {
      client.publish("a/#", "x");
      await client.untilClosed();
    },
    lines: [
      ...CONNECTED,
      "Sending DISCONNECT to c (rc129)",
      "Protocol error from c: A topic name is not well-formed [MQTT-3.3.2-2].",
      "Client c [@] disconnected: malformed packet.",
    ],
  },
  {
    name: "a client that is silent for too long",
    connect: { keepAlive: 1 },
    act: async (client) => {
      await client.untilClosed();
    },
    lines: [
      CONNECTED[0]!.replace("k0", "k1"),
      ...CONNECTED.slice(1),
      "Client c [@] disconnected: exceeded timeout.",
    ],
  },
];

test(
  "The log says to the letter what clients do, and what is done to them",
  PROCESS_TEST,
  async () => {
    const config = "listener $PORT1 127.0.0.1\nallow_anonymous true\nlog_type all\n" +
      "acl_file $DIR/acl\nmessage_size_limit 1000\nmax_packet_size 2000\n";
    const files = { acl: "topic readwrite #\ntopic deny secret/#\nuser ann\ntopic readwrite #\n" };
    await MidgeProcess.with({ config, files }, async (midge) => {
      const keeper = await WireClient.connect(midge.port, 4, {
        cleanStart: false,
        clientId: "kept",
      });
      keeper.leave();
      await midge.logged(/^Client kept .* disconnected/);
      const said: Record<string, readonly string[]> = {};
      const expected: Record<string, readonly string[]> = {};
      for (const { name, version = 5, connect = {}, act, lines } of ROWS) {
        const before = midge.lines.length;
        const client = await WireClient.open(midge.port, version);
        const address = `127.0.0.1:${client.localPort}`;
        if (connect !== null) await client.handshake({ clientId: "c", ...connect });
        await act(client);
        await until(
          () => midge.lines.slice(before).some((line) => line.includes("disconnected")),
          `${name} is over:\n${midge.lines.slice(before).join("\n")}`,
        );
        client.destroy();
        said[name] = midge.lines.slice(before).map((line) =>
          line.replaceAll(address, "@").replaceAll(`${midge.port}`, "#")
        );
        expected[name] = ["New connection from @ on port #.", ...lines];
      }
      assertEquals(said, expected);
    });
  },
);
