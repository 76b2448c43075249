// What outlives a connection, asked for in ways that contradict each other: Wills, their delays, and
// the ends of sessions. Times are in whole seconds on the wire, so the shortest are used.

import { assertEquals } from "@std/assert";
import type { Will } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES, type Properties } from "../../src/core/codec/property.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { type Arena, everyWay, everyWayAtOnce } from "../support/arena.ts";
import { connectPacket, packet, properties, u16, VERSIONS } from "../support/raw_packet.ts";
import { sleep, until } from "../support/wait.ts";
import { describe, type WireClient } from "../support/wire_client.ts";

const NEVER = 0xffff_ffff;
const YEAR_MS = 365 * 86_400_000;
const { now } = Date;

function will(topic: string, properties: Properties = NO_PROPERTIES): Will {
  const payload = new TextEncoder().encode("gone");
  return { topic, payload, qos: 1, retain: false, properties };
}

/** Gathers the topics of the Wills that are published. */
async function witnessOf(arena: Arena): Promise<{ topics: string[] }> {
  const client = await arena.connect(4, { clientId: "witness" });
  const topics: string[] = [];
  await client.subscribe(["will/#"]);
  client.onPacket = (packet) => {
    if (packet.type === "publish") topics.push(packet.topic);
  };
  return { topics };
}

/** Ends a session that would otherwise stay, and its delayed Will with it. */
async function cleanUp(arena: Arena, clientId: string): Promise<void> {
  const client = await arena.connect(5, { clientId, cleanStart: false });
  client.leave();
}

everyWayAtOnce(
  "B-20 A delayed Will comes once, after its delay or with its session's end, whichever is first",
  (enter) =>
    enter({}, async (arena) => {
      const { topics } = await witnessOf(arena);
      const cases = [
        { name: "delay-above-expiry", delay: 10, expiry: 1 },
        { name: "delay-equals-expiry", delay: 1, expiry: 1 },
        { name: "delay-for-ever", delay: NEVER, expiry: 1 },
        { name: "delay-below-expiry", delay: 1, expiry: 60 },
        { name: "no-session", delay: NEVER, expiry: 0 },
        { name: "no-delay", delay: 0, expiry: 60 },
        { name: "both-for-ever", delay: NEVER, expiry: NEVER },
      ];
      for (const { name, delay, expiry } of cases) {
        const client = await arena.connect(5, {
          clientId: name,
          will: will(`will/${name}`, { willDelayInterval: delay }),
          properties: { sessionExpiryInterval: expiry },
        });
        client.reset();
      }
      const atOnce = ["will/no-delay", "will/no-session"];
      const later = ["will/delay-above-expiry", "will/delay-below-expiry"].concat(
        ["will/delay-equals-expiry", "will/delay-for-ever"],
      );
      await until(() => topics.length >= atOnce.length + later.length, "all Wills are published");
      await sleep(50);
      assertEquals(topics.slice(0, 2).toSorted(), atOnce);
      assertEquals(topics.slice(2).toSorted(), later.toSorted());
      for (const name of ["delay-below-expiry", "no-delay", "both-for-ever"]) {
        await cleanUp(arena, name);
      }
      assertEquals(topics.length, 6);
    }),
);

everyWay(
  "B-20 A client that comes back in time takes its delayed Will back [MQTT-3.1.3-9]",
  (enter) =>
    enter({}, async (arena) => {
      const { topics } = await witnessOf(arena);
      const options = {
        clientId: "returning",
        cleanStart: false,
        will: will("will/returning", { willDelayInterval: 3600 }),
        properties: { sessionExpiryInterval: 3600 },
      };
      for (let i = 0; i < 20; i++) {
        const client = await arena.connect(5, options);
        client.reset();
      }
      await cleanUp(arena, "returning");
      const last = await arena.connect(4, { will: will("will/last") });
      last.reset();
      await until(() => topics.length > 0, "a Will without delay is published");
      assertEquals(topics, ["will/last"]);
    }),
);

everyWay(
  "B-21 A session of no length cannot be prolonged by DISCONNECT, and any other can be changed",
  (enter) =>
    enter({}, async (arena) => {
      const { topics } = await witnessOf(arena);
      const leaveWith = async (expiry: number, asked: number | undefined): Promise<string[]> => {
        const client = await arena.connect(5, {
          clientId: "changing",
          will: will("will/changing"),
          properties: expiry === 0 ? NO_PROPERTIES : { sessionExpiryInterval: expiry },
        });
        client.sendPacket({
          type: "disconnect",
          reasonCode: 0,
          properties: asked === undefined ? NO_PROPERTIES : { sessionExpiryInterval: asked },
        });
        return (await client.untilClosed()).map(describe);
      };
      const outcomes = [];
      for (
        const [expiry, asked] of [[0, 1], [0, 0], [0, undefined], [60, 0], [60, undefined], [
          60,
          NEVER,
        ]] as const
      ) {
        const answers = await leaveWith(expiry, asked);
        outcomes.push({ expiry, asked, answers, sessions: arena.broker.gauges.sessions - 3 });
      }
      assertEquals(outcomes, [
        { expiry: 0, asked: 1, answers: ["disconnect 0x82"], sessions: 0 },
        { expiry: 0, asked: 0, answers: [], sessions: 0 },
        { expiry: 0, asked: undefined, answers: [], sessions: 0 },
        { expiry: 60, asked: 0, answers: [], sessions: 0 },
        { expiry: 60, asked: undefined, answers: [], sessions: 1 },
        { expiry: 60, asked: NEVER, answers: [], sessions: 1 },
      ]);
      await until(() => topics.length > 0, "the Will of whoever broke the rule is published");
      await cleanUp(arena, "changing");
      assertEquals(topics, ["will/changing"]);
    }),
);

everyWay(
  "B-22 More in flight than was allowed is refused, and none of it is kept",
  (enter) =>
    enter({}, async (arena) => {
      for (const count of [21, arena.share(10_000) + 20]) {
        const client = await arena.connect(5);
        const publishes = Array.from({ length: count }, (_, n) => packet(0x34, "t", u16(n + 1), 0));
        for (const bytes of publishes) client.send(bytes);
        const codes = (await client.ping()).map(describe);
        const expected = publishes.map((_, n) => `pubrec ${n + 1} ${n < 20 ? "0x00" : "0x97"}`);
        assertEquals(codes, expected);
        const events = arena.events.filter((event) => event.kind === "receive-maximum-exceeded");
        assertEquals(events.length >= count - 20, true);
        client.leave();
      }
    }),
);

everyWay(
  "B-22 A client that allows 65535 aliases is given as many as the broker cares to remember",
  (enter) =>
    enter({}, async (arena) => {
      const publisher = await arena.connect(5);
      for (let i = 0; i < arena.share(20); i++) {
        const client = await arena.connect(5, { properties: { topicAliasMaximum: 65_535 } });
        await client.subscribe(["alias/#"]);
        for (let n = 0; n < 100; n++) publisher.publish(`alias/${n}`, "m");
        await publisher.ping();
        const aliases = (await client.ping()).map((each) =>
          each.type === "publish" ? each.properties.topicAlias : -1
        );
        assertEquals(aliases, Array.from({ length: 100 }, (_, n) => n < 10 ? n + 1 : undefined));
        client.leave();
      }
    }),
);

everyWay(
  "B-37 A Will is published once for every bad end, and not for a good one",
  (enter) =>
    enter({}, async (arena) => {
      const { topics } = await witnessOf(arena);
      const ends: [string, number, (client: WireClient) => void][] = [
        ["reset", 1, (client) => client.reset()],
        ["finish", 1, (client) => client.finish()],
        ["protocol", 1, (client) => client.send(packet(0x40, 0, 0))],
        ["malformed", 1, (client) => client.send(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff))],
        ["second", 1, (client) => client.send(connectPacket(client.version))],
        ["disconnect", 0, (client) => client.leave()],
        ["host", 1, (client) => void arena.broker.disconnect(`host-${client.version}`)],
      ];
      const expected: string[] = [];
      for (const version of VERSIONS) {
        for (const [name, count, end] of ends) {
          const topic = `will/${name}-${version}`;
          const client = await arena.connect(version, {
            clientId: `${name}-${version}`,
            will: will(topic),
          });
          const { localPort } = client;
          end(client);
          await arena.closedAt(localPort);
          if (count > 0) expected.push(topic);
        }
      }
      const client = await arena.connect(5, { clientId: "with", will: will("will/with") });
      client.sendPacket({ type: "disconnect", reasonCode: 4, properties: NO_PROPERTIES });
      expected.push("will/with");
      await until(() => topics.length >= expected.length, "all Wills are published");
      await sleep(20);
      assertEquals(topics.toSorted(), expected.toSorted());
    }),
);

everyWay(
  "B-37 A Will to what belongs to the broker is refused, and one of the largest size is not",
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        for (
          const topic of ["$SYS/broker/x", "$SYS", "$CONTROL/dynamic-security/v1", "$share/g/x"]
        ) {
          await arena.attack(version, {
            name: topic,
            bytes: connectPacket(version, {
              flags: 0x06,
              payload: ["raw", properties(version), topic, "m"],
            }),
            isConnected: false,
            answers: version === 5 ? ["connack 0x90"] : [],
            cause: "protocol error",
          });
        }
        await largestWill(arena, version);
      }
    }),
);

async function largestWill(arena: Arena, version: ProtocolVersion): Promise<void> {
  const witness = await arena.connect(version);
  await witness.subscribe(["large"]);
  const payload = new Uint8Array(65_535).fill(7);
  const client = await arena.connect(version, { will: { ...will("large"), payload } });
  client.reset();
  const got = await witness.next("the Will");
  assertEquals(got.type === "publish" ? got.payload : got.type, payload);
  witness.leave();
}

everyWayAtOnce(
  "B-40 Jumps of the wall clock neither hasten nor delay a Will or the end of a session",
  (enter) =>
    enter({}, async (arena) => {
      const { topics } = await witnessOf(arena);
      const lose = async (clientId: string, seconds: number): Promise<void> => {
        const client = await arena.connect(5, {
          clientId,
          will: will(`will/${clientId}`, { willDelayInterval: seconds }),
          properties: { sessionExpiryInterval: seconds + 1 },
        });
        const { localPort } = client;
        client.reset();
        await arena.closedAt(localPort);
      };
      try {
        await lose("hour", 3600);
        await lose("second", 1);
        Date.now = () => now() + YEAR_MS;
        // A message that expires in an hour is not older for the jump either.
        const reader = await arena.connect(5);
        await reader.subscribe(["kept"]);
        reader.publish("kept", "m", { properties: { messageExpiryInterval: 3600 } });
        Date.now = () => now() - YEAR_MS;
        assertEquals((await reader.ping()).map(describe), ["publish kept m"]);
        await until(() => topics.length > 0, "the Will of a second is published");
        await until(() => arena.broker.counters.sessionsExpired > 0, "its session has expired");
        assertEquals(topics, ["will/second"]);
        assertEquals(arena.broker.counters.sessionsExpired, 1);
      } finally {
        Date.now = now;
      }
      await cleanUp(arena, "hour");
    }),
);
