// Messages as objects for the outside, and what may come back from there.

import { assertEquals } from "@std/assert";
import type { Properties } from "../../../src/core/codec/property.ts";
import { makeMessage } from "../../../src/core/session/make_message.ts";
import {
  contentsOf,
  isMessageContents,
  type MessageContents,
} from "../../../src/core/session/message_contents.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

const PROPERTIES: Properties = {
  payloadFormatIndicator: 1,
  contentType: "t",
  responseTopic: "answer",
  correlationData: new Uint8Array([0, 255]),
  userProperties: [["b", "1"], ["a", "é"]],
};

const CONTENTS: MessageContents = {
  topic: "a/b",
  payload: bytesOf("x"),
  qos: 1,
  retain: true,
  properties: PROPERTIES,
};

test("contentsOf() gives back what a message was made of", () => {
  for (const properties of [PROPERTIES, {}]) {
    const message = makeMessage({ ...CONTENTS, properties, publisherId: "me" });
    assertEquals(contentsOf(message, 0), { ...CONTENTS, properties });
  }
});

test("contentsOf() says how long a message has left, and gives bytes that are its taker's", () => {
  const message = makeMessage({ ...CONTENTS, properties: {}, publisherId: "me" });
  message.expiresAt = 61_000;
  const contents = contentsOf(message, 1500);
  assertEquals(contents.properties, { messageExpiryInterval: 60 });
  contents.payload.fill(0);
  assertEquals(contentsOf(message, 99_000), {
    ...CONTENTS,
    properties: { messageExpiryInterval: 0 },
  });
});

test("isMessageContents() takes what can be written, and nothing else", () => {
  const withProperties = (properties: unknown) => ({ ...CONTENTS, properties });
  const long = "x".repeat(65_536);
  const good = [
    CONTENTS,
    withProperties({}),
    withProperties({ messageExpiryInterval: 0xffff_ffff }),
  ];
  const bad = [
    { ...CONTENTS, payload: "x" },
    { ...CONTENTS, qos: 3 },
    { ...CONTENTS, qos: "1" },
    { ...CONTENTS, retain: 1 },
    withProperties(null),
    withProperties("x"),
    withProperties({ payloadFormatIndicator: 2 }),
    withProperties({ messageExpiryInterval: -1 }),
    withProperties({ messageExpiryInterval: 1.5 }),
    withProperties({ messageExpiryInterval: 2 ** 32 }),
    withProperties({ contentType: "\ud800" }),
    withProperties({ contentType: "\0" }),
    withProperties({ contentType: long }),
    withProperties({ contentType: 1 }),
    withProperties({ responseTopic: "" }),
    withProperties({ responseTopic: "a/+" }),
    withProperties({ responseTopic: "#" }),
    withProperties({ correlationData: "x" }),
    withProperties({ correlationData: new Uint8Array(65_536) }),
    withProperties({ userProperties: {} }),
    withProperties({ userProperties: ["ab"] }),
    withProperties({ userProperties: [["a"]] }),
    withProperties({ userProperties: [["a", "\ud800"]] }),
  ];
  const judge = (contents: unknown) => isMessageContents(contents as MessageContents);
  assertEquals(good.map(judge), good.map(() => true));
  assertEquals(bad.map(judge), bad.map(() => false));
});
