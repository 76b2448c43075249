// A reload reaches everybody at once: limits, the policy, the settings of listeners, and who may
// stay.

import { assertEquals } from "@std/assert";
import { DEFAULT_LIMITS, DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import {
  ASK,
  type Client,
  type ConnectRequest,
  OPEN_POLICY,
  type Policy,
} from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import {
  ack,
  bytesOf,
  connack,
  connect,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
  will,
} from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const { NOT_AUTHORIZED, SUCCESS, ADMINISTRATIVE_ACTION } = ReasonCode;

test("configure() bounds packets of those who are there and of those who come", () => {
  const broker = new VirtualBroker();
  const [opened, client, after] = [
    broker.open(),
    broker.connect(),
    broker.connect({
      clientId: "after",
    }),
  ];
  const limits = { ...DEFAULT_LIMITS, maximumPacketSize: 50, requestPacketBytesMax: 60 };
  broker.core.configure({ limits }, broker.now);
  client.send(publish("a", { payload: "x".repeat(60) }));
  opened.send(connect({ clientId: "x".repeat(60) }));
  after.send(publish("a", { payload: "x".repeat(20) }));
  assertEquals([client.isClosed, opened.isClosed, after.isClosed], [true, true, false]);
  assertEquals(broker.connect({ clientId: "new" }).connack?.properties.maximumPacketSize, 50);
});

test("configure() leaves an exchange of authentication its own bounds", () => {
  const broker = new VirtualBroker({
    policy: { ...OPEN_POLICY, hasAuthenticationMethod: () => true },
  });
  const client = broker.open();
  client.send(connect({ properties: { authenticationMethod: "x" } }));
  broker.core.configure({ limits: { ...DEFAULT_LIMITS, requestPacketBytesMax: 60 } }, broker.now);
  broker.answer({ kind: "authenticate", reasonCode: ReasonCode.CONTINUE_AUTHENTICATION });
  client.take();
  // A PUBLISH has no length before the client is let in; an AUTH has.
  client.sendBytes(Uint8Array.of(0xf0, 60));
  assertEquals(client.isClosed, false);
  client.drop();
  assertEquals(broker.core.connectionCount, 0);
});

test("configure() has another policy asked, about messages on their way as well", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ protocolVersion: 4 });
  client.send(subscribe(1, [request("#")]));
  client.take();
  const policy: Policy = { ...OPEN_POLICY, publish: () => NOT_AUTHORIZED, deliver: () => false };
  broker.core.configure({ policy }, broker.now);
  broker.publish("a");
  assertEquals(client.exchange(publish("a", { qos: 1, packetId: 1 })), [ack("puback", 1)]);
  broker.core.configure({ policy: OPEN_POLICY }, broker.now);
  broker.publish("b");
  assertEquals(client.take(), [publish("b")]);
});

test("configure() moves connections and sessions to the settings that replace theirs", () => {
  const seen: (string | undefined)[] = [];
  const broker = new VirtualBroker({
    policy: {
      ...OPEN_POLICY,
      publish: (client) => {
        seen.push(client.listener?.name);
        return SUCCESS;
      },
    },
  });
  const old = { ...DEFAULT_LISTENER, name: "old", connectionsMax: 2 };
  const other = { ...DEFAULT_LISTENER, name: "other" };
  const lasting = { properties: { sessionExpiryInterval: 60 }, will: will("w") };
  const client = broker.connect({ clientId: "a" }, { listener: old });
  const away = broker.connect({ ...lasting, clientId: "b" }, { listener: old });
  broker.connect({ clientId: "c" }, { listener: other }).send(publish("x"));
  const fresh = { ...old, name: "fresh", maximumQos: 0, topicAliasMaximum: 0 } as const;
  broker.core.configure({ listeners: new Map([[old, fresh]]) }, broker.now);
  away.drop();
  // What a client was told when it came is not taken back.
  const sent = publish("x", { qos: 1, packetId: 1, properties: { topicAlias: 10 } });
  assertEquals(client.exchange(sent), [ack("puback", 1, ReasonCode.NO_MATCHING_SUBSCRIBERS)]);
  const next = broker.connect({ clientId: "d" }, { listener: fresh });
  assertEquals(next.exchange(sent), [disconnect(ReasonCode.QOS_NOT_SUPPORTED)]);
  // The Will was judged when it was left and when it was due.
  assertEquals(seen, ["old", "other", "fresh", "fresh"]);
  client.drop();
  const room = () => broker.open(5, { listener: fresh }).isClosed;
  assertEquals([room(), room(), room()], [false, false, true]);
});

test("configure() replaces the settings of those who came by no listener", () => {
  const broker = new VirtualBroker();
  const before = broker.open();
  broker.core.configure({
    listener: { ...DEFAULT_LISTENER, topicAliasMaximum: 3 },
  }, broker.now);
  const after = broker.open();
  const told = [before, after].map((client, i) => {
    client.send(connect({ clientId: `${i}` }));
    client.readConnack();
    return client.connack?.properties.topicAliasMaximum;
  });
  assertEquals(told, [3, 3]);
});

test("recheck() sends away who may not stay, tells why, and publishes no Will", () => {
  const broker = new VirtualBroker();
  const heir = broker.connect({ clientId: "heir" });
  heir.send(subscribe(1, [request("w")]));
  heir.take();
  const lasting = { properties: { sessionExpiryInterval: 60 } };
  const parts = { ...lasting, will: will("w"), password: bytesOf("secret"), username: "user" };
  const bad = broker.connect({ ...parts, clientId: "bad" });
  const old = broker.connect({ clientId: "old", protocolVersion: 4, will: will("w") });
  const certified = broker.connect({ clientId: "certified" });
  broker.connect({ ...lasting, clientId: "away" }).drop();
  broker.takeEvents();
  const judged: [Client, ConnectRequest][] = [];
  const codes: Record<string, ReasonCode> = {
    heir: SUCCESS,
    bad: NOT_AUTHORIZED,
    old: ReasonCode.BAD_USER_NAME_OR_PASSWORD,
    certified: ADMINISTRATIVE_ACTION,
  };
  const count = broker.core.recheck((client, asked) => {
    judged.push([client, asked]);
    return codes[client.clientId]!;
  }, broker.now);
  broker.endTurn();
  assertEquals(count, 3);
  assertEquals([bad.take(), old.take(), certified.take(), heir.take()], [
    [disconnect(NOT_AUTHORIZED)],
    [],
    [disconnect(ADMINISTRATIVE_ACTION)],
    [],
  ]);
  assertEquals([bad.isClosed, old.isClosed, certified.isClosed, heir.isClosed], [
    true,
    true,
    true,
    false,
  ]);
  assertEquals(judged.map(([client]) => client.clientId), ["heir", "bad", "old", "certified"]);
  assertEquals(judged[1]![1], {
    peer: bad.connection.peer,
    listener: DEFAULT_LISTENER,
    clientId: "bad",
    protocolVersion: 5,
    username: "user",
    isIdentified: false,
    password: undefined,
    isBridge: false,
    policyNotes: undefined,
  });
  const told = broker.takeEvents().map((event) =>
    event.kind === "closed" ? [event.clientId, event.cause] : [event.kind]
  );
  assertEquals(told, [
    ["bad", "not authorised"],
    ["old", "not authorised"],
    ["certified", "not authorised"],
  ]);
});

test("recheck() asks again about who waits to be let in, and takes no answer by the old rules", () => {
  const broker = new VirtualBroker({ policy: { ...OPEN_POLICY, connect: () => ASK } });
  const [one, two] = ["one", "two"].map((clientId) => {
    const client = broker.open();
    client.send(connect({ clientId, password: bytesOf("secret") }), { type: "pingreq" });
    return client;
  });
  const [stale] = broker.questions.splice(0);
  const policy: Policy = {
    ...OPEN_POLICY,
    connect: ({ clientId }) => clientId === "one" ? ASK : SUCCESS,
  };
  broker.core.configure({ policy }, broker.now);
  broker.core.recheck(() => SUCCESS, broker.now);
  broker.endTurn();
  assertEquals(broker.answer({ kind: "connect", reasonCode: SUCCESS }, stale), false);
  assertEquals(two!.take().map(({ type }) => type), ["connack", "pingresp"]);
  const [asked] = broker.questions;
  assertEquals(asked?.kind === "connect" && asked.request.password, bytesOf("secret"));
  broker.answer({ kind: "connect", reasonCode: NOT_AUTHORIZED });
  assertEquals([one!.take(), one!.isClosed], [[connack(NOT_AUTHORIZED)], true]);
});

test("recheck() breaks off an exchange of authentication, which may begin anew", () => {
  const policy = { ...OPEN_POLICY, hasAuthenticationMethod: () => true };
  const broker = new VirtualBroker({ policy });
  const client = broker.open();
  client.send(connect({ properties: { authenticationMethod: "x" } }));
  broker.core.recheck(() => SUCCESS, broker.now);
  broker.endTurn();
  assertEquals([client.take(), client.isClosed], [[connack(ReasonCode.SERVER_BUSY)], true]);
  assertEquals(broker.answer({ kind: "authenticate", reasonCode: SUCCESS }), false);
});

test("configure() refuses what would need more memory, until there is some again", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ clientId: "here" });
  client.send(subscribe(1, [request("kept")]));
  client.take();
  broker.core.configure({ isShortOfMemory: true }, broker.now);
  client.send(publish("kept", { qos: 1, packetId: 7 }));
  client.send(subscribe(8, [request("kept"), request("new")]));
  const { QUOTA_EXCEEDED, SERVER_BUSY } = ReasonCode;
  assertEquals(client.take(), [ack("puback", 7, QUOTA_EXCEEDED), suback(8, [0, QUOTA_EXCEEDED])]);
  const late = broker.open();
  late.send(connect({ clientId: "late" }));
  assertEquals(late.take(), [connack(SERVER_BUSY)]);
  broker.core.configure({ isShortOfMemory: false }, broker.now);
  client.send(publish("kept"));
  assertEquals(client.take(), [publish("kept")]);
  assertEquals(broker.connect({ clientId: "later" }).isClosed, false);
});

test("configure() has packets traced from now on, or not any more", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  const count = (): number => {
    client.send(publish("a"));
    return broker.takeEvents().filter(({ kind }) => kind === "packet").length;
  };
  const counts = [undefined, true, false].map((tracesPackets) => {
    broker.core.configure(tracesPackets === undefined ? {} : { tracesPackets }, broker.now);
    return count();
  });
  assertEquals(counts, [0, 1, 0]);
});
