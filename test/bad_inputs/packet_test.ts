// Packets of a connected client that can be read and must not be obeyed: identifiers, filters,
// aliases, properties, strings and topics.

import { assertEquals } from "@std/assert";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { type Arena, type Attack, everyWay, IS_LONG } from "../support/arena.ts";
import {
  connectPacket,
  join,
  packet,
  type Part,
  properties,
  raw,
  text,
  u16,
  u32,
  varint,
  VERSIONS,
} from "../support/raw_packet.ts";
import { describe } from "../support/wire_client.ts";

type Ending = Pick<Attack, "answers" | "cause" | "isConnected">;

const MALFORMED: Ending = { answers: ["disconnect 0x81"], cause: "malformed packet" };
const PROTOCOL: Ending = { answers: ["disconnect 0x82"], cause: "protocol error" };
const ALIAS: Ending = { answers: ["disconnect 0x94"], cause: "topic alias invalid" };

function fine(...answers: string[]): Ending {
  return { answers, cause: "open" };
}

/** Bytes and what becomes of their sender; only version 5 is told why it has to go. */
type Row = readonly [name: string, bytes: Uint8Array, ending: Ending];

async function attackAll(
  arena: Arena,
  versions: readonly ProtocolVersion[],
  rowsOf: (version: ProtocolVersion) => readonly Row[],
): Promise<void> {
  for (const version of versions) {
    for (const [name, bytes, ending] of arena.some(rowsOf(version))) {
      const isTold = version === 5 || ending.cause === "open";
      const answers = isTold ? ending.answers ?? [] : [];
      await arena.attack(version, { name, bytes, ...ending, answers });
    }
  }
}

function publish(version: ProtocolVersion, topic: Part, ...parts: readonly Part[]): Uint8Array {
  return packet(0x30, topic, properties(version), ...parts);
}

function subscribe(version: ProtocolVersion, ...entries: readonly Part[]): Uint8Array {
  return packet(0x82, u16(7), properties(version), ...entries);
}

function unsubscribe(version: ProtocolVersion, ...filters: readonly Part[]): Uint8Array {
  return packet(0xa2, u16(7), properties(version), ...filters);
}

/** A version 5 PUBLISH with these properties. */
function publishWith(...parts: readonly Part[]): Uint8Array {
  return packet(0x30, "t", properties(5, ...parts), 0x6d);
}

everyWay(
  "B-12 A packet identifier of 0 is refused wherever one has to be [MQTT-2.2.1-3]",
  (enter) =>
    enter({}, (arena) =>
      attackAll(arena, VERSIONS, (version) => {
        const none = properties(version);
        return [
          ["PUBLISH 1", packet(0x32, "t", u16(0), none), PROTOCOL],
          ["PUBLISH 2", packet(0x34, "t", u16(0), none), PROTOCOL],
          ["SUBSCRIBE", packet(0x82, u16(0), none, "t", 0), MALFORMED],
          ["UNSUBSCRIBE", packet(0xa2, u16(0), none, "t"), MALFORMED],
          ["PUBACK", packet(0x40, u16(0)), PROTOCOL],
          ["PUBREC", packet(0x50, u16(0)), PROTOCOL],
          ["PUBREL", packet(0x62, u16(0)), PROTOCOL],
          ["PUBCOMP", packet(0x70, u16(0)), PROTOCOL],
        ];
      })),
);

everyWay(
  "B-12 Acknowledgements of what was never sent are answered as the standard says, or not",
  (enter) =>
    enter({}, async (arena) => {
      await attackAll(arena, VERSIONS, () => [
        ["PUBACK", packet(0x40, u16(77)), fine()],
        ["PUBREC", packet(0x50, u16(77)), fine("pubrel 77 0x00")],
        ["PUBREL", packet(0x62, u16(77)), fine("pubcomp 77 0x00")],
        ["PUBCOMP", packet(0x70, u16(77)), fine()],
      ]);
      await attackAll(arena, [5], () => [
        ["PUBREC that refuses", packet(0x50, u16(77), 0x97, 0), fine()],
        ["a code that is none", packet(0x40, u16(77), 0x01), PROTOCOL],
        ["a code of another packet", packet(0x62, u16(77), 0x97), PROTOCOL],
      ]);
    }),
);

everyWay(
  "B-12 An acknowledgement of another kind than its message's ends the connection",
  (enter) =>
    enter({}, async (arena) => {
      const publisher = await arena.connect(5);
      const kinds = [
        { qos: 1, firstByte: 0x50 },
        { qos: 1, firstByte: 0x70 },
        { qos: 2, firstByte: 0x40 },
        { qos: 2, firstByte: 0x70 },
      ] as const;
      for (const version of VERSIONS) {
        for (const { qos, firstByte } of kinds) {
          const client = await arena.connect(version);
          const { localPort } = client;
          await client.subscribe(["acked"], qos);
          publisher.publish("acked", "m", { qos, packetId: 1 });
          const message = await client.next("the message");
          const packetId = message.type === "publish" ? message.packetId : 0;
          client.send(packet(firstByte, u16(packetId)));
          const answers = (await client.untilClosed()).map(describe);
          const { cause } = await arena.closedAt(localPort);
          assertEquals({ version, qos, firstByte, answers, cause }, {
            version,
            qos,
            firstByte,
            answers: version === 5 ? ["disconnect 0x82"] : [],
            cause: "protocol error",
          });
          publisher.send(packet(0x62, u16(1)));
        }
      }
    }),
);

everyWay(
  "B-13 SUBSCRIBE and UNSUBSCRIBE without a filter, or with options that do not exist",
  (enter) =>
    enter({}, async (arena) => {
      await attackAll(arena, VERSIONS, (version): Row[] => {
        const is5 = version === 5;
        const rows: Row[] = [
          ["QoS 3", subscribe(version, "t", 3), MALFORMED],
          ["a filter without its QoS", subscribe(version, "t", 0, "u"), MALFORMED],
          ["an empty filter", subscribe(version, "", 0), MALFORMED],
          ["an empty filter to forget", unsubscribe(version, ""), MALFORMED],
          [
            "one that is wrong behind one that is right",
            subscribe(version, "t", 0, "a#", 0),
            MALFORMED,
          ],
        ];
        for (const bit of [0x40, 0x80]) {
          rows.push([`bit ${bit}`, subscribe(version, "t", bit), MALFORMED]);
        }
        for (const bit of [0x04, 0x08, 0x10, 0x20]) {
          const ending = is5 ? fine("suback 0x00") : MALFORMED;
          rows.push([`bit ${bit}`, subscribe(version, "t", bit), ending]);
        }
        rows.push(["retain handling 3", subscribe(version, "t", 0x30), MALFORMED]);
        if (version !== 3) {
          rows.push(["no filter", subscribe(version), MALFORMED]);
          rows.push(["no filter to forget", unsubscribe(version), MALFORMED]);
        }
        return rows;
      });
      // Version 3.1 does not say that there must be one.
      await attackAll(arena, [3], (version) => [["no filter", subscribe(version), fine("suback")]]);
    }),
);

everyWay(
  "B-13 Ten thousand filters in one packet are subscribed to and given up again",
  (enter) =>
    enter({}, async (arena) => {
      const count = arena.share(10_000);
      const names = Array.from({ length: count }, (_, n) => `f/${n}`);
      for (const version of VERSIONS) {
        const client = await arena.connect(version);
        client.send(
          join(packet(0x82, u16(1), properties(version), ...names.map((name) => [name, 1]))),
        );
        const granted = await client.next("the SUBACK");
        assertEquals(describe(granted), `suback ${Array(count).fill("0x01").join(" ")}`);
        assertEquals(arena.broker.gauges.subscriptions, count + 1);
        client.send(packet(0xa2, u16(2), properties(version), ...names));
        const removed = await client.next("the UNSUBACK");
        const codes = version === 5 ? ` ${Array(count).fill("0x00").join(" ")}` : "";
        assertEquals(describe(removed), `unsuback${codes}`);
        assertEquals(arena.broker.gauges.subscriptions, 1);
        client.leave();
      }
    }),
);

everyWay(
  "B-13 One filter twenty thousand times in one packet is owed its retained messages once",
  (enter) =>
    enter({}, async (arena) => {
      const retained = 200;
      const publisher = await arena.connect(5);
      for (let n = 0; n < retained; n++) {
        publisher.publish(`kept/${n}`, "m", { qos: 1, retain: true });
      }
      await publisher.ping();
      const count = arena.share(20_000);
      const client = await arena.connect(4);
      client.send(packet(0x82, u16(1), Array.from({ length: count }, () => ["#", 0])));
      const suback = await client.next("the SUBACK");
      assertEquals(describe(suback), `suback ${Array(count).fill("0x00").join(" ")}`);
      const topics = (await client.ping()).filter((each) =>
        each.type === "publish" && each.topic.startsWith("kept/")
      );
      assertEquals(topics.length, retained);
      for (let n = 0; n < retained; n++) {
        publisher.publish(`kept/${n}`, "", { qos: 1, retain: true });
      }
      await publisher.ping();
    }),
);

everyWay(
  "B-14 Topic aliases that are 0, too high, never set or set anew",
  (enter) =>
    enter({}, async (arena) => {
      const aliased = (topic: string, alias: number): Uint8Array =>
        packet(0x30, topic, properties(5, 0x23, u16(alias)), 0x6d);
      await attackAll(arena, [5], () => [
        ["alias 0", aliased("t", 0), ALIAS],
        ["alias 11 of 10", aliased("t", 11), ALIAS],
        ["alias 65535", aliased("t", 65_535), ALIAS],
        ["never set", aliased("", 3), PROTOCOL],
        ["neither topic nor alias", publish(5, ""), MALFORMED],
        ["a wildcard", aliased("a/#", 1), MALFORMED],
        ["set and used", join(aliased("t", 10), aliased("", 10)), fine()],
      ]);
      await attackAll(arena, [3, 4], (version) => [["no topic", publish(version, ""), MALFORMED]]);
      const client = await arena.connect(5);
      await client.subscribe(["one", "two"]);
      client.send(join(aliased("one", 1), aliased("", 1), aliased("two", 1), aliased("", 1)));
      assertEquals((await client.ping()).map(describe), [
        "publish one m",
        "publish one m",
        "publish two m",
        "publish two m",
      ]);
      client.leave();
    }),
);

everyWay(
  "B-16 Lengths of properties that lead out of the packet are malformed",
  (enter) =>
    enter({}, async (arena) => {
      await attackAll(arena, [5], () => [
        ["PUBLISH, past the end", packet(0x30, "t", 50, 0x01, 0), MALFORMED],
        ["PUBLISH, five bytes", packet(0x30, "t", 0xff, 0xff, 0xff, 0xff, 0x7f), MALFORMED],
        ["PUBLISH, two bytes for 0", packet(0x30, "t", 0x80, 0), MALFORMED],
        ["PUBLISH, into a property", publishWith(0x02, 0), MALFORMED],
        ["PUBLISH, into a string", publishWith(0x03, u16(9), 0x6d), MALFORMED],
        ["PUBLISH, a key without its value", publishWith(0x26, "k"), MALFORMED],
        ["SUBSCRIBE, past the end", packet(0x82, u16(1), 99, "t", 0), MALFORMED],
        [
          "SUBSCRIBE, five bytes of an identifier",
          packet(
            0x82,
            u16(1),
            properties(5, 0x0b, 0xff, 0xff, 0xff, 0xff, 0x01),
            "t",
            0,
          ),
          MALFORMED,
        ],
        ["SUBSCRIBE, that swallow the filter", packet(0x82, u16(1), 4, "t", 0), MALFORMED],
        ["PUBACK, past the end", packet(0x40, u16(1), 0, 9), MALFORMED],
        ["DISCONNECT, past the end", packet(0xe0, 0, 5, 0x11), MALFORMED],
        ["AUTH, past the end", packet(0xf0, 0x18, 5, 0x15), MALFORMED],
      ]);
      for (
        const [name, length] of [["past the end", [0x7f]], ["five bytes", [
          255,
          255,
          255,
          255,
          1,
        ]]] as const
      ) {
        await arena.attack(5, {
          name: `CONNECT, ${name}`,
          bytes: packet(0x10, "MQTT", 5, 2, u16(0), ...length, "raw"),
          isConnected: false,
          answers: ["connack 0x81"],
          cause: "malformed packet",
        });
      }
    }),
);

everyWay(
  "B-17 Properties that are unknown, misplaced, repeated or of a wrong value",
  (enter) =>
    enter({}, async (arena) => {
      await attackAll(arena, [5], () => [
        ["unknown", publishWith(0x7e, 0), MALFORMED],
        ["unknown in SUBSCRIBE", packet(0x82, u16(1), properties(5, 0x04, 0), "t", 0), MALFORMED],
        ["of CONNECT in PUBLISH", publishWith(0x11, u32(1)), PROTOCOL],
        ["of PUBLISH in SUBSCRIBE", packet(0x82, u16(1), properties(5, 0x01, 1), "t", 0), PROTOCOL],
        ["of CONNACK in DISCONNECT", packet(0xe0, 0, properties(5, 0x12, "x")), PROTOCOL],
        ["twice", publishWith(0x02, u32(1), 0x02, u32(1)), PROTOCOL],
        ["an alias twice", publishWith(0x23, u16(1), 0x23, u16(1)), PROTOCOL],
        ["a payload format of 2", publishWith(0x01, 2), PROTOCOL],
        ["a string that is none", publishWith(0x03, text([0xc3, 0x28])), MALFORMED],
        ["a key with a NUL", publishWith(0x26, text([0]), "v"), MALFORMED],
        [
          "two subscription identifiers",
          packet(
            0x82,
            u16(1),
            properties(5, 0x0b, 1, 0x0b, 2),
            "t",
            0,
          ),
          PROTOCOL,
        ],
      ]);
      const inConnect: [string, Part[], string, Attack["cause"]][] = [
        ["receive maximum 0", [0x21, u16(0)], "0x82", "protocol error"],
        ["packet size 0", [0x27, u32(0)], "0x82", "protocol error"],
        ["a flag of 2", [0x17, 2], "0x82", "protocol error"],
        ["twice", [0x11, u32(0), 0x11, u32(0)], "0x82", "protocol error"],
        ["of PUBLISH", [0x01, 1], "0x82", "protocol error"],
        ["unknown", [0x7f, 1], "0x81", "malformed packet"],
        ["data without a method", [0x16, "x"], "0x82", "protocol error"],
        ["a method nobody knows", [0x15, "GUESS"], "0x8c", "bad authentication method"],
      ];
      for (const [name, parts, code, cause] of inConnect) {
        const bytes = connectPacket(5, { properties: parts });
        await arena.attack(5, {
          name,
          bytes,
          isConnected: false,
          answers: [`connack ${code}`],
          cause,
        });
      }
    }),
);

everyWay(
  "B-18 User properties by the thousand and by the megabyte are passed on, and more refused",
  (enter) =>
    enter({}, async (arena) => {
      const client = await arena.connect(5);
      await client.subscribe(["t"]);
      const many = raw(0x26, u16(0), u16(0));
      const count = IS_LONG ? 390_000 : 65_000;
      const crowd = new Uint8Array(many.length * count);
      for (let at = 0; at < crowd.length; at += many.length) crowd.set(many, at);
      const large = join(
        raw(0x26),
        text(new Uint8Array(65_535).fill(0x6b)),
        text(new Uint8Array(65_535).fill(0x76)),
      );
      const giant = join(...Array.from({ length: 15 }, () => large));
      for (const block of [crowd, large, giant]) {
        const body = join(raw("t"), varint(block.length), block);
        client.send(join(raw(0x30), varint(body.length), body));
        const got = await client.next("the message");
        const length = got.type === "publish" ? got.properties.userProperties?.length : -1;
        assertEquals(length, block === crowd ? count : block === large ? 1 : 15);
      }
      client.leave();
      const tooLarge = join(giant, large);
      const body = join(raw("t"), varint(tooLarge.length), tooLarge);
      await arena.attack(5, {
        name: "above the limit of a packet",
        bytes: join(raw(0x30), varint(body.length), body),
        answers: ["disconnect 0x95"],
        cause: "oversize packet",
      });
    }),
);

everyWay(
  "B-19 Wrong properties of a Will are refused and leave nothing to be published",
  (enter) =>
    enter({}, async (arena) => {
      const witness = await arena.connect(5);
      await witness.subscribe(["will"]);
      const table: [string, Part[], string, Attack["cause"]][] = [
        ["past the end", [0x7f, 0x18], "0x81", "malformed packet"],
        ["unknown", [2, 0x7f, 1], "0x81", "malformed packet"],
        ["of CONNECT", [5, 0x11, u32(9)], "0x82", "protocol error"],
        ["twice", [10, 0x18, u32(9), 0x18, u32(9)], "0x82", "protocol error"],
        ["a format of 7", [2, 0x01, 7], "0x82", "protocol error"],
        ["a response topic with a wildcard", [6, 0x08, "a/#"], "0x82", "protocol error"],
        ["a delay of two bytes", [3, 0x18, 0, 1], "0x81", "malformed packet"],
      ];
      for (const [name, parts, code, cause] of table) {
        const bytes = connectPacket(5, { flags: 0x06, payload: ["raw", ...parts, "will", "m"] });
        await arena.attack(5, {
          name,
          bytes,
          isConnected: false,
          answers: [`connack ${code}`],
          cause,
        });
        // And once more by somebody who does not wait for the answer.
        const rude = await arena.open(5);
        rude.send(bytes);
        rude.reset();
      }
      assertEquals(await witness.ping(), []);
    }),
);

everyWay(
  "B-23 Subscription identifiers, formats, response topics and expiries at their edges",
  (enter) =>
    enter({}, async (arena) => {
      const withId = (...id: number[]): Uint8Array =>
        packet(0x82, u16(7), properties(5, 0x0b, ...id), "t", 0);
      await attackAll(arena, [5], () => [
        ["identifier 0", withId(0), PROTOCOL],
        ["identifier above the largest", withId(0x80, 0x80, 0x80, 0x80, 0x01), MALFORMED],
        ["the largest identifier", withId(0xff, 0xff, 0xff, 0x7f), fine("suback 0x00")],
        ["an identifier in PUBLISH", publishWith(0x0b, 1), PROTOCOL],
        ["a response topic with #", publishWith(0x08, "a/#"), PROTOCOL],
        ["a response topic with +", publishWith(0x08, "+"), PROTOCOL],
        ["no response topic", publishWith(0x08, ""), PROTOCOL],
        [
          "a payload that is not the text it says",
          join(packet(0x30, "t", properties(5, 1, 1), 0xff)),
          fine(),
        ],
      ]);
      const client = await arena.connect(5);
      for (const [filter, id] of [["x/#", 1], ["x/+", 2], ["x/y", 268_435_455]] as const) {
        client.send(packet(0x82, u16(id & 7 || 8), properties(5, 0x0b, varint(id)), filter, 0));
        await client.next("the SUBACK");
      }
      client.send(packet(0x30, "x/y", properties(5, 0x02, u32(0xffff_ffff)), 0x6d));
      const ids = (await client.ping()).map((each) =>
        each.type === "publish" ? each.properties.subscriptionIds : []
      );
      // One copy per subscription, each with its own.
      assertEquals(ids.flat().toSorted((a, b) => a! - b!), [1, 2, 268_435_455]);
      client.leave();
    }),
);

everyWay(
  "B-24 AUTH from whoever did not ask to be authenticated so",
  (enter) =>
    enter({}, async (arena) => {
      const auth = (code: number, ...parts: Part[]): Uint8Array =>
        packet(0xf0, code, properties(5, ...parts));
      const large = text(new Uint8Array(65_535));
      await attackAll(arena, [5], () => [
        ["without a method", auth(0x18), PROTOCOL],
        ["nothing at all", packet(0xf0), PROTOCOL],
        ["again without a method", auth(0x19), PROTOCOL],
        ["a method out of the blue", auth(0x19, 0x15, "PLAIN"), PROTOCOL],
        ["a code that is none", auth(0x17, 0x15, "PLAIN"), PROTOCOL],
        ["64 KB of data", auth(0x18, 0x15, "PLAIN", 0x16, large), PROTOCOL],
        ["data without a method", auth(0x18, 0x16, "x"), PROTOCOL],
        ["a flood", join(...Array.from({ length: 1000 }, () => auth(0x18, 0x15, "x"))), PROTOCOL],
      ]);
      for (
        const [name, bytes, cause] of [
          ["first of all", auth(0x18, 0x15, "PLAIN"), "protocol error"],
          ["first of all, empty", packet(0xf0), "protocol error"],
        ] as const
      ) {
        await arena.attack(5, { name, bytes, isConnected: false, answers: [], cause });
      }
      await attackAll(arena, [3, 4], () => [["in an older version", packet(0xf0), PROTOCOL]]);
    }),
);
