// What stands between a socket and the broker, by the listener's section: the proxy's header, the
// limits per address, WebSocket and HTTP, in that order.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type LayerSurroundings, withLayers } from "../../src/app/layers.ts";
import { StartError } from "../../src/app/start_error.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";
import { memoryFiles } from "../support/memory_files.ts";
import { Probe } from "../support/probe.ts";
import { encode, ScriptedTransport } from "../support/scripted_transport.ts";
import { turns } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { clientFrame, upgradeRequest } from "../support/websocket_peer.ts";

/** The layers of a section in front of a broker that only listens. */
class Fixture {
  readonly lines: string[] = [];
  /** Addresses that were asked about. */
  readonly asked: string[] = [];
  readonly banned: Set<string> = new Set();
  /** Who got as far as the broker, and what he said there. */
  readonly arrived: { address: string; probe: Probe }[] = [];

  readonly broker: Accept = (transport) => {
    const probe = new Probe(transport);
    this.arrived.push({ address: transport.remoteAddress, probe });
    return probe;
  };

  readonly surroundings: LayerSurroundings = {
    files: memoryFiles({ files: { "/www/index.html": "<p>Hello" } }),
    log: (type, text) => void this.lines.push(`${type}: ${text}`),
    headBytesMax: 4096,
    mayConnect: (address) => {
      this.asked.push(address);
      return !this.banned.has(address);
    },
    api: {
      version: "1.2.3",
      listeners: () => [],
      systree: () => [],
      isAllowed: () => Promise.resolve(true),
      hosts: undefined,
    },
  };

  async layers(section: string): Promise<Accept> {
    const { listeners } = await configOf(`listener 1\n${section}`);
    return await withLayers(this.broker, listeners[0]!, this.surroundings);
  }

  /** Connects and says this; what is answered. */
  async say(section: string, ...chunks: readonly (string | Uint8Array)[]): Promise<Answer> {
    const transport = new ScriptedTransport().accept(await this.layers(section));
    for (const chunk of chunks) transport.receive(chunk);
    await turns();
    return { text: transport.takeText(), calls: transport.calls };
  }

  heard(): unknown[] {
    return this.arrived.map(({ address, probe }) => [
      address,
      String.fromCharCode(...probe.received),
    ]);
  }
}

interface Answer {
  readonly text: string;
  readonly calls: readonly string[];
}

const request = (path: string, headers = "") =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

test("withLayers() lets MQTT through as it comes", async () => {
  const fixture = new Fixture();
  assertEquals(await fixture.say("", "hello"), { text: "", calls: [] });
  assertEquals([fixture.heard(), fixture.asked], [[["192.0.2.1", "hello"]], ["192.0.2.1"]]);
});

test("withLayers() ends connections from an address that may not have one, and says nothing", async () => {
  for (const section of ["", "protocol websockets\n", "protocol http_api\n"]) {
    const fixture = new Fixture();
    fixture.banned.add("192.0.2.1");
    assertEquals(await fixture.say(section, request("/api/v1/version")), {
      text: "",
      calls: ["abort"],
    });
    assertEquals([fixture.heard(), fixture.lines], [[], []]);
  }
});

test("withLayers() limits the address that a proxy tells, and not the proxy's", async () => {
  const fixture = new Fixture();
  fixture.banned.add("192.0.2.1");
  const header = "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n";
  await fixture.say("enable_proxy_protocol 1\n", `${header}hello`);
  assertEquals([fixture.heard(), fixture.asked], [[["203.0.113.7", "hello"]], ["203.0.113.7"]]);
  fixture.banned.add("203.0.113.7");
  assertEquals(
    (await fixture.say("enable_proxy_protocol 1\n", header)).calls.includes("abort"),
    true,
  );
  assertEquals(fixture.arrived.length, 1);
});

test("withLayers() tells of a PROXY header that makes no sense, and who sent it", async () => {
  const fixture = new Fixture();
  await fixture.say("enable_proxy_protocol 1\n", "GET / HTTP/1.1\r\n\r\n");
  assertEquals([fixture.heard(), fixture.asked, fixture.lines], [[], [], [
    "notice: Connection rejected, corrupt PROXY header.",
    "information: The rejected connection came from 192.0.2.1:4711.",
  ]]);
});

test("withLayers() opens WebSockets for the origins that are wanted", async () => {
  const section = "protocol websockets\nwebsockets_origin https://good.example\n";
  const fixture = new Fixture();
  const transport = new ScriptedTransport().accept(await fixture.layers(section));
  transport.receive(upgradeRequest({ Origin: "https://good.example" }));
  await until(() => transport.written.length > 0, "it is answered");
  assertMatch(transport.takeText(), /^HTTP\/1\.1 101 /);
  transport.receive(clientFrame(encode("hello")));
  assertEquals([fixture.heard(), fixture.lines], [[["192.0.2.1", "hello"]], []]);
  await fixture.say(section, upgradeRequest({ Origin: "https://bad.example" }));
  assertEquals([fixture.arrived.length, fixture.lines], [1, [
    "notice: Client 192.0.2.1:4711 disconnected: non-matching http origin.",
  ]]);
});

test("withLayers() serves files beside WebSockets, and nothing without a directory", async () => {
  const fixture = new Fixture();
  const served = await fixture.say("protocol websockets\nhttp_dir /www\n", request("/index.html"));
  assertMatch(served.text, /^HTTP\/1\.1 200 [\s\S]*<p>Hello$/);
  const none = await fixture.say("protocol websockets\n", request("/index.html"));
  assertEquals([none.text.includes("Hello"), fixture.heard()], [false, []]);
});

test("withLayers() serves the HTTP API and its directory", async () => {
  const fixture = new Fixture();
  const section = "protocol http_api\nhttp_dir /www\n";
  const { text } = await fixture.say(section, request("/api/v1/version"));
  assertMatch(text, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n1\.2\.3$/);
  const file = await fixture.say(section, request("/index.html"));
  assertMatch(file.text, /^HTTP\/1\.1 200 [\s\S]*<p>Hello$/);
  assertEquals(fixture.heard(), []);
});

test("withLayers() is not to be had with a directory that is not there", async () => {
  const error = await assertRejects(
    () => new Fixture().layers("protocol http_api\nhttp_dir /none\n"),
    StartError,
  );
  assertEquals([error.status, error.lines], [1, [
    'Error: Unable to open http_dir "/none": Path "/none" does not exist.',
  ]]);
});
