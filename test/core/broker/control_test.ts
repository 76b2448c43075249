// Commands below "$CONTROL/": handed to the host, and to nobody else.

import { assertEquals } from "@std/assert";
import { isCommand } from "../../../src/core/broker/control.ts";
import { DEFAULT_LIMITS } from "../../../src/core/broker/limits.ts";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { BrokerState } from "../../../src/core/broker/state.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { ack, bytesOf, publish, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const TOPIC = "$CONTROL/broker/v1";

function commandsOf(broker: VirtualBroker): unknown[] {
  return broker.takeEvents().flatMap((event) =>
    event.kind === "control" ? [[event.clientId, event.topic, event.payload]] : []
  );
}

test("isCommand() is about topics below $CONTROL, for hosts that take commands", () => {
  const topics = ["$CONTROL/a", "$CONTROL/", "$CONTROL", "$CONTROLS/a", "x/$CONTROL/a"];
  const options = { limits: DEFAULT_LIMITS, random: () => 1 };
  const [taking, other] = [true, false].map((takesCommands) =>
    topics.map((topic) => isCommand(new BrokerState({ ...options, takesCommands }), topic))
  );
  assertEquals(taking, [true, true, false, false, false]);
  assertEquals(other, [false, false, false, false, false]);
});

test("publishOrHandOver() hands commands to the host, neither forwarded nor retained", () => {
  const broker = new VirtualBroker({ takesCommands: true });
  const client = broker.connect({ clientId: "c" });
  client.send(subscribe(1, [request("$CONTROL/#")]));
  client.take();
  client.send(publish(TOPIC, { qos: 1, packetId: 2, payload: "{}", retain: true }));
  assertEquals(client.take(), [ack("puback", 2)]);
  assertEquals(commandsOf(broker), [["c", TOPIC, bytesOf("{}")]]);
  assertEquals(broker.core.retainedCount, 0);
});

test("publishOrHandOver() hands over what the policy has let through, now or later", () => {
  const asking: Policy = { ...OPEN_POLICY, publish: () => ASK };
  const broker = new VirtualBroker({ policy: asking, takesCommands: true });
  const client = broker.connect({ clientId: "c" });
  for (const reasonCode of [ReasonCode.NOT_AUTHORIZED, ReasonCode.SUCCESS]) {
    client.send(publish(TOPIC, { qos: 1, packetId: 3, payload: "x" }));
    broker.answer({ kind: "publish", reasonCode });
    assertEquals(client.take(), [ack("puback", 3, reasonCode)]);
  }
  assertEquals(commandsOf(broker), [["c", TOPIC, bytesOf("x")]]);
});

test("tell() sends to one client, subscribed or not, if it may have it", () => {
  const broker = new VirtualBroker({
    policy: { ...OPEN_POLICY, deliver: (_client, topic) => topic !== "no" },
  });
  const [client, other] = [broker.connect({ clientId: "c" }), broker.connect({ clientId: "d" })];
  const told = ["yes", "no", "a+", "x".repeat(65_536)].map((topic) =>
    broker.core.tell("c", topic, bytesOf("hi"), broker.now)
  );
  assertEquals([...told, broker.core.tell("nobody", "yes", bytesOf(""), broker.now)], [
    true,
    false,
    false,
    false,
    false,
  ]);
  broker.endTurn();
  assertEquals([client.take(), other.take()], [[publish("yes", { payload: "hi" })], []]);
});
