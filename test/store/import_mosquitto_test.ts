// Mosquitto's database as changes of the broker: what becomes of each kind of chunk and each state,
// and what a broker that was given them does.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Change } from "../../src/core/broker/change.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { contentsOf } from "../../src/core/session/message_contents.ts";
import {
  importMosquittoDb,
  type ImportOptions,
  type MosquittoImport,
} from "../../src/store/import_mosquitto.ts";
import { MosquittoDbError } from "../../src/store/mosquitto_chunk.ts";
import { test } from "../harness.ts";
import {
  type ChunkParts,
  fullMosquittoDb,
  mosquittoDb,
  PROPERTIES,
} from "../support/mosquitto_db_file.ts";
import { ack } from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";

/** The broker's clock, and what a calendar says then. */
const NOW = 5_000;
const EPOCH_S = 1_700_000_000;
const CLOCK = { now: NOW, epochMs: EPOCH_S * 1000 };
const NEVER = 0xffffffff;

function imported(
  chunks: readonly ChunkParts[],
  { version = 6, ...options }: Partial<ImportOptions> & { readonly version?: number } = {},
): MosquittoImport {
  return importMosquittoDb(mosquittoDb(version, chunks), { clock: CLOCK, ...options });
}

/** A broker that has been given all of it. */
function brokerWith({ changes, unreleased }: MosquittoImport): VirtualBroker {
  const broker = new VirtualBroker({ now: NOW });
  broker.core.restore(changes, NOW);
  for (const message of unreleased) broker.core.publish(message, NOW);
  return broker;
}

function resume(broker: VirtualBroker, clientId: string, username?: string) {
  const who = username === undefined ? { clientId } : { clientId, username };
  return broker.connect({
    ...who,
    cleanStart: false,
    properties: { sessionExpiryInterval: NEVER },
  });
}

/** Packets in a few words. */
function told(packets: readonly Packet[]): unknown[] {
  return packets.map((packet) =>
    packet.type === "publish"
      ? [
        packet.topic,
        new TextDecoder().decode(packet.payload),
        packet.qos,
        ...packet.retain ? ["retain"] : [],
        ...packet.dup ? [`again ${packet.packetId}`] : [],
      ]
      : [packet.type, "packetId" in packet ? packet.packetId : 0]
  );
}

/** A change in a few words. */
function describe(change: Change): unknown {
  switch (change.kind) {
    case "delivery-queued":
    case "delivery-sent": {
      const { message, ...rest } = change.delivery;
      return { ...change, delivery: { topic: message.topic, ...rest } };
    }
    case "retained-set": {
      const { message } = change;
      const { publisherId, publisherUsername, expiresAt } = message;
      const contents = contentsOf(message, NOW);
      return { kind: change.kind, ...contents, publisherId, publisherUsername, expiresAt };
    }
    default:
      return change;
  }
}

const FROM_C = { sourceClientId: "c", sourceUsername: "alice" };
const base = (storeId: bigint, topic: string, more = {}): ChunkParts => ({
  kind: "base-message",
  storeId,
  topic,
  payload: topic,
  qos: 1,
  ...more,
});
const client = (clientId: string, more = {}): ChunkParts => ({ kind: "client", clientId, ...more });
const outgoing = (storeId: bigint, more = {}): ChunkParts => ({
  kind: "client-message",
  clientId: "c",
  storeId,
  qos: 1,
  ...more,
});
const incoming = (storeId: bigint, packetId: number, more = {}): ChunkParts =>
  outgoing(storeId, { packetId, direction: 0, qos: 2, state: 7, ...more });
const filter = (text: string, more = {}): ChunkParts => ({
  kind: "subscription",
  clientId: "c",
  filter: text,
  ...more,
});
const retained = (storeId: bigint): ChunkParts => ({ kind: "retained", storeId });

test("importMosquittoDb() makes changes of each chunk, sessions first", () => {
  const { changes, unreleased, counts, warnings } = imported([
    base(1n, "r", {
      retain: 1,
      qos: 2,
      properties: PROPERTIES,
      expiryTime: EPOCH_S + 60,
      sourceClientId: "pub",
      sourceUsername: "alice",
    }),
    base(2n, "q"),
    retained(1n),
    filter("a/+", { qos: 2, options: 0x2c, subscriptionId: 300 }),
    outgoing(2n, { retain: 1, subscriptionId: 300 }),
    client("c", { username: "bob", expiryInterval: 3600, expiryTime: EPOCH_S + 100 }),
    { kind: "raw", type: 9, data: new Uint8Array(1) },
  ]);
  assertEquals(changes.map(describe), [
    {
      kind: "session-set",
      clientId: "c",
      username: "bob",
      isIdentified: false,
      protocolVersion: 5,
      listenerName: "",
      expiryInterval: 3600,
      endsAt: NOW + 100_000,
    },
    {
      kind: "subscription-set",
      clientId: "c",
      filter: "a/+",
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      subscriptionId: 300,
    },
    {
      kind: "delivery-queued",
      clientId: "c",
      delivery: {
        topic: "q",
        qos: 1,
        retain: true,
        subscriptionId: 300,
        sequence: 1,
        recordedAt: 0,
      },
    },
    {
      kind: "retained-set",
      topic: "r",
      payload: new TextEncoder().encode("r"),
      qos: 2,
      retain: true,
      properties: {
        payloadFormatIndicator: 1,
        contentType: "text",
        responseTopic: "re/ply",
        correlationData: Uint8Array.of(0xca, 0x0e),
        userProperties: [["k", "v"], ["k", "w"]],
        messageExpiryInterval: 60,
      },
      publisherId: "pub",
      publisherUsername: "alice",
      expiresAt: NOW + 60_000,
    },
  ]);
  assertEquals([unreleased, counts, warnings], [
    [],
    { baseMessages: 2, retainedMessages: 1, clients: 1, subscriptions: 1, clientMessages: 1 },
    ['Warning: Unsupported chunk "9" in persistent database file. Ignoring.'],
  ]);
});

test("importMosquittoDb() reads every version, and lets sessions of those before 5 last", () => {
  for (const version of [2, 3, 4, 5, 6]) {
    const knowsExpiry = version >= 5;
    const { changes, counts } = importMosquittoDb(fullMosquittoDb(version), { clock: CLOCK });
    assertEquals(
      changes.map(({ kind }) => kind),
      ["session-set", "subscription-set", "delivery-sent", "retained-set"],
    );
    assertEquals(changes[0], {
      kind: "session-set",
      clientId: "c1",
      username: version === 6 ? "bob" : undefined,
      isIdentified: version < 6,
      protocolVersion: 5,
      listenerName: version === 6 ? "8883" : "",
      expiryInterval: knowsExpiry ? 3600 : NEVER,
      endsAt: knowsExpiry ? NOW + (2_000_000_001 - EPOCH_S) * 1000 : Infinity,
    });
    assertEquals(counts, {
      baseMessages: 2,
      retainedMessages: 1,
      clients: 1,
      subscriptions: 1,
      clientMessages: 1,
    });
  }
});

test("importMosquittoDb() drops what has expired, by the clock that it is given", () => {
  const { changes, counts } = imported([
    base(1n, "gone", { expiryTime: EPOCH_S, retain: 1 }),
    base(2n, "lasting", { expiryTime: EPOCH_S + 1, retain: 1 }),
    retained(1n),
    retained(2n),
    client("ended", { expiryInterval: 60, expiryTime: EPOCH_S }),
    client("ends", { expiryInterval: 60, expiryTime: EPOCH_S + 1 }),
    client("connected", { expiryInterval: 60, expiryTime: 0 }),
    client("never", { expiryInterval: NEVER, expiryTime: EPOCH_S - 1 }),
    client("at once", { expiryInterval: 0 }),
    client("c"),
    outgoing(1n),
    outgoing(2n),
    { kind: "client-message", clientId: "ended", storeId: 2n },
    { kind: "subscription", clientId: "ended", filter: "#" },
  ]);
  assertEquals(changes.map((change) => "clientId" in change ? change.clientId : change.kind), [
    "ends",
    "connected",
    "never",
    "c",
    "c",
    "retained-set",
  ]);
  assertEquals(counts, {
    baseMessages: 1,
    retainedMessages: 1,
    clients: 4,
    subscriptions: 0,
    clientMessages: 1,
  });
  const broker = brokerWith({ changes, unreleased: [], counts, warnings: [] });
  broker.advance(1_000);
  assertEquals(broker.core.sessionCount, 3);
  broker.advance(59_000);
  assertEquals(broker.core.sessionCount, 2);
  broker.advance(1e9);
  assertEquals([broker.core.sessionCount, resume(broker, "never").connack?.sessionPresent], [
    2,
    true,
  ]);
});

test("importMosquittoDb() leaves out what refers to nothing or is not allowed", () => {
  const { changes, unreleased, counts } = imported([
    base(1n, "with/#/wildcard", { retain: 1 }),
    base(2n, "", { retain: 1 }),
    base(3n, "control\x01", { retain: 1 }),
    base(4n, "empty", { payload: "", retain: 1 }),
    base(5n, "qos", { qos: 3, retain: 1 }),
    base(6n, "x/".repeat(201), { retain: 1 }),
    base(7n, "fine"),
    ...[1n, 2n, 3n, 4n, 5n, 6n, 99n].map(retained),
    client("c"),
    client(""),
    { kind: "client", clientId: Uint8Array.of(0xff) },
    filter("#/no"),
    filter("a+"),
    filter("fine", { qos: 3 }),
    filter("fine", { subscriptionId: 0xffffffff }),
    filter("x/".repeat(201)),
    { kind: "subscription", clientId: "nobody", filter: "fine" },
    { kind: "client-message", clientId: "nobody", storeId: 7n },
    outgoing(99n),
    outgoing(7n, { qos: 3 }),
    incoming(99n, 1),
  ]);
  assertEquals(changes.slice(1).map(describe), [{
    kind: "subscription-set",
    clientId: "c",
    filter: "fine",
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    subscriptionId: 0,
  }]);
  assertEquals([unreleased, counts], [[], {
    baseMessages: 2,
    retainedMessages: 0,
    clients: 1,
    subscriptions: 1,
    clientMessages: 0,
  }]);
});

test("importMosquittoDb() makes a message once, however many refer to it", () => {
  const { changes } = imported([
    base(1n, "shared", { retain: 1 }),
    client("c"),
    outgoing(1n),
    outgoing(1n, { packetId: 3, state: 3 }),
    retained(1n),
  ]);
  const messages = changes.flatMap((change) =>
    change.kind === "retained-set"
      ? [change.message]
      : "delivery" in change
      ? [change.delivery.message]
      : []
  );
  assertEquals([messages.length, new Set(messages).size], [3, 1]);
});

test("importMosquittoDb() knows whose sessions they are, or that nobody knows", () => {
  const clients = [
    client("proven", { username: "cn", listenerPort: 8883 }),
    client("said", { username: "cn", listenerPort: 1883 }),
    client("nobody", { listenerPort: 8883 }),
  ];
  const ownersIn = (version: number): unknown[] => {
    const { changes } = imported(clients, { version, isIdentified: (port) => port === 8883 });
    return changes.map((change) =>
      change.kind === "session-set" && [change.username, change.isIdentified]
    );
  };
  assertEquals(ownersIn(6), [["cn", true], ["cn", false], [undefined, false]]);
  for (const version of [2, 3, 4, 5]) {
    assertEquals(ownersIn(version), [[undefined, true], [undefined, true], [undefined, true]]);
  }
});

test("importMosquittoDb() sees through names that Mosquitto 2.0.11 has left over", () => {
  const leftOver = `bob\0${"memory".repeat(100)}`;
  const named = (username?: string) => client(`client ${number++}`, username && { username });
  let number = 0;
  const { changes } = imported([
    named("bob"),
    named(leftOver),
    // Nobody, or bob.
    named("bob"),
    named(leftOver),
    named("alice"),
    named("bob"),
    named(leftOver),
    named(),
    named("bob"),
  ]);
  const [bob, alice, nobody, unknown] = ["bob", "alice", undefined, "unknown"];
  assertEquals(
    changes.map((change) =>
      change.kind !== "session-set" ? [] : change.isIdentified ? unknown : change.username
    ),
    [bob, nobody, unknown, nobody, alice, bob, nobody, nobody, bob],
  );
});

test("A broker goes on with imported messages to a client as if its connection had dropped", () => {
  const broker = brokerWith(imported([
    ...["a", "b", "c", "d", "e", "f", "g", "h", "i"].map((topic, at) =>
      base(BigInt(at), topic, { expiryTime: topic === "f" ? EPOCH_S - 1 : 0 })
    ),
    client("c", { username: "bob" }),
    outgoing(0n, { packetId: 7, state: 3, dup: 1 }),
    outgoing(1n, { packetId: 5, state: 5, qos: 2 }),
    outgoing(2n, { packetId: 9, state: 9, qos: 2 }),
    outgoing(3n, { packetId: 2, state: 6, qos: 2 }),
    // Sent, so it is not for its expiry that the client may forget it.
    outgoing(5n, { packetId: 11, state: 3 }),
    // Never sent, whatever identifier it was meant to have.
    outgoing(4n, { packetId: 12, state: 2, retain: 1 }),
    outgoing(6n, { packetId: 13, state: 11, qos: 2 }),
    // In flight only in name.
    outgoing(7n, { packetId: 7, state: 3 }),
    outgoing(8n, { packetId: 0, state: 3 }),
    outgoing(8n, { packetId: 14, state: 11, qos: 0 }),
  ]));
  const resumed = resume(broker, "c", "bob");
  assertEquals(resumed.connack?.sessionPresent, true);
  assertEquals(told(resumed.settle()), [
    ["a", "a", 1, "again 7"],
    ["b", "b", 2, "again 5"],
    ["pubrel", 9],
    ["pubrel", 2],
    ["f", "f", 1, "again 11"],
    ["e", "e", 1, "retain"],
    ["g", "g", 2],
    ["h", "h", 1],
    ["i", "i", 1],
    ["i", "i", 0],
    ["pubrel", 5],
    ["pubrel", 13],
  ]);
  resumed.drop();
  assertEquals([told(resume(broker, "c", "bob").take()), broker.core.storedCount], [[], 0]);
});

test("A broker passes on imported QoS 2 messages that their sender has not released, once", () => {
  const result = imported([
    base(1n, "a", { qos: 2, retain: 1, expiryTime: EPOCH_S + 60, ...FROM_C }),
    base(2n, "b", { qos: 2 }),
    base(3n, "c", { qos: 2 }),
    base(4n, "d", { qos: 2, expiryTime: EPOCH_S - 1 }),
    client("c"),
    client("s"),
    { kind: "subscription", clientId: "s", filter: "#", qos: 2 },
    incoming(1n, 4),
    incoming(2n, 5, { state: 11 }),
    // Passed on already, and only the PUBCOMP is missing.
    incoming(3n, 6, { state: 8 }),
    // Not released, and expired.
    incoming(4n, 7),
    // No QoS 2 at all.
    incoming(3n, 8, { qos: 1 }),
    incoming(3n, 4),
  ]);
  assertEquals(
    result.unreleased.map(({ payload: _, ...rest }) => rest),
    [
      {
        topic: "a",
        qos: 2,
        retain: true,
        properties: { messageExpiryInterval: 60 },
        publisherId: "c",
        publisherUsername: "alice",
      },
      {
        topic: "b",
        qos: 2,
        retain: false,
        properties: {},
        publisherId: "",
        publisherUsername: undefined,
      },
    ],
  );
  assertEquals(result.counts.clientMessages, 2);
  const broker = brokerWith(result);
  const sender = resume(broker, "c");
  // The sender repeats what it has had no PUBREC for, and releases it.
  const repeated = { type: "publish", topic: "a", qos: 2, dup: true, retain: true } as const;
  const payload = new TextEncoder().encode("a");
  assertEquals(
    told(sender.exchange(
      { ...repeated, payload, packetId: 4, properties: {} },
      ack("pubrel", 4),
      ack("pubrel", 5),
      ack("pubrel", 7),
    )),
    [["pubrec", 4], ["pubcomp", 4], ["pubcomp", 5], ["pubcomp", 7]],
  );
  assertEquals(told(resume(broker, "s").take()), [["a", "a", 2], ["b", "b", 2]]);
  assertEquals(broker.core.retainedCount, 1);
});

test("importMosquittoDb() takes an empty file for an empty database", () => {
  assertEquals(importMosquittoDb(new Uint8Array(0), { clock: CLOCK }), {
    changes: [],
    unreleased: [],
    counts: {
      baseMessages: 0,
      retainedMessages: 0,
      clients: 0,
      subscriptions: 0,
      clientMessages: 0,
    },
    warnings: [],
  });
});

test("importMosquittoDb() makes nothing of a damaged file", () => {
  const bytes = fullMosquittoDb(6);
  const error = assertThrows(
    () => importMosquittoDb(bytes.subarray(0, bytes.length - 1), { clock: CLOCK }),
    MosquittoDbError,
  );
  assertEquals(error.fault, "corrupt");
});

test("A broker takes whatever importMosquittoDb() makes of any bytes, and its clients come back", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(2, 3, 4, 5, 6), flips, (version, changes) => {
      const bytes = fullMosquittoDb(version);
      for (const [at, value] of changes) bytes[23 + at % (bytes.length - 23)] = value;
      let result: MosquittoImport;
      try {
        result = importMosquittoDb(bytes, { clock: CLOCK });
      } catch (error) {
        if (error instanceof MosquittoDbError) return;
        throw error;
      }
      const broker = brokerWith(result);
      broker.publish("a/b", { qos: 2 });
      for (const change of result.changes) {
        if (change.kind === "session-set") {
          resume(broker, change.clientId, change.username).settle();
        }
      }
      resume(broker, "reader").exchange({
        type: "subscribe",
        packetId: 1,
        subscriptions: [
          { filter: "#", qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        ],
        properties: {},
      });
      broker.advance(1e12);
    }),
    { numRuns: 500 },
  );
});
