// Wrong first words and none at all on listeners with TLS and without (B-38), and readers that stop
// reading (B-33), with the program itself: a line each, and nobody else notices.

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { test } from "../harness.ts";
import { Canary } from "../support/canary.ts";
import { certificateFiles, makeCertificates } from "../support/certificates.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { binaryHeader } from "../support/proxy_headers.ts";
import { Relay } from "../support/relay.ts";
import { connectPeer } from "../support/socket_peer.ts";
import { knockByTls, openTlsClient } from "../support/tls_client.ts";
import { until } from "../support/wait.ts";
import { upgradeRequest } from "../support/websocket_peer.ts";
import { openWebSocket } from "../support/websocket_stream.ts";
import { WireClient } from "../support/wire_client.ts";

const kit = await makeCertificates();
const ca = kit.authority.certificate;
const files = certificateFiles(kit);
const SERVER = "certfile $DIR/server.pem\nkeyfile $DIR/server.key";

const CONFIG = `
allow_anonymous true
max_queued_bytes 1000000
listener $PORT1 127.0.0.1
${SERVER}
listener $PORT2 127.0.0.1
protocol websockets
${SERVER}
listener $PORT3 127.0.0.1
listener $PORT4 127.0.0.1
protocol websockets
`;

const CONNECT = Uint8Array.of(0x10, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 0);
const PROXY = "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n";
const HELLO = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);

/** What a connection that begins with this is sent until its end. */
async function answer(port: number, first: Uint8Array | string): Promise<Uint8Array> {
  const peer = await connectPeer("127.0.0.1", port);
  const chunks: Uint8Array[] = [];
  peer.onChunk = (chunk) => void chunks.push(chunk.slice());
  peer.send(typeof first === "string" ? new TextEncoder().encode(first) : first).catch(() => {});
  await until(() => peer.isEnded, `the connection to ${port} ends`);
  peer.destroy();
  return Buffer.concat(chunks);
}

test(
  "Wrong first words end a connection with a line, with TLS and without (B-38)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG, files }, async (midge) => {
      const [tlsPort, webPort, plainPort, plainWebPort] = midge.ports as [
        number,
        number,
        number,
        number,
      ];
      const canary = await Canary.start(plainPort);
      const http = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
      const failed = /^Client connection from 127\.0\.0\.1 failed: .+\.$/;
      let count = 0;
      for (const port of [tlsPort, webPort]) {
        for (const first of [CONNECT, http, upgradeRequest(), PROXY, binaryHeader()]) {
          const bytes = await answer(port, first);
          // Nothing but an alert, which not every runtime sends.
          assertEquals(bytes.length === 0 || bytes[0] === 0x15, true);
          await midge.logged(failed, ++count);
        }
      }

      for (const first of [HELLO, http, PROXY, binaryHeader()]) {
        assertEquals((await answer(plainPort, first)).length, 0);
      }
      await midge.logged(
        /^Client from 127\.0\.0\.1:\d+ appears to be using TLS to connect to a non-TLS listener\.$/,
      );
      await midge.logged(/^Protocol error from 127\.0\.0\.1:\d+: .*\.$/, 4);
      // A real one, to the letter.
      assertEquals(await knockByTls({ to: plainPort, ca }), "refused");
      assertEquals(await knockByTls({ to: plainWebPort, ca, isWebSocket: true }), "refused");
      await midge.logged(/appears to be using TLS to connect to a non-TLS listener\.$/, 2);
      await midge.logged(/^Client 127\.0\.0\.1:\d+ disconnected: bad http request\.$/);

      // And MQTT without a WebSocket, within the right TLS.
      assertEquals(await knockByTls({ to: webPort, ca }), "refused");
      await midge.logged(/^Client 127\.0\.0\.1:\d+ disconnected: bad http request\.$/, 2);
      await canary.stop();
      assertEquals(await knockByTls({ to: tlsPort, ca }), 0);
      assertEquals(await knockByTls({ to: webPort, ca, isWebSocket: true }), 0);
    }),
);

function connectSilently(port: number, first: Uint8Array): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", reject);
    socket.on("connect", () => {
      socket.write(first);
      resolve(socket);
    });
  });
}

test(
  "Two hundred handshakes that never end keep nobody out (B-38)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG, files }, async (midge) => {
      const [tlsPort, webPort, plainPort, plainWebPort] = midge.ports as [
        number,
        number,
        number,
        number,
      ];
      const canary = await Canary.start(plainPort);
      const request = new TextEncoder().encode(upgradeRequest().slice(0, 40));
      const silent = await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          i % 4 === 0
            ? connectSilently(plainWebPort, request)
            : connectSilently(i % 2 === 0 ? tlsPort : webPort, HELLO)),
      );
      const codes = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          knockByTls({ to: i % 2 === 0 ? tlsPort : webPort, ca, isWebSocket: i % 2 !== 0 })),
      );
      assertEquals(codes, Array(10).fill(0));
      const web = new WireClient(await openWebSocket(plainWebPort), 5);
      assertEquals((await web.handshake()).reasonCode, 0);
      web.leave();
      await canary.stop();
      assertEquals(
        silent.filter((socket) =>
          socket.destroyed
        ).length,
        0,
      );
      for (const socket of silent) {
        socket.destroy();
      }
      // Those that gave up are no reason to say anything twice, or to stop.
      assertEquals(await knockByTls({ to: tlsPort, ca }), 0);
      assertEquals(await midge.stop(), 0);
    }),
);

const MESSAGES = 1500;
const PAYLOAD = new Uint8Array(10_000);

test(
  "A reader that stops reading is left behind, by TLS and WebSocket alike (B-33)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG, files }, async (midge) => {
      const [tlsPort, webPort, plainPort, plainWebPort] = midge.ports as [
        number,
        number,
        number,
        number,
      ];
      const kinds: Readonly<Record<string, [number, (to: number) => Promise<WireClient>]>> = {
        tls: [tlsPort, (to) => openTlsClient({ to, ca })],
        wss: [webPort, (to) => openTlsClient({ to, ca, isWebSocket: true })],
        ws: [plainWebPort, async (to) => new WireClient(await openWebSocket(to), 5)],
      };
      const canary = await Canary.start(plainPort);
      const frozen: { client: WireClient; relay: Relay }[] = [];
      const healthy: { client: WireClient; count: number }[] = [];
      for (const [name, [port, open]] of Object.entries(kinds)) {
        const relay = await Relay.open(port);
        const client = await open(relay.port);
        await client.handshake({ clientId: `frozen ${name}` });
        await client.subscribe(["bulk"]);
        relay.freeze();
        frozen.push({ client, relay });
        const reader = { client: await open(port), count: 0 };
        await reader.client.handshake({ clientId: `healthy ${name}` });
        await reader.client.subscribe(["bulk"]);
        reader.client.onPacket = () => void reader.count++;
        healthy.push(reader);
      }
      const publisher = await WireClient.connect(plainPort, 5);
      for (let sent = 0; sent < MESSAGES;) {
        for (const end = sent + 50; sent < end; sent++) publisher.publish("bulk", PAYLOAD);
        await publisher.ping();
        // A healthy reader is one who keeps up.
        await until(() => healthy.every(({ count }) => count === sent), `${sent} have arrived`);
      }
      for (const name of Object.keys(kinds)) {
        await midge.logged(`Outgoing messages are being dropped for client frozen ${name}.`);
      }
      await canary.stop();
      assertEquals(
        midge.lines.filter((line) => / disconnected/.test(line) && /frozen|healthy/.test(line)),
        [],
      );

      // Who reads again is served again.
      for (const [i, { client, relay }] of frozen.entries()) {
        relay.thaw();
        const packets = await client.ping(30_000);
        assertEquals(packets.length > 0 && packets.length < MESSAGES, true, `frozen client ${i}`);
        assertEquals(packets.every(({ type }) => type === "publish"), true);
      }
      for (const { client } of [...frozen, ...healthy]) client.destroy();
      for (const { relay } of frozen) relay.close();
    }),
);
