// The relay between real sockets: what it asks the far side, what becomes of devices whose broker
// refuses, is silent or is not there, how many there may be, and how it ends.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { StartError } from "../../../src/app/start_error.ts";
import type { Accept, Transport } from "../../../src/transport/transport.ts";
import { test } from "../../harness.ts";
import { Probe } from "../../support/probe.ts";
import { encode } from "../../support/scripted_transport.ts";
import { connectPeer, type SocketPeer } from "../../support/socket_peer.ts";
import { until } from "../../support/wait.ts";
import { RelaySite } from "./relay_site.ts";

const CONNECT = encode("\x10\x10\0\x04MQTT\x05\x02\0\0\0\0\x03abc");
const CONNECT_31 = encode("\x10\x11\0\x06MQIsdp\x03\x02\0\0\0\x03abc");
const DISCONNECT = encode("\xe0\0");
const UNAVAILABLE = encode("\x20\x03\0\x88\0");

/** A relay, and what came to the far side of it. */
async function withSite(
  site: Promise<RelaySite>,
  body: (site: RelaySite) => Promise<void>,
): Promise<void> {
  const opened = await site;
  try {
    await body(opened);
  } finally {
    await opened.close();
  }
}

interface Device {
  readonly peer: SocketPeer;
  readonly got: number[];
}

async function openDevice(site: RelaySite, ...sent: readonly Uint8Array[]): Promise<Device> {
  const peer = await connectPeer("127.0.0.1", site.port);
  const got: number[] = [];
  peer.onChunk = (chunk) => void got.push(...chunk);
  // Not waited for: one that is sent away at once is not heard.
  for (const bytes of sent) void peer.send(bytes);
  return { peer, got };
}

/** What happened, without the port of the device, which differs each time. */
function linesOf(site: RelaySite): string[] {
  return site.lines.map((line) =>
    line.replaceAll(String(site.port), "$PORT").replace(/127\.0\.0\.1:\d+/g, "$PEER")
  );
}

const OPENING = "information: Opening ipv4 listen socket on port $PORT.";
const COMING = "notice: New connection from $PEER on port $PORT.";

/** Hears what is asked, and answers with this; or with nothing. */
function answering(reply: string | undefined, heads: string[]): Accept {
  return (transport) => ({
    onBytes(chunk) {
      heads.push(new TextDecoder().decode(chunk));
      const bytes = encode(reply ?? "");
      if (reply === undefined) return;
      transport.write(bytes, bytes.length);
      transport.close();
    },
    onWritable() {},
    onClose() {},
  });
}

test("RelayServer tells the broker who the device is and what it speaks [MQTT-6.0.0-3]", async () => {
  const heads: string[] = [];
  const site = RelaySite.open(answering("HTTP/1.1 403 Forbidden\r\n\r\n", heads));
  await withSite(site, async (site) => {
    for (const connect of [CONNECT, CONNECT_31]) {
      const { peer } = await openDevice(site, connect);
      await until(() => peer.isEnded, "the device is refused");
      peer.destroy();
    }
    assertEquals(
      heads.map((head) =>
        head.split("\r\n")
          .map((line) => line.replace(/^(host: 127.0.0.1:)\d+$/, "$1$PORT"))
          .filter((line) => !line.startsWith("sec-websocket-key: "))
          .sort()
      ),
      ["mqtt", "mqttv3.1"].map((subprotocol) => [
        "",
        "",
        "GET /mqtt HTTP/1.1",
        "connection: Upgrade",
        "host: 127.0.0.1:$PORT",
        `sec-websocket-protocol: ${subprotocol}`,
        "sec-websocket-version: 13",
        "upgrade: websocket",
        "x-forwarded-for: 127.0.0.1",
      ]),
    );
    const refused = `notice: Client $PEER disconnected: Cannot open a WebSocket to "$PEER": ` +
      `it answered "403 Forbidden".`;
    assertEquals(linesOf(site), [OPENING, COMING, refused, COMING, refused]);
  });
});

test("RelayServer gives a broker that is silent so long, and a device that is so long", async () => {
  const site = RelaySite.open(answering(undefined, []), ["--connect-timeout", "3"]);
  await withSite(site, async (site) => {
    const [unanswered, silent] = await Promise.all([openDevice(site, CONNECT), openDevice(site)]);
    await until(() => unanswered.peer.isEnded && silent.peer.isEnded, "both are sent away");
    assertEquals([unanswered.got, silent.got], [[...UNAVAILABLE], []]);
    assertEquals(linesOf(site).sort(), [
      OPENING,
      `notice: Client $PEER disconnected: Cannot open a WebSocket to "$PEER" within 3000 ms.`,
      "notice: Client $PEER disconnected: no CONNECT within 3 seconds.",
      COMING,
      COMING,
    ]);
    for (const { peer } of [unanswered, silent]) peer.destroy();
  });
});

test("RelayServer has so many devices at one time, and room again when one has left", async () => {
  const far: Transport[] = [];
  const site = RelaySite.openTo((transport) => {
    far.push(transport);
    return new Probe(transport);
  }, ["--max-connections", "1"]);
  await withSite(site, async (site) => {
    const first = await openDevice(site, CONNECT);
    await until(() => far.length === 1, "the first is relayed");
    const second = await openDevice(site);
    await until(() => second.peer.isEnded, "the second is sent away");
    first.peer.finish();
    await until(() => first.peer.isEnded, "the first has left");
    await until(() => site.lines.at(-1)!.endsWith("closed its connection."), "it is told");
    // Its place is free once the far side has closed as well.
    while (far.length < 2) {
      const third = await openDevice(site, CONNECT);
      await until(() => far.length === 2 || third.peer.isEnded, "the third is relayed or not");
      third.peer.destroy();
    }
    assertEquals([...new Set(linesOf(site))].slice(0, 4), [
      OPENING,
      COMING,
      "notice: Client connection from 127.0.0.1 denied: max_connections exceeded.",
      "notice: Client $PEER closed its connection.",
    ]);
    for (const { peer } of [first, second]) peer.destroy();
  });
});

test("RelayServer brings the last words of a device that ends its side, and then the end", async () => {
  const probes: Probe[] = [];
  const accept: Accept = (transport) => {
    const probe = new Probe(transport);
    probes.push(probe);
    return probe;
  };
  await withSite(RelaySite.openTo(accept), async (site) => {
    const { peer } = await openDevice(site, CONNECT);
    await until(() => probes[0]?.received.length === CONNECT.length, "the CONNECT has come");
    await peer.send(DISCONNECT);
    peer.finish();
    await until(() => probes[0]!.closeCount > 0, "the far side is closed");
    assertEquals({ ...probes[0] }, {
      violations: [],
      received: [...CONNECT, ...DISCONNECT],
      writableCount: 0,
      closeCount: 1,
      error: undefined,
      onChunk: undefined,
      onRoom: undefined,
    });
    await until(() => peer.isEnded, "the device is closed");
    assertEquals(peer.isBroken, false);
    peer.destroy();
  });
});

test("RelayServer.stop() ends both sides of whoever is connected", async () => {
  const probes: Probe[] = [];
  const site = await RelaySite.openTo((transport) => {
    const probe = new Probe(transport);
    probes.push(probe);
    return probe;
  });
  const relayed = await openDevice(site, CONNECT);
  await until(() => probes.length === 1, "it is relayed");
  const beginning = await openDevice(site, CONNECT.subarray(0, 3));
  await until(() => site.lines.filter((line) => /New/.test(line)).length === 2, "both are there");
  for (const { peer } of [relayed, beginning]) {
    // As a device does that notices.
    until(() => peer.isEnded, "it is sent away").then(() => peer.finish());
  }
  await site.close();
  await until(() => probes[0]!.closeCount === 1, "the far side is closed");
  assertEquals([probes[0]!.error, probes[0]!.violations], [undefined, []]);
  const ended = "notice: Client $PEER disconnected: the relay ends.";
  assertEquals(linesOf(site), [OPENING, COMING, COMING, ended, ended]);
  for (const { peer } of [relayed, beginning]) peer.destroy();
});

test("RelayServer does not start on a port that is taken, or without its certificate", async () => {
  await withSite(RelaySite.openTo((transport) => new Probe(transport)), async (site) => {
    const place = `127.0.0.1:${site.port}`;
    const start = (words: string[]) =>
      assertRejects(() => RelaySite.openTo((far) => new Probe(far), words), StartError);
    const taken = await start(["--listen", place]);
    assertEquals([taken.status, taken.lines], [1, [
      `Error: Cannot listen on ${place}: the address is already in use.`,
    ]]);
    const secure = ["--listen-tls", place, "--cert", "/missing.pem", "--key", "/missing.key"];
    const missing = await start(secure);
    assertEquals(missing.status, 1);
    assertMatch(missing.lines[0]!, /^Error: Unable to load server certificate "\/missing\.pem"\./);
  });
});
