// Which packets are heard when: in their order, one after the other, and not while one waits.

import { assertEquals } from "@std/assert";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import {
  ack,
  connect,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
} from "../../support/packets.ts";
import { fromHex } from "../codec/fixture.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const ASKING: Policy = {
  ...OPEN_POLICY,
  publish: (_client, topic) => topic === "asked" ? ASK : ReasonCode.SUCCESS,
};

test("processPackets() answers in the order of the packets [MQTT-4.6.0-2] [MQTT-4.6.0-3]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  const answers = client.exchange(
    publish("a", { qos: 1, packetId: 3 }),
    publish("a", { qos: 2, packetId: 1 }),
    publish("a", { qos: 1, packetId: 2 }),
    ack("pubrel", 1),
    subscribe(9, [request("b")]),
    { type: "pingreq" },
  );
  assertEquals(answers, [
    ack("puback", 3, ReasonCode.NO_MATCHING_SUBSCRIBERS),
    ack("pubrec", 1),
    ack("puback", 2, ReasonCode.NO_MATCHING_SUBSCRIBERS),
    ack("pubcomp", 1),
    suback(9, [0]),
    { type: "pingresp" },
  ]);
});

test("processPackets() keeps what arrives behind a question, in whatever pieces, until the answer", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.connect();
  client.send(subscribe(1, [request("a")]), publish("asked"));
  assertEquals(client.take(), [suback(1, [0])]);
  // A transport that is told to pause may still bring what was on its way.
  const chunk = Uint8Array.of(0x30, 5, 0, 1, 0x61, 0, 0x31, 0x30, 5, 0, 1, 0x61, 0);
  broker.core.receive(client.connection, chunk.slice(0, 3), broker.now);
  broker.core.receive(client.connection, chunk.slice(3, 9), broker.now);
  broker.core.receive(client.connection, chunk.slice(9), broker.now);
  broker.endTurn();
  assertEquals(client.take(), []);
  broker.answer({ kind: "publish", reasonCode: ReasonCode.SUCCESS });
  assertEquals(client.take(), [publish("a", { payload: "1" })]);
  client.sendBytes(Uint8Array.of(0x32));
  assertEquals(client.take(), [publish("a", { payload: "2" })]);
});

test("processPackets() hears nothing behind a packet that ended the connection", () => {
  const broker = new VirtualBroker();
  const heard = broker.connect({ clientId: "heard" });
  heard.send(subscribe(1, [request("a")]));
  heard.take();
  const client = broker.connect();
  client.send(publish("a", { payload: "1" }), publish("a/+"), publish("a", { payload: "2" }));
  broker.connect({ clientId: "other" }).send(disconnect(), publish("a", { payload: "3" }));
  assertEquals(heard.take(), [publish("a", { payload: "1" })]);
  broker.core.receive(client.connection, Uint8Array.of(0xc0, 0), broker.now);
  assertEquals(client.take(), [disconnect(ReasonCode.MALFORMED_PACKET)]);
});

test("processPackets() reports PINGREQ when packets are traced, and a second CONNECT always", () => {
  const broker = new VirtualBroker({ tracesPackets: true });
  const client = broker.connect();
  broker.takeEvents();
  client.send({ type: "pingreq" }, connect());
  const [pingreq, pingresp, second] = broker.takeEvents();
  const clientId = "client";
  assertEquals([pingreq, pingresp, second], [
    { kind: "packet", action: "received", type: "pingreq", clientId },
    { kind: "packet", action: "sending", type: "pingresp", clientId },
    { kind: "second-connect", peer: client.connection.peer, clientId },
  ]);
});

test("applyAnswer() takes no answer of another kind for its own", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.connect();
  client.send(publish("asked", { qos: 1, packetId: 1 }));
  broker.answer({ kind: "subscribe", reasonCodes: [0] });
  assertEquals([client.take(), broker.core.subscriptionCount], [[], 0]);
});

test("processPackets() takes a second CONNECT for one, whatever is wrong with it [MQTT-3.1.0-2]", () => {
  // Another level of the protocol, and a client identifier that is no UTF-8.
  for (const hex of ["10 0d 00 04 4d 51 54 54 63 02 00 00 00 00 00", "10 02 00 00"]) {
    const client = new VirtualBroker().connect();
    client.sendBytes(fromHex(hex));
    assertEquals([client.take(), client.isClosed], [[], true]);
  }
});
