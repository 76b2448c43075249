// The Will (3.1.2.5, 3.1.3.2): when it is published, when it is not, and never twice.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import type { ConnectPacket, Packet } from "../../src/core/codec/packet.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import {
  bytesOf,
  connect,
  disconnect,
  publish,
  request,
  subscribe,
  will,
} from "../support/packets.ts";
import {
  VirtualBroker,
  type VirtualBrokerOptions,
  type VirtualClient,
} from "../support/virtual_broker.ts";

interface Scene {
  readonly broker: VirtualBroker;
  /** Has left a Will. */
  readonly client: VirtualClient;
  /** Gets the Wills. */
  readonly heir: VirtualClient;
}

function scene(parts: Partial<ConnectPacket> = {}, options: VirtualBrokerOptions = {}): Scene {
  const broker = new VirtualBroker(options);
  const heir = broker.connect({ clientId: "heir" });
  heir.send(subscribe(1, [request("w", { qos: 2, retainAsPublished: true })]));
  heir.take();
  return { broker, heir, client: broker.connect({ will: will("w"), ...parts }) };
}

const GONE: Packet = publish("w", { payload: "gone" });

const ENDS: readonly [how: string, end: (scene: Scene) => void, isPublished: boolean][] = [
  ["the network breaks [MQTT-3.1.2-8]", ({ client }) => client.drop(), true],
  ["the client says so [MQTT-3.14.4-3]", ({ client }) => client.send(disconnect()), false],
  ["the client breaks the protocol", ({ client }) => client.sendBytes(Uint8Array.of(0, 0)), true],
  ["a second CONNECT comes", ({ client }) => client.sendBytes(Uint8Array.of(0x10, 0)), true],
  ["it is silent for too long", ({ broker }) => broker.advance(15_000), true],
  [
    "the host sends it away",
    ({ broker }) => {
      broker.core.disconnect("client", ReasonCode.ADMINISTRATIVE_ACTION, broker.now);
      broker.endTurn();
    },
    true,
  ],
  ["its handling fails", ({ broker, client }) => {
    broker.core.fail(client.connection, broker.now);
    broker.endTurn();
  }, true],
  [
    "another takes over, clean [MQTT-3.1.4-3]",
    ({ broker }) => void broker.connect({ cleanStart: true }),
    true,
  ],
];

for (const [how, end, isPublished] of ENDS) {
  const [, words, ids = ""] = /^(.*?)((?: \[MQTT-[^\]]+\])*)$/.exec(how)!;
  test(`The Will is ${isPublished ? "published" : "discarded"} when ${words}${ids}`, () => {
    for (const protocolVersion of [3, 4, 5] as const) {
      const stage = scene({ protocolVersion, keepAlive: 10 });
      end(stage);
      assertEquals(stage.client.isClosed, true);
      assertEquals(stage.heir.take(), isPublished ? [GONE] : []);
      stage.broker.advance(100_000);
      assertEquals(stage.heir.take(), []);
    }
  });
}

test("The Will is published when DISCONNECT asks for it", () => {
  const { client, heir } = scene();
  client.send(disconnect(ReasonCode.DISCONNECT_WITH_WILL_MESSAGE));
  assertEquals(heir.take(), [GONE]);
});

test("The Will of a session that ends is published when another takes over without a clean start", () => {
  for (const protocolVersion of [4, 5] as const) {
    const { broker, heir } = scene({ protocolVersion });
    broker.connect({ protocolVersion, cleanStart: false });
    assertEquals(heir.take(), [GONE]);
  }
});

test("The Will of a session that goes on is discarded when another takes over", () => {
  const { broker, heir } = scene({ properties: { sessionExpiryInterval: 60 } });
  broker.connect({ cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  broker.advance(100_000);
  assertEquals(heir.take(), []);
});

test("The Will has its QoS, RETAIN, payload and properties [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.2-7] [MQTT-3.1.3-10]", () => {
  const { broker, client, heir } = scene({
    will: will("w", {
      qos: 2,
      retain: true,
      payload: "bye",
      properties: {
        contentType: "t",
        messageExpiryInterval: 10,
        userProperties: [["k", "v"]],
        responseTopic: "r",
        correlationData: bytesOf("c"),
        payloadFormatIndicator: 1,
      },
    }),
  });
  broker.advance(60_000);
  client.drop();
  const properties = {
    contentType: "t",
    userProperties: [["k", "v"]] as [string, string][],
    responseTopic: "r",
    correlationData: bytesOf("c"),
    payloadFormatIndicator: 1,
    // Its expiry begins with its publication.
    messageExpiryInterval: 10,
  };
  const message = publish("w", { qos: 2, packetId: 1, retain: true, payload: "bye", properties });
  assertEquals(heir.take(), [message]);
  assertEquals(broker.core.retainedCount, 1);
});

test("A Will is the client's own message: not for a subscription without local ones", () => {
  const { broker, client } = scene({ properties: { sessionExpiryInterval: 60 } });
  client.send(subscribe(1, [request("w", { qos: 1, noLocal: true }), request("+", { qos: 1 })]));
  client.drop();
  const back = broker.connect({ cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  assertEquals(back.take(), []);
  const { client: other, broker: second } = scene({
    will: will("w", { qos: 1 }),
    properties: { sessionExpiryInterval: 60 },
  });
  other.send(subscribe(1, [request("w", { qos: 1, noLocal: true }), request("+", { qos: 1 })]));
  other.drop();
  const returned = second.connect({ cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  assertEquals(returned.take(), [publish("w", { qos: 1, packetId: 1, payload: "gone" })]);
});

test("A delayed Will waits for its delay or the end of its session, whichever comes first [MQTT-3.1.3-9]", () => {
  const cases: readonly [delay: number, expiry: number, afterSeconds: number][] = [
    [5, 60, 5],
    [60, 5, 5],
    [30, 30, 30],
    [5, 0xffffffff, 5],
    [0xffffffff, 5, 5],
    [5, 0, 0],
    [0, 60, 0],
  ];
  for (const [willDelayInterval, sessionExpiryInterval, afterSeconds] of cases) {
    const { broker, client, heir } = scene({
      will: will("w", { properties: { willDelayInterval } }),
      properties: { sessionExpiryInterval },
    });
    client.drop();
    if (afterSeconds > 0) {
      broker.advance(afterSeconds * 1000 - 1);
      assertEquals(heir.take(), []);
      broker.advance(1);
    }
    assertEquals(heir.take(), [GONE]);
    broker.advance(1_000_000);
    assertEquals(heir.take(), []);
  }
});

test("A delayed Will is discarded when its client is back in time [MQTT-3.1.3-9]", () => {
  const { broker, client, heir } = scene({
    will: will("w", { properties: { willDelayInterval: 5 } }),
    properties: { sessionExpiryInterval: 60 },
  });
  client.drop();
  broker.advance(4999);
  const back = broker.connect({ cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  assertEquals(back.connack?.sessionPresent, true);
  broker.advance(1_000_000);
  assertEquals(heir.take(), []);
  // The new connection has no Will.
  back.drop();
  broker.advance(1_000_000);
  assertEquals(heir.take(), []);
});

test("A delayed Will is published when its session is discarded by a clean start", () => {
  const { broker, client, heir } = scene({
    will: will("w", { properties: { willDelayInterval: 50 } }),
    properties: { sessionExpiryInterval: 60 },
  });
  client.drop();
  broker.connect({ cleanStart: true });
  assertEquals(heir.take(), [GONE]);
});

test("A new Will replaces the old one [MQTT-3.1.2-10]", () => {
  const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const { broker, heir } = scene(lasting);
  const back = broker.connect({ ...lasting, will: will("w", { payload: "other" }) });
  back.drop();
  assertEquals(heir.take(), [publish("w", { payload: "other" })]);
});

test("All Wills are published when the broker stops, also delayed ones", () => {
  const { broker, client, heir } = scene({
    will: will("w", { payload: "away", properties: { willDelayInterval: 50 } }),
    properties: { sessionExpiryInterval: 60 },
  });
  client.drop();
  const other = broker.connect({
    clientId: "other",
    will: will("w", { payload: "here", properties: { willDelayInterval: 50 } }),
    properties: { sessionExpiryInterval: 60 },
  });
  heir.take();
  broker.stop();
  assertEquals([heir.isClosed, other.isClosed, other.take()], [true, true, []]);
  assertEquals(heir.take(), [publish("w", { payload: "away" }), publish("w", { payload: "here" })]);
});

test("A Will whose client may not publish it any more is dropped, and one is asked about when it falls due", () => {
  for (const decision of [ReasonCode.SUCCESS, ReasonCode.NOT_AUTHORIZED]) {
    const asked: string[] = [];
    const policy: Policy = {
      ...OPEN_POLICY,
      publish: (client, topic, qos, retain) => {
        asked.push(`${client.clientId} ${topic} ${qos} ${retain}`);
        return decision;
      },
    };
    const { client, heir } = scene({ will: will("w", { qos: 1, retain: true }) }, { policy });
    // When it is left, so that its operator hears of it early.
    assertEquals(asked.splice(0), ["client w 1 true"]);
    client.drop();
    assertEquals(asked, ["client w 1 true"]);
    assertEquals(heir.take().length, decision === ReasonCode.SUCCESS ? 1 : 0);
  }
});

test("A refused CONNECT leaves no Will", () => {
  const policy: Policy = { ...OPEN_POLICY, connect: () => ReasonCode.NOT_AUTHORIZED };
  const broker = new VirtualBroker({ policy });
  const client = broker.open();
  client.send(connect({ will: will("w", { retain: true }) }));
  assertEquals([client.isClosed, broker.core.retainedCount], [true, 0]);
});
