// Messages as JSON, by %j and %J.

import { assertEquals } from "@std/assert";
import { strftime } from "../../../src/telemetry/strftime.ts";
import { test } from "../../harness.ts";
import { bytesOf, publish } from "../../support/packets.ts";
import { ARRIVED_AT, print, printText } from "../../support/printed.ts";

const TIME = `2026-01-05T07:08:09.123456${strftime("%z", ARRIVED_AT)}`;

const RICH = publish("a/é", {
  payload: '{"x": [1, 2.50]}',
  qos: 2,
  packetId: 300,
  retain: true,
  properties: {
    subscriptionIds: [7, 9],
    contentType: 'text/"x"',
    userProperties: [["k", "v"], ["k", ""]],
    payloadFormatIndicator: 1,
    messageExpiryInterval: 70_000,
    responseTopic: "answers",
    correlationData: bytesOf("id\0rest"),
    topicAlias: 3,
  },
});

test("appendMessageJson() writes what a plain message has", () => {
  assertEquals(
    printText(publish("a", { payload: "hello" }), { format: "%j" }),
    `{"tst":"${TIME}","topic":"a","qos":0,"retain":false,"payloadlen":5,"payload":"hello"}`,
  );
});

test("appendMessageJson() writes properties in their order, by the names of the standard", () => {
  assertEquals(
    printText(RICH, { format: "%J" }),
    `{"tst":"${TIME}","topic":"a/é","qos":2,"retain":true,"payloadlen":16,"mid":300,` +
      `"properties":{"subscription-identifier":7,"subscription-identifier":9,` +
      `"content-type":"text/\\"x\\"","user-properties":[{"k":"v"},{"k":""}],` +
      `"payload-format-indicator":1,"message-expiry-interval":70000,"response-topic":"answers",` +
      `"correlation-data":"id","topic-alias":3},"payload":{"x":[1,2.5]}}`,
  );
});

test("appendMessageJson() indents", () => {
  const packet = publish("a", {
    payload: '{"x":{}}',
    properties: { userProperties: [["k", "v"]] },
  });
  assertEquals(
    printText(packet, { format: "%J", isPretty: true }),
    `{\n\t"tst":\t"${TIME}",\n\t"topic":\t"a",\n\t"qos":\t0,\n\t"retain":\tfalse,\n` +
      `\t"payloadlen":\t8,\n\t"properties":\t{\n\t\t"user-properties":\t[{\n\t\t\t\t"k":\t"v"\n` +
      `\t\t\t}]\n\t},\n\t"payload":\t{\n\t\t"x":\t{\n\t\t}\n\t}\n}`,
  );
});

test("appendMessageJson() ends a payload of text at its first NUL, and null stands for none", () => {
  const payloadOf = (payload: string | Uint8Array, format: string) => {
    const { bytes } = print(publish("a", { payload }), { format });
    return new TextDecoder("latin1").decode(bytes).split('"payload":')[1];
  };
  assertEquals(payloadOf("ab\0cd", "%j"), '"ab"}');
  assertEquals(payloadOf("", "%j"), "null}");
  assertEquals(payloadOf("", "%J"), "null}");
  assertEquals(
    payloadOf(Uint8Array.of(1, 0x22, 0x5c, 0xff, 0xc3, 0x28, 10), "%j"),
    '"\\u0001\\"\\\\\xff\xc3(\\n"}',
  );
});

test("appendMessageJson() prints nothing of a payload that is not JSON, and says so", () => {
  assertEquals(print(publish("a/b", { payload: "hello" }), { format: "<%J>", endsLines: true }), {
    bytes: bytesOf("<>\n"),
    warnings: ["Error: Message payload is not valid JSON on topic a/b."],
  });
});
