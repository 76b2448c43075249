// Names and filters: characters that are not allowed, wildcards where none may be, too many levels,
// and sets of names and filters that are chosen to make matching slow or its tables grow.

import { assertEquals } from "@std/assert";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { type Arena, type Attack, everyWay, IS_LONG, residentMegabytes } from "../support/arena.ts";
import {
  connectPacket,
  packet,
  type Part,
  properties,
  text,
  u16,
  VERSIONS,
} from "../support/raw_packet.ts";
import { until } from "../support/wait.ts";
import { describe, type WireClient } from "../support/wire_client.ts";

async function attackAll(
  arena: Arena,
  version: ProtocolVersion,
  rows: readonly (readonly [name: string, bytes: Uint8Array, cause: Attack["cause"]])[],
): Promise<void> {
  for (const [name, bytes, cause] of arena.some(rows)) {
    const code = cause === "malformed packet" ? "0x81" : "0x82";
    const answers = version === 5 ? [`disconnect ${code}`] : [];
    await arena.attack(version, { name, bytes, answers, cause });
  }
}

function publish(version: ProtocolVersion, topic: Part): Uint8Array {
  return packet(0x30, topic, properties(version), 0x6d);
}

function subscribe(version: ProtocolVersion, ...filters: readonly Part[]): Uint8Array {
  return packet(0x82, u16(7), properties(version), ...filters.map((filter) => [filter, 0]));
}

const NOT_TEXT: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["an overlong slash", [0xc0, 0xaf]],
  ["an overlong NUL", [0xc0, 0x80]],
  ["an overlong euro sign", [0xf0, 0x82, 0x82, 0xac]],
  ["a high surrogate", [0xed, 0xa0, 0x80]],
  ["a pair of surrogates", [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ["above the last character", [0xf4, 0x90, 0x80, 0x80]],
  ["a cut character", [0xe2, 0x82]],
  ["a stray continuation", [0x61, 0x80]],
  ["NUL", [0x61, 0x00, 0x62]],
  ["U+0001", [0x01]],
  ["U+001F", [0x1f]],
  ["U+007F", [0x7f]],
  ["U+009F", [0xc2, 0x9f]],
  ["U+FDD0", [0xef, 0xb7, 0x90]],
  ["U+FFFE", [0xef, 0xbf, 0xbe]],
  ["U+FFFF", [0xef, 0xbf, 0xbf]],
  ["U+1FFFF", [0xf0, 0x9f, 0xbf, 0xbf]],
];

everyWay(
  "B-25 What is not the text that MQTT allows is malformed wherever a string is [MQTT-1.5.4-1] [MQTT-1.5.7-1]",
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        const rows = NOT_TEXT.flatMap(([name, bytes]) => {
          const value = text(bytes);
          const withString = packet(0x30, "t", properties(5, 0x03, value));
          const withPair = packet(0x30, "t", properties(5, 0x26, "key", value));
          return [
            [`${name} in a topic`, publish(version, value), "malformed packet"] as const,
            [`${name} in a filter`, subscribe(version, value), "malformed packet"] as const,
            ...version === 5
              ? [
                [`${name} in a property`, withString, "malformed packet"] as const,
                [`${name} in a pair`, withPair, "malformed packet"] as const,
              ]
              : [],
          ];
        });
        await attackAll(arena, version, rows);
      }
    }),
);

everyWay(
  "B-25 A BOM stays, and what looks the same in two spellings stays two [MQTT-1.5.4-3]",
  (enter) =>
    enter({}, async (arena) => {
      const topics = ["\uFEFFbom", "bom", "caf\u00E9", "cafe\u0301", "\u{1F600}", "\uFFFD"];
      for (const version of VERSIONS) {
        const client = await arena.connect(version);
        for (const topic of topics) {
          await client.subscribe([topic]);
          for (const other of topics) client.publish(other, "m");
          const got = (await client.ping()).map(describe);
          assertEquals(got, [`publish ${topic} m`]);
          client.send(packet(0xa2, u16(8), properties(version), topic));
          await client.next("the UNSUBACK");
        }
        client.leave();
      }
    }),
);

everyWay(
  "B-26 Wildcards in topics and filters that break their rules [MQTT-3.3.2-2] [MQTT-4.7.1-1]",
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        await attackAll(arena, version, [
          ...["#", "+", "a/#", "a/+/b", "a+", "#a"].map((topic) =>
            [`topic ${topic}`, publish(version, topic), "malformed packet"] as const
          ),
          ...["a+", "+a/b", "a/#/b", "##", "#a", "a#", "#/a", "a/b+/c", "a/++", "$share/g/a#"].map((
            filter,
          ) => [`filter ${filter}`, subscribe(version, filter), "malformed packet"] as const),
        ]);
        for (const topic of ["a/#", "+"]) {
          await arena.attack(version, {
            name: `Will to ${topic}`,
            bytes: connectPacket(version, {
              flags: 0x06,
              payload: ["raw", properties(version), topic, "m"],
            }),
            isConnected: false,
            answers: [],
            cause: "malformed packet",
          });
        }
      }
      await attackAll(arena, 5, [[
        "topic set by an alias",
        packet(0x30, "a/+", properties(5, 0x23, u16(1))),
        "malformed packet",
      ]]);
    }),
);

everyWay(
  "B-27 Two hundred slashes are enough, for topics and for filters, and no stack runs out",
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        const client = await arena.connect(version);
        const deepest = "/".repeat(200);
        assertEquals(await client.subscribe([deepest, "+/".repeat(199) + "#"]), [0, 0]);
        client.publish(deepest, "m");
        const got = (await client.ping()).map(describe);
        assertEquals(got, Array(2).fill(`publish ${deepest} m`));
        client.leave();
        await attackAll(
          arena,
          version,
          [201, 10_000, 65_535].flatMap((count) => [
            [`topic of ${count}`, publish(version, "/".repeat(count)), "malformed packet"] as const,
            [
              `filter of ${count}`,
              subscribe(version, "/".repeat(count)),
              "malformed packet",
            ] as const,
            [
              `filter of ${count} wildcards`,
              subscribe(version, "+/".repeat(Math.min(count, 32_767))),
              "malformed packet",
            ] as const,
          ]),
        );
      }
    }),
);

everyWay(
  "B-27 With the limit raised, names of 65535 levels are matched without recursion",
  (enter) =>
    enter({ limits: { topicSlashesMax: 65_535 } }, async (arena) => {
      const client = await arena.connect(4);
      const deepest = "/".repeat(65_535);
      const filters = [deepest, "+/".repeat(32_766) + "#"];
      for (const filter of filters) assertEquals(await client.subscribe([filter]), [0]);
      client.publish(deepest, "m", { qos: 1, retain: true });
      const got = await client.ping();
      assertEquals(got.map(({ type }) => type).toSorted(), ["puback", "publish", "publish"]);
      // Retained messages are looked up the other way round.
      const late = await arena.connect(4);
      for (const filter of filters) {
        await late.subscribe([filter]);
        const kept = await late.ping();
        assertEquals(kept.map(({ type }) => type), ["publish"]);
      }
      client.publish(deepest, "", { retain: true });
      await client.ping();
      client.leave();
      late.leave();
    }),
);

/** Filters of so many levels, each a wildcard or a name. */
function mixes(depth: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const levels: string[] = [];
    for (let i = 0; i < depth; i++) levels.push(n >> (depth - i) & 1 ? "+" : "a");
    return levels.join("/") + (n & 1 ? "/#" : "");
  });
}

async function subscribeAll(client: WireClient, filters: readonly string[]): Promise<void> {
  for (let at = 0; at < filters.length; at += 500) {
    await client.subscribe(filters.slice(at, at + 500));
  }
}

everyWay(
  "B-28 Thousands of overlapping wildcards slow nobody down but by their own messages",
  (enter) =>
    enter({}, async (arena) => {
      const client = await arena.connect(4);
      const filters = [...new Set(mixes(16, IS_LONG ? 65_536 : 4096))];
      await subscribeAll(client, filters);
      assertEquals(arena.broker.gauges.subscriptions, filters.length + 1);
      // Every filter looks alike up to the last level, and none matches.
      const rounds = IS_LONG ? 200 : 20;
      let got = 0;
      for (let n = 0; n < rounds; n++) {
        client.publish(`${"a/".repeat(15)}b/c${n}`, "m");
        client.publish(`${"a/".repeat(14)}x${n}`, "m");
        got += (await client.ping()).length;
      }
      // Those that end in "#" and have a wildcard in the sixteenth place.
      const matching = filters.filter((filter) => /\+\/#$/.test(filter)).length;
      assertEquals({ matching, got }, { matching: filters.length / 4, got: matching * rounds });
      client.publish("a/".repeat(15) + "a", "m");
      const all = await client.ping();
      assertEquals(all.length, filters.length);
      client.leave();
    }),
);

everyWay(
  "B-28 Retained topics that are many and deep are searched for what they hold, not more",
  (enter) =>
    enter({}, async (arena) => {
      const client = await arena.connect(4);
      const count = IS_LONG ? 65_536 : arena.share(2048);
      const topics = Array.from(
        { length: count },
        (_, n) => Array.from({ length: 12 }, (_, i) => n >> i & 1 ? "a" : "b").join("/") + `/${n}`,
      );
      for (const topic of topics) client.publish(topic, "m", { retain: true });
      await client.ping();
      const misses = Array.from({ length: 50 }, (_, n) => "+/".repeat(12) + `+/none${n}`);
      await subscribeAll(client, misses);
      assertEquals(await client.ping(), []);
      for (const topic of topics) client.publish(topic, "", { retain: true });
      await client.ping();
      client.leave();
    }),
);

everyWay(
  "B-29 Topics that are used once and names that come and go leave nothing behind",
  (enter) =>
    enter({}, async (arena) => {
      const client = await arena.connect(4);
      const count = IS_LONG ? 1_000_000 : arena.share(12_000);
      const step = 500;
      const round = async (offset: number): Promise<void> => {
        for (let at = 0; at < count; at += step) {
          for (let n = at; n < at + step; n++) {
            client.publish(`bomb/${offset + n}/x`, "m", { retain: true });
          }
          if (at % (step * 10) === 0) await client.ping();
        }
        await client.ping();
        assertEquals(arena.broker.gauges.retained, count);
        for (let at = 0; at < count; at += step) {
          for (let n = at; n < at + step; n++) {
            client.publish(`bomb/${offset + n}/x`, "", { retain: true });
          }
          if (at % (step * 10) === 0) await client.ping();
        }
        await client.ping();
        assertEquals(arena.broker.gauges.retained, 0);
      };
      await round(0);
      await round(count);
      const before = residentMegabytes();
      for (let n = 2; n < 5; n++) await round(count * n);
      const grown = residentMegabytes() - before;
      assertEquals(grown < (IS_LONG ? 512 : 96) ? "little" : `${grown} MB`, "little");
      client.leave();
    }),
);

everyWay(
  "B-29 Filters that come and go leave nothing behind",
  (enter) =>
    enter({}, async (arena) => {
      const client = await arena.connect(4);
      const count = IS_LONG ? 1_000_000 : arena.share(40_000);
      let before = 0;
      for (let at = 0; at < count; at += 1000) {
        const filters = Array.from({ length: 1000 }, (_, n) => `churn/${at + n}/+/${n}`);
        await client.subscribe(filters);
        client.send(packet(0xa2, u16(8), ...filters));
        await client.next("the UNSUBACK");
        if (before === 0 && at >= count / 2) before = residentMegabytes();
      }
      const grown = residentMegabytes() - before;
      assertEquals(grown < (IS_LONG ? 256 : 96) ? "little" : `${grown} MB`, "little");
      assertEquals(arena.broker.gauges.subscriptions, 1);
      client.leave();
    }),
);

everyWay(
  "B-30 Shares without a name or a filter are refused",
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        await attackAll(arena, version, [
          ["$share/g", subscribe(version, "$share/g"), "protocol error"],
          ["$share/g/", subscribe(version, "$share/g/"), "protocol error"],
          ["$share/", subscribe(version, "$share/"), "protocol error"],
          ["$share/g#/x", subscribe(version, "$share/g#/x"), "malformed packet"],
          ["$share/g+/x", subscribe(version, "$share/g+/x"), "malformed packet"],
          ["$share/+/x", subscribe(version, "$share/+/x"), "protocol error"],
        ]);
      }
      await attackAll(arena, 5, [[
        "no local",
        packet(0x82, u16(7), properties(5), "$share/g/x", 0x04),
        "protocol error",
      ]]);
    }),
);

/** What came, apart from the canary, which everybody hears who listens to everything. */
async function heard(client: WireClient): Promise<string[]> {
  return (await client.ping()).map(describe).filter((line) => !line.startsWith("publish canary/"));
}

everyWay(
  'B-30 Nobody publishes as the broker, and a leading wildcard sees nothing of "$" [MQTT-4.7.2-1]',
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        const client = await arena.connect(version);
        const filters = ["#", "+/#", "+/x", "$SYS/#", "$CONTROL/#", "$share/g/#"];
        client.send(subscribe(version, ...filters));
        assertEquals(await heard(client), [`suback${" 0x00".repeat(filters.length)}`]);
        for (const topic of ["$SYS/x", "$SYS", "$CONTROL/dynamic-security/v1", "$share/g/x"]) {
          client.publish(topic, "m", { qos: 1, packetId: 9 });
          const answer = version === 5 ? "puback 9 0x87" : "puback 9 0x00";
          assertEquals(await heard(client), [answer]);
        }
        // Any other name with a "$" is a name, but one that wildcards do not find.
        client.publish("$foo/x", "m");
        assertEquals(await heard(client), []);
        client.send(subscribe(version, "$foo/#"));
        assertEquals(await heard(client), ["suback 0x00"]);
        client.publish("$foo/x", "m");
        assertEquals(await heard(client), ["publish $foo/x m"]);
        client.leave();
        await until(() => arena.broker.gauges.sessions === 2, "the client has left");
      }
    }),
);
