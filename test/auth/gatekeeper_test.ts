// The gatekeeper between broker and deciders: now or later, in order, and never open by mistake.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import {
  ASK,
  ASK_MESSAGE,
  type Client,
  type ConnectRequest,
} from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { AccessList } from "../../src/auth/access_list.ts";
import { parseAclFile } from "../../src/auth/acl_file.ts";
import type { Authenticator, Authorizer, InboundMessage, Verdict } from "../../src/auth/auth.ts";
import type { Chain } from "../../src/auth/chain.ts";
import { type ChainSet, Gatekeeper } from "../../src/auth/gatekeeper.ts";
import { client, listener, login, request } from "./requests.ts";

const { BAD_AUTHENTICATION_METHOD, BANNED, NOT_AUTHORIZED, QUOTA_EXCEEDED, SERVER_BUSY, SUCCESS } =
  ReasonCode;

function chain(parts: Partial<Chain> = {}): Chain {
  return { allowAnonymous: false, authenticators: [], authorizers: [], observers: [], ...parts };
}

function fixture(parts: Partial<Chain> = {}, byListener: ChainSet["byListener"] = new Map()) {
  const failures: string[] = [];
  const gatekeeper = new Gatekeeper({
    chains: { general: chain(parts), byListener },
    onFailure: (name, error) => failures.push(`${name}: ${(error as Error).message}`),
    owedMax: 3,
  });
  /** Puts other deciders in force. */
  const replace = (next: Partial<Chain>): void =>
    gatekeeper.setChains({ general: chain(next), byListener });
  /** Asks as the core and the driver do between them. */
  const connect = async (request: ConnectRequest): Promise<ReasonCode> => {
    const decision = gatekeeper.connect(request);
    if (decision !== ASK) return decision;
    const answer = await gatekeeper.ask({ kind: "connect", id: 1, request });
    return answer.kind === "connect" ? answer.reasonCode : SERVER_BUSY;
  };
  return { gatekeeper, failures, replace, connect };
}

function authenticator(answer: Authenticator["authenticate"], name = "a"): Authenticator {
  return { name, authenticate: answer };
}

/** Lets in whom the map names; `credentialOf` is the value. */
function users(entries: Readonly<Record<string, string>>): Authenticator {
  return {
    name: "password-file",
    authenticate: ({ username }) =>
      username === undefined
        ? "defer"
        : Promise.resolve(username in entries ? SUCCESS : NOT_AUTHORIZED),
    credentialOf: (username) => entries[username],
  };
}

function accessList(text: string): AccessList {
  return new AccessList(parseAclFile(text, "acl").value!, { onNotice: () => {} });
}

test("Gatekeeper.connect() has allow_anonymous decide for everybody without deciders", async () => {
  for (const allowAnonymous of [true, false]) {
    const { connect } = fixture({ allowAnonymous });
    const expected = allowAnonymous ? SUCCESS : NOT_AUTHORIZED;
    assertEquals([await connect(login()), await connect(login("alice", "x"))], [
      expected,
      expected,
    ]);
  }
});

test("Gatekeeper.connect() follows the decision table of a password file", async () => {
  for (const allowAnonymous of [true, false]) {
    const { connect } = fixture({ allowAnonymous, authenticators: [users({ alice: "1" })] });
    const codes = [
      await connect(login()),
      await connect(login("alice")),
      await connect(login("b")),
    ];
    assertEquals(codes, [allowAnonymous ? SUCCESS : NOT_AUTHORIZED, SUCCESS, NOT_AUTHORIZED]);
  }
});

test("Gatekeeper.connect() answers at once what is decided at once", () => {
  const { gatekeeper } = fixture({ authenticators: [authenticator(() => BANNED)] });
  assertEquals(gatekeeper.connect(login("alice", "x")), BANNED);
});

test("Gatekeeper asks nobody twice about one request", async () => {
  let asked = 0;
  const { connect } = fixture({
    authenticators: [authenticator(() => {
      asked++;
      return Promise.resolve(SUCCESS);
    })],
  });
  assertEquals([await connect(login("alice", "x")), asked], [SUCCESS, 1]);
});

test("Gatekeeper.connect() asks no password of who is identified by TLS", async () => {
  const { connect } = fixture({ authenticators: [authenticator(() => NOT_AUTHORIZED)] });
  assertEquals(await connect(request({ username: "cn", isIdentified: true })), SUCCESS);
});

test("Gatekeeper refuses by a decider that fails, and reports it [B-49]", async () => {
  const broken = authenticator(() => Promise.reject(new Error("down")), "backend");
  const { connect, failures } = fixture({
    allowAnonymous: true,
    authenticators: [broken, authenticator(() => SUCCESS)],
  });
  assertEquals([await connect(login("alice", "x")), await connect(login())], [
    NOT_AUTHORIZED,
    NOT_AUTHORIZED,
  ]);
  assertEquals(failures, ["backend: down", "backend: down"]);
});

test("Gatekeeper asks no more than so many at a time of deciders that are slow [B-49]", async () => {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  let asked = 0;
  const { connect } = fixture({
    authenticators: [authenticator(() => {
      asked++;
      return promise;
    })],
  });
  const all = Array.from({ length: 5 }, () => connect(login("alice", "x")));
  assertEquals(asked, 3);
  resolve(SUCCESS);
  assertEquals(await Promise.all(all), [SUCCESS, SUCCESS, SUCCESS, SERVER_BUSY, SERVER_BUSY]);
  assertEquals(await connect(login("alice", "x")), SUCCESS);
});

test("Gatekeeper asks those in force again when deciders were replaced meanwhile [B-42]", async () => {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const { connect, replace } = fixture({ authenticators: [authenticator(() => promise)] });
  const connecting = connect(login("alice", "x"));
  replace({ authenticators: [authenticator(() => NOT_AUTHORIZED)] });
  resolve(SUCCESS);
  assertEquals(await connecting, NOT_AUTHORIZED);
});

test("Gatekeeper has each listener's chain decide, and none for a listener that it does not know", async () => {
  const [open, shut, stranger] = ["1", "2", "3"].map(listener);
  const { gatekeeper, connect } = fixture(
    { allowAnonymous: true },
    new Map([
      [open!, chain({ allowAnonymous: true })],
      [shut!, chain({ authorizers: [accessList("")] })],
    ]),
  );
  const codes = [open, shut, stranger].map((listener) => connect(request({ listener: listener! })));
  assertEquals(await Promise.all(codes), [SUCCESS, NOT_AUTHORIZED, NOT_AUTHORIZED]);
  const may = [open, shut, stranger, undefined].map((listener) => {
    const one = client({ listener });
    return [
      gatekeeper.deliver(one, "a"),
      gatekeeper.publish(one, "a", 0, false) === SUCCESS,
      gatekeeper.subscribe(one, "a", 0) === SUCCESS,
    ];
  });
  assertEquals(may, [
    [true, true, true],
    [false, false, true],
    [false, false, false],
    [true, true, true],
  ]);
});

test("Gatekeeper.isOpenForTopics is false as soon as one chain has something to say", () => {
  const { gatekeeper, replace } = fixture({ authenticators: [users({})] });
  const seen = [gatekeeper.isOpenForTopics];
  const message = (_: Client, message: InboundMessage) => message;
  for (
    const parts of [
      { authorizers: [accessList("")] },
      { observers: [{ name: "o", connected: () => {} }] },
      { observers: [{ name: "o", message }] },
      {},
    ]
  ) {
    replace(parts);
    seen.push(gatekeeper.isOpenForTopics);
  }
  gatekeeper.setChains({
    general: chain(),
    byListener: new Map([[listener("1"), chain({ authorizers: [accessList("")] })]]),
  });
  assertEquals([...seen, gatekeeper.isOpenForTopics], [true, false, true, false, true, false]);
});

test("Gatekeeper.recheck() sends away whose way in is gone, and nobody else [B-42]", async () => {
  const before = {
    allowAnonymous: true,
    authenticators: [users({ alice: "1", bob: "1", carol: "1" })],
  };
  const { gatekeeper, connect, replace } = fixture(before);
  const requests = [
    login(),
    login("alice", "x"),
    login("bob", "x"),
    login("carol", "x"),
    request({ username: "cn", isIdentified: true }),
  ];
  const clients: Client[] = [];
  for (const one of requests) {
    assertEquals(await connect(one), SUCCESS);
    clients.push(client({ username: one.username, policyNotes: one.policyNotes }));
  }
  // As after a message, too, when there are other notes.
  const codes = () =>
    clients.map((one) => {
      gatekeeper.deliver(one, "a");
      return gatekeeper.recheck(one) === SUCCESS;
    });
  assertEquals(codes(), [true, true, true, true, true]);
  replace({ allowAnonymous: false, authenticators: [users({ alice: "1", bob: "2" })] });
  assertEquals(codes(), [false, true, false, false, true]);
  replace({ allowAnonymous: false });
  assertEquals(codes(), [false, false, false, false, true]);
  replace({ allowAnonymous: true });
  assertEquals(codes(), [true, true, true, true, true]);
  replace({ allowAnonymous: true, authenticators: [authenticator(() => SUCCESS, "plugin")] });
  assertEquals(codes(), [true, false, false, false, true]);
});

test("Gatekeeper.recheck() keeps whom a plugin let in for as long as the plugin decides", async () => {
  const plugin = authenticator(() => SUCCESS, "plugin");
  const { gatekeeper, connect, replace } = fixture({ authenticators: [plugin] });
  const requests = [login(), login("alice", "x")];
  for (const one of requests) assertEquals(await connect(one), SUCCESS);
  const codes = () =>
    requests.map(({ username, policyNotes }) =>
      gatekeeper.recheck(client({ username, policyNotes })) === SUCCESS
    );
  replace({ authenticators: [users({ alice: "1" }), plugin] });
  assertEquals(codes(), [true, true]);
  replace({ authenticators: [users({ alice: "1" })] });
  assertEquals(codes(), [false, false]);
});

test("Gatekeeper decides topics by the first authorizer that says something", () => {
  const says = (verdict: Verdict): Authorizer => ({
    name: "a",
    publish: () => verdict,
    deliver: () => verdict,
    subscribe: () => verdict,
    unsubscribe: () => verdict,
    hasRetained: () => verdict,
  });
  const rows: [verdicts: Verdict[], isGranted: boolean][] = [
    [[], true],
    [["ignore"], true],
    [["defer"], false],
    [["ignore", "defer"], false],
    [["defer", "ignore"], false],
    [["defer", SUCCESS], true],
    [["ignore", BANNED, SUCCESS], false],
    [[SUCCESS, BANNED], true],
  ];
  for (const [verdicts, isGranted] of rows) {
    const { gatekeeper } = fixture({ authorizers: verdicts.map(says) });
    const one = client();
    const codes = [
      gatekeeper.publish(one, "a", 0, false),
      gatekeeper.subscribe(one, "a", 0),
      gatekeeper.unsubscribe(one, "a"),
    ];
    assertEquals(codes.map((code) => code === SUCCESS), [isGranted, isGranted, isGranted]);
    assertEquals([gatekeeper.deliver(one, "a"), gatekeeper.hasRetained(one, "a")], [
      isGranted,
      isGranted,
    ]);
  }
});

test("Gatekeeper asks an access file after a plugin, which allows subscribing to anything", () => {
  const plugin: Authorizer = {
    name: "plugin",
    deliver: (_, topic) => topic === "denied" ? NOT_AUTHORIZED : "defer",
    publish: () => "defer",
  };
  const { gatekeeper } = fixture({ authorizers: [plugin, accessList("topic read #\ntopic w")] });
  const one = client();
  assertEquals(["a", "denied"].map((topic) => gatekeeper.deliver(one, topic)), [true, false]);
  assertEquals(["a", "w"].map((topic) => gatekeeper.publish(one, topic, 0, false)), [
    NOT_AUTHORIZED,
    SUCCESS,
  ]);
  assertEquals([gatekeeper.subscribe(one, "$SYS/#", 2), gatekeeper.unsubscribe(one, "x")], [
    SUCCESS,
    SUCCESS,
  ]);
});

test("Gatekeeper.deliver() is a no by an authorizer that fails or says nonsense [B-49]", () => {
  const answers: (() => unknown)[] = [
    () => {
      throw new Error("down");
    },
    () => true,
    () => Promise.resolve(SUCCESS),
  ];
  for (const answer of answers) {
    const deliver = answer as () => Verdict;
    const { gatekeeper, failures } = fixture({ authorizers: [{ name: "p", deliver }] });
    assertEquals([gatekeeper.deliver(client(), "a"), failures.length], [false, 1]);
  }
  const rulesFor = () => {
    throw new Error("down");
  };
  const { gatekeeper, failures } = fixture({ authorizers: [{ name: "p", rulesFor }] });
  assertEquals([gatekeeper.deliver(client(), "a"), gatekeeper.publish(client(), "a", 0, false)], [
    false,
    NOT_AUTHORIZED,
  ]);
  assertEquals(failures, ["p: down", "p: down"]);
});

test("Gatekeeper forgets what a client may do with its deciders, its user and its listener", () => {
  const { gatekeeper, replace } = fixture({ authorizers: [accessList("topic read a")] });
  const one = { ...client(), username: undefined as string | undefined };
  const may = () => ["a", "b"].map((topic) => gatekeeper.deliver(one, topic));
  const seen = [may()];
  replace({ authorizers: [accessList("topic read b\nuser u\ntopic read a\ntopic read b")] });
  seen.push(may());
  one.username = "u";
  seen.push(may());
  assertEquals(seen, [[true, false], [false, true], [true, true]]);
});

test("Gatekeeper.hasRetained() asks the chains by which the publisher can have come", () => {
  const [one, two] = ["1", "2"].map((name, i) =>
    [listener(name), chain({ authorizers: [accessList(`topic write ${i}`)] })] as const
  );
  const { gatekeeper } = fixture({}, new Map([one!, two!]));
  const publisher = { clientId: "c", username: undefined };
  const may = ["0", "1", "2"].map((topic) => gatekeeper.hasRetained(publisher, topic));
  assertEquals(may, [true, true, false]);
  assertEquals(gatekeeper.hasRetained({ clientId: "", username: undefined }, "2"), true);
});

test("Gatekeeper.refresh() has rules asked for again that a plugin has changed", () => {
  let list = accessList("topic read a");
  const plugin: Authorizer = { name: "p", rulesFor: (client) => list.rulesFor(client) };
  const { gatekeeper } = fixture({ authorizers: [plugin] });
  const one = client();
  const seen = [gatekeeper.deliver(one, "a")];
  list = accessList("topic read b");
  gatekeeper.refresh();
  seen.push(gatekeeper.deliver(one, "a"), gatekeeper.deliver(one, "b"));
  assertEquals(seen, [true, false, true]);
});

test("Gatekeeper answers later whether a client may publish, asking once", async () => {
  let asked = 0;
  const publish = (_: Client, topic: string) => {
    asked++;
    return Promise.resolve(topic === "a" ? SUCCESS : QUOTA_EXCEEDED);
  };
  const { gatekeeper } = fixture({ authorizers: [{ name: "p", publish }] });
  const one = client();
  const codes: unknown[] = [];
  for (const topic of ["a", "b"]) {
    assertEquals(gatekeeper.publish(one, topic, 1, false), ASK);
    const question = { kind: "publish", id: 1, client: one, topic, qos: 1, retain: false } as const;
    codes.push(await gatekeeper.ask(question));
  }
  assertEquals([codes, asked], [
    [{ kind: "publish", reasonCode: SUCCESS }, { kind: "publish", reasonCode: QUOTA_EXCEEDED }],
    2,
  ]);
});

test("Gatekeeper never takes the answer about one topic for that about another", async () => {
  const publish = (_: Client, topic: string) =>
    Promise.resolve(topic === "good" ? SUCCESS : NOT_AUTHORIZED);
  const { gatekeeper, replace } = fixture({ authorizers: [{ name: "p", publish }] });
  const one = client();
  const ask = (topic: string, retain = false) =>
    gatekeeper.ask({ kind: "publish", id: 1, client: one, topic, qos: 0, retain });
  gatekeeper.publish(one, "good", 0, false);
  assertEquals(await ask("bad"), { kind: "publish", reasonCode: NOT_AUTHORIZED });
  gatekeeper.publish(one, "good", 0, false);
  replace({ authorizers: [{ name: "p", publish: () => BANNED }] });
  assertEquals(await ask("good"), { kind: "publish", reasonCode: NOT_AUTHORIZED });
});

test("Gatekeeper answers each filter of a SUBSCRIBE later, asking once", async () => {
  let asked = 0;
  const subscribe = (_: Client, filter: string) => {
    asked++;
    return filter === "now" ? SUCCESS : Promise.resolve(filter === "b" ? NOT_AUTHORIZED : SUCCESS);
  };
  const { gatekeeper } = fixture({ authorizers: [{ name: "p", subscribe }] });
  const one = client();
  const decisions = ["a", "now", "b"].map((filter) => gatekeeper.subscribe(one, filter, 1));
  assertEquals(decisions, [ASK, SUCCESS, ASK]);
  const filters = ["a", "b"].map((filter) => ({ filter, qos: 1 as const }));
  const answer = await gatekeeper.ask({ kind: "subscribe", id: 1, client: one, filters });
  assertEquals([answer, asked], [{ kind: "subscribe", reasonCodes: [SUCCESS, NOT_AUTHORIZED] }, 3]);
});

test("Gatekeeper shows messages to observers in order, who may change or drop them [B-44]", async () => {
  const seen: string[] = [];
  const observer = (name: string) => ({
    name,
    message: (_: Client, message: InboundMessage) => {
      seen.push(`${name}:${message.topic}`);
      if (message.topic === "drop") return undefined;
      if (message.topic === "fail") throw new Error("down");
      return message.topic === "same" ? message : { ...message, topic: `${message.topic}/${name}` };
    },
  });
  const { gatekeeper, failures } = fixture({
    authorizers: [accessList("topic #\ntopic deny denied")],
    observers: [observer("1"), { name: "none" }, observer("2")],
  });
  const one = client();
  const ask = (topic: string, isReplaced = false) => {
    const message = {
      topic,
      payload: new Uint8Array(),
      qos: 0,
      retain: false,
      properties: {},
    } as const;
    assertEquals(gatekeeper.publish(one, topic, 0, false), ASK_MESSAGE);
    const parts = { kind: "publish", id: 1, client: one, topic, qos: 0, retain: false } as const;
    return gatekeeper.ask({ ...parts, message, isReplaced });
  };
  const kind = "publish";
  const reasonCode = SUCCESS;
  assertEquals(await ask("same"), { kind, reasonCode });
  assertEquals(await ask("a"), {
    kind,
    reasonCode,
    message: { topic: "a/1/2", payload: new Uint8Array(), qos: 0, retain: false, properties: {} },
  });
  assertEquals(await ask("drop"), { kind, reasonCode, isDropped: true });
  assertEquals(await ask("fail"), { kind, reasonCode: NOT_AUTHORIZED });
  assertEquals(await ask("a/1/2", true), { kind, reasonCode });
  assertEquals(gatekeeper.publish(one, "denied", 0, false), NOT_AUTHORIZED);
  assertEquals(seen, ["1:same", "2:same", "1:a", "2:a/1", "1:drop", "1:fail"]);
  assertEquals(failures, ["1: down"]);
});

test("Gatekeeper tells observers who came and went, even after they were replaced", async () => {
  const told: string[] = [];
  const observer = (name: string) => ({
    name,
    connected: (one: Client) => {
      told.push(`${name} + ${one.clientId} ${one.username} ${one.listener?.name}`);
    },
    disconnected: (one: Client, cause: string) => {
      told.push(`${name} - ${one.clientId} ${cause}`);
      throw new Error("down");
    },
  });
  const { gatekeeper, connect, replace, failures } = fixture({
    allowAnonymous: true,
    observers: [observer("1")],
  });
  const one = request({ clientId: "c", listener: listener("1883") });
  const { peer } = one;
  const connected = {
    kind: "connected",
    peer,
    clientId: "c",
    protocolVersion: 5,
    cleanStart: true,
    keepAlive: 0,
    username: "u",
    isBridge: false,
    will: undefined,
  } as const;
  const closed = {
    kind: "closed",
    peer,
    clientId: "c",
    cause: "connection lost",
    detail: "",
  } as const;
  await connect(one);
  gatekeeper.observe(connected);
  replace({ allowAnonymous: true, observers: [observer("2")] });
  gatekeeper.observe(closed);
  gatekeeper.observe(closed);
  const refused = login("x");
  replace({ observers: [observer("3")] });
  await connect(refused);
  gatekeeper.observe({ ...closed, peer: refused.peer, clientId: undefined });
  assertEquals(told, ["1 + c u 1883", "1 - c connection lost"]);
  assertEquals(failures, ["1: down"]);
});

test("Gatekeeper.ask() has the authenticator that knows the method go through an exchange", async () => {
  const authenticators = [users({}), {
    name: "scram",
    methods: ["SCRAM"],
    authenticate: (): Verdict => "defer",
    exchange: ({ data }: { data: Uint8Array | undefined }) =>
      data === undefined
        ? { reasonCode: ReasonCode.CONTINUE_AUTHENTICATION, data: Uint8Array.of(1) }
        : Promise.resolve({ reasonCode: SUCCESS, username: "alice" }),
  }];
  const { gatekeeper } = fixture({ authenticators });
  assertEquals(["SCRAM", "PLAIN"].map((method) => gatekeeper.hasAuthenticationMethod(method)), [
    true,
    false,
  ]);
  const one = login("alice");
  const ask = (method: string, data?: Uint8Array) =>
    gatekeeper.ask({
      kind: "authenticate",
      id: 1,
      request: one,
      method,
      data,
      isReauthentication: false,
    });
  const kind = "authenticate";
  assertEquals([await ask("SCRAM"), await ask("SCRAM", Uint8Array.of(2)), await ask("PLAIN")], [
    { kind, reasonCode: ReasonCode.CONTINUE_AUTHENTICATION, data: Uint8Array.of(1) },
    { kind, reasonCode: SUCCESS, username: "alice" },
    { kind, reasonCode: BAD_AUTHENTICATION_METHOD },
  ]);
  const { policyNotes } = one;
  assertEquals(gatekeeper.recheck(client({ username: "alice", policyNotes })), SUCCESS);
});

test("Gatekeeper.ask() refuses by an exchange that fails or answers nonsense [B-49]", async () => {
  const replies: (() => unknown)[] = [
    () => {
      throw new Error("down");
    },
    () => Promise.reject(new Error("down")),
    () => undefined,
    () => ({ reasonCode: true }),
    () => ({ reasonCode: 1 }),
    () => ({ reasonCode: "ignore" }),
    () => ({ reasonCode: SUCCESS, username: 1 }),
    () => ({ reasonCode: SUCCESS, data: "text" }),
  ];
  for (const reply of replies) {
    const { gatekeeper } = fixture({
      authenticators: [{
        name: "p",
        methods: ["M"],
        authenticate: () => SUCCESS,
        exchange: reply as NonNullable<Authenticator["exchange"]>,
      }],
    });
    const answer = await gatekeeper.ask({
      kind: "authenticate",
      id: 1,
      request: login(),
      method: "M",
      data: undefined,
      isReauthentication: false,
    });
    assertEquals(answer, { kind: "authenticate", reasonCode: NOT_AUTHORIZED });
  }
});

test("Gatekeeper's notes about a client show nothing of what let it in [B-59]", async () => {
  const { gatekeeper, connect } = fixture({
    authenticators: [users({ alice: "$7$secret" })],
    authorizers: [accessList("topic a")],
  });
  const one = login("alice", "hunter2");
  await connect(one);
  const taken = client({ username: "alice", policyNotes: one.policyNotes });
  const before = JSON.stringify(taken);
  gatekeeper.deliver(taken, "a");
  const all = [before, JSON.stringify(taken), JSON.stringify(gatekeeper), `${taken.policyNotes}`];
  assertEquals(all.filter((text) => /secret|hunter2/.test(text)), []);
  assertEquals(before.includes("password-file"), true);
});
