// What is noted of Wills; when they are published is in the conformance tests.

import { assertEquals } from "@std/assert";
import {
  type Answer,
  ASK,
  ASK_MESSAGE,
  OPEN_POLICY,
  type Policy,
  type PublishDecision,
} from "../../../src/core/broker/question.ts";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { MemoryStore } from "../../../src/store/memory_store.ts";
import { test } from "../../harness.ts";
import { bytesOf, disconnect, publish, request, subscribe, will } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

function left(
  delay: number,
  expiry = 60,
): { broker: VirtualBroker; client: VirtualClient; kinds: () => unknown } {
  const broker = new VirtualBroker({ keepsJournal: true });
  const client = broker.connect({
    will: will("w", { properties: { willDelayInterval: delay } }),
    properties: { sessionExpiryInterval: expiry },
  });
  const kinds = () =>
    broker.takeChanges().flatMap((change): unknown[][] => {
      if (change.kind === "will-set") return [[change.kind, change.will.delay, change.dueAt]];
      return change.kind === "will-removed" ? [[change.kind]] : [];
    });
  return { broker, client, kinds };
}

test("A Will is noted when it is left, when it falls due later, and when it is gone", () => {
  const { broker, client, kinds } = left(7);
  assertEquals(kinds(), [["will-set", 7, Infinity]]);
  client.drop();
  assertEquals(kinds(), [["will-set", 7, broker.now + 7000]]);
  broker.advance(7000);
  assertEquals(kinds(), [["will-removed"]]);
});

test("A Will without delay is noted as gone when it is published", () => {
  const { client, kinds } = left(0);
  assertEquals(kinds(), [["will-set", 0, Infinity]]);
  client.drop();
  assertEquals(kinds(), [["will-removed"]]);
});

test("A Will that is discarded is noted as gone", () => {
  const { client, kinds } = left(7);
  client.send(disconnect());
  assertEquals(kinds(), [["will-set", 7, Infinity], ["will-removed"]]);
});

test("A Will of a session that does not last is nobody's note, and has no delay", () => {
  const { broker, client, kinds } = left(7, 0);
  client.drop();
  assertEquals([kinds(), broker.core.nextDeadline], [[], Infinity]);
});

const { NOT_AUTHORIZED, SUCCESS } = ReasonCode;

test("A Will that somebody has yet to decide about stays in the store until he has", () => {
  for (const isBack of [false, true]) {
    const store = new MemoryStore();
    const policy: Policy = { ...OPEN_POLICY, publish: () => ASK };
    const broker = new VirtualBroker({ store, policy });
    const stays = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
    broker.connect({ ...stays, will: will("w", { payload: "first" }) }).drop();
    const stored = (): string[] =>
      [...store.load()].flatMap((record) => {
        if (record.kind !== "will-set" && record.kind !== "undecided-will-set") return [];
        const message = record.kind === "will-set" ? record.will.message : record.message;
        const { payloadBytes, payloadStart, payloadEnd } = message;
        return [new TextDecoder().decode(payloadBytes.subarray(payloadStart, payloadEnd))];
      });
    assertEquals(stored(), ["first"]);
    if (isBack) broker.connect({ ...stays, will: will("w", { payload: "second" }) });
    assertEquals(stored(), isBack ? ["second", "first"] : ["first"]);
    broker.answer({ kind: "publish", reasonCode: isBack ? SUCCESS : NOT_AUTHORIZED });
    assertEquals(stored(), isBack ? ["second"] : []);
  }
});

/** A Will that has fallen due, and about which the policy decides like this. */
function undecided(decision: PublishDecision, undecidedWillsMax = 10) {
  const decisions = { value: decision };
  const broker = new VirtualBroker({
    limits: { undecidedWillsMax },
    policy: { ...OPEN_POLICY, publish: () => decisions.value },
  });
  const heir = broker.connect({ clientId: "heir" });
  heir.send(subscribe(1, [request("#", { qos: 1 }), request("$SYS/#")]));
  const client = broker.connect({
    will: will("w", { qos: 1, properties: { messageExpiryInterval: 60, contentType: "t" } }),
  });
  heir.take();
  broker.questions.splice(0);
  client.drop();
  const answer = (parts: Omit<Extract<Answer, { kind: "publish" }>, "kind">): unknown => {
    const isAwaited = broker.answer({ kind: "publish", ...parts });
    return [isAwaited, heir.settle()];
  };
  return { broker, client, heir, decisions, answer };
}

const GONE = publish("w", {
  qos: 1,
  packetId: 1,
  payload: "gone",
  properties: { contentType: "t", messageExpiryInterval: 60 },
});

test("A Will that somebody outside decides about is published or dropped as he says", () => {
  for (const [reasonCode, expected] of [[SUCCESS, [GONE]], [NOT_AUTHORIZED, []]] as const) {
    const { broker, client, answer } = undecided(ASK);
    const session = client.connection.session!;
    assertEquals(broker.questions, [{
      kind: "publish",
      id: broker.questions[0]!.id,
      client: session,
      topic: "w",
      qos: 1,
      retain: false,
    }]);
    assertEquals([client.isClosed, broker.core.sessionCount], [true, 1]);
    const [question] = broker.questions;
    assertEquals(answer({ reasonCode }), [true, expected]);
    // An answer is taken once.
    assertEquals(broker.answer({ kind: "publish", reasonCode: SUCCESS }, question), false);
  }
});

test("A Will is dropped when the answer is one to something else", () => {
  const { broker, heir } = undecided(ASK);
  const [question] = broker.questions;
  assertEquals(broker.answer({ kind: "subscribe", reasonCodes: [0] }, question), true);
  assertEquals(broker.answer({ kind: "publish", reasonCode: SUCCESS }, question), false);
  assertEquals(heir.take(), []);
});

test("A Will that observers want to see is replaced, dropped or published as they say", () => {
  const contents = {
    topic: "v",
    payload: bytesOf("other"),
    qos: 0,
    retain: false,
    properties: {},
  } as const;
  const replaced = publish("v", { payload: "other" });
  const cases: readonly [Omit<Extract<Answer, { kind: "publish" }>, "kind">, unknown[]][] = [
    [{ reasonCode: SUCCESS }, [GONE]],
    [{ reasonCode: SUCCESS, isDropped: true }, []],
    [{ reasonCode: NOT_AUTHORIZED, message: contents }, []],
    [{ reasonCode: SUCCESS, message: contents }, [replaced]],
    [{ reasonCode: SUCCESS, message: { ...contents, topic: "$SYS/x" } }, []],
    [{ reasonCode: SUCCESS, message: { ...contents, topic: "v/+" } }, []],
  ];
  for (const [parts, expected] of cases) {
    const { broker, decisions, answer } = undecided(ASK_MESSAGE);
    const [question] = broker.questions;
    assertEquals(question?.kind === "publish" && question.message, {
      topic: "w",
      payload: bytesOf("gone"),
      qos: 1,
      retain: false,
      properties: { contentType: "t", messageExpiryInterval: 60 },
    });
    decisions.value = SUCCESS;
    assertEquals(answer(parts), [true, expected]);
  }
});

test("A Will that goes elsewhere is asked about again, and only about its permission", () => {
  const { broker, decisions, answer } = undecided(ASK_MESSAGE);
  const contents = {
    topic: "v",
    payload: bytesOf(""),
    qos: 0,
    retain: false,
    properties: {},
  } as const;
  assertEquals(answer({ reasonCode: SUCCESS, message: contents }), [true, []]);
  const [again] = broker.questions;
  assertEquals(
    again?.kind === "publish" && [again.topic, again.isReplaced, again.message],
    ["v", true, undefined],
  );
  decisions.value = NOT_AUTHORIZED;
  assertEquals(answer({ reasonCode: SUCCESS }), [true, [publish("v")]]);
});

test("limits.undecidedWillsMax drops a Will too many, and counts it", () => {
  const { broker, heir } = undecided(ASK, 1);
  broker.connect({ clientId: "second", will: will("w") }).drop();
  assertEquals([broker.questions.length, broker.core.counters.publishDropped], [1, 1]);
  assertEquals(heir.take(), []);
  broker.answer({ kind: "publish", reasonCode: NOT_AUTHORIZED });
  broker.connect({ clientId: "third", will: will("w") }).drop();
  assertEquals([broker.questions.length, broker.core.counters.publishDropped], [1, 1]);
});

test("A Will stands under the mount point of its listener", () => {
  const asked: string[] = [];
  const policy = {
    ...OPEN_POLICY,
    publish: (_client: unknown, topic: string) => {
      asked.push(topic);
      return SUCCESS;
    },
  };
  const broker = new VirtualBroker({ policy });
  const heir = broker.connect({ clientId: "heir" });
  heir.send(subscribe(1, [request("mine/#")]));
  heir.take();
  const listener = { ...DEFAULT_LISTENER, mountPoint: "mine/" };
  broker.connect({ will: will("$SYS/w") }, { listener }).drop();
  assertEquals(heir.take(), [publish("mine/$SYS/w", { payload: "gone" })]);
  assertEquals(asked, ["mine/$SYS/w", "mine/$SYS/w"]);
});
