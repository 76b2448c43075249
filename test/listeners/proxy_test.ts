// Listeners behind a proxy, with the program itself (B-56): whose address and certificate it
// believes, what it asks of the proxy's clients, and what it does with headers that are none, or
// that come where nobody expects them.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { Canary } from "../support/canary.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { binaryHeader, INET, INET6, ssl, tlv, UNIX } from "../support/proxy_headers.ts";
import { connectPeer } from "../support/socket_peer.ts";
import { until } from "../support/wait.ts";
import { clientFrame, upgradeRequest } from "../support/websocket_peer.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const CONFIG = `
allow_anonymous false
listener $PORT1 127.0.0.1
enable_proxy_protocol 1
listener_allow_anonymous true
listener $PORT2 127.0.0.1
enable_proxy_protocol 2
listener_allow_anonymous true
listener $PORT3 127.0.0.1
enable_proxy_protocol 2
proxy_protocol_v2_require_tls true
listener_allow_anonymous true
listener $PORT4 127.0.0.1
enable_proxy_protocol 2
require_certificate true
use_identity_as_username true
listener $PORT5 127.0.0.1
enable_proxy_protocol 2
use_identity_as_username true
listener $PORT6 127.0.0.1
protocol websockets
enable_proxy_protocol 2
listener_allow_anonymous true
listener $PORT7 127.0.0.1
listener_allow_anonymous true
listener $PORT8 127.0.0.1
protocol websockets
listener_allow_anonymous true
listener $PORT9 127.0.0.1
protocol http_api
listener_allow_anonymous true
`;

const text = (line: string): Uint8Array => new TextEncoder().encode(line);
const TEXT = "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n";
const SESSION = [tlv(0x21, "TLSv1.3"), tlv(0x22, "gate 7"), tlv(0x23, "AES")];

/** A client of a proxy that sends this header; what its CONNECT is answered. */
async function comeBy(
  port: number,
  header: Uint8Array,
  clientId: string,
  version: 4 | 5 = 5,
): Promise<string> {
  const client = await WireClient.open(port, version);
  client.send(header);
  const connect = client.connectBytes({ clientId, username: "claimed", password: text("x") });
  client.send(connect);
  const packet = await client.next("an answer").catch(() => undefined);
  if (packet?.type === "connack" && packet.reasonCode === 0) client.leave();
  await client.untilClosed();
  return packet === undefined ? "closed" : describe(packet);
}

const SOURCES: readonly (readonly [n: number, header: Uint8Array, from: string])[] = [
  [1, text(TEXT), "203.0.113.7:50000"],
  [1, text("PROXY TCP6 2001:db8::7 ::1 50000 1883\r\n"), "2001:db8::7:50000"],
  [2, binaryHeader(), "203.0.113.7:50000"],
  [2, binaryHeader({ family: 0x21, body: INET6 }), "2001:db8::7:50000"],
  [2, binaryHeader({ family: 0x31, body: UNIX }), "/run/client:0"],
  [3, binaryHeader({ body: [...INET, ...ssl(1, 0, ...SESSION)] }), "203.0.113.7:50000"],
];

test(
  "Behind a proxy the client is whom the header names, in the log as well (B-56)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG }, async (midge) => {
      const port = (n: number): number => midge.ports[n - 1]!;
      const expected: string[] = [];
      const before = midge.lines.length;
      for (const [i, [n, header, from]] of SOURCES.entries()) {
        assertEquals(await comeBy(port(n), header, `client ${i}`), "connack 0x00");
        expected.push(`New client connected from ${from} as client ${i} (p5, c1, k0, u'claimed').`);
        if (n === 3) expected.push(`Client client ${i} negotiated TLSv1.3 cipher AES`);
        const gone = `Client client ${i} [${from}] disconnected.`;
        expected.push(gone);
        await midge.logged(gone);
      }
      assertEquals(midge.lines.slice(before), expected);

      // The proxy does not know its client: the socket's address stays.
      assertEquals(await comeBy(port(1), text("PROXY UNKNOWN\r\n"), "unknown"), "connack 0x00");
      await midge.logged(/^New client connected from 127\.0\.0\.1:\d+ as unknown /);
      await midge.logged(/^Client unknown \[127\.0\.0\.1:\d+\] disconnected\.$/);
      // The proxy looks whether we live.
      const local = binaryHeader({ command: 0x20, family: 0, body: [] });
      const lines = midge.lines.length;
      assertEquals(await comeBy(port(2), local, "local"), "closed");
      assertEquals(midge.lines.length, lines);
    }),
);

test(
  "A proxy's client shows what TLS its listener asks for, or is sent away (B-56)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG }, async (midge) => {
      const port = (n: number): number => midge.ports[n - 1]!;
      const header = (...entries: readonly number[][]) =>
        binaryHeader({ body: [...INET, ...entries.flat()] });
      const from = "Connection from 203.0.113.7:50000 rejected";

      assertEquals(await comeBy(port(3), header(), "a"), "closed");
      await midge.logged(`${from}, client did not connect using TLS.`);
      // Flags without that of TLS.
      assertEquals(await comeBy(port(3), header(ssl(4, 0, ...SESSION)), "a"), "closed");
      await midge.logged(`${from}, client did not connect using TLS.`, 2);

      const weak = [header(), header(ssl(1, 0, ...SESSION)), header(ssl(5, 9, ...SESSION))];
      for (const each of weak) assertEquals(await comeBy(port(4), each, "b"), "closed");
      await midge.logged(`${from}, client did not provide a certificate.`, 3);
      await midge.logged(/^The rejected connection came from 127\.0\.0\.1:\d+\.$/, 5);

      assertEquals(await comeBy(port(4), header(ssl(5, 0, ...SESSION)), "c"), "connack 0x00");
      await midge.logged(
        "New client connected from 203.0.113.7:50000 as c (p5, c1, k0, u'gate 7').",
      );
      // A certificate without a name, one with a name cut short by U+0000, and none at all.
      const nameless = [
        header(ssl(5, 0, tlv(0x21, "TLSv1.3"))),
        header(ssl(5, 0, tlv(0x22, "gate\0 7"))),
        header(ssl(5, 0, tlv(0x22, [0xff, 0xfe]))),
      ];
      for (const each of nameless) {
        assertEquals(await comeBy(port(4), each, "d"), "connack 0x86");
        assertEquals(await comeBy(port(5), each, "d", 4), "connack 0x86");
      }
      assertEquals(await comeBy(port(5), header(), "d"), "connack 0x86");
      // Not verified: not a name to go by.
      assertEquals(await comeBy(port(5), header(ssl(5, 9, ...SESSION)), "d"), "connack 0x86");
    }),
);

test(
  "A WebSocket behind a proxy is its client's, whatever its own headers claim (B-56)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG }, async (midge) => {
      const request = text(upgradeRequest({ "X-Forwarded-For": "10.0.0.1" }));
      for (const [n, header] of [[6, binaryHeader()], [8, new Uint8Array(0)]] as const) {
        const peer = await connectPeer("127.0.0.1", midge.ports[n - 1]!);
        let received = 0;
        peer.onChunk = (chunk) => received += chunk.length;
        await peer.send(Uint8Array.of(...header, ...request));
        await until(() => received > 0, "the WebSocket is there");
        const connect = [0x10, 14, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 2, 119, 48 + n];
        await peer.send(clientFrame(Uint8Array.from(connect)));
        await midge.logged(new RegExp(`^New client connected from .* as w${n} `));
        peer.destroy();
      }
      const comings = midge.lines.flatMap((line) =>
        /^New client connected from (\S+):\d+ as (w\d)/.exec(line)?.slice(1) ?? []
      );
      assertEquals(comings, ["203.0.113.7", "w6", "127.0.0.1", "w8"]);
    }),
);

/** What is no header, on which port, and is told to end by us unless the peer has to end it. */
const CORRUPT: readonly (readonly [n: number, bytes: Uint8Array])[] = [
  [1, text("PROXY TCP3 203.0.113.7 192.0.2.9 50000 1883\r\n")],
  [1, text("PROXY TCP4 203.0.113.7 192.0.2.9 50000\r\n")],
  [1, text("PROXY TCP4 203.0.113.777 192.0.2.9 50000 1883\r\n")],
  [1, text("PROXY TCP4 203.0.113.7 192.0.2.9 70000 1883\r\n")],
  [1, text("PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\n\n")],
  [1, text(`PROXY UNKNOWN ${"x".repeat(65_536)}`)],
  [1, binaryHeader()],
  [1, Uint8Array.of(0x10, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 0)],
  [2, text(TEXT)],
  [2, Uint8Array.of(0x10, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 0)],
  [2, text("GET / HTTP/1.1\r\n\r\n")],
  [2, binaryHeader({ command: 0x11 })],
  [2, binaryHeader({ command: 0x22 })],
  [2, binaryHeader({ body: INET.slice(0, 11) })],
  [2, binaryHeader({ family: 0x21, body: INET })],
  [2, binaryHeader({ length: 65_535 })],
  [2, binaryHeader({ body: [...INET, 0x20, 0, 9, 1] })],
  [2, binaryHeader({ body: [...INET, ...tlv(0x20, [1, 0, 0, 0, 0, 0x21, 0, 99])] })],
];

/** First words that a listener without a proxy does not take for the header that they are. */
const UNEXPECTED: readonly (readonly [n: number, bytes: Uint8Array, reply: string])[] = [
  [7, text(TEXT), ""],
  [7, binaryHeader(), ""],
  [8, text(TEXT + upgradeRequest()), ""],
  [8, Uint8Array.of(...binaryHeader(), ...text(upgradeRequest())), ""],
  [9, text(`${TEXT}GET /api/v1/version HTTP/1.1\r\n\r\n`), "HTTP/1.1 400 Bad Request"],
  // A second header is the client's, and no MQTT.
  [1, text(TEXT + TEXT), ""],
  [2, Uint8Array.of(...binaryHeader(), ...binaryHeader()), ""],
  [6, Uint8Array.of(...binaryHeader(), ...binaryHeader()), ""],
];

test(
  "What is no header of a proxy ends its connection, and nobody notices (B-56)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG }, async (midge) => {
      const canary = await Canary.start(midge.ports[6]!);
      const answer = async (n: number, bytes: Uint8Array, cut = bytes.length): Promise<string> => {
        const peer = await connectPeer("127.0.0.1", midge.ports[n - 1]!);
        let reply = "";
        peer.onChunk = (chunk) => reply += new TextDecoder().decode(chunk);
        peer.send(bytes.subarray(0, cut)).catch(() => {});
        // Half a header is no fault yet; its end is the end of the connection.
        if (cut < bytes.length) peer.finish();
        await until(() => peer.isEnded, `the connection ends on listener ${n}`);
        peer.destroy();
        return reply.split("\r\n")[0]!;
      };
      const line = "Connection rejected, corrupt PROXY header.";
      for (const [i, [n, bytes]] of CORRUPT.entries()) {
        assertEquals(await answer(n, bytes), "");
        await midge.logged(line, i + 1);
      }
      const rejected = /^The rejected connection came from 127\.0\.0\.1:\d+\.$/;
      assertEquals((await midge.found(rejected, CORRUPT.length)).length, CORRUPT.length);

      const lines = midge.lines.length;
      const header = binaryHeader({ body: [...INET, ...ssl(5, 0, ...SESSION)] });
      const cuts = await Promise.all([
        ...Array.from({ length: header.length }, (_, cut) => answer(2, header, cut)),
        ...Array.from({ length: TEXT.length }, (_, cut) => answer(1, text(TEXT), cut)),
      ]);
      assertEquals(new Set(cuts), new Set([""]));
      assertEquals(midge.lines.slice(lines), []);

      for (const [n, bytes, reply] of UNEXPECTED) assertEquals(await answer(n, bytes), reply);
      await canary.stop();
      const strangers = midge.lines.filter((each) => each.includes("203.0.113.7"));
      // Believed where a header is expected, and nowhere else.
      assertEquals(
        strangers.map((each) => each.split(":")[0]),
        [
          "Protocol error from 203.0.113.7",
          "Client 203.0.113.7 [203.0.113.7",
          "Protocol error from 203.0.113.7",
          "Client 203.0.113.7 [203.0.113.7",
          "Client 203.0.113.7",
        ],
      );
    }),
);
