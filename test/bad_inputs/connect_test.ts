// What a CONNECT can get wrong, clients that never finish one, and what comes to a port that was
// meant for someone else. Handshakes of TLS and WebSocket that go wrong belong to the tests of
// listeners.

import { assertEquals } from "@std/assert";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import {
  type Attack,
  everyWay,
  everyWayAtOnce,
  IS_LONG,
  residentMegabytes,
} from "../support/arena.ts";
import { connectPacket, raw, text, VERSIONS } from "../support/raw_packet.ts";
import { sleep, until } from "../support/wait.ts";
import { WireClient } from "../support/wire_client.ts";

const SILENT = { isConnected: false, answers: [], cause: "malformed packet" } as const;
const UNSUPPORTED = { isConnected: false, cause: "unsupported protocol version" } as const;

everyWay(
  "B-07 Connections that give their CONNECT byte by byte are closed when their time is up",
  (enter) =>
    enter({ limits: { connectTimeoutMs: 600 } }, async (arena) => {
      const count = IS_LONG ? 10_000 : arena.share(200);
      const before = residentMegabytes();
      const clients: WireClient[] = [];
      for (let i = 0; i < count; i++) clients.push(await arena.open());
      const bytes = connectPacket(5, { payload: ["a".repeat(100)] });
      for (let at = 0; at < bytes.length; at++) {
        for (const client of clients) client.send(bytes.subarray(at, at + 1));
        if (clients.every((client) => client.isClosed)) break;
        await sleep(20);
      }
      for (const client of clients) assertEquals(await client.untilClosed(), []);
      const closed = arena.events.filter((event) => event.kind === "closed");
      assertEquals(closed.map(({ cause }) => cause), Array(count).fill("exceeded timeout"));
      assertEquals(arena.broker.counters.timeouts, count);
      // Both ends of each connection, and what the runtime thinks of them.
      const grown = residentMegabytes() - before;
      assertEquals(grown < 64 + count * 0.05 ? "little" : `${grown} MB`, "little");
    }),
);

everyWay(
  "B-07 A CONNECT may take as long as its time allows, in as many pieces as it likes",
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        const client = await arena.open(version);
        for (const byte of connectPacket(version)) {
          client.send(Uint8Array.of(byte));
          await sleep(1);
        }
        const packet = await client.next("the CONNACK");
        assertEquals([packet.type, packet.type === "connack" && packet.reasonCode], ["connack", 0]);
        client.leave();
      }
    }),
);

everyWay(
  "B-10 Names and levels of the protocol that are not ours are refused as their version can",
  (enter) =>
    enter({}, async (arena) => {
      const table: [
        string,
        ProtocolVersion,
        Omit<Attack, "name" | "bytes">,
        string | Uint8Array,
        number,
      ][] = [
        ["MQIsdp 4", 3, { ...UNSUPPORTED, answers: ["connack 0x84"] }, "MQIsdp", 4],
        ["MQTT 3", 4, { ...UNSUPPORTED, answers: ["connack 0x84"] }, "MQTT", 3],
        ["MQTT 0", 5, { ...UNSUPPORTED, answers: ["connack 0x84"] }, "MQTT", 0],
        ["MQTT 6", 5, { ...UNSUPPORTED, answers: ["connack 0x84"] }, "MQTT", 6],
        ["MQTT 0x85", 5, { ...UNSUPPORTED, answers: ["connack 0x84"] }, "MQTT", 0x85],
        ["no name", 4, SILENT, "", 4],
        ["lower case", 4, SILENT, "mqtt", 4],
        ["64 KB", 4, SILENT, "M".repeat(65_535), 4],
        ["a NUL behind it", 4, SILENT, text([0x4d, 0x51, 0x54, 0x54, 0]), 4],
        ["not UTF-8", 4, SILENT, text([0x4d, 0x51, 0xff, 0x54]), 4],
        ["a length beyond the end", 4, SILENT, raw(0xff, 0xff, 0x4d), 4],
      ];
      for (const [name, version, expected, protocol, level] of table) {
        const bytes = connectPacket(version, { name: protocol, level });
        await arena.attack(version, { name, bytes, ...expected });
      }
      // The mark of a bridge is no fault.
      for (const [version, level] of [[3, 0x83], [4, 0x84]] as const) {
        await arena.attack(version, {
          name: `level ${level}`,
          bytes: connectPacket(version, { level }),
          isConnected: false,
          answers: ["connack 0x00"],
          cause: "open",
        });
      }
    }),
);

everyWay(
  "B-11 Flags of CONNECT that contradict each other are malformed",
  (enter) =>
    enter({}, async (arena) => {
      const accepted = { isConnected: false, answers: ["connack 0x00"], cause: "open" } as const;
      for (const version of VERSIONS) {
        const table: [string, number, boolean, string[]][] = [
          ["reserved", 0x03, version === 3, ["raw"]],
          ["a password alone", 0x42, version === 5, ["raw", "secret"]],
          ["a Will of QoS 3", 0x1e, false, ["raw", "t", "m"]],
          ["QoS without a Will", 0x0a, version === 3, ["raw"]],
          ["retain without a Will", 0x22, version === 3, ["raw"]],
        ];
        for (const [name, flags, isAccepted, payload] of table) {
          const bytes = connectPacket(version, { flags, payload });
          await arena.attack(version, { name, bytes, ...isAccepted ? accepted : SILENT });
        }
        // A user name and password that are announced and left out: 3.1 clients did that.
        await arena.attack(version, {
          name: "announced and left out",
          bytes: connectPacket(version, { flags: 0xc2 }),
          ...version === 3 ? accepted : SILENT,
        });
      }
    }),
);

everyWay(
  "B-31 Client identifiers of any length and any characters are names and nothing else",
  (enter) =>
    enter({}, async (arena) => {
      const strange = [
        "/",
        "#",
        "+",
        "$SYS/x",
        "%c",
        "%u",
        "../../etc/passwd",
        "a b",
        "é",
        "\u{1F600}",
      ];
      for (const version of VERSIONS) {
        for (const clientId of [...strange, "x".repeat(65_535)]) {
          const client = await arena.connect(version, { clientId });
          const connected = arena.events.findLast((event) => event.kind === "connected");
          assertEquals(connected?.clientId, clientId);
          client.leave();
        }
        for (const [name, bytes] of [["NUL", [0x61, 0]], ["newline", [0x61, 10]]] as const) {
          await arena.attack(version, {
            name,
            bytes: connectPacket(version, { payload: [text(bytes)] }),
            isConnected: false,
            answers: version === 5 ? ["connack 0x85"] : [],
            cause: "client identifier not valid",
          });
        }
      }
      // Somebody without a name cannot come back to a session [MQTT-3.1.3-8].
      for (const [version, flags] of [[3, 0], [3, 2], [4, 0]] as const) {
        await arena.attack(version, {
          name: "empty",
          bytes: connectPacket(version, { flags, payload: [""] }),
          isConnected: false,
          answers: ["connack 0x85"],
          cause: "client identifier not valid",
        });
      }
      const nameless = await arena.open(5);
      const { properties } = await nameless.handshake({ clientId: "" });
      assertEquals(/^auto-[0-9A-F-]{36}$/.test(properties.assignedClientId ?? ""), true);
      nameless.leave();
    }),
);

everyWay(
  "B-38 Connections that come and go at once, or say nothing, cost nobody anything",
  (enter) =>
    enter({ limits: { connectTimeoutMs: 500 } }, async (arena) => {
      const count = IS_LONG ? 20_000 : arena.share(1000);
      for (let i = 0; i < count; i += 50) {
        const clients = await Promise.all(
          Array.from({ length: 50 }, () => WireClient.open(arena.port)),
        );
        for (const [n, client] of clients.entries()) {
          if (n % 3 === 0) client.reset();
          else if (n % 3 === 1) client.destroy();
          else client.finish();
        }
      }
      // Their ports may come again.
      await until(() => arena.broker.gauges.connections === 2, "all of them have been seen off");
      const silent = await Promise.all(Array.from({ length: 100 }, () => arena.open()));
      for (const client of silent) {
        const { localPort } = client;
        assertEquals(await client.untilClosed(), []);
        assertEquals((await arena.closedAt(localPort)).cause, "exceeded timeout");
      }
      await until(() => arena.broker.gauges.connections === 2, "all but the canary are gone");
      // One that is reset before it is accepted is never seen.
      const opened = arena.events.filter((event) => event.kind === "opened").length;
      assertEquals(opened <= count + silent.length + 2, true);
    }),
);

everyWay(
  "B-38 TLS, HTTP and others that knock at a plain MQTT port are shown out at once",
  (enter) =>
    enter({}, async (arena) => {
      const http = (line: string): Uint8Array =>
        new TextEncoder().encode(`${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const clientHello = raw(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...new Uint8Array(64));
      const knocks: [string, Uint8Array, Attack["cause"]][] = [
        ["TLS", clientHello, "malformed packet"],
        ["GET", http("GET /mqtt"), "protocol error"],
        ["POST", http("POST /"), "protocol error"],
        ["SSH", new TextEncoder().encode("SSH-2.0-OpenSSH\r\n"), "protocol error"],
        ["PROXY", new TextEncoder().encode("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), "protocol error"],
        ["PROXY 2", raw(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10), "protocol error"],
      ];
      for (const [name, bytes, cause] of knocks) {
        await arena.attack(5, { name, bytes, isConnected: false, answers: [], cause });
      }
    }),
);

everyWay(
  "B-38 Connections beyond the limit are closed at once, and those within it live on",
  (enter) =>
    enter({ limits: { connectionsMax: 10 } }, async (arena) => {
      const inside = [];
      for (let i = 0; i < 8; i++) inside.push(await arena.connect());
      for (let i = 0; i < 20; i++) {
        const outside = await arena.open();
        const { localPort } = outside;
        assertEquals(await outside.untilClosed(), []);
        await until(() => arena.deniedAt(localPort) === 1, "the broker notes who was denied");
      }
      assertEquals(arena.broker.counters.connectsRefused, 20);
      for (const client of inside) assertEquals(await client.ping(), []);
      inside[0]!.leave();
      await until(() => arena.broker.gauges.connections === 9, "there is room again");
      const next = await arena.connect();
      next.leave();
    }),
);

everyWayAtOnce(
  "B-39 Silence ends a connection after one and a half times its Keep Alive, and only then",
  (enter) =>
    enter({}, async (arena) => {
      const clients = await Promise.all(
        VERSIONS.flatMap((version) =>
          [0, 1, 65_535].map(async (keepAlive) => ({
            version,
            keepAlive,
            client: await arena.connect(version, { keepAlive }),
          }))
        ),
      );
      const talker = await arena.connect(5, { keepAlive: 1 });
      const end = performance.now() + 2500;
      while (performance.now() < end) {
        await talker.ping();
        await sleep(200);
      }
      for (const { version, keepAlive, client } of clients) {
        if (keepAlive === 1) await client.untilClosed();
        assertEquals({ version, keepAlive, isClosed: client.isClosed }, {
          version,
          keepAlive,
          isClosed: keepAlive === 1,
        });
        client.leave();
      }
      talker.leave();
      assertEquals(arena.broker.counters.timeouts, VERSIONS.length);
    }),
);

everyWay(
  "B-39 A limit on Keep Alive is told to version 5 and refuses the others [MQTT-3.1.2-21]",
  (enter) =>
    enter({ limits: { keepAliveMax: 100 } }, async (arena) => {
      for (const keepAlive of [0, 101, 65_535]) {
        const told = await arena.open(5);
        const { properties, reasonCode } = await told.handshake({ keepAlive });
        assertEquals([reasonCode, properties.serverKeepAlive], [0, 100]);
        told.leave();
        for (const version of [3, 4] as const) {
          await arena.attack(version, {
            name: `keep alive ${keepAlive}`,
            bytes: connectPacket(version, { keepAlive }),
            isConnected: false,
            answers: ["connack 0x85"],
            cause: "client identifier not valid",
          });
        }
      }
      const content = await arena.open(5);
      const { properties } = await content.handshake({ keepAlive: 100, properties: NO_PROPERTIES });
      assertEquals(properties.serverKeepAlive, undefined);
      content.leave();
    }),
);
