// Who decides, by a configuration: files and plugins become chains, all at once or not at all.

import { assertEquals, assertRejects } from "@std/assert";
import { settingsOf } from "../../src/app/limits.ts";
import { type SecuredListener, Security } from "../../src/app/security.ts";
import { StartError } from "../../src/app/start_error.ts";
import type { Config } from "../../src/config/config.ts";
import { ASK, type ConnectRequest } from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";
import { FakeMachine } from "../support/fake_machine.ts";
import { bytesOf } from "../support/packets.ts";
import { passwordFile } from "../support/password_lines.ts";

const { SUCCESS, NOT_AUTHORIZED } = ReasonCode;

/** Security on a machine, with the listeners of a configuration. */
class Fixture {
  readonly machine: FakeMachine = new FakeMachine();
  readonly lines: string[] = [];
  readonly security: Security;
  listeners: readonly SecuredListener[] = [];

  constructor() {
    const { disk, host } = this.machine;
    this.security = new Security({
      secrets: { files: disk, allowsLinks: false, userId: 1000, groupId: 1000 },
      host,
      log: (type, text) => void this.lines.push(`${type}: ${text}`),
    });
  }

  /** Reads what the configuration names; what puts it in force. */
  async prepare(text: string): Promise<() => void> {
    const config = await this.#read(text);
    return await this.security.prepare(config, this.listeners);
  }

  async start(text: string): Promise<void> {
    const config = await this.#read(text);
    await this.security.loadPlugins(config, () => {});
    (await this.security.prepare(config, this.listeners))();
  }

  async #read(text: string): Promise<Config> {
    const config = await configOf(text);
    this.listeners = config.listeners.map((listener) => ({
      settings: settingsOf(listener),
      allowAnonymous: listener.allowAnonymous,
      security: listener.security,
    }));
    return config;
  }

  /** What somebody is told who comes in by a listener. */
  async connect(username?: string, password?: string, listener = 0): Promise<ReasonCode> {
    const { gatekeeper } = this.security;
    const request: ConnectRequest = {
      peer: { remoteAddress: "192.0.2.1", remotePort: 1, localPort: 2 },
      listener: this.listeners[listener]!.settings,
      clientId: "c",
      protocolVersion: 5,
      username,
      isIdentified: false,
      password: password === undefined ? undefined : bytesOf(password),
      isBridge: false,
    };
    const decision = gatekeeper.connect(request);
    if (decision !== ASK) return decision;
    const answer = await gatekeeper.ask({ kind: "connect", id: 1, request });
    return (answer as { reasonCode: ReasonCode }).reasonCode;
  }
}

test("Security lets nobody in before a configuration is in force", async () => {
  const fixture = new Fixture();
  const apply = await fixture.prepare("listener 1\nallow_anonymous true\n");
  assertEquals(await fixture.connect(), NOT_AUTHORIZED);
  apply();
  assertEquals(await fixture.connect(), SUCCESS);
});

test("Security.prepare() changes nothing until it is applied, and nothing at all when a file is bad", async () => {
  const fixture = new Fixture();
  const text = "listener 1\npassword_file /users\n";
  fixture.machine.disk.put("/users", passwordFile({ ann: "old" }));
  await fixture.start(text);
  const who =
    async () => [await fixture.connect("ann", "old"), await fixture.connect("ann", "new")];
  assertEquals(await who(), [SUCCESS, NOT_AUTHORIZED]);
  const { listeners } = fixture;
  fixture.machine.disk.put("/users", "ann:plain\n");
  const error = await assertRejects(() => fixture.prepare(text), StartError);
  fixture.listeners = listeners;
  assertEquals([error.status, error.lines, await who()], [
    3,
    ["password-file: Error: Unable to decode line in password file '/users'."],
    [SUCCESS, NOT_AUTHORIZED],
  ]);
  fixture.machine.disk.put("/users", passwordFile({ ann: "new" }));
  const apply = await fixture.prepare(text);
  apply();
  assertEquals(await who(), [NOT_AUTHORIZED, SUCCESS]);
});

test("Security.prepare() tells what is wrong with all files, with the status of the first", async () => {
  const fixture = new Fixture();
  fixture.machine.disk.put("/acl", "nonsense\n");
  const error = await assertRejects(
    () => fixture.prepare("listener 1\nacl_file /acl\npassword_file /none\npsk_file /none\n"),
    StartError,
  );
  assertEquals([error.status, error.lines], [13, [
    'password-file: Error: Unable to open pwfile "/none".',
    "Error: /none: no such file.",
    'Error: Invalid line in acl_file "/acl": nonsense.',
    'Error: Unable to open psk_file "/none".',
    "Error: /none: no such file.",
  ]]);
});

test("Security asks the deciders of the listener that somebody came in by", async () => {
  const fixture = new Fixture();
  fixture.machine.disk.put("/one", passwordFile({ ann: "a" }));
  fixture.machine.disk.put("/two", passwordFile({ bob: "b" }));
  await fixture.start(
    "per_listener_settings true\nlistener 1\npassword_file /one\nlistener 2\npassword_file /two\n" +
      "listener 3\nallow_anonymous true\n",
  );
  const got: unknown[] = [];
  for (const at of [0, 1, 2]) {
    got.push([
      await fixture.connect("ann", "a", at),
      await fixture.connect("bob", "b", at),
      await fixture.connect(undefined, undefined, at),
    ]);
  }
  assertEquals(got, [
    [SUCCESS, NOT_AUTHORIZED, NOT_AUTHORIZED],
    [NOT_AUTHORIZED, SUCCESS, NOT_AUTHORIZED],
    [SUCCESS, SUCCESS, SUCCESS],
  ]);
});

test("Security.keyOf() knows the identities of the listener's key file", async () => {
  const fixture = new Fixture();
  fixture.machine.disk.put("/keys", "meter:0aff\n");
  await fixture.start("listener 1\npsk_hint hint\npsk_file /keys\n");
  const { security } = fixture.listeners[0]!;
  assertEquals(
    [fixture.security.keyOf(security, "meter"), fixture.security.keyOf(security, "other")],
    [Uint8Array.of(0x0a, 0xff), undefined],
  );
  assertEquals(fixture.security.keyOf({ ...security, pskFile: undefined }, "meter"), undefined);
});

test("Security loads plugins, asks them before the files, and closes them", async () => {
  const fixture = new Fixture();
  const done: string[] = [];
  fixture.machine.modules["/p.ts"] = {
    default: () => ({
      name: "p",
      authenticator: {
        name: "p",
        authenticate: ({ username }: ConnectRequest) =>
          username === "guest" ? SUCCESS : username === "ann" ? NOT_AUTHORIZED : "defer",
      },
      reload: () => void done.push("reload"),
      close: () => void done.push("close"),
    }),
  };
  fixture.machine.disk.put("/users", passwordFile({ ann: "a", bob: "b" }));
  await fixture.start("listener 1\npassword_file /users\nplugin /p.ts\n");
  assertEquals([
    await fixture.connect("guest"),
    await fixture.connect("ann", "a"),
    await fixture.connect("bob", "b"),
  ], [SUCCESS, NOT_AUTHORIZED, SUCCESS]);
  await fixture.security.reloadPlugins();
  await fixture.security.close();
  assertEquals(done, ["reload", "close"]);
});

test("Security.loadPlugins() ends the start with the plugin's status, after the log was told", async () => {
  const fixture = new Fixture();
  const error = await assertRejects(
    () => fixture.start("listener 1\nplugin /none.ts\n"),
    StartError,
  );
  assertEquals([error.status, error.lines, fixture.lines.slice(0, 2)], [13, [], [
    "information: Loading plugin: /none.ts",
    'error: Error: Unable to load plugin "/none.ts".',
  ]]);
});
