// The gatekeeper and the broker's core together: files decide, reloads take effect at once, and
// each path to a client is guarded.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import type { Client } from "../../src/core/broker/question.ts";
import type { ConnectPacket } from "../../src/core/codec/packet.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { AccessList } from "../../src/auth/access_list.ts";
import { parseAclFile } from "../../src/auth/acl_file.ts";
import type { Chain } from "../../src/auth/chain.ts";
import { Gatekeeper } from "../../src/auth/gatekeeper.ts";
import { parsePasswordFile, PasswordFile } from "../../src/auth/password_file.ts";
import { WorkGate } from "../../src/auth/work_gate.ts";
import { ack, bytesOf, publish, request, subscribe, will } from "../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../support/virtual_broker.ts";
import { PBKDF2_OF_SECRET, SHA512_OF_SECRET } from "./hashes.ts";

const HASH = PBKDF2_OF_SECRET[0]!;

function passwords(text: string): PasswordFile {
  return new PasswordFile(parsePasswordFile(text, "pw").value!, {
    argon2id: () => Promise.reject(new Error("no Argon2id here")),
    gate: new WorkGate({ runningMax: 2, waitingMax: 10 }),
  });
}

function rules(text: string): AccessList {
  return new AccessList(parseAclFile(text, "acl").value!, { onNotice: () => {} });
}

function fixture(parts: Partial<Chain>) {
  const chainSet = (parts: Partial<Chain>) => ({
    general: { allowAnonymous: true, authenticators: [], authorizers: [], observers: [], ...parts },
    byListener: new Map(),
  });
  const gatekeeper = new Gatekeeper({
    chains: chainSet(parts),
    onFailure: (_, error) => {
      throw error;
    },
  });
  const broker = new VirtualBroker({ policy: gatekeeper });
  /** Brings questions and answers back and forth, as a driver does. */
  const settle = async (): Promise<void> => {
    for (let question = broker.questions.shift(); question; question = broker.questions.shift()) {
      broker.answer(await gatekeeper.ask(question), question);
    }
  };
  const connect = async (parts: Partial<ConnectPacket> = {}): Promise<VirtualClient> => {
    const client = broker.connect(parts);
    await settle();
    client.readConnack();
    return client;
  };
  const replace = (parts: Partial<Chain>): void => gatekeeper.setChains(chainSet(parts));
  return { gatekeeper, broker, settle, connect, replace };
}

function login(username: string, password: string): Partial<ConnectPacket> {
  return { clientId: username, username, password: bytesOf(password) };
}

const subscribeTo = (filter: string) => subscribe(1, [request(filter, { qos: 2 })]);

/** The topics of the PUBLISH packets that have arrived, acknowledged. */
function topicsOf(client: VirtualClient): string[] {
  return client.settle().flatMap((packet) => packet.type === "publish" ? [packet.topic] : []);
}

test("A password file has its users let in and others told 0x87, or 5 before version 5", async () => {
  const { connect } = fixture({ authenticators: [passwords(`alice:${HASH}`)] });
  const codes: (number | undefined)[] = [];
  for (const protocolVersion of [3, 4, 5] as const) {
    for (const parts of [login("alice", "secret"), login("alice", "no"), login("bob", "secret")]) {
      const { connack, isClosed } = await connect({ ...parts, protocolVersion });
      codes.push(connack?.reasonCode);
      assertEquals(isClosed, connack?.reasonCode !== 0);
    }
  }
  const { SUCCESS, NOT_AUTHORIZED } = ReasonCode;
  const expected = [SUCCESS, NOT_AUTHORIZED, NOT_AUTHORIZED];
  assertEquals(codes, [...expected, ...expected, ...expected]);
});

test("A broker with only a password file asks nothing about topics", async () => {
  const { gatekeeper, connect } = fixture({ authenticators: [passwords(`alice:${HASH}`)] });
  const asked: string[] = [];
  gatekeeper.deliver = () => asked.push("deliver") < 0;
  gatekeeper.publish = () => ReasonCode.SUCCESS * asked.push("publish") as ReasonCode;
  const client = await connect(login("alice", "secret"));
  client.send(subscribeTo("#"), publish("a"));
  assertEquals([topicsOf(client), asked], [["a"], []]);
});

test("An access file that a reload brings is in force for the next message [B-42]", async () => {
  const { connect, replace } = fixture({});
  const client = await connect();
  client.send(subscribeTo("#"), publish("a"));
  assertEquals(topicsOf(client), ["a"]);
  replace({ authorizers: [rules("topic read b\ntopic write #")] });
  client.send(publish("a"), publish("b"));
  assertEquals(topicsOf(client), ["b"]);
});

test("A denied topic stays denied on every path under a broad wildcard [B-43]", async () => {
  const acl = "user pub\ntopic #\nuser sub\ntopic read #\ntopic deny secret/#\n";
  const { connect } = fixture({ authorizers: [rules(acl)] });
  const sub = (parts: Partial<ConnectPacket> = {}) =>
    connect({
      ...login("sub", "x"),
      cleanStart: false,
      properties: { sessionExpiryInterval: 100 },
      ...parts,
    });
  const pub = await connect({ ...login("pub", "x"), will: will("secret/will") });
  const topics = ["open", "secret/x"];
  for (const topic of topics) pub.send(publish(topic, { retain: true, payload: "r" }));
  const first = await sub();
  first.send(subscribeTo("#"), subscribeTo("$share/g/#"));
  assertEquals(topicsOf(first), ["open"]);
  for (const topic of topics) pub.send(publish(topic, { qos: 1, packetId: 1 }));
  assertEquals(topicsOf(first), ["open", "open"]);
  first.drop();
  for (const topic of topics) pub.send(publish(topic, { qos: 1, packetId: 2 }));
  pub.drop();
  const second = await sub();
  assertEquals(topicsOf(second), ["open", "open"]);
});

test("A denied PUBLISH is answered as its version allows, and goes nowhere", async () => {
  const { connect } = fixture({ authorizers: [rules("topic read #\ntopic write ok\n")] });
  const client = await connect();
  client.send(subscribeTo("#"));
  client.take();
  const answers = client.exchange(
    publish("no", { qos: 1, packetId: 1 }),
    publish("no", { qos: 2, packetId: 2 }),
  );
  const { NOT_AUTHORIZED, SUCCESS } = ReasonCode;
  assertEquals(answers, [ack("puback", 1, NOT_AUTHORIZED), ack("pubrec", 2, NOT_AUTHORIZED)]);
  const old = await connect({ protocolVersion: 4, clientId: "old" });
  assertEquals(old.exchange(publish("no", { qos: 1, packetId: 1 })), [ack("puback", 1, SUCCESS)]);
  assertEquals(topicsOf(client), []);
});

test("A client whose password has changed is sent away by a recheck, others stay [B-42]", async () => {
  const { gatekeeper, broker, connect, replace } = fixture({
    authenticators: [passwords(`alice:${HASH}\nbob:${HASH}\n`)],
  });
  const clients = [
    await connect(login("alice", "secret")),
    await connect(login("bob", "secret")),
    await connect({ clientId: "anonymous" }),
  ];
  replace({ authenticators: [passwords(`alice:${HASH}\nbob:${SHA512_OF_SECRET}\n`)] });
  const sentAway = broker.core.recheck((client) => gatekeeper.recheck(client), broker.now);
  broker.endTurn();
  assertEquals([sentAway, clients.map(({ isClosed }) => isClosed)], [1, [false, true, false]]);
  replace({ allowAnonymous: false });
  broker.core.recheck((client) => gatekeeper.recheck(client), broker.now);
  broker.endTurn();
  assertEquals(clients.map(({ isClosed }) => isClosed), [true, true, true]);
});

test("An observer's message is authorised by the topic that it gives it [B-44]", async () => {
  const acl = "user pub\ntopic write in/#\ntopic write out/ok\nuser sub\ntopic read #\n";
  const { connect, settle } = fixture({
    authorizers: [rules(acl)],
    observers: [{
      name: "o",
      message: (_: Client, message) => ({
        ...message,
        topic: message.topic.replace("in/", "out/"),
      }),
    }],
  });
  const sub = await connect(login("sub", "x"));
  sub.send(subscribeTo("#"));
  const pub = await connect(login("pub", "x"));
  pub.send(publish("in/ok", { qos: 1, packetId: 1 }), publish("in/no", { qos: 1, packetId: 2 }));
  await settle();
  assertEquals(topicsOf(sub), ["out/ok"]);
  assertEquals(pub.take(), [ack("puback", 1), ack("puback", 2, ReasonCode.NOT_AUTHORIZED)]);
});
