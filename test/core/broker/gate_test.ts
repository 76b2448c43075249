// Permissions that are taken away, and wildcards that reach further than they may: for every way by
// which a message can reach a client, by name, the policy of that moment decides.

import { assertEquals } from "@std/assert";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { ack, publish, request, suback, subscribe, will } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const { NOT_AUTHORIZED, SUCCESS } = ReasonCode;
const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

/** "reader" and "writer" may not touch "secret" once it is revoked; everybody else may. */
class Rights {
  isRevoked = false;
  readonly #isBarred = (clientId: string, topic: string) =>
    this.isRevoked && topic === "secret" && (clientId === "reader" || clientId === "writer");
  readonly policy: Policy = {
    ...OPEN_POLICY,
    publish: ({ clientId }, topic) => this.#isBarred(clientId, topic) ? NOT_AUTHORIZED : SUCCESS,
    deliver: ({ clientId }, topic) => !this.#isBarred(clientId, topic),
    hasRetained: ({ clientId }, topic) => !this.#isBarred(clientId, topic),
  };
}

class Scene {
  readonly rights = new Rights();
  readonly broker: VirtualBroker;
  reader: VirtualClient;
  readonly writer: VirtualClient;

  constructor(filter: string) {
    this.broker = new VirtualBroker({ policy: this.rights.policy });
    this.writer = this.broker.connect({ ...LASTING, clientId: "writer" });
    this.reader = this.broker.connect({ ...LASTING, clientId: "reader" });
    if (filter !== "") this.reader.exchange(subscribe(1, [request(filter, { qos: 2 })]));
  }

  revoke(): void {
    this.rights.isRevoked = true;
  }

  /** The reader comes back; what it is given at once. */
  resume(): string[] {
    this.reader.drop();
    this.reader = this.broker.connect({ ...LASTING, clientId: "reader" });
    return topics(this.reader.settle());
  }
}

function topics(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => packet.type === "publish" ? packet.topic : []);
}

/**
 * Every way for "secret" and "open" to the reader. Each is told when to take the permission away,
 * and returns the topics that have reached the reader.
 */
const WAYS: Readonly<
  Record<string, (scene: Scene, revoke: () => void, filter: string) => string[]>
> = {
  live({ broker, reader }, revoke) {
    revoke();
    for (const qos of [0, 1, 2] as const) {
      broker.publish("secret", { qos });
      broker.publish("open", { qos });
    }
    return topics(reader.settle());
  },
  "queued while away"(scene, revoke) {
    scene.reader.drop();
    scene.broker.publish("secret", { qos: 1 });
    scene.broker.publish("open", { qos: 1 });
    revoke();
    return scene.resume();
  },
  "queued behind the window"(scene, revoke) {
    const { broker } = scene;
    const properties = { sessionExpiryInterval: 60, receiveMaximum: 1 };
    scene.reader = broker.connect({ ...LASTING, clientId: "reader", properties });
    broker.publish("open", { qos: 1 });
    broker.publish("secret", { qos: 1 });
    broker.publish("open", { qos: 2 });
    revoke();
    return topics(scene.reader.settle());
  },
  "in flight, sent again"(scene, revoke) {
    for (const qos of [1, 2] as const) {
      scene.broker.publish("secret", { qos });
      scene.broker.publish("open", { qos });
    }
    scene.reader.take();
    revoke();
    return scene.resume();
  },
  retained({ broker, reader }, revoke, filter) {
    broker.publish("secret", { retain: true, payload: "x" });
    broker.publish("open", { retain: true, payload: "x" });
    reader.take();
    revoke();
    return topics(reader.exchange(subscribe(2, [request(filter, { qos: 1 })])));
  },
  "retained, still owed"({ broker, reader }, revoke, filter) {
    broker.publish("open", { retain: true, qos: 1, payload: "x" });
    broker.publish("secret", { retain: true, qos: 1, payload: "x" });
    reader.settle();
    const properties = { sessionExpiryInterval: 60, receiveMaximum: 1 };
    const slow = broker.connect({ ...LASTING, clientId: "reader", properties });
    slow.send(subscribe(2, [request("open", { qos: 1 }), request(filter, { qos: 1 })]));
    const first = slow.take();
    revoke();
    const packetId = first.flatMap((packet) => packet.type === "publish" ? packet.packetId : [])[0];
    slow.send(ack("puback", packetId!));
    return topics([...first, ...slow.settle()]);
  },
  "a shared group"({ broker, reader }, revoke) {
    reader.exchange(subscribe(2, [request("$share/g/+", { qos: 1 })]));
    revoke();
    broker.publish("secret", { qos: 1 });
    broker.publish("open", { qos: 1 });
    return topics(reader.settle());
  },
  "a Will"({ broker, reader }, revoke) {
    const secret = broker.connect({ clientId: "dying", will: will("secret") });
    const open = broker.connect({ clientId: "dying too", will: will("open") });
    revoke();
    secret.drop();
    open.drop();
    return topics(reader.settle());
  },
};

for (const [name, way] of Object.entries(WAYS)) {
  test(`A permission to read that is taken away holds for what is ${name} [B-42]`, () => {
    const kept = new Scene("+");
    const withSecret = way(kept, () => {}, "+");
    assertEquals(new Set(withSecret), new Set(["open", "secret"]));
    const revoked = new Scene("+");
    const without = way(revoked, () => revoked.revoke(), "+");
    assertEquals(new Set(without), new Set(["open"]));
    assertEquals(without, withSecret.filter((topic) => topic !== "secret"));
  });

  test(`A topic that is denied stays so behind any wildcard, for what is ${name} [B-43]`, () => {
    for (const filter of ["#", "+", "+/#", "secret"]) {
      const scene = new Scene(filter);
      scene.revoke();
      const reached = way(scene, () => {}, filter);
      assertEquals([filter, reached.includes("secret")], [filter, false]);
    }
  });
}

test("What was denied is gone, and does not come once the permission is back", () => {
  const scene = new Scene("#");
  scene.broker.publish("secret", { qos: 1 });
  scene.reader.take();
  scene.revoke();
  assertEquals(scene.resume(), []);
  scene.rights.isRevoked = false;
  assertEquals(scene.resume(), []);
});

test("An author who may not have a retained message there any more has it given to nobody [B-42]", () => {
  const { broker, rights, writer } = new Scene("");
  writer.send(publish("secret", { retain: true, payload: "x" }));
  broker.publish("open", { retain: true, payload: "x" });
  const client = broker.connect({ clientId: "third" });
  const ask = () => topics(client.exchange(subscribe(1, [request("#")]))).sort();
  assertEquals(ask(), ["open", "secret"]);
  rights.isRevoked = true;
  assertEquals(ask(), ["open"]);
  // It was not removed: the author may be allowed again.
  rights.isRevoked = false;
  assertEquals(ask(), ["open", "secret"]);
});

test("The author of a retained message is whom it was then, by client and user", () => {
  const asked: unknown[] = [];
  const policy: Policy = {
    ...OPEN_POLICY,
    hasRetained: (publisher, topic) => asked.push({ ...publisher, topic }) > 0,
  };
  const broker = new VirtualBroker({ policy });
  const writer = broker.connect({ clientId: "writer", username: "anna" });
  writer.send(publish("a", { retain: true, payload: "x" }));
  writer.drop();
  broker.connect({ clientId: "writer", username: "bert" });
  broker.publish("b", { retain: true, payload: "x" });
  broker.connect().exchange(subscribe(1, [request("#")]));
  assertEquals(asked, [{ clientId: "writer", username: "anna", topic: "a" }]);
});

test("The author of a retained message is not asked about when he need not be allowed to", () => {
  const policy: Policy = { ...OPEN_POLICY, hasRetained: () => false };
  for (const checksRetainSource of [false, true]) {
    const broker = new VirtualBroker({ policy, limits: { checksRetainSource } });
    const client = broker.connect();
    client.send(publish("a", { retain: true, payload: "x" }));
    const given = topics(client.exchange(subscribe(1, [request("#")])));
    assertEquals(given, checksRetainSource ? [] : ["a"]);
  }
});

test("A Will that its client may not publish when it is due reaches nobody [B-42] [B-46]", () => {
  const { broker, rights } = new Scene("");
  const third = broker.connect({ clientId: "third" });
  third.exchange(subscribe(1, [request("#")]));
  const writer = broker.connect({ clientId: "writer", will: will("secret", { retain: true }) });
  rights.isRevoked = true;
  writer.drop();
  assertEquals([third.take(), broker.core.retainedCount], [[], 0]);
});

test("A QoS 2 message goes on its way with its PUBLISH, so a PUBREL brings nothing more [B-42]", () => {
  const { broker, rights, writer } = new Scene("");
  const third = broker.connect({ clientId: "third" });
  third.exchange(subscribe(1, [request("#", { qos: 2 })]));
  writer.send(publish("secret", { qos: 2, packetId: 1, payload: "x" }));
  assertEquals(topics(third.settle()), ["secret"]);
  rights.isRevoked = true;
  writer.send(publish("secret", { qos: 2, packetId: 1, payload: "x", dup: true }));
  writer.send(ack("pubrel", 1));
  // The exchange ends as it should; the next one is refused.
  writer.send(publish("secret", { qos: 2, packetId: 1, payload: "y" }));
  assertEquals(writer.take(), [
    ack("pubrec", 1),
    ack("pubrec", 1),
    ack("pubcomp", 1),
    ack("pubrec", 1, NOT_AUTHORIZED),
  ]);
  assertEquals(third.settle(), []);
});

test("A shared message passes over members who lost the permission, and is not lost for others", () => {
  const { broker, rights, reader } = new Scene("");
  const third = broker.connect({ clientId: "third" });
  for (const member of [reader, third]) {
    member.exchange(subscribe(1, [request("$share/g/#", { qos: 1 })]));
  }
  rights.isRevoked = true;
  for (let i = 0; i < 4; i++) broker.publish("secret", { qos: 1 });
  assertEquals([reader.settle(), topics(third.settle()).length], [[], 4]);
});

test("A filter that is denied gets nothing retained, and does no harm to the others [B-48]", () => {
  for (const answersLater of [false, true]) {
    const policy: Policy = {
      ...OPEN_POLICY,
      subscribe: (_client, filter) =>
        filter !== "secret" ? SUCCESS : answersLater ? ASK : NOT_AUTHORIZED,
    };
    const broker = new VirtualBroker({ policy });
    for (const topic of ["a", "b", "secret"]) {
      broker.publish(topic, { retain: true, payload: "x" });
    }
    const client = broker.connect();
    client.send(subscribe(1, [request("a"), request("secret"), request("b", { qos: 1 })]));
    if (answersLater) {
      assertEquals(client.take(), []);
      broker.answer({ kind: "subscribe", reasonCodes: [NOT_AUTHORIZED] });
    }
    assertEquals(client.take(), [
      suback(1, [0, NOT_AUTHORIZED, 1]),
      publish("a", { retain: true, payload: "x" }),
      publish("b", { retain: true, payload: "x" }),
    ]);
    assertEquals([broker.publish("secret"), client.take()], [0, []]);
  }
});
