// What somebody outside may put in the place of a client's message (B-44).

import { assertEquals } from "@std/assert";
import {
  type Answer,
  ASK_MESSAGE,
  OPEN_POLICY,
  type PublishDecision,
} from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import type { MessageContents } from "../../../src/core/session/message_contents.ts";
import { test } from "../../harness.ts";
import { bytesOf, publish, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const { IMPLEMENTATION_SPECIFIC_ERROR, NOT_AUTHORIZED, TOPIC_NAME_INVALID } = ReasonCode;
const OTHER: MessageContents = {
  topic: "other",
  payload: bytesOf("x"),
  qos: 0,
  retain: false,
  properties: {},
};

/** What comes of a message that is replaced: the code of its PUBACK, what is heard, who is asked. */
function replaced(message: MessageContents, again: PublishDecision = ReasonCode.SUCCESS): unknown {
  const asked: string[] = [];
  const broker = new VirtualBroker({
    limits: { messageSizeLimit: 10, retainAvailable: false },
    policy: {
      ...OPEN_POLICY,
      publish: (_client, topic, qos, retain) => {
        asked.push(`${topic} ${qos} ${retain}`);
        return asked.length === 1 ? ASK_MESSAGE : again;
      },
    },
  });
  const listener = broker.connect({ clientId: "listener" });
  listener.send(subscribe(1, [request("#")]));
  listener.take();
  const client = broker.connect();
  client.send(publish("a", { qos: 1, packetId: 1, payload: "a" }));
  const answer: Answer = { kind: "publish", reasonCode: ReasonCode.SUCCESS, message };
  broker.answer(answer);
  // As bytes, because a PUBACK is given one code that the standard does not have for it.
  const reasonCode = client.takeBytes()[4] ?? 0;
  return [reasonCode, listener.take(), asked.slice(1)];
}

test("replaceMessage() publishes what was put in the place of a message, under its own name", () => {
  assertEquals(replaced(OTHER), [0, [publish("other", { payload: "x" })], ["other 0 false"]]);
  // What goes where it went needs no other permission.
  assertEquals(replaced({ ...OTHER, topic: "a", qos: 1 }), [
    0,
    [publish("a", { payload: "x" })],
    [],
  ]);
  assertEquals(replaced({ ...OTHER, topic: "a", qos: 1, retain: true }), [
    0,
    [publish("a", { payload: "x" })],
    [],
  ]);
});

test("decideAgain() asks about a message that goes elsewhere, and is obeyed", () => {
  assertEquals(replaced(OTHER, NOT_AUTHORIZED), [NOT_AUTHORIZED, [], ["other 0 false"]]);
});

test("replaceMessage() takes nothing that no client could have sent", () => {
  const strange = (parts: Record<string, unknown>) => replaced({ ...OTHER, ...parts });
  const cases: readonly [Record<string, unknown>, ReasonCode][] = [
    [{ topic: "a/+" }, TOPIC_NAME_INVALID],
    [{ topic: "" }, TOPIC_NAME_INVALID],
    [{ topic: undefined }, TOPIC_NAME_INVALID],
    [{ topic: "$SYS/broker/uptime" }, NOT_AUTHORIZED],
    [{ topic: "$CONTROL/x" }, NOT_AUTHORIZED],
    [{ payload: "text" }, IMPLEMENTATION_SPECIFIC_ERROR],
    [{ qos: 3 }, IMPLEMENTATION_SPECIFIC_ERROR],
    [{ properties: null }, IMPLEMENTATION_SPECIFIC_ERROR],
    [{ payload: new Uint8Array(11) }, IMPLEMENTATION_SPECIFIC_ERROR],
  ];
  for (const [parts, reasonCode] of cases) assertEquals(strange(parts), [reasonCode, [], []]);
});
