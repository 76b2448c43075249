// Hooks that fail in every way there is: each is refused and told of, and nothing gets through.

import { assertEquals } from "@std/assert";
import type { Authorizer, InboundMessage, TopicRules, Verdict } from "../../src/auth/auth.ts";
import type { Plugin } from "../../src/auth/plugin.ts";
import { type GuardedParts, guardPlugin } from "../../src/auth/plugin_guard.ts";
import type { Client, ConnectRequest } from "../../src/core/broker/question.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { test } from "../harness.ts";

const NOT_AUTHORIZED = 0x87;

const REQUEST = { clientId: "c", username: "u" } as unknown as ConnectRequest;
const STEP = { request: REQUEST, method: "M", data: undefined, isReauthentication: false };

const MESSAGE: InboundMessage = {
  topic: "a",
  payload: Uint8Array.of(1),
  qos: 1,
  retain: false,
  properties: NO_PROPERTIES,
};

function client(clientId = "c", username?: string): Client {
  return { clientId, username, listener: undefined, policyNotes: undefined };
}

interface Guarded extends GuardedParts {
  readonly lines: string[];
}

/** What a module may contain that was never checked. */
function guard(parts: Record<string, unknown>, denySpecialChars = false): Guarded {
  const lines: string[] = [];
  const guarded = guardPlugin({ name: "p", ...parts } as unknown as Plugin, {
    denySpecialChars,
    log: (type, text) => void lines.push(`${type}: ${text}`),
  });
  return { ...guarded, lines };
}

function thrower(): never {
  throw new Error("Out of order");
}

const WRONG: readonly (readonly [name: string, hook: () => unknown, line: string])[] = [
  ["throws", thrower, "Out of order"],
  ["throws what is no error", () => {
    throw Object.create(null);
  }, "an error that cannot be shown"],
  ["answers true", () => true, "Its answer is no verdict: boolean"],
  ["answers nothing", () => undefined, "Its answer is no verdict: undefined"],
  ["answers another word", () => "allow", "Its answer is no verdict: string"],
  ["answers a code that grants less", () => 1, "Its answer is no verdict: number"],
  ["answers a code that there is not", () => 0xff, "Its answer is no verdict: number"],
];

const WRONG_LATER: typeof WRONG = [
  ["rejects", () => Promise.reject(new Error("Out of order")), "Out of order"],
  ["answers true later", () => Promise.resolve(true), "Its answer is no verdict: boolean"],
];

/** Every hook of an authorizer that answers with a verdict. */
function ask(authorizer: Authorizer | undefined, hook: string): unknown {
  const who = client();
  switch (hook) {
    case "publish":
      return authorizer!.publish!(who, "a", 0, false);
    case "subscribe":
      return authorizer!.subscribe!(who, "a", 0);
    case "unsubscribe":
      return authorizer!.unsubscribe!(who, "a");
    case "deliver":
      return authorizer!.deliver!(who, "a");
    default:
      return authorizer!.hasRetained!(who, "a");
  }
}

const AUTHORIZER_HOOKS = ["publish", "subscribe", "unsubscribe", "deliver", "hasRetained"];

test("guardPlugin() lets every verdict through as it is, now and later", async () => {
  const verdicts: Verdict[] = ["ignore", "defer", 0, 0x80, 0x87, 0x89];
  for (const verdict of verdicts) {
    const now = guard({ authenticator: { authenticate: () => verdict } });
    const later = guard({ authenticator: { authenticate: () => Promise.resolve(verdict) } });
    assertEquals([
      now.authenticator!.authenticate(REQUEST),
      await later.authenticator!.authenticate(REQUEST),
      now.lines,
      later.lines,
    ], [verdict, verdict, [], []]);
    for (const hook of AUTHORIZER_HOOKS) {
      assertEquals(ask(guard({ authorizer: { [hook]: () => verdict } }).authorizer, hook), verdict);
    }
  }
});

test("guardPlugin() refuses a client when the authenticator fails, and says so [B-49]", async () => {
  for (const [name, authenticate, line] of [...WRONG, ...WRONG_LATER]) {
    const { authenticator, lines } = guard({ authenticator: { authenticate } });
    const verdict = await authenticator!.authenticate(REQUEST);
    assertEquals({ name, verdict, lines }, {
      name,
      verdict: NOT_AUTHORIZED,
      lines: [`error: Error: Plugin p failed in 'basic-auth': ${line}`],
    });
  }
});

test("guardPlugin() refuses whatever an authorizer fails to decide", async () => {
  for (const hook of AUTHORIZER_HOOKS) {
    const isEventual = hook === "publish" || hook === "subscribe";
    for (const [name, run, line] of isEventual ? [...WRONG, ...WRONG_LATER] : WRONG) {
      const { authorizer, lines } = guard({ authorizer: { [hook]: run } });
      const verdict = await ask(authorizer, hook);
      assertEquals({ hook, name, verdict, lines }, {
        hook,
        name,
        verdict: NOT_AUTHORIZED,
        lines: [`error: Error: Plugin p failed in 'acl-check': ${line}`],
      });
    }
  }
});

test("guardPlugin() refuses at once what is answered by a promise where there is no time", () => {
  for (const hook of ["unsubscribe", "deliver", "hasRetained"]) {
    for (const answer of [Promise.resolve(0), Promise.reject(new Error("Out of order"))]) {
      const { authorizer, lines } = guard({ authorizer: { [hook]: () => answer } });
      assertEquals({ verdict: ask(authorizer, hook), lines }, {
        verdict: NOT_AUTHORIZED,
        lines: [
          "error: Error: Plugin p failed in 'acl-check': " +
          "Its answer is a promise, and is needed at once",
        ],
      });
    }
  }
});

test("guardPlugin() refuses by rules that fail, or that are none", () => {
  const answers = (rules: () => unknown): unknown => {
    const { authorizer, lines } = guard({ authorizer: { rulesFor: rules } });
    const { publish, deliver }: TopicRules = authorizer!.rulesFor!(client());
    return [publish("a"), deliver("a"), lines.length];
  };
  assertEquals(answers(() => ({ publish: () => 0, deliver: () => "defer" })), [0, "defer", 0]);
  assertEquals(answers(thrower), [NOT_AUTHORIZED, NOT_AUTHORIZED, 1]);
  assertEquals(answers(() => undefined), [NOT_AUTHORIZED, NOT_AUTHORIZED, 2]);
  assertEquals(answers(() => Promise.resolve({})), [NOT_AUTHORIZED, NOT_AUTHORIZED, 2]);
  assertEquals(answers(() => ({ publish: () => true, deliver: thrower })), [
    NOT_AUTHORIZED,
    NOT_AUTHORIZED,
    2,
  ]);
});

test("guardPlugin() lets an exchange go on only by a reply that is one", async () => {
  const good = { reasonCode: 0x18, data: Uint8Array.of(1) };
  const bad = [undefined, {}, { reasonCode: 1 }, { reasonCode: 0, data: "text" }, {
    reasonCode: 0,
    username: 7,
  }, { reasonCode: 0, reasonString: {} }];
  const reply = async (exchange: () => unknown): Promise<unknown> => {
    const part = { authenticate: () => "ignore", methods: ["M"], exchange };
    const { authenticator, lines } = guard({ authenticator: part });
    return [await authenticator!.exchange!(STEP), lines.length];
  };
  assertEquals(await reply(() => good), [good, 0]);
  assertEquals(await reply(thrower), [{ reasonCode: NOT_AUTHORIZED }, 1]);
  for (const answer of bad) {
    assertEquals(await reply(() => answer), [{ reasonCode: NOT_AUTHORIZED }, 1]);
  }
});

test("guardPlugin() takes a credential that cannot be told for none", () => {
  const credential = (credentialOf: () => unknown): unknown => {
    const { authenticator } = guard({ authenticator: { authenticate: () => 0, credentialOf } });
    return authenticator!.credentialOf!("u");
  };
  assertEquals([credential(() => "k"), credential(() => 7), credential(thrower)], [
    "k",
    undefined,
    undefined,
  ]);
});

test("guardPlugin() drops a message that a hook fails on, or makes into none", async () => {
  const outcome = async (message: () => unknown): Promise<unknown> => {
    const { observer, lines } = guard({ observer: { message } });
    return [await observer!.message!(client(), MESSAGE), lines.length];
  };
  const other = { ...MESSAGE, topic: "b" };
  assertEquals(await outcome(() => MESSAGE), [MESSAGE, 0]);
  assertEquals(await outcome(() => Promise.resolve(other)), [other, 0]);
  assertEquals(await outcome(() => undefined), [undefined, 0]);
  const bad = [null, "text", {}, { ...MESSAGE, payload: "text" }, { ...MESSAGE, qos: 3 }, {
    ...MESSAGE,
    topic: 7,
  }, { ...MESSAGE, properties: { userProperties: "a" } }];
  for (const answer of bad) {
    assertEquals(await outcome(() => answer), [undefined, 1]);
    assertEquals(await outcome(() => Promise.resolve(answer)), [undefined, 1]);
  }
  assertEquals(await outcome(thrower), [undefined, 1]);
  assertEquals(await outcome(() => Promise.reject(new Error("Out of order"))), [undefined, 1]);
});

test("guardPlugin() outlives hooks that answer nothing, also when they fail later", async () => {
  const { observer, lines } = guard({
    observer: { connected: thrower, disconnected: () => Promise.reject(new Error("Too late")) },
  });
  observer!.connected!(client());
  observer!.disconnected!(client(), "connection lost");
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(lines, [
    "error: Error: Plugin p failed in 'connect': Out of order",
    "error: Error: Plugin p failed in 'disconnect': Too late",
  ]);
});

test("guardPlugin() tells of a hook that always fails more and more seldom", () => {
  const { authorizer, lines } = guard({ authorizer: { deliver: thrower } });
  for (let i = 0; i < 5000; i++) authorizer!.deliver!(client(), "a");
  const counts = lines.map((line) => /\((\d+) times\)/.exec(line)?.[1] ?? "1").map(Number);
  assertEquals(counts, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3072, 4096]);
});

test("guardPlugin() asks no authorizer about names that could widen a pattern [B-41]", () => {
  let asked = 0;
  const yes = (): Verdict => {
    asked++;
    return 0;
  };
  const hooks = Object.fromEntries(AUTHORIZER_HOOKS.map((hook) => [hook, yes]));
  const rulesFor = (): TopicRules => ({ publish: yes, deliver: yes });
  const dangerous = [client("a+b"), client("#"), client("a/b"), client("c", "a/+")];
  const { authorizer, lines } = guard({ authorizer: { ...hooks, rulesFor } }, true);
  const decide = (who: Client): unknown[] => [
    authorizer!.publish!(who, "a", 0, false),
    authorizer!.subscribe!(who, "a", 0),
    authorizer!.unsubscribe!(who, "a"),
    authorizer!.deliver!(who, "a"),
    authorizer!.hasRetained!(who, "a"),
    authorizer!.rulesFor!(who).publish("a"),
    authorizer!.rulesFor!(who).deliver("a"),
  ];
  for (const who of dangerous) assertEquals(decide(who), Array(7).fill(NOT_AUTHORIZED));
  assertEquals({ asked, lines }, {
    asked: 0,
    lines: [
      'notice: ACL denying access to client with dangerous client id "a+b"',
      'notice: ACL denying access to client with dangerous client id "#"',
      'notice: ACL denying access to client with dangerous client id "a/b"',
      'notice: ACL denying access to client with dangerous username "a/+"',
    ],
  });
  assertEquals(decide(client("ab", "c d")), Array(7).fill(0));
  const trusting = guard({ authorizer: { publish: yes } }, false);
  assertEquals(trusting.authorizer!.publish!(client("a/b"), "a", 0, false), 0);
});

test("guardPlugin() calls hooks as methods, and makes none that the plugin does not have", () => {
  class Counting {
    readonly name = "counting";
    #count = 0;
    publish(): Verdict {
      this.#count++;
      return this.#count === 2 ? "defer" : 0;
    }
  }
  const { authenticator, authorizer, observer } = guard({ authorizer: new Counting() });
  authorizer!.publish!(client(), "a", 0, false);
  assertEquals(authorizer!.publish!(client(), "a", 0, false), "defer");
  assertEquals([authenticator, observer, Object.keys(authorizer!)], [undefined, undefined, [
    "name",
    "publish",
  ]]);
});
