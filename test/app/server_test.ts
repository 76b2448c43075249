// A broker as a configuration describes it: who is let in by which socket, what a reload changes
// and what it does not, and that nothing is left of one that has ended.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Server } from "../../src/app/server.ts";
import { StartError } from "../../src/app/start_error.ts";
import { VERSION } from "../../src/app/version.ts";
import type { Config } from "../../src/config/config.ts";
import { reloadConfig } from "../../src/config/diff.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { Logger } from "../../src/telemetry/log.ts";
import { ALL_LOG_TYPES, DEFAULT_LOG_SETTINGS } from "../../src/telemetry/log_line.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";
import { FakeMachine } from "../support/fake_machine.ts";
import { bytesOf } from "../support/packets.ts";
import { passwordFile } from "../support/password_lines.ts";
import { encoded } from "../support/raw_packet.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";
import { until } from "../support/wait.ts";

/** A connection that is over as soon as the server ends it. */
class Line extends ScriptedTransport {
  isEnding = false;

  override close(): void {
    super.close();
    this.#endSoon();
  }

  override abort(): void {
    super.abort();
    this.#endSoon();
  }

  #endSoon(): void {
    if (!this.isEnding) queueMicrotask(() => this.end());
    this.isEnding = true;
  }
}

/** Of plugins that leave everything to others. */
const authenticator = { name: "p", authenticate: () => "defer" };

/** A server on a machine in memory. */
class Fixture {
  readonly machine: FakeMachine = new FakeMachine();
  readonly logger: Logger;
  server: Server | undefined;
  config: Config | undefined;

  constructor() {
    this.logger = new Logger({
      print: (stream, text) => this.machine.runtime.print(stream, text),
      publish: (topic, line) => this.server?.publishLog(topic, line),
      wallClock: () => 0,
    }, {
      ...DEFAULT_LOG_SETTINGS,
      types: ALL_LOG_TYPES,
      hasTimestamp: false,
      destinations: [{ kind: "stderr" }, { kind: "topic" }],
    });
  }

  async start(config: string): Promise<Server> {
    const { runtime, host, disk } = this.machine;
    this.config = await configOf(config);
    this.server = new Server(this.config, {
      runtime,
      host,
      files: disk,
      logger: this.logger,
      secrets: { files: disk, allowsLinks: false, userId: 1000, groupId: 1000 },
      store: undefined,
      onSecrets: undefined,
    });
    await this.server.start();
    return this.server;
  }

  /** Comes in by a socket and says this; the first byte of the answer and the fourth. */
  async connect(clientId: string, who: Who = {}): Promise<Visitor> {
    const { socket = 0, username, password } = who;
    const transport = new Line().accept(this.machine.sockets[socket]!.accept);
    transport.receive(encoded(5, {
      type: "connect",
      protocolVersion: 5,
      isBridge: false,
      clientId,
      cleanStart: true,
      keepAlive: 0,
      properties: NO_PROPERTIES,
      ...username === undefined ? {} : { username },
      ...password === undefined ? {} : { password: bytesOf(password) },
    }));
    const hasAnswer = () => transport.written.length >= 4 || transport.isEnding;
    await until(hasAnswer, `${clientId} is answered`);
    return { transport, reasonCode: transport.written[3] };
  }
}

interface Who {
  readonly socket?: number;
  readonly username?: string;
  readonly password?: string;
}

interface Visitor {
  readonly transport: Line;
  /** Of the CONNACK; `undefined` when there was none. */
  readonly reasonCode: number | undefined;
}

const PLAIN = "listener 1 127.0.0.1\n";

test("Server.start() leaves nothing open when one of its parts does not start", async () => {
  for (const [part, status] of [["acl_file /none\n", 13], ["bind_interface none\n", 1]] as const) {
    const fixture = new Fixture();
    const closed: string[] = [];
    fixture.machine.modules["/p.ts"] = {
      default: () => ({ name: "p", authenticator, close: () => void closed.push("p") }),
    };
    const error = await assertRejects(
      () => fixture.start(`${PLAIN}plugin /p.ts\nlistener 2\n${part}`),
      StartError,
    );
    assertEquals([error.status, fixture.machine.openPlaces(), closed], [status, [], ["p"]]);
  }
});

test("Server decides by the listener that a client came in by, from the first connection on", async () => {
  const fixture = new Fixture();
  fixture.machine.disk.put("/users", passwordFile({ ann: "a" }));
  const server = await fixture.start(
    "per_listener_settings true\nlistener 1 127.0.0.1\npassword_file /users\n" +
      "listener 2 127.0.0.1\nallow_anonymous true\n",
  );
  const codes: unknown[] = [];
  for (const socket of [0, 1]) {
    for (
      const who of [{}, { username: "ann", password: "a" }, { username: "ann", password: "b" }]
    ) {
      codes.push((await fixture.connect("c", { socket, ...who })).reasonCode);
    }
  }
  assertEquals(codes, [0x87, 0, 0x87, 0, 0, 0]);
  await server.stop();
});

test("Server.reload() puts everything in force at once, or nothing", async () => {
  const fixture = new Fixture();
  const server = await fixture.start(`${PLAIN}allow_anonymous true\n`);
  const guest = await fixture.connect("guest");
  fixture.machine.disk.put("/users", passwordFile({ ann: "a" }));
  const locked = `${PLAIN}allow_anonymous false\npassword_file /users\nmax_qos 1\n`;
  const nonsense = await configOf(`${locked}acl_file /none\n`);
  await assertRejects(() => server.reload(nonsense), StartError);
  assertEquals([(await fixture.connect("c")).reasonCode, guest.transport.calls], [0, []]);
  const moved = await configOf("listener 9 127.0.0.1\n");
  await assertRejects(() => server.reload(moved), StartError);

  await server.reload(await configOf(locked));
  const ann = await fixture.connect("ann", { username: "ann", password: "a" });
  assertEquals([
    (await fixture.connect("other")).reasonCode,
    ann.reasonCode,
    // Maximum QoS is among the properties of the CONNACK now.
    ann.transport.written.join(" ").includes("36 1"),
  ], [0x87, 0, true]);
  await until(() => guest.transport.calls.includes("close"), "the guest is sent away");
  await server.stop();
});

test("Server.reload() turns nobody away while it waits for a plugin", async () => {
  const fixture = new Fixture();
  let finish: () => void = () => {};
  fixture.machine.modules["/p.ts"] = {
    default: () => ({
      name: "p",
      authenticator,
      reload: () => new Promise<void>((resolve) => finish = resolve),
    }),
  };
  const text = `${PLAIN}allow_anonymous true\nplugin /p.ts\n`;
  const server = await fixture.start(text);
  const { config } = reloadConfig(fixture.config!, await configOf(text));
  const reloaded = server.reload(config!);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals((await fixture.connect("meanwhile")).reasonCode, 0);
  finish();
  await reloaded;
  assertEquals((await fixture.connect("afterwards")).reasonCode, 0);
  await server.stop();
});

test("Server bans an address whose logins fail, by MQTT and by HTTP together", async () => {
  const fixture = new Fixture();
  fixture.machine.disk.put("/users", passwordFile({ ann: "a" }));
  const server = await fixture.start(
    `${PLAIN}password_file /users\nlogin_failure_limit 2 60\nlogin_ban_duration 60\n` +
      "listener 2 127.0.0.1\nprotocol http_api\n",
  );
  await fixture.connect("c", { username: "ann", password: "b" });
  const browser = new Line().accept(fixture.machine.sockets[1]!.accept);
  browser.receive(
    `GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${
      btoa("ann:b")
    }\r\n\r\n`,
  );
  await until(() => browser.written.length > 0, "the browser is answered");
  assertMatch(browser.takeText(), /^HTTP\/1\.1 401 /);
  await fixture.machine.says("banned");
  const lines = fixture.machine.takeLines();
  assertEquals(lines.filter((line) => line.includes("banned")), [
    "Client 192.0.2.1 banned for 60 seconds after 2 failed logins.",
  ]);
  const late = await fixture.connect("d", { username: "ann", password: "a" });
  assertEquals([late.reasonCode, late.transport.calls], [undefined, ["abort"]]);
  await server.stop();
});

test("Server tells by HTTP what it is, and what it listens on", async () => {
  const fixture = new Fixture();
  const server = await fixture.start(
    `${PLAIN}allow_anonymous true\nlistener 0 /run/s\nlistener 2 127.0.0.1\nprotocol http_api\n`,
  );
  const ask = async (path: string): Promise<string> => {
    const browser = new Line().accept(fixture.machine.sockets[2]!.accept);
    browser.receive(`GET /api/v1/${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => browser.written.length > 0, `${path} is answered`);
    return browser.takeText().split("\r\n\r\n")[1]!;
  };
  assertEquals(await ask("version"), VERSION);
  const listener = { protocol: "mqtt", tls: false, mtls: false, allow_anonymous: true };
  assertEquals(JSON.parse(await ask("listeners")), {
    listeners: [
      { port: 1, ...listener },
      { path: "/run/s", ...listener },
      { port: 2, ...listener, protocol: "httpapi" },
    ],
  });
  assertEquals(JSON.parse(await ask("systree"))["$SYS/broker/uptime"], 0);
  await server.stop();
});

test("Server.stop() ends every client without a word, and publishes no line any more", async () => {
  const fixture = new Fixture();
  const server = await fixture.start(`${PLAIN}allow_anonymous true\n`);
  const { transport } = await fixture.connect("c");
  transport.takeBytes();
  await server.stop();
  fixture.logger.log("error", "Said to whoever is left.");
  assertEquals([transport.calls.at(-1), transport.takeBytes(), fixture.machine.openPlaces()], [
    "close",
    [],
    [],
  ]);
  assertEquals(fixture.machine.takeLines().at(-1), "Said to whoever is left.");
});
