// How a question goes from one decider to the next.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { PacketType } from "../../src/core/codec/protocol.ts";
import type { Eventual, Verdict } from "../../src/auth/auth.ts";
import {
  admissionCodeOf,
  carriedCode,
  CLOSED_CHAIN,
  isPromise,
  type Outcome,
  permissionOf,
  poll,
} from "../../src/auth/chain.ts";
import { login } from "./requests.ts";

const { BANNED, NOT_AUTHORIZED, SERVER_BUSY, SUCCESS } = ReasonCode;
const NOBODY = { reasonCode: undefined, by: undefined, hasDeferred: false };

interface Decider {
  readonly name: string;
  answer(): Eventual<Verdict>;
}

/** Polls deciders that are called by their place in the list; tells who was asked and who failed. */
function ask(...answers: readonly (() => unknown)[]) {
  const asked: string[] = [];
  const failed: string[] = [];
  const deciders: Decider[] = answers.map((answer, i) => ({
    name: `${i}`,
    // Plugins are written in JavaScript, too.
    answer: answer as () => Eventual<Verdict>,
  }));
  const outcome = poll(deciders, (decider) => {
    asked.push(decider.name);
    return decider.answer();
  }, (name) => failed.push(name));
  return { outcome, asked, failed };
}

const now = (value: unknown) => () => value;
const later = (value: unknown) => () => Promise.resolve(value);
const decided = (reasonCode: ReasonCode, by: number, hasDeferred = false): Outcome => ({
  reasonCode,
  by: `${by}`,
  hasDeferred,
});

test("poll() hears the first who decides, and asks nobody after that", async () => {
  for (const say of [now, later]) {
    const { outcome, asked } = ask(say("ignore"), say("defer"), say(SUCCESS), say(BANNED));
    assertEquals(isPromise(outcome), say === later);
    assertEquals(await outcome, decided(SUCCESS, 2, true));
    assertEquals(asked, ["0", "1", "2"]);
    assertEquals(await ask(say(BANNED), say(SUCCESS)).outcome, decided(BANNED, 0));
  }
});

test("poll() tells whether anybody deferred when nobody decides", async () => {
  assertEquals(ask().outcome, NOBODY);
  for (const say of [now, later]) {
    assertEquals(await ask(say("ignore"), say("ignore")).outcome, NOBODY);
    const outcome = await ask(say("defer"), now("ignore"), say("ignore")).outcome;
    assertEquals(outcome, { ...NOBODY, hasDeferred: true });
  }
});

test("poll() takes failures and nonsense for a refusal that nobody can overrule [B-49]", async () => {
  const fail = (): never => {
    throw new Error("broken");
  };
  const nonsense = [undefined, null, true, "yes", "", {}, NaN, 1, 0x18, 0x7f, 0xa3, 128.5, "0"];
  const answers = [
    fail,
    () => Promise.reject(new Error("broken")),
    ...nonsense.flatMap((value) => [now(value), later(value)]),
  ];
  for (const answer of answers) {
    const { outcome, asked, failed } = ask(answer, now(SUCCESS));
    assertEquals(await outcome, decided(NOT_AUTHORIZED, 0));
    assertEquals([asked, failed], [["0"], ["0"]]);
  }
});

test("permissionOf() grants what nobody minds, and refuses what somebody left to nobody", () => {
  const codes = [
    NOBODY,
    { ...NOBODY, hasDeferred: true },
    decided(SUCCESS, 0),
    decided(NOT_AUTHORIZED, 0),
    decided(BANNED, 0),
  ].map((outcome) => permissionOf(outcome, PacketType.PUBACK));
  assertEquals(codes, [SUCCESS, NOT_AUTHORIZED, SUCCESS, NOT_AUTHORIZED, NOT_AUTHORIZED]);
});

test("admissionCodeOf() has allow_anonymous decide where nobody does", () => {
  const deferred = { ...NOBODY, hasDeferred: true };
  const rows = [NOBODY, deferred, decided(SUCCESS, 0), decided(BANNED, 0)].map((outcome) =>
    [[true, true], [true, false], [false, true], [false, false]].map(([isAnonymous, allows]) =>
      admissionCodeOf(outcome, isAnonymous!, allows!)
    )
  );
  const no = NOT_AUTHORIZED;
  assertEquals(rows, [
    [SUCCESS, no, SUCCESS, no],
    [SUCCESS, no, no, no],
    [SUCCESS, SUCCESS, SUCCESS, SUCCESS],
    [BANNED, BANNED, BANNED, BANNED],
  ]);
});

test("carriedCode() says in other words what a packet may not carry", () => {
  assertEquals(carriedCode(SERVER_BUSY, PacketType.CONNACK), SERVER_BUSY);
  assertEquals(carriedCode(SERVER_BUSY, PacketType.PUBACK), NOT_AUTHORIZED);
});

test("CLOSED_CHAIN lets nobody in and nothing through", () => {
  const { authenticators, authorizers, allowAnonymous } = CLOSED_CHAIN;
  const verdict = poll(authenticators, (one) => one.authenticate(login()), () => {});
  assertEquals([verdict, allowAnonymous, authorizers.length], [
    { reasonCode: NOT_AUTHORIZED, by: "nobody", hasDeferred: false },
    false,
    1,
  ]);
});
