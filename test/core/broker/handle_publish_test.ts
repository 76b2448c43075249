// What a PUBLISH asks of the outside, what it reports, and what it notes for the store.

import { assertEquals } from "@std/assert";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { ack, publish, request, subscribe } from "../../support/packets.ts";
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

test("handlePublish() notes identifiers that a lasting session holds", () => {
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
    { kind: "packet-id-held", clientId, packetId: 6 },
    { kind: "packet-id-released", clientId, packetId: 6 },
    { kind: "packet-id-held", clientId, packetId: 7 },
    { kind: "packet-id-released", clientId, packetId: 7 },
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
