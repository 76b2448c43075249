// Every packet that is sent is counted, and traced when somebody wants to see packets.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import {
  ack,
  auth,
  connect,
  publish,
  request,
  subscribe,
  unsubscribe,
} from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("Each packet that is sent is traced with what it says", () => {
  const policy = { ...OPEN_POLICY, hasAuthenticationMethod: () => true };
  const broker = new VirtualBroker({ tracesPackets: true, policy });
  const client = broker.open();
  const properties = { authenticationMethod: "m" };
  client.send(connect({ properties }));
  broker.answer({ kind: "authenticate", reasonCode: ReasonCode.CONTINUE_AUTHENTICATION });
  client.send(auth(ReasonCode.CONTINUE_AUTHENTICATION, properties));
  broker.answer({ kind: "authenticate", reasonCode: ReasonCode.SUCCESS });
  client.send(subscribe(1, [request("a", { qos: 2 })]));
  client.send(publish("a", { qos: 2, packetId: 9, payload: "x" }), ack("pubrel", 9));
  client.send(ack("pubrec", 1), publish("b", { qos: 1, packetId: 8 }), unsubscribe(2, ["a"]));
  client.send({ type: "pingreq" });
  client.sendBytes(Uint8Array.of(0, 0));
  const sent = broker.takeEvents().flatMap((event) => {
    if (event.kind !== "packet" || event.action !== "sending") return [];
    const { kind: _kind, action: _action, clientId: _clientId, ...rest } = event;
    return [rest];
  });
  assertEquals(sent, [
    { type: "auth", reasonCode: 0x18 },
    { type: "connack", reasonCode: 0, sessionPresent: false },
    { type: "suback", packetId: 1 },
    {
      type: "publish",
      dup: false,
      qos: 2,
      retain: false,
      packetId: 1,
      topic: "a",
      payloadBytes: 1,
    },
    { type: "pubrec", packetId: 9, reasonCode: 0 },
    { type: "pubcomp", packetId: 9, reasonCode: 0 },
    { type: "pubrel", packetId: 1, reasonCode: 0 },
    { type: "puback", packetId: 8, reasonCode: 0x10 },
    { type: "unsuback", packetId: 2 },
    { type: "pingresp" },
    { type: "disconnect", reasonCode: 0x82 },
  ]);
  assertEquals(broker.core.counters.packetsSent, sent.length);
  assertEquals(client.take().map((packet) => packet.type), sent.map(({ type }) => type));
});

test("Packets larger than the room that is asked for grow it", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  const filters = Array.from({ length: 5000 }, (_, i) => `f/${i}`);
  const granted = client.exchange(subscribe(1, filters.map((filter) => request(filter))));
  assertEquals(granted.map((packet) => packet.type === "suback" && packet.reasonCodes.length), [
    5000,
  ]);
  const gone = client.exchange(unsubscribe(2, filters));
  assertEquals(gone.map((packet) => packet.type === "unsuback" && packet.reasonCodes.length), [
    5000,
  ]);
});
