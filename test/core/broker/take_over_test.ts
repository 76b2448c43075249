// Whose a session is: what it holds reaches nobody but the identity that made it (B-31, B-45).

import { assertEquals } from "@std/assert";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { UNKNOWN_IDENTITY } from "../../../src/core/broker/take_over.ts";
import { OPEN_POLICY } from "../../../src/core/broker/question.ts";
import type { ConnectPacket } from "../../../src/core/codec/packet.ts";
import type { TlsPeer } from "../../../src/core/session/peer.ts";
import { test } from "../../harness.ts";
import { ack, disconnect, publish, request, subscribe, will } from "../../support/packets.ts";
import {
  type OpenOptions,
  VirtualBroker,
  type VirtualClient,
} from "../../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };

interface Comer {
  readonly parts: Partial<ConnectPacket>;
  readonly options?: OpenOptions;
}

function proven(commonName: string): OpenOptions {
  const tls: TlsPeer = {
    version: "TLSv1.3",
    cipher: "",
    certificate: { commonName, subject: undefined },
    pskIdentity: undefined,
  };
  return { tls, listener: { ...DEFAULT_LISTENER, identitySource: "common-name" } };
}

const ALICE: Comer = { parts: { username: "alice" } };
const PROVEN_ALICE: Comer = { parts: {}, options: proven("alice") };
const EVE: Comer = { parts: { username: "eve" } };
const NOBODY: Comer = { parts: {} };

function come(broker: VirtualBroker, comer: Comer): VirtualClient {
  return broker.connect({ ...LASTING, ...comer.parts }, comer.options);
}

/** An owner with a subscription, a message in flight, another that waits, and half a QoS 2. */
function occupied(owner: Comer, isOnline: boolean): VirtualBroker {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  const client = come(broker, owner);
  client.send(subscribe(1, [request("secret/#", { qos: 1 })]));
  broker.publish("secret/1", { qos: 1 });
  broker.publish("secret/2", { qos: 1 });
  client.send(publish("x", { qos: 2, packetId: 9 }));
  client.take();
  if (!isOnline) client.drop();
  broker.takeEvents();
  return broker;
}

test("takeSession() gives another identity a session of its own, and nothing of the old one", () => {
  const strangers: readonly [Comer, Comer, string | undefined, string | undefined][] = [
    [ALICE, EVE, "alice", "eve"],
    [ALICE, NOBODY, "alice", undefined],
    [NOBODY, ALICE, undefined, "alice"],
    [ALICE, PROVEN_ALICE, "alice", "alice"],
    [PROVEN_ALICE, ALICE, "alice", "alice"],
  ];
  for (const isOnline of [true, false]) {
    for (const [owner, stranger, ownerUsername, username] of strangers) {
      const broker = occupied(owner, isOnline);
      const client = come(broker, stranger);
      assertEquals(client.connack?.sessionPresent, false);
      broker.publish("secret/3", { qos: 1 });
      assertEquals(client.take(), []);
      // Its own QoS 2 exchanges are not those of the other.
      assertEquals(client.exchange(publish("x", { qos: 2, packetId: 9 })), [ack("pubrec", 9)]);
      assertEquals(broker.core.counters.publishReceived, 2);
      const { peer } = client.connection;
      const discarded = broker.takeEvents().filter((event) => event.kind === "session-discarded");
      assertEquals(discarded, [
        { kind: "session-discarded", peer, clientId: "client", username, ownerUsername },
      ]);
      assertEquals([broker.core.sessionCount, broker.core.subscriptionCount], [1, 0]);
      assertEquals(broker.core.counters.sessionsDiscarded, 1);
    }
  }
});

test("takeSession() gives the session to whoever made it, also where nobody has a name", () => {
  for (const isOnline of [true, false]) {
    for (const owner of [ALICE, PROVEN_ALICE, NOBODY]) {
      const broker = occupied(owner, isOnline);
      const client = come(broker, owner);
      assertEquals(client.connack?.sessionPresent, true);
      assertEquals(client.settle(), [
        publish("secret/1", { qos: 1, packetId: 1, dup: true }),
        publish("secret/2", { qos: 1, packetId: 2 }),
      ]);
      assertEquals(broker.core.counters.sessionsDiscarded, 0);
    }
  }
});

test("takeSession() goes by the name that an authenticator gave, not by the one that was sent", () => {
  const policy = { ...OPEN_POLICY, connect: () => -1 as const };
  const broker = new VirtualBroker({ policy });
  const connectAs = (sent: string, given: string): VirtualClient => {
    const client = broker.connect({ ...LASTING, username: sent });
    broker.answer({ kind: "connect", reasonCode: 0, username: given });
    client.readConnack();
    return client;
  };
  connectAs("a", "alice").drop();
  assertEquals(connectAs("b", "alice").connack?.sessionPresent, true);
  assertEquals(connectAs("b", "bob").connack?.sessionPresent, false);
});

test("takeSession() publishes the Will of a session that another identity ends", () => {
  for (const isOnline of [true, false]) {
    const broker = new VirtualBroker();
    const heir = broker.connect({ clientId: "heir" });
    heir.send(subscribe(1, [request("w")]));
    const properties = { willDelayInterval: 600 };
    const client = broker.connect({
      ...LASTING,
      ...ALICE.parts,
      will: will("w", { properties }),
    });
    if (!isOnline) client.drop();
    heir.take();
    come(broker, EVE);
    assertEquals(heir.take(), [publish("w", { payload: "gone" })]);
    assertEquals(client.take(), isOnline ? [disconnect(0x8e)] : []);
  }
});

test("A session that was restored still belongs to who made it", () => {
  for (
    const [owner, comer, isPresent] of [
      [ALICE, ALICE, true],
      [ALICE, PROVEN_ALICE, false],
      [PROVEN_ALICE, PROVEN_ALICE, true],
      [PROVEN_ALICE, ALICE, false],
      [NOBODY, NOBODY, true],
      [NOBODY, EVE, false],
    ] as const
  ) {
    const first = new VirtualBroker({ keepsJournal: true });
    come(first, owner).drop();
    const second = new VirtualBroker();
    second.core.restore(first.takeChanges(), second.now);
    assertEquals(come(second, comer).connack?.sessionPresent, isPresent);
  }
});

test("A session of which nobody knows who made it belongs to the first who comes", () => {
  for (const first of [ALICE, PROVEN_ALICE, NOBODY]) {
    const broker = new VirtualBroker({ keepsJournal: true });
    const session = {
      clientId: "client",
      protocolVersion: 5,
      listenerName: "",
      expiryInterval: 3600,
      endsAt: Infinity,
    } as const;
    broker.core.restore([{ kind: "session-set", ...session, ...UNKNOWN_IDENTITY }], broker.now);
    const client = come(broker, first);
    assertEquals(client.connack?.sessionPresent, true);
    client.drop();
    // From now on, and after a restart, it is the first one's.
    const restarted = new VirtualBroker();
    restarted.core.restore(broker.takeChanges(), broker.now);
    for (const each of [broker, restarted]) {
      assertEquals(come(each, first).connack?.sessionPresent, true);
      assertEquals(come(each, EVE).connack?.sessionPresent, false);
    }
  }
});
