// Clients that take without reading, are given without acknowledging, fight over a name, or leave in
// the middle of everything: each pays for itself, within bounds, and the others notice nothing.

import { assertEquals } from "@std/assert";
import { ASK, OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { type Arena, everyWay, IS_LONG, residentMegabytes } from "../support/arena.ts";
import { encoded, join, packet, properties, u16, VERSIONS } from "../support/raw_packet.ts";
import { sleep, until } from "../support/wait.ts";
import { describe, type WireClient } from "../support/wire_client.ts";

everyWay(
  "B-32 A QoS 2 message repeated without an end is delivered once, and then its sender leaves",
  (enter) =>
    enter({}, async (arena) => {
      const witness = await arena.connect(4);
      await witness.subscribe(["twice"], 2);
      for (const version of VERSIONS) {
        const client = await arena.connect(version);
        const { localPort } = client;
        const publish = packet(0x34, "twice", u16(5), properties(version), 0x6d);
        client.send(join(...Array.from({ length: 100 }, () => publish)));
        const answers = (await client.untilClosed()).map(describe);
        const { cause } = await arena.closedAt(localPort);
        const goodbye = version === 5 ? ["disconnect 0x82"] : [];
        assertEquals({ version, answers, cause }, {
          version,
          answers: [...Array(3).fill("pubrec 5 0x00"), ...goodbye],
          cause: "protocol error",
        });
        assertEquals((await witness.ping()).map(describe), ["publish twice m"]);
      }
    }),
);

everyWay(
  "B-32 All identifiers of QoS 2 open at once, over a storm of reconnects, deliver each once",
  (enter) =>
    enter({}, async (arena) => {
      const count = IS_LONG ? 65_535 : arena.share(4000);
      const witness = await arena.connect(4);
      await witness.subscribe(["open"], 0);
      const options = { clientId: "storm", cleanStart: false };
      const storms = 5;
      let client = await arena.connect(4, options);
      for (let storm = 0; storm < storms; storm++) {
        const upTo = Math.ceil(count * (storm + 1) / storms);
        // All again from the first on, as whoever lost the answers has to.
        const isLast = storm === storms - 1;
        for (let id = 1; id <= upTo; id++) {
          client.send(packet(storm > 0 ? 0x3c : 0x34, "open", u16(id), u16(id)));
        }
        if (isLast) break;
        await client.ping();
        client.reset();
        client = await arena.connect(4, options);
      }
      const answers = (await client.ping()).map(describe);
      assertEquals(answers, Array.from({ length: count }, (_, n) => `pubrec ${n + 1} 0x00`));
      for (let id = 1; id <= count; id++) client.send(packet(0x62, u16(id)));
      const done = (await client.ping()).map(describe);
      assertEquals(done, Array.from({ length: count }, (_, n) => `pubcomp ${n + 1} 0x00`));
      const ids = (await witness.ping()).map((each) =>
        each.type === "publish" ? each.payload[0]! << 8 | each.payload[1]! : 0
      );
      assertEquals(ids, Array.from({ length: count }, (_, n) => n + 1));
      await end(arena, client, "storm");
    }),
);

/** Ends a session that is not to end with its connection. */
async function end(arena: Arena, client: WireClient, clientId: string): Promise<void> {
  client.destroy();
  const last = await arena.connect(4, { clientId, cleanStart: true });
  last.leave();
}

everyWay(
  "B-33 One subscriber that never reads among many costs them nothing, and itself what it is sent",
  (enter) => {
    const backlogBytesMax = 256 * 1024;
    return enter({ limits: { backlogBytesMax } }, async (arena) => {
      const others = await Promise.all(
        Array.from({ length: IS_LONG ? 999 : arena.share(60) }, () => arena.connect(4)),
      );
      const received = others.map((): number[] => []);
      for (const [n, client] of others.entries()) {
        await client.subscribe(["all"]);
        client.onPacket = (packet) => {
          if (packet.type === "publish") received[n]!.push(packet.payload[0]!);
        };
      }
      const frozen = await arena.connectRelayed(4, { clientId: "frozen" });
      await frozen.client.subscribe(["all", "flood"]);
      frozen.relay.freeze();
      const publisher = await arena.connect(4);
      const flood = new Uint8Array(64 * 1024);
      const rounds = 100;
      let backlogMax = 0;
      for (let round = 0; round < rounds; round++) {
        // More than the sockets of a system hold.
        for (let n = 0; n < 5; n++) publisher.publish("flood", flood);
        publisher.publish("all", Uint8Array.of(round), { qos: 1 });
        await publisher.ping();
        await until(
          () => received.every((each) => each.length === round + 1),
          "all others hear it",
        );
        backlogMax = Math.max(backlogMax, arena.broker.gauges.backlogBytes);
      }
      const inOrder = Array.from({ length: rounds }, (_, n) => n);
      assertEquals(received, others.map(() => inOrder));
      // The limit, and the one message that passed it.
      assertEquals(
        backlogMax > backlogBytesMax && backlogMax < backlogBytesMax + 4 * flood.length
          ? "as limited"
          : `${backlogMax} bytes`,
        "as limited",
      );
      const dropping = arena.events.filter((event) => event.kind === "dropping");
      assertEquals(dropping, [{ kind: "dropping", clientId: "frozen" }]);
      assertEquals(arena.broker.counters.publishDropped > 0, true);
    });
  },
);

everyWay("B-33 A client that asks and never reads the answers is not read either", (enter) => {
  // Above what a runtime hands over at once, which is answered before any of it can leave.
  const backlogBytesMax = 1024 * 1024;
  return enter({ limits: { backlogBytesMax } }, async (arena) => {
    const { client, relay } = await arena.connectRelayed(4, { clientId: "echo" });
    await client.subscribe(["echo"]);
    relay.freeze();
    const publish = packet(0x30, "echo", new Uint8Array(16 * 1024));
    const before = arena.broker.counters.bytesReceived;
    const count = 4000;
    for (let n = 0; n < count; n++) client.send(publish);
    // More than the sockets of a system hold: reading stops for as long as nothing is taken.
    await until(() => arena.broker.gauges.backlogBytes > backlogBytesMax, "the answers pile up");
    await sleep(300);
    assertEquals(client.hasSentAll, false);
    const { bytesReceived } = arena.broker.counters;
    assertEquals(bytesReceived - before < publish.length * count, true);
    assertEquals(arena.broker.gauges.backlogBytes < 2 * backlogBytesMax, true);
    relay.thaw();
    assertEquals((await client.ping()).length > 0, true);
    assertEquals(client.hasSentAll, true);
    client.leave();
  });
});

everyWay(
  "B-34 A subscriber that never acknowledges is given its window, and the rest waits within bounds",
  (enter) =>
    enter({ limits: { inflightMessagesMax: 10, queuedMessagesMax: 50 } }, async (arena) => {
      for (const qos of [1, 2] as const) {
        const { publishDropped } = arena.broker.counters;
        const subscriber = await arena.connect(5, { clientId: `mute-${qos}` });
        await subscriber.subscribe(["firehose"], qos);
        // One of an older version, whose own window nobody limits.
        const publisher = await arena.connect(4);
        const count = 1000;
        for (let n = 0; n < count; n++) publisher.publish("firehose", `${n}`, { qos });
        await publisher.ping();
        // A window in flight, and fifty and a window in the queue.
        const first = await subscriber.ping();
        assertEquals(first.map(describe), numbered(0, 10));
        assertEquals(arena.broker.counters.publishDropped - publishDropped, count - 70);
        const dropping = arena.events.filter((event) =>
          event.kind === "dropping" && event.clientId === `mute-${qos}`
        );
        assertEquals(dropping.length, 1);
        // Once it acknowledges, it gets what had room, in order.
        assertEquals(await acknowledgeAll(subscriber, first, qos, 60), numbered(10, 70));
        subscriber.leave();
        publisher.leave();
      }
    }),
);

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `publish firehose ${from + n}`);
}

/** Acknowledges what was received and what follows, until so many more have come. */
async function acknowledgeAll(
  client: WireClient,
  received: readonly Packet[],
  qos: 1 | 2,
  count: number,
): Promise<string[]> {
  const more: string[] = [];
  const acknowledge = (packet: Packet): void => {
    if (packet.type === "publish") {
      const type = qos === 1 ? "puback" : "pubrec";
      client.sendPacket({
        type,
        packetId: packet.packetId,
        reasonCode: 0,
        properties: NO_PROPERTIES,
      });
    } else if (packet.type === "pubrel") {
      const { packetId } = packet;
      client.sendPacket({ type: "pubcomp", packetId, reasonCode: 0, properties: NO_PROPERTIES });
    }
  };
  for (const packet of received) acknowledge(packet);
  while (more.length < count) {
    const packet = await client.next("the next message");
    acknowledge(packet);
    if (packet.type === "publish") more.push(describe(packet));
  }
  for (const packet of await client.ping()) acknowledge(packet);
  return more;
}

everyWay(
  "B-34 What waits for a client that is away is bounded by count and by bytes",
  (enter) =>
    enter({ limits: { queuedMessagesMax: 50, queuedBytesMax: 20_000 } }, async (arena) => {
      const publisher = await arena.connect(5);
      for (const [size, kept] of [[10, 50], [1000, 19]] as const) {
        const options = { clientId: "away", cleanStart: false };
        const away = await arena.connect(4, options);
        await away.subscribe(["firehose"], 1);
        away.leave();
        await until(() => arena.broker.gauges.connections === 3, "it is away");
        const before = residentMegabytes();
        const count = IS_LONG ? 1_000_000 : arena.share(5000);
        for (let n = 0; n < count; n++) {
          publisher.publish("firehose", `${n}`.padEnd(size, "."), { qos: 1 });
          if (n % 1000 === 999) await publisher.ping();
        }
        await publisher.ping();
        const grown = residentMegabytes() - before;
        assertEquals(grown < 96 ? "little" : `${grown} MB`, "little");
        const back = await arena.connect(4, options);
        const got = (await acknowledgeAll(back, [], 1, kept)).map((line) =>
          parseInt(line.slice(17))
        );
        assertEquals(got, Array.from({ length: kept }, (_, n) => n));
        assertEquals(await back.ping(), []);
        await end(arena, back, "away");
      }
    }),
);

everyWay(
  "B-35 Who takes a name over and over is told that the broker is busy, and the holder stays",
  (enter) =>
    enter({ limits: { takeOverBurst: 5 } }, async (arena) => {
      const connacks: string[] = [];
      const clients: WireClient[] = [];
      for (let i = 0; i < 10; i++) {
        const client = await arena.open(5);
        const { reasonCode } = await client.handshake({ clientId: "wanted" });
        connacks.push(reasonCode === 0 ? "in" : `0x${reasonCode.toString(16)}`);
        clients.push(client);
      }
      // One more may get in on a machine so busy that this took more than a second.
      assertEquals(connacks.slice(0, 6), ["in", "in", "in", "in", "in", "in"]);
      assertEquals(connacks.includes("0x89"), true);
      const holder = clients[connacks.lastIndexOf("in")]!;
      assertEquals(await holder.ping(), []);
      for (const client of clients) if (client !== holder) await client.untilClosed();
      holder.leave();
    }),
);

everyWay(
  "B-35 Two clients that fight over one name keep one session, its queue and no Will too many",
  (enter) =>
    enter({ limits: { takeOverBurst: 1_000_000 } }, async (arena) => {
      const rounds = IS_LONG ? 5000 : arena.share(200);
      const witness = await arena.connect(4);
      await witness.subscribe(["will"]);
      const publisher = await arena.connect(5);
      const will = {
        topic: "will",
        payload: new Uint8Array(1),
        qos: 0,
        retain: false,
        properties: NO_PROPERTIES,
      } as const;
      const options = {
        clientId: "wanted",
        cleanStart: false,
        will,
        properties: { sessionExpiryInterval: 3600 },
      };
      const got = new Set<string>();
      const losers: WireClient[] = [];
      let current: WireClient | undefined;
      for (let round = 0; round < rounds; round++) {
        const next = await arena.open(5);
        next.onPacket = (packet) => {
          if (packet.type !== "publish") return void next.packets.push(packet);
          got.add(new TextDecoder().decode(packet.payload));
          const { packetId } = packet;
          next.sendPacket({ type: "puback", packetId, reasonCode: 0, properties: NO_PROPERTIES });
        };
        const { sessionPresent } = await next.handshake(options);
        assertEquals({ round, sessionPresent }, { round, sessionPresent: round > 0 });
        if (round === 0) await next.subscribe(["prize"], 1);
        publisher.publish("prize", `${round}`, { qos: 1 });
        if (current !== undefined) losers.push(current);
        current = next;
      }
      for (const loser of losers) {
        assertEquals((await loser.untilClosed()).map(describe), ["disconnect 0x8e"]);
      }
      await until(() => got.size === rounds, "every message reaches one of them");
      assertEquals(arena.broker.counters.takeOvers, rounds - 1);
      // The canary's two, the witness, the publisher, and the one that they fight over.
      assertEquals(arena.broker.gauges.sessions, 5);
      assertEquals(await witness.ping(), []);
      current!.leave();
      await until(() => arena.broker.gauges.connections === 4, "the last one has left");
      const last = await arena.connect(4, { clientId: "wanted", cleanStart: true });
      last.leave();
    }),
);

/** All that a client can have under way, in one string of bytes. */
function script(version: 4 | 5): { bytes: Uint8Array; connectBytes: number } {
  const connect = encoded(version, {
    type: "connect",
    protocolVersion: version,
    isBridge: false,
    clientId: "",
    cleanStart: true,
    keepAlive: 60,
    will: {
      topic: "lost",
      payload: new Uint8Array(1),
      qos: 1,
      retain: false,
      properties: version === 5 ? { willDelayInterval: 60 } : NO_PROPERTIES,
    },
    properties: NO_PROPERTIES,
  });
  const none = properties(version);
  const rest = join(
    packet(0x82, u16(1), none, "cut/#", 2, "$share/g/cut/+", 1),
    packet(0x32, "cut/1", u16(2), none, 0x6d),
    packet(0x34, "cut/2", u16(3), none, 0x6d),
    packet(0x62, u16(3)),
    packet(0x40, u16(1)),
    packet(0xa2, u16(4), none, "cut/#"),
    Uint8Array.of(0xc0, 0),
  );
  return { bytes: join(connect, rest), connectBytes: connect.length };
}

async function cutEverywhere(arena: Arena): Promise<void> {
  const witness = await arena.connect(4);
  await witness.subscribe(["lost"]);
  let lost = 0;
  witness.onPacket = (packet) => void (lost += packet.type === "publish" ? 1 : 0);
  for (const version of [4, 5] as const) {
    const { bytes } = script(version);
    const lengths = Array.from(bytes, (_, at) => at + 1);
    for (const [n, length] of arena.some(lengths, 40).entries()) {
      const client = await arena.open(version);
      client.isDeaf = true;
      client.send(bytes.subarray(0, length));
      // At once, or when the broker is in the middle of it.
      if (n % 2 === 0) await sleep(n % 3);
      if (n % 4 < 2) client.finish();
      else client.reset();
    }
  }
  await until(() => arena.broker.gauges.connections === 3, "all connections have ended");
  const accepted = arena.broker.counters.connectsAccepted - 3;
  await until(() => lost >= accepted, "the Wills of all who were let in are published");
  assertEquals({ lost, sessions: arena.broker.gauges.sessions }, { lost: accepted, sessions: 3 });
  assertEquals(accepted > 10, true);
}

everyWay(
  "B-36 Whoever leaves at any byte of what it had to say leaves nothing but its Will",
  (enter) => enter({}, cutEverywhere),
);

everyWay(
  "B-36 Whoever leaves while the broker waits for an answer about it leaves nothing but its Will",
  (enter) => {
    const isCanary = (clientId: string): boolean => clientId.startsWith("canary");
    // Those who are only there to look on are decided about at once.
    const policy: Policy = {
      ...OPEN_POLICY,
      connect: ({ clientId }) => clientId.startsWith("auto") ? ASK : 0,
      publish: (_client, topic) => topic.startsWith("cut/") ? ASK : 0,
      subscribe: ({ clientId }) => isCanary(clientId) || !clientId.startsWith("auto") ? 0 : ASK,
    };
    return enter({
      policy,
      ask: async (question) => {
        await sleep(question.id % 4);
        // Some of those who answer fail, which is an answer as well.
        if (question.id % 17 === 0) throw new Error("Not today");
        return question.kind === "subscribe"
          ? { kind: "subscribe", reasonCodes: question.filters.map(() => 0) }
          : { kind: question.kind, reasonCode: 0 };
      },
    }, async (arena) => {
      await cutEverywhere(arena);
      // Those are the failures from above; any other would be ours.
      assertEquals(arena.errors.every((error) => (error as Error).message === "Not today"), true);
      arena.errors.length = 0;
    });
  },
);

everyWay("B-36 A policy that fails while somebody leaves costs nobody else anything", (enter) => {
  // Not while it comes: its Will is looked at then as well.
  const leaving = { value: false };
  const policy: Policy = {
    ...OPEN_POLICY,
    publish: (_client, topic) => {
      if (leaving.value && topic === "lost") throw new Error("Not today");
      return 0;
    },
  };
  return enter({ policy }, async (arena) => {
    const { bytes, connectBytes } = script(5);
    const greeting = bytes.subarray(0, connectBytes);
    const ends: readonly ((client: WireClient) => void)[] = [
      (client) => client.reset(),
      (client) => client.finish(),
      (client) => client.send(packet(0x30, 0xff)),
      (client) => client.publish("lost", "m"),
    ];
    for (const leave of ends) {
      leaving.value = false;
      const client = await arena.open(5);
      client.send(greeting);
      assertEquals(describe(await client.next("the CONNACK")), "connack 0x00");
      leaving.value = true;
      leave(client);
      await client.untilClosed();
      await until(() => arena.broker.gauges.connections === 2, "it has left");
    }
    assertEquals(arena.errors.length >= ends.length, true);
    arena.errors.length = 0;
    arena.faults = arena.broker.counters.internalErrors;
  });
});
