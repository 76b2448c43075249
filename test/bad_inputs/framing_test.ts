// Lengths, flags and types that are wrong, before a CONNECT and after it.

import { assertEquals } from "@std/assert";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { type Arena, type Attack, everyWay, residentMegabytes } from "../support/arena.ts";
import {
  connectPacket,
  join,
  packet,
  properties,
  raw,
  u16,
  VERSIONS,
} from "../support/raw_packet.ts";
import { WireClient } from "../support/wire_client.ts";

const MALFORMED = { answers: ["disconnect 0x81"], cause: "malformed packet" } as const;
const PROTOCOL = { answers: ["disconnect 0x82"], cause: "protocol error" } as const;
const SILENT = { isConnected: false, answers: [] } as const;

/** Only version 5 is told why. */
function lowered(version: ProtocolVersion, attack: Attack): Attack {
  return version === 5 || attack.isConnected === false ? attack : { ...attack, answers: [] };
}

async function attackAll(
  arena: Arena,
  attacksOf: (version: ProtocolVersion) => readonly Attack[],
): Promise<void> {
  for (const version of VERSIONS) {
    for (const attack of arena.some(attacksOf(version))) {
      await arena.attack(version, lowered(version, attack));
    }
  }
}

everyWay(
  "B-01 A length that is too long, too wide or not held to is refused from its header",
  (enter) =>
    enter({}, (arena) =>
      attackAll(arena, () => [
        { name: "five bytes", bytes: raw(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f), ...MALFORMED },
        { name: "two bytes for 0", bytes: raw(0xc0, 0x80, 0x00), ...MALFORMED },
        { name: "four bytes for 1", bytes: raw(0x30, 0x81, 0x80, 0x80, 0x00), ...MALFORMED },
        {
          name: "the largest, and one byte",
          bytes: raw(0x30, 0xff, 0xff, 0xff, 0x7f, 0x00),
          answers: ["disconnect 0x95"],
          cause: "oversize packet",
        },
        {
          name: "five bytes at first",
          bytes: raw(0x10, 0xff, 0xff, 0xff, 0xff, 0x7f),
          ...SILENT,
          cause: "malformed packet",
        },
        {
          name: "two bytes for 0 at first",
          bytes: raw(0x10, 0x80, 0x00),
          ...SILENT,
          cause: "malformed packet",
        },
        {
          name: "the largest at first",
          bytes: raw(0x10, 0xff, 0xff, 0xff, 0x7f, 0x00),
          ...SILENT,
          cause: "oversize packet",
        },
      ])),
);

/** Bodies that are whole, and how many of their first bytes are whole as well, by version. */
interface Body {
  readonly name: string;
  readonly firstByte: number;
  readonly body: Uint8Array;
  readonly wholeAt: readonly number[];
}

function bodies(version: ProtocolVersion): Body[] {
  const is5 = version === 5;
  const none = properties(version);
  const ack = is5 ? raw(0, 9, 0, 0) : raw(0, 9);
  const wholeAcks = is5 ? [2, 3, 4] : [2];
  const found: Body[] = [
    // What follows the properties is the payload, which may have any length.
    { name: "PUBLISH", firstByte: 0x32, body: raw("t", u16(9), none), wholeAt: [is5 ? 6 : 5] },
    { name: "PUBACK", firstByte: 0x40, body: ack, wholeAt: wholeAcks },
    { name: "PUBREC", firstByte: 0x50, body: ack, wholeAt: wholeAcks },
    { name: "PUBREL", firstByte: 0x62, body: ack, wholeAt: wholeAcks },
    { name: "PUBCOMP", firstByte: 0x70, body: ack, wholeAt: wholeAcks },
    // Version 3.1 does not ask for a filter.
    {
      name: "SUBSCRIBE",
      firstByte: 0x82,
      body: raw(u16(9), none, "t", 0),
      wholeAt: version === 3 ? [2, 6] : [is5 ? 7 : 6],
    },
    {
      name: "UNSUBSCRIBE",
      firstByte: 0xa2,
      body: raw(u16(9), none, "t"),
      wholeAt: version === 3 ? [2, 5] : [is5 ? 6 : 5],
    },
    { name: "PINGREQ", firstByte: 0xc0, body: raw(), wholeAt: [0] },
    {
      name: "DISCONNECT",
      firstByte: 0xe0,
      body: is5 ? raw(0, 0) : raw(),
      wholeAt: is5 ? [0, 1, 2] : [0],
    },
  ];
  return found;
}

everyWay(
  "B-02 A body that is shorter or longer than its fields is malformed, for every type",
  (enter) =>
    enter({}, (arena) =>
      attackAll(arena, (version) => {
        const attacks: Attack[] = [];
        for (const { name, firstByte, body, wholeAt } of bodies(version)) {
          for (let length = 0; length < body.length; length++) {
            if (wholeAt.includes(length)) continue;
            const bytes = packet(firstByte, body.subarray(0, length));
            attacks.push({ name: `${name}, ${length} bytes of it`, bytes, ...MALFORMED });
          }
          if (name === "PUBLISH") continue;
          attacks.push({
            name: `${name} and more`,
            bytes: packet(firstByte, body, 0),
            ...MALFORMED,
          });
        }
        return attacks;
      })),
);

everyWay(
  "B-02 A CONNECT that is shorter or longer than its fields is refused, told or not",
  (enter) =>
    enter({}, (arena) =>
      attackAll(arena, (version) => {
        const whole = connectPacket(version).subarray(2);
        const attacks: Attack[] = [];
        for (let length = 0; length < whole.length; length++) {
          attacks.push({
            name: `${length} bytes`,
            bytes: packet(0x10, whole.subarray(0, length)),
            isConnected: false,
            // From the properties on it is known to whom the answer goes.
            answers: version === 5 && length >= 10 ? ["connack 0x81"] : [],
            cause: "malformed packet",
          });
        }
        attacks.push({
          name: "more",
          bytes: packet(0x10, whole, 0),
          isConnected: false,
          answers: version === 5 ? ["connack 0x81"] : [],
          cause: "malformed packet",
        });
        return attacks;
      })),
);

everyWay(
  "B-04 Packets that no client may send are refused, before CONNECT and after it",
  (enter) =>
    enter({}, (arena) =>
      attackAll(arena, (version) => {
        const is5 = version === 5;
        const code = is5 ? raw(0, 0) : raw();
        const forbidden: [string, Uint8Array][] = [
          ["type 0", packet(0x00)],
          ["CONNACK", packet(0x20, 0, 0, properties(version))],
          ["SUBACK", packet(0x90, u16(1), properties(version), 0)],
          ["UNSUBACK", packet(0xb0, u16(1), is5 ? code : raw())],
          ["PINGRESP", packet(0xd0)],
        ];
        if (!is5) forbidden.push(["type 15", packet(0xf0)]);
        return [
          ...forbidden.map(([name, bytes]): Attack => ({ name, bytes, ...PROTOCOL })),
          ...forbidden.map(([name, bytes]): Attack => ({
            name: `${name} at first`,
            bytes,
            ...SILENT,
            cause: "protocol error",
          })),
        ];
      })),
);

everyWay(
  "B-05 Flags that the type does not have are malformed, and so are QoS 3 and DUP with QoS 0",
  (enter) =>
    enter({}, (arena) =>
      attackAll(arena, (version) => {
        const attacks: Attack[] = [
          { name: "QoS 3", bytes: packet(0x36, "t", u16(9), properties(version)), ...MALFORMED },
          { name: "DUP, QoS 0", bytes: packet(0x38, "t", properties(version)), ...MALFORMED },
        ];
        for (const { name, firstByte, body } of bodies(version)) {
          if (name === "PUBLISH") continue;
          for (let flags = 0; flags < 16; flags++) {
            if (flags === (firstByte & 15) || isDuplicate(version, name, flags)) continue;
            const bytes = packet(firstByte & 0xf0 | flags, body);
            attacks.push({ name: `${name} with ${flags}`, bytes, ...MALFORMED });
          }
        }
        if (version !== 3) {
          for (let flags = 1; flags < 16; flags++) {
            attacks.push({
              name: `CONNECT with ${flags}`,
              bytes: connectPacket(version, { firstByte: 0x10 | flags }),
              ...SILENT,
              cause: "malformed packet",
            });
          }
        }
        return attacks;
      })),
);

/** In version 3.1 a PUBREL may say that it is sent again. */
function isDuplicate(version: ProtocolVersion, name: string, flags: number): boolean {
  return version === 3 && name === "PUBREL" && flags === 10;
}

everyWay(
  "B-06 A first packet that is not CONNECT with 256 MB announced is refused from its header",
  (enter) =>
    enter({}, async (arena) => {
      const before = residentMegabytes();
      for (const type of [0x00, 0x20, 0x30, 0x3d, 0x82, 0xc0, 0xe0, 0xf0]) {
        const bytes = raw(type, 0xff, 0xff, 0xff, 0x7f);
        const name = `first byte ${type}`;
        await arena.attack(5, { name, bytes, ...SILENT, cause: "protocol error" });
      }
      const grown = residentMegabytes() - before;
      assertEquals(grown < 128 ? "little" : `${grown} MB`, "little");
    }),
);

everyWay(
  "B-08 A CONNECT of 200 MB is refused from its header, whatever follows",
  (enter) =>
    enter({}, async (arena) => {
      const before = residentMegabytes();
      const header = raw(0x10, 0x80, 0x84, 0xaf, 0x5f);
      await arena.attack(5, {
        name: "its header",
        bytes: header,
        ...SILENT,
        cause: "oversize packet",
      });
      const bytes = join(header, new Uint8Array(8 * 1_048_576));
      await arena.attack(5, { name: "and much of it", bytes, ...SILENT, cause: "oversize packet" });
      const grown = residentMegabytes() - before;
      assertEquals(grown < 128 ? "little" : `${grown} MB`, "little");
    }),
);

everyWay(
  "B-08 A CONNECT up to its limit is read, and one byte above it is not",
  (enter) =>
    enter({ limits: { requestPacketBytesMax: 1000 } }, async (arena) => {
      const connectOf = (bytes: number): Uint8Array =>
        connectPacket(4, { payload: ["x".repeat(bytes - 12)] });
      await arena.attack(4, {
        name: "at the limit",
        bytes: connectOf(1000),
        isConnected: false,
        answers: ["connack 0x00"],
        cause: "open",
      });
      await arena.attack(4, {
        name: "above it",
        bytes: connectOf(1001),
        ...SILENT,
        cause: "oversize packet",
      });
    }),
);

everyWay(
  "B-09 A second CONNECT ends the connection, and nothing after a DISCONNECT is looked at",
  (enter) =>
    enter({}, (arena) =>
      attackAll(arena, (version) => [
        // No DISCONNECT is sent here, in any version.
        { name: "CONNECT", bytes: connectPacket(version), answers: [], cause: "protocol error" },
      ]).then(async () => {
        for (const version of VERSIONS) {
          const publish = packet(0x30, "after", properties(version));
          for (const rest of [connectPacket(version), publish, raw(0xff, 0xff, 0xff, 0xff, 0xff)]) {
            const { publishReceived } = arena.broker.counters;
            const witness = await arena.connect(version);
            await witness.subscribe(["after"]);
            const client = await arena.connect(version);
            const { localPort } = client;
            client.send(join(raw(0xe0, 0), rest));
            assertEquals(await client.untilClosed(), []);
            assertEquals((await arena.closedAt(localPort)).cause, "client disconnected");
            assertEquals(await witness.ping(), []);
            assertEquals(arena.broker.counters.publishReceived >= publishReceived, true);
            witness.leave();
          }
        }
      })),
);

everyWay(
  "B-15 Ten thousand packets in one segment, and one packet in thousands of segments",
  (enter) =>
    enter({}, async (arena) => {
      for (const version of VERSIONS) {
        const client = await arena.connect(version);
        const count = arena.share(10_000);
        client.send(join(...Array.from({ length: count }, () => raw(0xc0, 0))));
        assertEquals(await answersOf(client, count), Array(count).fill("pingresp"));

        await client.subscribe(["big"]);
        const payload = "x".repeat(3000);
        const bytes = packet(0x30, "big", properties(version), new TextEncoder().encode(payload));
        for (const byte of bytes) {
          client.send(Uint8Array.of(byte));
          // The socket sends what was written in one turn in one segment.
          await new Promise((resolve) => setImmediate(resolve));
        }
        const got = await client.next("the message");
        assertEquals(got.type === "publish" ? got.payload.length : got.type, payload.length);
        client.leave();
      }
    }),
);

async function answersOf(client: WireClient, count: number): Promise<string[]> {
  const types: string[] = [];
  while (types.length < count) types.push((await client.next("an answer")).type);
  return types;
}
