// Valid packets of all versions with one bit flipped, or cut short: nothing is known about what
// comes of them, except that the connection ends with its client, that nothing of ours breaks, and
// that nobody else notices. A sample by a fixed seed; all of them when asked for long tests.

import { assertEquals } from "@std/assert";
import { prng } from "../../src/core/base/prng.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES, type Properties } from "../../src/core/codec/property.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { type Arena, everyWay, IS_LONG } from "../support/arena.ts";
import { encoded, join, varint, VERSIONS } from "../support/raw_packet.ts";
import { until } from "../support/wait.ts";

const SEED = 20_240_607;
const SAMPLE = 2000;
/** Connections at one time. */
const LANES = 40;

const text = new TextEncoder();

function corpus(version: ProtocolVersion): Uint8Array[] {
  const only5 = (properties: Properties): Properties => version === 5 ? properties : NO_PROPERTIES;
  const acks = (["puback", "pubrec", "pubrel", "pubcomp"] as const).map((type): Packet => ({
    type,
    packetId: 9,
    reasonCode: 0,
    properties: only5({ reasonString: "why", userProperties: [["k", "v"]] }),
  }));
  const packets: Packet[] = [
    {
      type: "connect",
      protocolVersion: version,
      isBridge: false,
      clientId: "flip",
      cleanStart: true,
      keepAlive: 60,
      username: "user",
      password: text.encode("secret"),
      will: {
        topic: "flip/will",
        payload: text.encode("gone"),
        qos: 1,
        retain: false,
        properties: only5({ willDelayInterval: 1, contentType: "text" }),
      },
      properties: only5({ sessionExpiryInterval: 9, receiveMaximum: 5, topicAliasMaximum: 5 }),
    },
    {
      type: "publish",
      topic: "flip/zero",
      payload: text.encode("payload"),
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties: only5({
        payloadFormatIndicator: 1,
        messageExpiryInterval: 60,
        topicAlias: 3,
        responseTopic: "flip/answer",
        correlationData: Uint8Array.of(1, 2),
        userProperties: [["key", "value"]],
      }),
    },
    {
      type: "publish",
      topic: "flip/two",
      payload: text.encode("payload"),
      qos: 2,
      retain: true,
      dup: false,
      packetId: 11,
      properties: NO_PROPERTIES,
    },
    ...acks,
    {
      type: "subscribe",
      packetId: 12,
      subscriptions: ["flip/#", "$share/g/flip/+"].map((filter) => ({
        filter,
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      })),
      properties: only5({ subscriptionIds: [300] }),
    },
    {
      type: "unsubscribe",
      packetId: 13,
      filters: ["flip/#"],
      properties: only5({ userProperties: [["k", "v"]] }),
    },
    { type: "pingreq" },
    {
      type: "disconnect",
      reasonCode: 0,
      properties: only5({ sessionExpiryInterval: 0, reasonString: "bye" }),
    },
  ];
  if (version === 5) {
    packets.push({ type: "auth", reasonCode: 0x19, properties: { authenticationMethod: "X" } });
  }
  return packets.map((packet) => encoded(version, packet));
}

interface Mutant {
  readonly version: ProtocolVersion;
  readonly bytes: Uint8Array;
  readonly isConnect: boolean;
}

function flips(): Mutant[] {
  return VERSIONS.flatMap((version) =>
    corpus(version).flatMap((valid, n) =>
      Array.from({ length: valid.length * 8 }, (_, bit): Mutant => {
        const bytes = valid.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        return { version, bytes, isConnect: n === 0 };
      })
    )
  );
}

/** Without their last byte or two, as they are and with the length set right. */
function truncations(): Mutant[] {
  return VERSIONS.flatMap((version) =>
    corpus(version).flatMap((valid, n) =>
      [1, 2].filter((count) => valid.length - count >= 2).flatMap((count) => {
        const cut = valid.subarray(0, valid.length - count);
        // All of the corpus is short enough for a length of one or two bytes.
        const body = cut.subarray(valid[1]! < 128 ? 2 : 3);
        const whole = join(cut.subarray(0, 1), varint(body.length), body);
        return [cut, whole].map((bytes): Mutant => ({ version, bytes, isConnect: n === 0 }));
      })
    )
  );
}

function sample(mutants: readonly Mutant[], count: number): Mutant[] {
  const random = prng(SEED);
  return Array.from({ length: count }, () => mutants[random() % mutants.length]!);
}

async function release(arena: Arena, { version, bytes, isConnect }: Mutant): Promise<void> {
  const client = await arena.open(version);
  // A flipped CONNECT may be answered in another version, so what comes is not read as packets.
  client.isDeaf = true;
  const greeting = client.connectBytes();
  const goodbye = Uint8Array.of(0xc0, 0);
  client.send(isConnect ? join(bytes, goodbye) : join(greeting, bytes, goodbye));
  client.finish();
  await until(() => client.isClosed, "the connection ends with its client");
}

async function releaseAll(arena: Arena, mutants: readonly Mutant[]): Promise<void> {
  const rest = mutants.values();
  const lane = async (): Promise<void> => {
    for (const mutant of rest) await release(arena, mutant);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await until(() => arena.broker.gauges.connections === 2, "all connections have ended");
  assertEquals(arena.broker.counters.internalErrors, 0);
  await forgetRetained(arena);
}

/** A flipped bit may have retained something under any name. */
async function forgetRetained(arena: Arena): Promise<void> {
  const client = await arena.connect(4);
  await client.subscribe(["#"]);
  for (const packet of await client.ping()) {
    if (packet.type !== "publish" || !packet.retain) continue;
    arena.broker.publish({ topic: packet.topic, payload: new Uint8Array(0), retain: true });
  }
  client.leave();
}

// No session outlives its connection, so that what is left over is a fault.
const LIMITS = { sessionExpiryIntervalMax: 0 };

everyWay(
  "B-03 Packets with one bit flipped end their own connection at most",
  (enter) =>
    enter(
      { limits: LIMITS },
      (arena) => releaseAll(arena, IS_LONG ? flips() : sample(flips(), arena.share(SAMPLE))),
    ),
);

everyWay(
  "B-03 Packets that lack their last byte or two end their own connection at most",
  (enter) => enter({ limits: LIMITS }, (arena) => releaseAll(arena, arena.some(truncations(), 40))),
);
