// Request and response (4.10): the broker passes on what the two need, and adds nothing.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { bytesOf, publish, request, subscribe } from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";

test("A request finds its responder, and the response its way back [MQTT-3.3.2-15] [MQTT-3.3.2-16]", () => {
  const broker = new VirtualBroker();
  const responder = broker.connect({ clientId: "responder" });
  responder.send(subscribe(1, [request("requests")]));
  responder.take();
  const requester = broker.connect({ clientId: "requester" });
  requester.send(subscribe(1, [request("answers/7")]));
  requester.take();
  const correlationData = bytesOf("number seven");
  requester.send(
    publish("requests", {
      payload: "?",
      properties: { responseTopic: "answers/7", correlationData },
    }),
  );
  const [asked] = responder.take();
  assertEquals(
    asked,
    publish("requests", {
      payload: "?",
      properties: { responseTopic: "answers/7", correlationData },
    }),
  );
  responder.send(publish("answers/7", { payload: "!", properties: { correlationData } }));
  assertEquals(requester.take(), [
    publish("answers/7", { payload: "!", properties: { correlationData } }),
  ]);
});

test("Response Information is asked for in vain [MQTT-3.1.2-28]", () => {
  const broker = new VirtualBroker();
  for (const requestResponseInformation of [true, false]) {
    const client = broker.connect({ properties: { requestResponseInformation } });
    assertEquals(client.connack?.properties, {
      topicAliasMaximum: 10,
      maximumPacketSize: 2_000_000,
      receiveMaximum: 20,
    });
  }
});
