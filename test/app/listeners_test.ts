// The sockets of a listener's section: where they are opened, what is said of it, that all of them
// open or none, and how other settings come into force.

import { assertEquals, assertRejects } from "@std/assert";
import { settingsOf } from "../../src/app/limits.ts";
import { type ListenerSurroundings, OpenListener } from "../../src/app/listeners.ts";
import { StartError } from "../../src/app/start_error.ts";
import type { ListenerConfig } from "../../src/config/config.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { TlsOptions } from "../../src/runtime/tls.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";
import { FakeMachine } from "../support/fake_machine.ts";
import { Probe } from "../support/probe.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";
import { tlsSettings } from "../support/tls_settings.ts";

async function sectionOf(config: string): Promise<ListenerConfig> {
  return (await configOf(config)).listeners[0]!;
}

/** A listener on a machine, what it has logged, and who was accepted by which layers. */
class Fixture {
  readonly machine: FakeMachine = new FakeMachine();
  readonly lines: string[] = [];
  readonly accepted: string[] = [];
  tls: TlsOptions | undefined;
  layers = "first";

  readonly surroundings: ListenerSurroundings = {
    runtime: this.machine.runtime,
    host: this.machine.host,
    log: (type, text) => void this.lines.push(`${type}: ${text}`),
    layersOf: () => {
      const { layers } = this;
      const accept: Accept = (transport) => {
        this.accepted.push(layers);
        return new Probe(transport);
      };
      return Promise.resolve(accept);
    },
    readTls: () => Promise.resolve(this.tls),
  };

  async listener(config: string): Promise<OpenListener> {
    const section = await sectionOf(config);
    return new OpenListener(section, settingsOf(section), this.surroundings);
  }

  /** What becomes of the section: the failure, or where it listens. */
  async open(config: string): Promise<readonly string[]> {
    const failure = await (await this.listener(config)).open();
    if (failure !== undefined) assertEquals(failure.status, 1);
    return failure?.lines ?? this.machine.openPlaces();
  }

  /** Somebody connects to the first socket. */
  connect(): void {
    new ScriptedTransport().accept(this.machine.sockets[0]!.accept);
  }
}

const certificate = { certificate: "old", key: "key", serial: "1" };

const PLACES: readonly (readonly [config: string, places: readonly string[]])[] = [
  ["listener 1", ["0.0.0.0:1", "[::]:1"]],
  ["listener 1 192.0.2.1", ["192.0.2.1:1"]],
  ["listener 1 ::1", ["[::1]:1"]],
  ["listener 1 both.example", ["192.0.2.1:1", "[2001:db8::1]:1"]],
  ["listener 1\nsocket_domain ipv4", ["0.0.0.0:1"]],
  ["listener 1\nsocket_domain ipv6", ["[::]:1"]],
  ["listener 1 both.example\nsocket_domain ipv6", ["[2001:db8::1]:1"]],
  ["listener 1 192.0.2.1\nbind_interface eth0", ["192.0.2.7:1", "[2001:db8::7]:1"]],
  ["listener 0 /run/s", ["/run/s"]],
  ["listener 1 192.0.2.1\nsocket_domain ipv6", [
    'Error: There is no address of "192.0.2.1" to listen on.',
  ]],
  ["listener 1\nbind_interface eth1", ['Error: There is no address of "eth1" to listen on.']],
];

test("OpenListener.open() listens on every address that the section means", async () => {
  const got: unknown[] = [];
  for (const [config] of PLACES) {
    const fixture = new Fixture();
    fixture.machine.names["both.example"] = ["192.0.2.1", "2001:db8::1"];
    fixture.machine.interfaces["eth0"] = ["192.0.2.7", "2001:db8::7"];
    got.push([config, await fixture.open(`${config}\n`)]);
  }
  assertEquals(got, PLACES.map(([config, places]) => [config, places]));
});

test("OpenListener.open() says each socket in Mosquitto's words", async () => {
  const said: string[] = [];
  for (
    const config of [
      "listener 5",
      "listener 6 ::1\nprotocol websockets",
      "listener 7 127.0.0.1\nprotocol http_api",
      "listener 0 /run/s",
    ]
  ) {
    const fixture = new Fixture();
    await fixture.open(`${config}\n`);
    said.push(...fixture.lines);
  }
  assertEquals(said, [
    "information: Opening ipv4 listen socket on port 5.",
    "information: Opening ipv6 listen socket on port 5.",
    "information: Opening ipv6 listen socket on port 6.",
    "information: Opening http api listen socket on port 7.",
    "information: Opening unix listen socket on path /run/s.",
  ]);
});

test("OpenListener.open() lets the owner and the group of a Unix socket in", async () => {
  const fixture = new Fixture();
  await fixture.open("listener 0 /run/s\n");
  assertEquals(fixture.machine.sockets.map(({ mode }) => mode), [0o770]);
});

test("OpenListener.open() opens all sockets or none", async () => {
  const fixture = new Fixture();
  fixture.machine.refused.set("[::]:1", "address-in-use");
  assertEquals(await fixture.open("listener 1\n"), [
    "Error: Cannot listen on [::]:1: address-in-use.",
  ]);
  assertEquals(fixture.machine.openPlaces(), []);
});

test("OpenListener.open() is content with the family that the machine has", async () => {
  const fixture = new Fixture();
  fixture.machine.refused.set("[::]:1", "address-not-available");
  assertEquals(await fixture.open("listener 1\n"), ["0.0.0.0:1"]);
  assertEquals(
    fixture.lines.at(-1),
    "warning: Warning: Cannot listen on [::]:1: address-not-available.",
  );
  const named = new Fixture();
  named.machine.refused.set("[::1]:1", "address-not-available");
  assertEquals(await named.open("listener 1 ::1\n"), [
    "Error: Cannot listen on [::1]:1: address-not-available.",
  ]);
  const lacking = new Fixture();
  for (const place of ["[::]:1", "0.0.0.0:1"]) {
    lacking.machine.refused.set(place, "address-not-available");
  }
  assertEquals(await lacking.open("listener 1\n"), [
    "Error: Cannot listen on [::]:1: address-not-available.",
  ]);
});

test("OpenListener.open() rejects when what is behind the sockets cannot be had", async () => {
  const fixture = new Fixture();
  const listener = new OpenListener(
    ...await sectionOf("listener 1\n").then((section) => [section, settingsOf(section)] as const),
    {
      ...fixture.surroundings,
      readTls: () => Promise.reject(new StartError(1, ["Error: Unable to load."])),
    },
  );
  const error = await assertRejects(() => listener.open(), StartError);
  assertEquals([error.lines, fixture.machine.sockets], [["Error: Unable to load."], []]);
});

test("OpenListener tells of connections that could not be accepted", async () => {
  const fixture = new Fixture();
  await fixture.open("listener 1 127.0.0.1\n");
  const [socket] = fixture.machine.sockets;
  socket!.onError!(new OperationError("tls-failed", "unsupported protocol"), "192.0.2.9");
  socket!.onError!("no files left");
  assertEquals(fixture.lines.slice(1), [
    "notice: Client connection from 192.0.2.9 failed: unsupported protocol.",
    "notice: Client connection from unknown failed: no files left.",
  ]);
});

test("OpenListener.prepare() changes nothing by itself, then certificates, then the rest at once", async () => {
  const fixture = new Fixture();
  fixture.tls = tlsSettings(certificate);
  const tls = "certfile /c\nkeyfile /k\n";
  const listener = await fixture.listener(`listener 1 127.0.0.1\n${tls}`);
  await listener.open();
  const state = (): unknown[] => {
    fixture.connect();
    const { maxQos } = listener.config;
    return [
      maxQos,
      listener.settings.maximumQos,
      fixture.machine.sockets[0]!.tls?.certificate,
      fixture.accepted.at(-1),
    ];
  };
  const other = await sectionOf(`listener 1 127.0.0.1\n${tls}max_qos 1\n`);
  fixture.tls = tlsSettings({ ...certificate, certificate: "new" });
  fixture.layers = "second";
  const change = await listener.prepare(other, settingsOf(other), fixture.surroundings);
  const states = [state()];
  await change.secure();
  states.push(state());
  await change.takeBack();
  states.push(state());
  await change.secure();
  change.apply();
  states.push(state());
  assertEquals(states, [
    [2, 2, "old", "first"],
    [2, 2, "new", "first"],
    [2, 2, "old", "first"],
    [1, 1, "new", "second"],
  ]);
});

test("OpenListener.prepare() changes nothing when the certificate is of no use", async () => {
  const fixture = new Fixture();
  fixture.tls = tlsSettings(certificate);
  const tls = "certfile /c\nkeyfile /k\n";
  const listener = await fixture.listener(`listener 1\n${tls}`);
  await listener.open();
  fixture.machine.refused.set("new", "tls-failed");
  fixture.tls = tlsSettings({ ...certificate, certificate: "new" });
  const other = await sectionOf(`listener 1\n${tls}max_qos 1\n`);
  const change = await listener.prepare(other, settingsOf(other), fixture.surroundings);
  const error = await assertRejects(() => change.secure(), StartError);
  assertEquals(
    [
      error.lines,
      listener.config.maxQos,
      fixture.machine.sockets.map(({ tls }) => tls?.certificate),
    ],
    [
      ["Error: Unusable TLS settings: nonsense.", "Error found in the listener on port 1."],
      2,
      ["old", "old"],
    ],
  );
});

test("OpenListener.close() closes every socket", async () => {
  const fixture = new Fixture();
  const listener = await fixture.listener("listener 1\n");
  await listener.open();
  await listener.close();
  assertEquals([fixture.machine.sockets.length, fixture.machine.openPlaces()], [2, []]);
});
