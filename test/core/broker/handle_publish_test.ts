// What a PUBLISH asks of the outside, what it reports, and what it notes for the store.

import { assertEquals } from "@std/assert";
import { ASK, ASK_MESSAGE, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import {
  ack,
  bytesOf,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
} from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const ASKING: Policy = {
  ...OPEN_POLICY,
  publish: (_client, topic) => topic.startsWith("asked") ? ASK : ReasonCode.SUCCESS,
};

const { NOT_AUTHORIZED, SUCCESS } = ReasonCode;

function asking(
  options = {},
): { broker: VirtualBroker; client: VirtualClient; heard: VirtualClient } {
  const broker = new VirtualBroker({ policy: ASKING, ...options });
  const heard = broker.connect({ clientId: "heard" });
  heard.send(subscribe(1, [request("#", { qos: 2 })]));
  heard.take();
  const properties = { sessionExpiryInterval: 60 };
  return { broker, heard, client: broker.connect({ cleanStart: false, properties }) };
}

test("handlePublish() asks, and the client's next packets wait behind the message", () => {
  for (const qos of [0, 1, 2] as const) {
    const { broker, client, heard } = asking();
    const packetId = qos === 0 ? 0 : 5;
    const properties = { contentType: "t", messageExpiryInterval: 60 };
    client.send(publish("asked/1", { qos, packetId, payload: "x", retain: true, properties }));
    client.send(publish("free", { payload: "y" }));
    assertEquals([client.isPaused, client.take(), heard.take()], [true, [], []]);
    const [question] = broker.questions;
    assertEquals(
      question?.kind === "publish" &&
        [question.client.clientId, question.topic, question.qos, question.retain],
      ["client", "asked/1", qos, true],
    );
    // Meanwhile the message waits here, and its interval runs.
    broker.advance(10_000);
    broker.answer({ kind: "publish", reasonCode: SUCCESS });
    const answers = [[], [ack("puback", 5)], [ack("pubrec", 5)]];
    assertEquals(client.take(), answers[qos]!);
    assertEquals(heard.take(), [
      publish("asked/1", {
        qos,
        packetId: qos === 0 ? 0 : 1,
        payload: "x",
        properties: { contentType: "t", messageExpiryInterval: 50 },
      }),
      publish("free", { payload: "y" }),
    ]);
    assertEquals([client.isPaused, broker.core.retainedCount], [false, 1]);
  }
});

test("handlePublish() answers as it was answered", () => {
  const { broker, client, heard } = asking();
  client.send(
    publish("asked", { qos: 1, packetId: 1, retain: true, payload: "x" }),
    publish("asked", { qos: 2, packetId: 2, payload: "y" }),
    publish("asked", { payload: "z" }),
  );
  for (let i = 0; i < 3; i++) broker.answer({ kind: "publish", reasonCode: NOT_AUTHORIZED });
  assertEquals(client.take(), [
    ack("puback", 1, NOT_AUTHORIZED),
    ack("pubrec", 2, NOT_AUTHORIZED),
  ]);
  assertEquals([heard.take(), broker.core.retainedCount, client.isPaused], [[], 0, false]);
});

test("handlePublish() says that a message was for nobody also when it had to ask", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.connect();
  client.send(publish("asked", { qos: 1, packetId: 1 }));
  broker.answer({ kind: "publish", reasonCode: SUCCESS });
  assertEquals(client.take(), [ack("puback", 1, ReasonCode.NO_MATCHING_SUBSCRIBERS)]);
});

test("A message whose answer comes too late was not received, and may be sent again [MQTT-4.3.3-10]", () => {
  for (const qos of [1, 2] as const) {
    const { broker, client, heard } = asking();
    client.send(publish("asked", { qos, packetId: 5, payload: "x" }));
    client.drop();
    assertEquals(broker.answer({ kind: "publish", reasonCode: SUCCESS }), false);
    assertEquals(heard.take(), []);
    const back = broker.connect({ cleanStart: false, properties: { sessionExpiryInterval: 60 } });
    back.send(publish("asked", { qos, packetId: 5, payload: "x", dup: true }));
    broker.answer({ kind: "publish", reasonCode: SUCCESS });
    assertEquals(heard.take(), [publish("asked", { qos, packetId: 1, payload: "x" })]);
    assertEquals(back.take(), [ack(qos === 1 ? "puback" : "pubrec", 5)]);
  }
});

test("A repetition is answered without asking again", () => {
  const { broker, client } = asking();
  client.send(publish("asked", { qos: 2, packetId: 5 }));
  broker.answer({ kind: "publish", reasonCode: SUCCESS });
  client.take();
  const again = publish("asked", { qos: 2, packetId: 5, dup: true });
  assertEquals(client.exchange(again), [ack("pubrec", 5)]);
  assertEquals(broker.questions, []);
});

test("handlePublish() notes identifiers that a lasting session holds, once that is decided", () => {
  const { broker, client } = asking({ keepsJournal: true });
  broker.takeChanges();
  client.send(publish("a", { qos: 2, packetId: 5 }), ack("pubrel", 5), ack("pubrel", 5));
  client.send(publish("asked", { qos: 2, packetId: 6 }));
  broker.answer({ kind: "publish", reasonCode: NOT_AUTHORIZED });
  client.send(publish("asked", { qos: 2, packetId: 7 }));
  client.drop();
  const clientId = "client";
  const changes = broker.takeChanges().filter((change) => change.kind.startsWith("packet-id"));
  assertEquals(changes, [
    { kind: "packet-id-held", clientId, packetId: 5 },
    { kind: "packet-id-released", clientId, packetId: 5 },
  ]);
});

test("handlePublish() reports what it received and denied when packets are traced", () => {
  const policy: Policy = { ...OPEN_POLICY, publish: () => NOT_AUTHORIZED };
  const broker = new VirtualBroker({ policy, tracesPackets: true });
  const client = broker.connect();
  broker.takeEvents();
  client.send(publish("a", { qos: 1, packetId: 3, payload: "12", retain: true, dup: true }));
  const seen = {
    kind: "packet",
    type: "publish",
    clientId: "client",
    dup: true,
    qos: 1,
    retain: true,
    packetId: 3,
    topic: "a",
    payloadBytes: 2,
  } as const;
  assertEquals(broker.takeEvents(), [
    { ...seen, action: "received" },
    { ...seen, action: "denied" },
    {
      kind: "packet",
      action: "sending",
      type: "puback",
      clientId: "client",
      packetId: 3,
      reasonCode: NOT_AUTHORIZED,
    },
  ]);
});

test("The window that is exceeded is reported", () => {
  const broker = new VirtualBroker({ limits: { receiveMaximum: 1 } });
  const client = broker.connect();
  broker.takeEvents();
  client.send(publish("a", { qos: 2, packetId: 1 }), publish("a", { qos: 2, packetId: 2 }));
  assertEquals(broker.takeEvents(), [
    { kind: "receive-maximum-exceeded", clientId: "client" },
  ]);
  assertEquals(broker.core.counters.publishDropped, 1);
});

// Those who see, change or drop messages.

const WATCHED: Policy = {
  ...OPEN_POLICY,
  publish: (_client, topic) =>
    topic === "denied" ? NOT_AUTHORIZED : topic === "asked" ? ASK : ASK_MESSAGE,
};

function watched(limits = {}): ReturnType<typeof asking> {
  const broker = new VirtualBroker({ policy: WATCHED, limits });
  const heard = broker.connect({ clientId: "heard" });
  heard.exchange(subscribe(1, [request("#", { qos: 2 })]));
  return { broker, heard, client: broker.connect({ username: "anna" }) };
}

const SEEN = {
  topic: "a",
  payload: bytesOf("x"),
  qos: 1,
  retain: true,
  properties: { contentType: "t", messageExpiryInterval: 60 },
} as const;

test("handlePublish() shows all of a message to who wants to see it", () => {
  const { broker, client, heard } = watched();
  const { properties, retain } = SEEN;
  client.send(publish("a", { qos: 1, packetId: 5, payload: "x", retain, properties }));
  const [question] = broker.questions;
  assertEquals(question?.kind === "publish" && question.message, SEEN);
  broker.answer({ kind: "publish", reasonCode: SUCCESS });
  assertEquals(client.take(), [ack("puback", 5)]);
  assertEquals(heard.take(), [publish("a", { qos: 1, packetId: 1, payload: "x", properties })]);
});

test("answerPublish() publishes what has taken the place of a message, and acknowledges the old", () => {
  const { broker, client, heard } = watched();
  client.send(publish("a", { qos: 2, packetId: 5, payload: "x" }), publish("c", { payload: "z" }));
  const payload = bytesOf("changed");
  const message = { ...SEEN, payload, qos: 2, retain: false } as const;
  assertEquals(broker.answer({ kind: "publish", reasonCode: SUCCESS, message }), true);
  // The topic is the same and so is what else the policy knows: nobody is asked again.
  assertEquals(client.take(), [ack("pubrec", 5)]);
  broker.answer({ kind: "publish", reasonCode: SUCCESS });
  const { properties } = SEEN;
  assertEquals(heard.take(), [
    publish("a", { qos: 2, packetId: 1, payload: "changed", properties }),
    publish("c", { payload: "z" }),
  ]);
});

test("answerPublish() drops a message that is not to go anywhere, and its client need not know", () => {
  const { broker, client, heard } = watched();
  client.send(publish("a", { qos: 1, packetId: 5, retain: true, payload: "x" }));
  broker.answer({ kind: "publish", reasonCode: SUCCESS, isDropped: true });
  assertEquals([client.take(), heard.take()], [[ack("puback", 5)], []]);
  assertEquals([broker.core.retainedCount, broker.core.counters.publishDropped], [0, 1]);
});

test("answerPublish() asks about the topic that a message is moved to [B-44]", () => {
  for (
    const [topic, reasonCodes, told] of [
      ["denied", [SUCCESS], NOT_AUTHORIZED],
      ["asked", [SUCCESS, SUCCESS], SUCCESS],
      ["asked", [SUCCESS, NOT_AUTHORIZED], NOT_AUTHORIZED],
      ["other", [SUCCESS, SUCCESS], SUCCESS],
    ] as const
  ) {
    const { broker, client, heard } = watched();
    client.send(publish("a", { qos: 1, packetId: 5, payload: "x" }));
    const message = { ...SEEN, topic, retain: false };
    broker.answer({ kind: "publish", reasonCode: reasonCodes[0], message });
    if (reasonCodes.length > 1) {
      const [question] = broker.questions;
      assertEquals(client.take(), []);
      assertEquals(
        question?.kind === "publish" && [question.topic, question.isReplaced, question.message],
        [topic, true, undefined],
      );
      // Whoever answers now has had his say about the message.
      const again = { ...SEEN, topic: "again" };
      broker.answer({ kind: "publish", reasonCode: reasonCodes[1]!, message: again });
    }
    assertEquals(client.take(), [ack("puback", 5, told)]);
    const got = heard.settle().flatMap((packet) => packet.type === "publish" ? packet.topic : []);
    assertEquals(got, told === SUCCESS ? [topic] : []);
  }
});

test("answerPublish() asks again when a message is to be retained that was not", () => {
  const { broker, client } = watched();
  client.send(publish("a", { qos: 1, packetId: 5, payload: "x" }));
  broker.answer({ kind: "publish", reasonCode: SUCCESS, message: SEEN });
  const [question] = broker.questions;
  assertEquals(question?.kind === "publish" && [question.topic, question.retain], ["a", true]);
  broker.answer({ kind: "publish", reasonCode: NOT_AUTHORIZED });
  assertEquals([client.take(), broker.core.retainedCount], [[ack("puback", 5, NOT_AUTHORIZED)], 0]);
});

test("answerPublish() publishes nothing that a client could not have published [B-44]", () => {
  const { TOPIC_NAME_INVALID, IMPLEMENTATION_SPECIFIC_ERROR } = ReasonCode;
  for (
    const [change, told] of [
      [{ topic: "a/+" }, TOPIC_NAME_INVALID],
      [{ topic: "" }, TOPIC_NAME_INVALID],
      [{ topic: "\ud800" }, TOPIC_NAME_INVALID],
      [{ topic: "x".repeat(65_536) }, TOPIC_NAME_INVALID],
      [{ topic: "$SYS/broker/uptime" }, NOT_AUTHORIZED],
      [{ topic: "$share/g/a" }, NOT_AUTHORIZED],
      [{ topic: "$CONTROL/x" }, NOT_AUTHORIZED],
      [{ payload: new Uint8Array(11) }, IMPLEMENTATION_SPECIFIC_ERROR],
      [{ properties: { contentType: "\ud800" } }, IMPLEMENTATION_SPECIFIC_ERROR],
    ] as const
  ) {
    const { broker, client, heard } = watched({ messageSizeLimit: 10 });
    client.send(publish("a", { qos: 1, packetId: 5, payload: "x" }), publish("b"));
    broker.answer({ kind: "publish", reasonCode: SUCCESS, message: { ...SEEN, ...change } });
    assertEquals(client.take(), [ack("puback", 5, told)]);
    // Its next message is not held up.
    broker.answer({ kind: "publish", reasonCode: SUCCESS });
    assertEquals(heard.take(), [publish("b")]);
  }
});

test("A client that leaves while somebody changes its message has not sent it [MQTT-4.3.3-10]", () => {
  const { broker, client, heard } = watched();
  client.send(publish("a", { qos: 2, packetId: 5, payload: "x" }));
  broker.answer({ kind: "publish", reasonCode: SUCCESS, message: { ...SEEN, topic: "b", qos: 0 } });
  client.drop();
  assertEquals([broker.answer({ kind: "publish", reasonCode: SUCCESS }), heard.take()], [
    false,
    [],
  ]);
});

test("handlePublish() reports what the outside denies, and what was over a quota", () => {
  const broker = new VirtualBroker({ policy: ASKING, tracesPackets: true });
  const client = broker.connect();
  for (const reasonCode of [NOT_AUTHORIZED, ReasonCode.QUOTA_EXCEEDED]) {
    client.send(publish("asked", { payload: "12345" }));
    broker.takeEvents();
    broker.answer({ kind: "publish", reasonCode });
    assertEquals(broker.takeEvents(), [{
      kind: "packet",
      action: reasonCode === NOT_AUTHORIZED ? "denied" : "over-quota",
      type: "publish",
      clientId: "client",
      dup: false,
      qos: 0,
      retain: false,
      packetId: 0,
      topic: "asked",
      payloadBytes: 5,
    }]);
  }
});

test("handlePublish() minds what the listener grants [MQTT-3.2.2-11] [MQTT-3.3.2-9]", () => {
  const broker = new VirtualBroker({ listener: { maximumQos: 1, topicAliasMaximum: 2 } });
  for (
    const [packet, reasonCode] of [
      [publish("a", { qos: 2, packetId: 1 }), ReasonCode.QOS_NOT_SUPPORTED],
      [publish("a", { properties: { topicAlias: 3 } }), ReasonCode.TOPIC_ALIAS_INVALID],
    ] as const
  ) {
    const client = broker.connect();
    assertEquals([client.exchange(packet), client.isClosed], [[disconnect(reasonCode)], true]);
  }
  const client = broker.connect();
  client.send(publish("a", { qos: 1, packetId: 1, properties: { topicAlias: 2 } }));
  assertEquals(client.exchange(subscribe(1, [request("a", { qos: 2 })])), [
    ack("puback", 1, ReasonCode.NO_MATCHING_SUBSCRIBERS),
    suback(1, [1]),
  ]);
});
