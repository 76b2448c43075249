// What a CONNECT asks of the outside, what it reports, and what it notes for the store.

import { assertEquals } from "@std/assert";
import type { BrokerEvent } from "../../../src/core/broker/event.ts";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { ack, bytesOf, connack, connect, publish, will } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const ASKING: Policy = { ...OPEN_POLICY, connect: () => ASK };
const PEER = { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 };

test("handleConnect() asks who it is, and what follows waits for the answer", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.open(4);
  client.send(
    connect({ protocolVersion: 4, username: "user", password: bytesOf("secret") }),
    publish("a", { qos: 1, packetId: 1 }),
  );
  client.send({ type: "pingreq" });
  assertEquals([client.isPaused, client.take(), broker.core.sessionCount], [true, [], 0]);
  assertEquals(broker.questions, [{
    kind: "connect",
    id: 1,
    request: {
      peer: PEER,
      listener: DEFAULT_LISTENER,
      clientId: "client",
      protocolVersion: 4,
      username: "user",
      isIdentified: false,
      password: bytesOf("secret"),
      isBridge: false,
    },
  }]);
  broker.answer({ kind: "connect", reasonCode: ReasonCode.SUCCESS });
  assertEquals(client.take(), [connack(0), ack("puback", 1), { type: "pingresp" }]);
  assertEquals(client.isPaused, false);
});

test("handleConnect() refuses as the answer says", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker({ policy: ASKING });
    const client = broker.open(version);
    client.send(connect({ protocolVersion: version }), publish("a"));
    const reasonCode = ReasonCode.SERVER_UNAVAILABLE;
    broker.answer({ kind: "connect", reasonCode, reasonString: "Later" });
    const properties = version === 5 ? { reasonString: "Later" } : {};
    assertEquals(client.take(), [connack(reasonCode, properties)]);
    const { publishReceived, connectsRefused, connectsAccepted } = broker.core.counters;
    assertEquals([client.isClosed, publishReceived, connectsRefused, connectsAccepted], [
      true,
      0,
      1,
      0,
    ]);
  }
});

test("handleConnect() takes nothing over before the answer is yes", () => {
  const isAsked = { value: false };
  const policy: Policy = {
    ...OPEN_POLICY,
    connect: () => isAsked.value ? ASK : ReasonCode.SUCCESS,
  };
  const broker = new VirtualBroker({ policy });
  const old = broker.connect();
  isAsked.value = true;
  broker.open().send(connect());
  assertEquals(old.isClosed, false);
  broker.answer({ kind: "connect", reasonCode: ReasonCode.NOT_AUTHORIZED });
  assertEquals(old.isClosed, false);
  broker.open().send(connect());
  broker.answer({ kind: "connect", reasonCode: ReasonCode.SUCCESS });
  assertEquals(old.isClosed, true);
});

test("A late answer to a CONNECT is for nobody", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.open();
  client.send(connect());
  client.drop();
  assertEquals(broker.answer({ kind: "connect", reasonCode: ReasonCode.SUCCESS }), false);
  assertEquals([broker.core.connectionCount, broker.core.sessionCount], [0, 0]);
  assertEquals(broker.core.nextDeadline, Infinity);
});

test("An answer of another kind changes nothing", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.open();
  client.send(connect());
  broker.answer({ kind: "publish", reasonCode: ReasonCode.SUCCESS });
  assertEquals([client.take(), broker.core.sessionCount], [[], 0]);
});

test("acceptConnect() reports who came, under the name that the answer gave", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.open();
  client.send(
    connect({ keepAlive: 60, username: "user", will: will("w", { qos: 1, retain: true }) }),
  );
  broker.takeEvents();
  broker.answer({ kind: "connect", reasonCode: ReasonCode.SUCCESS, username: "identity" });
  const expected: BrokerEvent[] = [{
    kind: "connected",
    peer: PEER,
    clientId: "client",
    protocolVersion: 5,
    cleanStart: true,
    keepAlive: 60,
    username: "identity",
    isBridge: false,
    will: { topic: "w", payloadBytes: 4, qos: 1, retain: true },
  }];
  assertEquals(broker.takeEvents(), expected);
});

test("acceptConnect() notes sessions that last, and only those", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  broker.connect({ clientId: "brief" });
  assertEquals(broker.takeChanges(), []);
  const lasting = { clientId: "lasting", username: "u", properties: { sessionExpiryInterval: 9 } };
  broker.connect(lasting);
  const set = {
    kind: "session-set",
    clientId: "lasting",
    username: "u",
    isIdentified: false,
    protocolVersion: 5,
    listenerName: "",
    expiryInterval: 9,
    endsAt: Infinity,
  } as const;
  assertEquals(broker.takeChanges(), [set]);
  // Resumed, it is noted that it has a connection; made brief, that it is no more to be kept.
  broker.connect({ ...lasting, cleanStart: false });
  assertEquals(broker.takeChanges(), [{ ...set, endsAt: broker.now + 9000 }, set]);
  const brief = broker.connect({ clientId: "lasting", cleanStart: false });
  assertEquals(broker.takeChanges(), [
    { ...set, endsAt: broker.now + 9000 },
    { kind: "session-removed", clientId: "lasting" },
  ]);
  brief.drop();
  assertEquals(broker.takeChanges(), []);
});

test("acceptConnect() gives the client the notes that were taken when it was judged", () => {
  const notes: unknown[] = [];
  const policy: Policy = {
    ...OPEN_POLICY,
    connect: (request) => {
      if (request.username === "asked") return ASK;
      request.policyNotes = `notes of ${request.clientId}`;
      return ReasonCode.SUCCESS;
    },
    publish: (client) => {
      notes.push(client.policyNotes);
      return ReasonCode.SUCCESS;
    },
  };
  const broker = new VirtualBroker({ policy });
  const lasting = { properties: { sessionExpiryInterval: 60 } };
  broker.connect({ ...lasting, clientId: "one" }).send(publish("a"));
  const two = broker.open();
  two.send(connect({ clientId: "two", username: "asked" }), publish("a"));
  const [question] = broker.questions;
  if (question?.kind === "connect") question.request.policyNotes = "of the answer";
  broker.answer({ kind: "connect", reasonCode: ReasonCode.SUCCESS });
  // What was noted of an earlier connection is not what holds for this one.
  broker.connect({ ...lasting, clientId: "one", cleanStart: false }).send(publish("a"));
  assertEquals(notes, ["notes of one", "of the answer", "notes of one"]);
});

test("acceptConnect() lets no session live longer than the limit, of whatever version", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker({ limits: { sessionExpiryIntervalMax: 60 } });
    const client = broker.connect({
      protocolVersion: version,
      cleanStart: false,
      properties: version === 5 ? { sessionExpiryInterval: 0xffffffff } : {},
    });
    client.drop();
    broker.advance(59_999);
    assertEquals(broker.core.sessionCount, 1);
    broker.advance(1);
    assertEquals(broker.core.sessionCount, 0);
  }
});

test("A clean start notes that the old session is gone", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  broker.connect({ properties: { sessionExpiryInterval: 9 } }).drop();
  broker.takeChanges();
  broker.connect();
  assertEquals(broker.takeChanges(), [{ kind: "session-removed", clientId: "client" }]);
});

test("Two clients without identifiers are two", () => {
  const broker = new VirtualBroker({ listener: { autoIdPrefix: "x-" } });
  const ids = [1, 2, 3].map(() => {
    const client = broker.connect({ clientId: "" });
    return client.connack?.properties.assignedClientId ?? "";
  });
  assertEquals(new Set(ids).size, 3);
  const form = /^x-[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/;
  assertEquals(ids.map((id) => form.test(id)), [true, true, true]);
});
