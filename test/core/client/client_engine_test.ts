// The client engine against a broker played by the test: what it sends, what it tells, and when.

import { assertEquals } from "@std/assert";
import { ClientEngine } from "../../../src/core/client/client_engine.ts";
import { PublishRefusal } from "../../../src/core/client/outbound.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import {
  ack,
  auth,
  bytesOf,
  connack,
  connect,
  disconnect,
  publish,
  request,
  suback,
  unsuback,
  unsubscribe,
} from "../../support/packets.ts";
import { fromHex } from "../codec/fixture.ts";
import { ClientPeer } from "./client_peer.ts";
import { RecordingSink } from "./recording_sink.ts";

const PAYLOAD = bytesOf("21");

for (const protocolVersion of [3, 4, 5] as const) {
  test(`ClientEngine.connect() sends CONNECT of version ${protocolVersion} and tells of the answer`, () => {
    const peer = new ClientPeer();
    const sent = peer.open({ protocolVersion, clientId: "here", username: "user" });
    assertEquals(sent, [connect({ protocolVersion, clientId: "here", username: "user" })]);
    assertEquals(peer.engine.phase, "connecting");
    assertEquals(peer.answer(connack(0)), [connack(0)]);
    assertEquals(peer.engine.phase, "connected");
  });
}

test("ClientEngine.connect() ends with a refusal", () => {
  const peer = new ClientPeer();
  peer.open();
  assertEquals(peer.answer(connack(0x87)), [connack(0x87)]);
  assertEquals(peer.engine.phase, "ended");
  assertEquals(peer.engine.nextDeadline, Infinity);
});

test("ClientEngine takes the identifier that the broker assigned [MQTT-3.1.3-6]", () => {
  const peer = new ClientPeer().connect({ clientId: "" }, { assignedClientId: "auto-1" });
  assertEquals(peer.engine.clientId, "auto-1");
});

test("ClientEngine accepts nothing but CONNACK and AUTH at first [MQTT-3.2.0-1]", () => {
  const peer = new ClientPeer();
  peer.open();
  const step = auth(0x18, { authenticationMethod: "m" });
  assertEquals(peer.answer(step), [step]);
  peer.engine.authenticate(0x18 as ReasonCode, { authenticationMethod: "m" });
  assertEquals(peer.sent(), [step]);
  assertEquals(peer.answer(publish("a")), [{ type: "error", section: "MQTT-3.2.0-1" }]);
  assertEquals(peer.engine.phase, "ended");
});

test("ClientEngine.subscribe() and unsubscribe() number their requests and tell of the answers", () => {
  const peer = new ClientPeer().connect();
  assertEquals(peer.engine.subscribe([request("a/#", { qos: 1 })]), 1);
  assertEquals(peer.engine.unsubscribe(["b"]), 2);
  assertEquals(peer.sent(), [
    { type: "subscribe", packetId: 1, subscriptions: [request("a/#", { qos: 1 })], properties: {} },
    unsubscribe(2, ["b"]),
  ]);
  const answers = [unsuback(2, [0x11]), suback(1, [1])];
  assertEquals(peer.answer(...answers), answers);
  // Nobody waits for it any more.
  assertEquals(peer.answer(suback(1, [1])), []);
});

test("ClientEngine gives messages and requests different identifiers [MQTT-2.2.1-3]", () => {
  const peer = new ClientPeer().connect();
  const { engine } = peer;
  assertEquals(engine.publish("a", PAYLOAD, { qos: 1 }, peer.now), 1);
  assertEquals(engine.subscribe([request("a")]), 2);
  assertEquals(engine.publish("a", PAYLOAD, { qos: 1 }, peer.now), 3);
  assertEquals(engine.subscribe([request("a")]), 4);
});

test("ClientEngine.publish() sends and acknowledges QoS 0, 1 and 2", () => {
  const peer = new ClientPeer().connect();
  const { engine } = peer;
  assertEquals(engine.publish("a", PAYLOAD, {}, peer.now), 0);
  assertEquals(engine.publish(bytesOf("b"), PAYLOAD, { qos: 1, retain: true }, peer.now), 1);
  assertEquals(engine.publish("c", PAYLOAD, { qos: 2 }, peer.now), 2);
  assertEquals(peer.sent(), [
    publish("a", { payload: "21" }),
    publish("b", { payload: "21", qos: 1, packetId: 1, retain: true }),
    publish("c", { payload: "21", qos: 2, packetId: 2 }),
  ]);
  assertEquals(engine.inflightCount, 2);
  assertEquals(peer.answer(ack("puback", 1, 0x10), ack("pubrec", 2)), [
    { type: "published", packetId: 1, reasonCode: 0x10 },
  ]);
  assertEquals(peer.sent(), [ack("pubrel", 2)]);
  assertEquals(peer.answer(ack("pubcomp", 2)), [
    { type: "published", packetId: 2, reasonCode: 0 },
  ]);
  assertEquals(engine.inflightCount, 0);
});

test("ClientEngine.publish() stops at the Receive Maximum of the broker [MQTT-3.3.4-7]", () => {
  const peer = new ClientPeer().connect({}, { receiveMaximum: 2 });
  const { engine } = peer;
  assertEquals(engine.sendQuota, 2);
  const ids = [1, 2, 3].map(() => engine.publish("a", PAYLOAD, { qos: 1 }, peer.now));
  assertEquals(ids, [1, 2, PublishRefusal.MUST_WAIT]);
  peer.answer(ack("puback", 1));
  assertEquals(engine.publish("a", PAYLOAD, { qos: 1 }, peer.now), 3);
});

test("ClientEngine.publish() refuses what the broker does not take [MQTT-3.2.2-15]", () => {
  const limits = { maximumPacketSize: 10, maximumQos: 1, retainAvailable: false };
  const { engine } = new ClientPeer().connect({}, limits);
  // Two bytes of header, three of topic, one of properties, four of payload.
  assertEquals(engine.publish("a", bytesOf("1234"), {}, 0), 0);
  assertEquals(engine.publish("a", bytesOf("12345"), {}, 0), PublishRefusal.PACKET_TOO_LARGE);
  assertEquals(engine.publish("a", PAYLOAD, { qos: 2 }, 0), PublishRefusal.QOS_NOT_SUPPORTED);
  assertEquals(
    engine.publish("a", PAYLOAD, { retain: true }, 0),
    PublishRefusal.RETAIN_NOT_SUPPORTED,
  );
  engine.connectionLost();
  assertEquals(engine.publish("a", PAYLOAD, {}, 0), PublishRefusal.NOT_CONNECTED);
});

test("ClientEngine shows messages and acknowledges them by their QoS [MQTT-4.5.0-2]", () => {
  const peer = new ClientPeer().connect();
  const told = peer.answer(
    publish("a", { payload: "0" }),
    publish("a/b", { payload: "1", qos: 1, packetId: 7, retain: true }),
    publish("a/b", { payload: "2", qos: 2, packetId: 8 }),
  );
  assertEquals(told, [
    { type: "message", topic: "a", payload: "0", qos: 0, retain: false },
    { type: "message", topic: "a/b", payload: "1", qos: 1, retain: true },
    { type: "message", topic: "a/b", payload: "2", qos: 2, retain: false },
  ]);
  assertEquals(peer.sent(), [ack("puback", 7), ack("pubrec", 8)]);
  assertEquals(peer.answer(publish("a/b", { payload: "2", qos: 2, packetId: 8, dup: true })), []);
  assertEquals(peer.answer(ack("pubrel", 8), ack("pubrel", 8)), []);
  assertEquals(peer.sent(), [ack("pubrec", 8), ack("pubcomp", 8), ack("pubcomp", 8, 0x92)]);
});

test("ClientEngine.disconnect() acknowledges the message that the application leaves with", () => {
  for (const [qos, acknowledgement] of [[1, ack("puback", 7)], [2, ack("pubrec", 7)]] as const) {
    const peer = new ClientPeer().connect();
    peer.sink.onMessageHook = () => peer.engine.disconnect();
    const told = peer.answer(
      publish("a", { payload: "first", qos, packetId: 7 }),
      publish("a", { payload: "second", qos, packetId: 8 }),
    );
    assertEquals(told, [
      { type: "message", topic: "a", payload: "first", qos, retain: false },
    ]);
    assertEquals(peer.sent(), [acknowledgement, disconnect(0)]);
  }
});

test("ClientEngine.acknowledge() lets the application say when a message is done", () => {
  const peer = new ClientPeer({ acknowledgesLater: true }).connect({
    properties: { receiveMaximum: 2 },
  });
  peer.answer(publish("a", { qos: 1, packetId: 1 }), publish("a", { qos: 2, packetId: 2 }));
  assertEquals(peer.sent(), []);
  assertEquals(peer.engine.acknowledge(2), true);
  assertEquals(peer.engine.acknowledge(1, 0x80 as ReasonCode), true);
  assertEquals(peer.engine.acknowledge(1), false);
  assertEquals(peer.sent(), [ack("pubrec", 2), ack("puback", 1, 0x80)]);
});

test("ClientEngine ends a connection that exceeds its Receive Maximum [MQTT-3.3.4-9]", () => {
  const peer = new ClientPeer({ acknowledgesLater: true }).connect({
    properties: { receiveMaximum: 1 },
  });
  peer.answer(publish("a", { qos: 1, packetId: 1 }));
  assertEquals(peer.answer(publish("a", { qos: 2, packetId: 2 })), [
    { type: "error", section: "MQTT-3.3.4-9" },
  ]);
  assertEquals(peer.sent(), [disconnect(0x93)]);
});

test("ClientEngine refuses a packet above its own Maximum Packet Size [MQTT-3.1.2-24]", () => {
  const peer = new ClientPeer().connect({ properties: { maximumPacketSize: 12 } });
  assertEquals(peer.answer(publish("a", { payload: "123456" })).length, 1);
  assertEquals(peer.answer(publish("a", { payload: "1234567" })), [
    { type: "error", section: "MQTT-3.1.2-24" },
  ]);
});

test("ClientEngine pings before its Keep Alive has passed in silence [MQTT-3.1.2-20]", () => {
  const peer = new ClientPeer().connect({ keepAlive: 100 });
  assertEquals(peer.engine.nextDeadline, 76_000);
  peer.advance(74_999);
  assertEquals(peer.sent(), []);
  // What is sent meanwhile puts it off.
  peer.engine.publish("a", PAYLOAD, {}, peer.now);
  peer.sent();
  peer.advance(74_999);
  assertEquals(peer.sent(), []);
  peer.advance(1);
  assertEquals(peer.sent(), [{ type: "pingreq" }]);
  peer.answer({ type: "pingresp" });
  assertEquals(peer.engine.nextDeadline, peer.now + 75_000);
});

test("ClientEngine keeps the Keep Alive of the broker [MQTT-3.2.2-21] [MQTT-3.1.2-21]", () => {
  const peer = new ClientPeer().connect({ keepAlive: 100 }, { serverKeepAlive: 10 });
  assertEquals(peer.engine.nextDeadline, 1000 + 7500);
});

test("ClientEngine tells of a broker that answers neither CONNECT nor PINGREQ", () => {
  const peer = new ClientPeer({ answerTimeoutMs: 500 });
  peer.open({ keepAlive: 4 });
  assertEquals(peer.advance(500), [{ type: "silence", cause: "no CONNACK" }]);
  peer.engine.connectionLost();
  peer.connect({ keepAlive: 4 });
  peer.advance(3000);
  peer.sent();
  assertEquals(peer.advance(499), []);
  assertEquals(peer.advance(1), [{ type: "silence", cause: "no PINGRESP" }]);
  assertEquals(peer.engine.phase, "ended");
});

test("ClientEngine.disconnect() says good-bye and hears nothing more [MQTT-3.14.4-2]", () => {
  const peer = new ClientPeer().connect();
  peer.engine.disconnect(0x04 as ReasonCode, { sessionExpiryInterval: 0 });
  assertEquals(peer.sent(), [disconnect(0x04, { sessionExpiryInterval: 0 })]);
  assertEquals(peer.answer(publish("a")), []);
  assertEquals(peer.engine.publish("a", PAYLOAD, {}, peer.now), PublishRefusal.NOT_CONNECTED);
});

test("ClientEngine tells why the broker ends the connection", () => {
  const peer = new ClientPeer().connect();
  assertEquals(peer.answer(disconnect(0x8e)), [disconnect(0x8e)]);
  assertEquals(peer.engine.phase, "ended");
});

test("ClientEngine refuses what only clients send, and what comes with version 5 only", () => {
  const peer = new ClientPeer().connect();
  assertEquals(peer.answer({ type: "pingreq" }), [{ type: "error", section: "2.1.2" }]);
  assertEquals(peer.sent(), [disconnect(0x82)]);
  const older = new ClientPeer().connect({ protocolVersion: 4 });
  assertEquals(older.answer(disconnect()), [{ type: "error", section: "2.1.2" }]);
  assertEquals(older.sent(), []);
});

test("ClientEngine sends again what was in flight when it resumes [MQTT-4.4.0-1] [MQTT-4.6.0-1]", () => {
  const session = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const peer = new ClientPeer().connect(session);
  const { engine } = peer;
  const properties = { messageExpiryInterval: 10, contentType: "text" };
  engine.publish("a", PAYLOAD, { qos: 1, properties }, peer.now);
  engine.publish("b", PAYLOAD, { qos: 2 }, peer.now);
  engine.publish("c", PAYLOAD, { qos: 2, retain: true }, peer.now);
  peer.answer(ack("pubrec", 2));
  engine.connectionLost();
  assertEquals(engine.inflightCount, 3);

  peer.now += 4000;
  peer.connect(session, { receiveMaximum: 2 }, true);
  // The third waits for the window [MQTT-4.9.0-1].
  assertEquals(peer.sent(), [
    publish("a", {
      payload: "21",
      qos: 1,
      packetId: 1,
      dup: true,
      properties: { contentType: "text", messageExpiryInterval: 6 },
    }),
    ack("pubrel", 2),
  ]);
  assertEquals(engine.publish("d", PAYLOAD, { qos: 1 }, peer.now), PublishRefusal.MUST_WAIT);
  peer.answer(ack("puback", 1));
  assertEquals(peer.sent(), [
    publish("c", { payload: "21", qos: 2, packetId: 3, dup: true, retain: true }),
  ]);
});

test("ClientEngine tells what it loses with the broker's session [MQTT-3.2.2-5]", () => {
  const session = { protocolVersion: 4, cleanStart: false } as const;
  const peer = new ClientPeer().connect(session);
  peer.engine.publish("a", PAYLOAD, { qos: 1 }, peer.now);
  peer.engine.connectionLost();
  peer.open(session);
  assertEquals(peer.answer(connack(0)), [{ type: "lost", topics: ["a"] }, connack(0)]);
  assertEquals(peer.engine.inflightCount, 0);
});

test("ClientEngine forgets the messages of a session that ends with its connection", () => {
  const peer = new ClientPeer().connect();
  peer.engine.publish("a", PAYLOAD, { qos: 1 }, peer.now);
  peer.engine.connectionLost();
  peer.connect();
  assertEquals(peer.sent(), []);
  assertEquals(peer.engine.inflightCount, 0);
});

test("ClientEngine.sent() goes on in another buffer when the transport keeps the first", () => {
  const engine = new ClientEngine(new RecordingSink());
  engine.connect(connect(), 0);
  const first = engine.outbox.bytes;
  const replacement = new Uint8Array(64);
  engine.sent(0, replacement);
  assertEquals(engine.outbox.bytes === replacement && engine.outbox.bytes !== first, true);
  assertEquals(engine.outbox.length, 0);
});

test("ClientEngine.receive() gives no reason for a CONNECT of a broker that a DISCONNECT cannot have", () => {
  const peer = new ClientPeer().connect();
  peer.engine.receive(fromHex("10 0d 00 04 4d 51 54 54 63 02 00 00 00 00 00"), peer.now);
  assertEquals(peer.sink.take(), [{ type: "error", section: "MQTT-3.1.2-2" }]);
  assertEquals(peer.sent(), [disconnect(ReasonCode.PROTOCOL_ERROR)]);
});

test("ClientEngine leaves a broker with a session where none was to be [MQTT-3.2.2-4]", () => {
  for (const [cleanStart, told] of [[true, "MQTT-3.2.2-4"], [false, undefined]] as const) {
    const peer = new ClientPeer();
    peer.open({ cleanStart });
    const [first] = peer.answer(connack(0, {}, true));
    assertEquals(first?.type === "error" ? first.section : undefined, told);
    assertEquals(peer.engine.phase, cleanStart ? "ended" : "connected");
  }
});

test("ClientEngine publishes nothing before its CONNACK [MQTT-3.1.2-30]", () => {
  const peer = new ClientPeer();
  peer.open({ properties: { authenticationMethod: "m" } });
  const refusal = peer.engine.publish("a", PAYLOAD, {}, peer.now);
  assertEquals(refusal, PublishRefusal.NOT_CONNECTED);
  assertEquals(peer.sent(), []);
});

test("ClientEngine sends requests and acknowledgements while its window is full [MQTT-3.3.4-8]", () => {
  const peer = new ClientPeer().connect({}, { receiveMaximum: 1 });
  const { engine } = peer;
  assertEquals(engine.publish("a", PAYLOAD, { qos: 1 }, peer.now), 1);
  peer.sent();
  assertEquals(engine.publish("a", PAYLOAD, { qos: 1 }, peer.now), PublishRefusal.MUST_WAIT);
  engine.unsubscribe(["a"]);
  peer.answer(publish("b", { qos: 1, packetId: 9 }));
  assertEquals(peer.sent(), [unsubscribe(2, ["a"]), ack("puback", 9)]);
});

test("ClientEngine sends each PUBREL in the order of the PUBRECs [MQTT-4.6.0-4]", () => {
  const peer = new ClientPeer().connect();
  for (let n = 0; n < 3; n++) peer.engine.publish("a", PAYLOAD, { qos: 2 }, peer.now);
  peer.sent();
  peer.answer(ack("pubrec", 2), ack("pubrec", 3), ack("pubrec", 1));
  assertEquals(peer.sent(), [ack("pubrel", 2), ack("pubrel", 3), ack("pubrel", 1)]);
});

test("ClientEngine.disconnect() leaves out what makes it too large [MQTT-3.14.2-3] [MQTT-3.14.2-4]", () => {
  for (const maximumPacketSize of [100, 20]) {
    const peer = new ClientPeer().connect({}, { maximumPacketSize });
    const properties = {
      sessionExpiryInterval: 0,
      reasonString: "it was enough",
      userProperties: [["key", "value"]] as [string, string][],
    };
    peer.engine.disconnect(4, properties);
    assertEquals(peer.sent(), [
      disconnect(4, maximumPacketSize === 20 ? { sessionExpiryInterval: 0 } : properties),
    ]);
  }
});
