/**
 * The table of properties against a second one, written down here by identifier: what each looks
 * like, and which packets may have it.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { MqttError } from "../../../src/core/codec/error.ts";
import {
  decodeProperties,
  encodeProperties,
  hasProperties,
  isProperty,
  NO_PROPERTIES,
  type Properties,
  type PropertyOwner,
  WILL,
} from "../../../src/core/codec/property.ts";
import { PacketType } from "../../../src/core/codec/protocol.ts";
import { Reader } from "../../../src/core/codec/reader.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import { fromHex, toHex } from "./fixture.ts";

/** One property each: its bytes, what they mean, and the packets that may have it (section 2.2.2.2). */
const SAMPLES: [string, Properties, PropertyOwner[]][] = [
  ["01 01", { payloadFormatIndicator: 1 }, [3, WILL]],
  ["02 00 00 00 05", { messageExpiryInterval: 5 }, [3, WILL]],
  ["03 00 01 61", { contentType: "a" }, [3, WILL]],
  ["08 00 01 61", { responseTopic: "a" }, [3, WILL]],
  ["09 00 01 00", { correlationData: new Uint8Array(1) }, [3, WILL]],
  ["0b 80 01", { subscriptionIds: [128] }, [3, 8]],
  ["11 ff ff ff ff", { sessionExpiryInterval: 4_294_967_295 }, [1, 2, 14]],
  ["12 00 01 61", { assignedClientId: "a" }, [2]],
  ["13 00 00", { serverKeepAlive: 0 }, [2]],
  ["15 00 01 61", { authenticationMethod: "a" }, [1, 2, 15]],
  ["16 00 00", { authenticationData: new Uint8Array(0) }, [1, 2, 15]],
  ["17 01", { requestProblemInformation: true }, [1]],
  ["18 00 00 00 00", { willDelayInterval: 0 }, [WILL]],
  ["19 00", { requestResponseInformation: false }, [1]],
  ["1a 00 01 61", { responseInformation: "a" }, [2]],
  ["1c 00 01 61", { serverReference: "a" }, [2, 14]],
  ["1f 00 01 61", { reasonString: "a" }, [2, 4, 5, 6, 7, 9, 11, 14, 15]],
  ["21 00 01", { receiveMaximum: 1 }, [1, 2]],
  ["22 ff ff", { topicAliasMaximum: 65_535 }, [1, 2]],
  ["23 00 01", { topicAlias: 1 }, [3]],
  ["24 00", { maximumQos: 0 }, [2]],
  ["25 01", { retainAvailable: true }, [2]],
  ["26 00 01 61 00 00", { userProperties: [["a", ""]] }, [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    14,
    15,
    WILL,
  ]],
  ["27 00 00 00 01", { maximumPacketSize: 1 }, [1, 2]],
  ["28 00", { wildcardSubscriptionAvailable: false }, [2]],
  ["29 01", { subscriptionIdsAvailable: true }, [2]],
  ["2a 01", { sharedSubscriptionAvailable: true }, [2]],
];

const OWNERS: PropertyOwner[] = [WILL, ...Object.values(PacketType)];

function decode(hex: string, owner: PropertyOwner): Properties {
  const content = fromHex(hex);
  const writer = new Writer(new Uint8Array(0));
  writer.varint(content.length);
  writer.raw(content, 0, content.length);
  return decodeProperties(new Reader(writer.bytes, 0, writer.length), owner);
}

function encode(properties: Properties, owner: PropertyOwner): string {
  const writer = new Writer(new Uint8Array(0));
  encodeProperties(writer, properties, owner);
  return toHex(writer.bytes.slice(0, writer.length));
}

function codeOf(hex: string, owner: PropertyOwner): number {
  return assertThrows(() => decode(hex, owner), MqttError).reasonCode;
}

for (const [hex, properties, owners] of SAMPLES) {
  const name = Object.keys(properties)[0]!;
  test(`decodeProperties() and encodeProperties() take "${name}" where it may be, and nowhere else`, () => {
    const length = fromHex(hex).length.toString(16).padStart(2, "0");
    for (const owner of OWNERS) {
      if (owners.includes(owner)) {
        assertEquals(decode(hex, owner), properties);
        assertEquals(encode(properties, owner), `${length} ${hex}`);
      } else {
        assertEquals(codeOf(hex, owner), ReasonCode.PROTOCOL_ERROR);
        assertThrows(() => encode(properties, owner), AssertionError);
      }
    }
  });
  if (name === "userProperties") continue;
  test(`decodeProperties() takes "${name}" once only, but for subscriptions of a PUBLISH`, () => {
    for (const owner of owners) {
      if (name === "subscriptionIds" && owner === PacketType.PUBLISH) {
        assertEquals(decode(`${hex} ${hex}`, owner), { subscriptionIds: [128, 128] });
      } else {
        assertEquals(codeOf(`${hex} ${hex}`, owner), ReasonCode.PROTOCOL_ERROR);
      }
    }
  });
}

test("isProperty() knows the twenty-seven and no others", () => {
  const known = SAMPLES.map(([hex]) => parseInt(hex, 16));
  for (let id = 0; id < 256; id++) assertEquals(isProperty(id), known.includes(id));
});

test("decodeProperties() takes any other identifier for malformed", () => {
  const known = SAMPLES.map(([hex]) => parseInt(hex, 16));
  for (let id = 0; id < 128; id++) {
    if (known.includes(id)) continue;
    assertEquals(codeOf(`${id.toString(16)} 00 00`, 1), ReasonCode.MALFORMED_PACKET);
  }
});

test("decodeProperties() shares one frozen object for no properties [MQTT-2.2.2-1]", () => {
  assertEquals(decode("", 1) === NO_PROPERTIES, true);
  assertEquals(Object.isFrozen(NO_PROPERTIES), true);
});

test("encodeProperties() keeps the order in which fields were set, and leaves out undefined ones", () => {
  const properties = { receiveMaximum: 1, topicAliasMaximum: 2, serverKeepAlive: 3 };
  assertEquals(encode(properties, 2), "09 21 00 01 22 00 02 13 00 03");
  const holey = { reasonString: undefined, userProperties: [] } as unknown as Properties;
  assertEquals(encode(holey, 2), "00");
});

test("encodeProperties() takes a field that no property has for a fault of ours", () => {
  assertThrows(() => encode({ colour: 1 } as Properties, 2), AssertionError);
});

test("hasProperties() tells whether anything would be written", () => {
  const undefinedOnly = { reasonString: undefined } as unknown as Properties;
  assertEquals(
    [NO_PROPERTIES, {}, undefinedOnly, { topicAlias: 1 }].map(hasProperties),
    [false, false, false, true],
  );
});

test("decodeProperties() reads 65,000 user properties in their order", () => {
  const pairs = Array.from({ length: 65_000 }, (_, i): [string, string] => ["k", `${i}`]);
  const writer = new Writer(new Uint8Array(0));
  encodeProperties(writer, { userProperties: pairs }, 3);
  assertEquals(decodeProperties(new Reader(writer.bytes, 0, writer.length), 3), {
    userProperties: pairs,
  });
});
