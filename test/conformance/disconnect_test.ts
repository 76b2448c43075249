// DISCONNECT (3.14) from both sides, and that nothing is heard or said after it.

import { assertEquals } from "@std/assert";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import { disconnect, publish, request, subscribe } from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";
import { CLOSE, testExchanges, toldAndClosed } from "./exchange.ts";

const protocolError = toldAndClosed(disconnect(ReasonCode.PROTOCOL_ERROR));
const malformed = toldAndClosed(disconnect(ReasonCode.MALFORMED_PACKET));

testExchanges("DISCONNECT", [
  {
    name: "closes the connection [MQTT-3.14.4-1] [MQTT-3.14.4-2]",
    send: () => [disconnect()],
    expect: { 3: CLOSE, 4: CLOSE, 5: CLOSE },
  },
  {
    name: "is the last that is heard [MQTT-3.14.4-1]",
    send: () => [disconnect(), { type: "pingreq" }, publish("a", { qos: 1, packetId: 1 })],
    expect: { 3: CLOSE, 4: CLOSE, 5: CLOSE },
  },
  {
    name: "with flags is refused [MQTT-3.14.1-1] [MQTT-3.1.1-3.14.1-1]",
    send: () => Uint8Array.of(0xe1, 0),
    expect: { 4: CLOSE, 5: malformed },
  },
  {
    name: "with a body is refused before version 5",
    send: () => Uint8Array.of(0xe0, 1, 0),
    expect: { 3: CLOSE, 4: CLOSE },
  },
  {
    name: "with a reason that does not exist is refused [MQTT-3.14.2-1]",
    send: () => Uint8Array.of(0xe0, 1, 0x01),
    expect: { 5: protocolError },
  },
  {
    name: "with a property of another packet is refused",
    send: () => Uint8Array.of(0xe0, 4, 0, 2, 0x01, 0),
    expect: { 5: protocolError },
  },
], (broker, version) => broker.connect({ protocolVersion: version }));

test("DISCONNECT with bad flags or length leaves the Will to be published", () => {
  const broker = new VirtualBroker();
  const heir = broker.connect({ clientId: "heir" });
  heir.send(subscribe(1, [request("w")]));
  heir.take();
  for (const bytes of [[0xe1, 0], [0xe0, 1, 0x01]]) {
    const payload = Uint8Array.of(1);
    const will = { topic: "w", payload, qos: 0, retain: false, properties: {} } as const;
    const client = broker.connect({ will });
    client.sendBytes(Uint8Array.from(bytes));
    assertEquals([client.isClosed, heir.take()], [true, [publish("w", { payload })]]);
  }
});

test("The host sends a client away, and version 5 is told why [MQTT-3.14.4-1]", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker();
    const client = broker.connect({ clientId: "x", protocolVersion: version });
    const reasonCode = ReasonCode.ADMINISTRATIVE_ACTION;
    assertEquals(broker.core.disconnect("x", reasonCode, broker.now), true);
    assertEquals(broker.core.disconnect("y", reasonCode, broker.now), false);
    broker.endTurn();
    assertEquals(client.isClosed, true);
    assertEquals(client.take(), version === 5 ? [disconnect(reasonCode)] : []);
  }
});

test("The end of a connection is reported once, with its cause", () => {
  const broker = new VirtualBroker();
  const peer = { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 };
  const closed = (cause: string, clientId: string | undefined, detail?: string) => ({
    kind: "closed",
    peer,
    clientId,
    cause,
    detail,
  });
  broker.connect().send(disconnect());
  broker.connect().send(disconnect(ReasonCode.DISCONNECT_WITH_WILL_MESSAGE));
  broker.connect().drop();
  broker.connect().drop("connection closed by client");
  broker.connect().sendBytes(Uint8Array.of(0, 0));
  broker.open().sendBytes(Uint8Array.of(0xc0, 0));
  assertEquals(broker.takeEvents().filter((event) => event.kind === "closed"), [
    closed("client disconnected", "client"),
    closed("client disconnected with will", "client"),
    closed("connection lost", "client"),
    closed("connection closed by client", "client"),
    closed("protocol error", "client", "Packet type 0 is reserved [2.1.2]"),
    closed("protocol error", undefined, "The first packet must be a CONNECT [MQTT-3.1.0-1]"),
  ] as unknown as ReturnType<typeof broker.takeEvents>);
  assertEquals(broker.core.counters.protocolErrors, 2);
});
