// What DISCONNECT reports and changes; when its Will is published is in the conformance tests.

import { assertEquals } from "@std/assert";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { disconnect } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("handleDisconnect() reports the packet when packets are traced, and the end always", () => {
  const broker = new VirtualBroker({ tracesPackets: true });
  const client = broker.connect();
  broker.takeEvents();
  client.send(disconnect(ReasonCode.DISCONNECT_WITH_WILL_MESSAGE));
  assertEquals(broker.takeEvents(), [
    {
      kind: "packet",
      action: "received",
      type: "disconnect",
      clientId: "client",
      reasonCode: ReasonCode.DISCONNECT_WITH_WILL_MESSAGE,
    },
    {
      kind: "closed",
      peer: { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 },
      clientId: "client",
      cause: "client disconnected with will",
      detail: undefined,
    },
  ]);
});

test("handleDisconnect() keeps the session's end within the limit [MQTT-3.14.2-2]", () => {
  const broker = new VirtualBroker({ limits: { sessionExpiryIntervalMax: 30 } });
  const client = broker.connect({ properties: { sessionExpiryInterval: 10 } });
  client.send(disconnect(0, { sessionExpiryInterval: 0xffffffff }));
  assertEquals(broker.core.nextDeadline, broker.now + 30_000);
});
