// `protocol websockets` as clients meet it at a broker process: foreign clients, subprotocols and
// origins, pages on the same port, and whoever breaks the rules (B-57).

import { assertEquals } from "@std/assert";
import mqtt from "mqtt";
import { connect } from "node:net";
import { test } from "../harness.ts";
import { JS_VERSION_NAMES, JS_VERSIONS, JsClient } from "../interop/js_client.ts";
import { Canary } from "../support/canary.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { encoded } from "../support/raw_packet.ts";
import { Reloads } from "../support/reload.ts";
import { connectPeer, SocketPeer } from "../support/socket_peer.ts";
import { until } from "../support/wait.ts";
import { clientFrame, upgradeRequest, WebSocketPeer } from "../support/websocket_peer.ts";
import { openWebSocket } from "../support/websocket_stream.ts";
import { WireClient } from "../support/wire_client.ts";

const CONFIG = `
allow_anonymous true
listener $PORT1 127.0.0.1
protocol websockets
listener $PORT2 127.0.0.1
`;

test(
  "Foreign clients speak every version of MQTT over a WebSocket",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG }, async (midge) => {
      for (const version of JS_VERSION_NAMES) {
        const clients = ["web", "plain"].map((kind, i) =>
          new JsClient(mqtt.connect(`${i === 0 ? "ws" : "mqtt"}://127.0.0.1:${midge.ports[i]}`, {
            ...JS_VERSIONS[version],
            clientId: `${kind}-${version}`,
            reconnectPeriod: 0,
          }))
        );
        const [web, plain] = clients as [JsClient, JsClient];
        await until(
          () => clients.every(({ connack }) => connack !== undefined),
          "both are connected",
        );
        await web.client.subscribeAsync("to/web", { qos: 2 });
        await plain.client.subscribeAsync("to/plain", { qos: 2 });
        const large = "x".repeat(200_000);
        for (const qos of [0, 1, 2] as const) {
          await web.publish("to/plain", large, { qos });
          await plain.publish("to/web", large, { qos });
        }
        for (const client of clients) {
          await client.receives(3);
          assertEquals(
            client.received.map(({ text, qos }) => [text === large, qos]),
            [[true, 0], [true, 1], [true, 2]],
          );
          await client.end();
        }
      }
      const comings = await midge.found(/^.* as web-5 \(.*$/, 1);
      assertEquals(comings.map((line) => line.replace(/:\d+ /, ":… ")), [
        "New client connected from 127.0.0.1:… as web-5 (p5, c1, k60).",
      ]);
    }),
);

/** The first PINGREQ's worth of MQTT over the WebSocket that the runtime itself provides. */
function visit(port: number, protocols: string | string[]): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/any/path?and=query`, protocols);
  socket.binaryType = "arraybuffer";
  return new Promise((resolve) => {
    socket.onopen = () => {
      // Packets and frames need not begin and end together.
      const bytes = encoded(4, {
        type: "connect",
        protocolVersion: 4,
        isBridge: false,
        clientId: "browser",
        cleanStart: true,
        keepAlive: 60,
        properties: {},
      });
      socket.send(bytes.slice(0, 5));
      socket.send(Uint8Array.of(...bytes.slice(5), 0xc0, 0));
    };
    const got: number[] = [];
    socket.onmessage = ({ data }) => {
      got.push(...new Uint8Array(data));
      if (got.length >= 6) socket.close();
    };
    socket.onerror = (event) => event.preventDefault();
    socket.onclose = () => resolve(got.length === 0 ? "refused" : `${socket.protocol} ${got}`);
  });
}

test(
  "A WebSocket is for whoever lists mqtt or mqttv3.1 among its subprotocols",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG }, async (midge) => {
      const offers = ["mqtt", "mqttv3.1", ["chat", "mqttv3.1", "mqtt"], "chat", []];
      const answers: string[] = [];
      for (const offer of offers) answers.push(await visit(midge.port, offer));
      const answer = "32,2,0,0,208,0";
      assertEquals(answers, [
        `mqtt ${answer}`,
        `mqttv3.1 ${answer}`,
        `mqtt ${answer}`,
        "refused",
        "refused",
      ]);
      await midge.logged(
        /^Client 127\.0\.0\.1:\d+ disconnected: no known websocket subprotocol\.$/,
        2,
      );
    }),
);

/** Whether a request gets its WebSocket. */
async function isUpgraded(port: number, headers: Record<string, string | undefined>) {
  const socket = connect({ host: "127.0.0.1", port });
  const peer = await WebSocketPeer.open(new SocketPeer(socket), upgradeRequest(headers));
  socket.destroy();
  return peer.head.startsWith("HTTP/1.1 101 ");
}

const ORIGINS = [
  undefined,
  "https://a.example",
  "https://b.example:8443",
  "https://a.exampl",
  "https://a.example.net",
  "https://a.example, https://b.example:8443",
  "HTTPS://A.EXAMPLE",
  "http://a.example",
  "null",
];

test(
  "websockets_origin lets in pages of these origins only, and is reloaded (B-57)",
  PROCESS_TEST,
  () => {
    const listed = `${
      CONFIG.trimEnd().replace(
        "protocol websockets",
        "protocol websockets\nwebsockets_origin https://a.example\n" +
          "websockets_origin https://b.example:8443",
      )
    }`;
    return MidgeProcess.with({ config: Reloads.first(listed) }, async (midge) => {
      const upgraded = () =>
        Promise.all(ORIGINS.map((Origin) => isUpgraded(midge.port, { Origin })));
      assertEquals(await upgraded(), [false, true, true, ...Array(6).fill(false)]);
      await midge.logged(
        /^Client 127\.0\.0\.1:\d+ disconnected: non-matching http origin\.$/,
        7,
      );
      await new Reloads(midge).apply(CONFIG);
      assertEquals(await upgraded(), Array(9).fill(true));
    });
  },
);

const WITH_PAGES = {
  config: `
allow_anonymous true
listener $PORT1 127.0.0.1
protocol websockets
http_dir $DIR/www
`,
  files: { "www/index.html": "<p>pages</p>", "secret.txt": "not yours" },
};

/** What a connection that begins with this is answered until its end, the first line of it. */
async function firstLine(port: number, request: string): Promise<string> {
  const peer = await connectPeer("127.0.0.1", port);
  let text = "";
  peer.onChunk = (chunk) => text += new TextDecoder().decode(chunk);
  await peer.send(new TextEncoder().encode(request));
  await until(() => peer.isEnded, `there is an answer to ${request}`);
  peer.destroy();
  return text.split("\r\n")[0]!;
}

test(
  "A WebSocket listener with http_dir gives out its pages on the same port (B-57)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(WITH_PAGES, async (midge) => {
      const page = await fetch(`http://127.0.0.1:${midge.port}/?query`);
      assertEquals([page.status, await page.text()], [200, "<p>pages</p>"]);
      assertEquals(await visit(midge.port, "mqtt"), "mqtt 32,2,0,0,208,0");
      const request = (line: string) => `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      const answers: string[] = [];
      for (
        const line of [
          "GET /index.html",
          "GET /../secret.txt",
          "GET /%2e%2e/secret.txt",
          "GET /..%2fsecret.txt",
          "GET /..\\secret.txt",
          "GET //secret.txt",
          "GET /missing",
          "POST /index.html",
          "GET index.html",
        ]
      ) answers.push(await firstLine(midge.port, request(line)));
      assertEquals(answers, [
        "HTTP/1.1 200 OK",
        ...Array(6).fill("HTTP/1.1 404 Not Found"),
        "HTTP/1.1 405 Method Not Allowed",
        "HTTP/1.1 400 Bad Request",
      ]);
    }),
);

const ONE = Uint8Array.of(65);

/** What breaks a rule, the code of the closing frame, and what the log says. */
const BROKEN: readonly (readonly [name: string, bytes: Uint8Array, code: number])[] = [
  ["a text frame", clientFrame(ONE, { opcode: 1 }), 1003],
  ["an unknown opcode", clientFrame(ONE, { opcode: 3 }), 1002],
  ["a frame with a reserved bit", clientFrame(ONE, { reserved: 4 }), 1002],
  ["an unmasked frame", clientFrame(ONE, { isMasked: false }), 1002],
  ["a fragmented ping", clientFrame(ONE, { opcode: 9, isFinal: false }), 1002],
  ["a ping of 126 bytes", clientFrame(new Uint8Array(126), { opcode: 9 }), 1002],
  ["a continuation of nothing", clientFrame(ONE, { opcode: 0 }), 1002],
  ["a closing frame of one byte", clientFrame(ONE, { opcode: 8 }), 1002],
  ["a length of 2^63", clientFrame(ONE, { length: 1n << 63n }), 1002],
  ["a length of 2^40", clientFrame(ONE, { length: 1n << 40n }), 1009],
];

test(
  "Whoever breaks the rules of WebSockets is closed with its code, and nobody notices (B-57)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG }, async (midge) => {
      const [port, plainPort] = midge.ports as [number, number];
      const canary = await Canary.start(plainPort);
      const codes: string[] = [];
      for (const [name, bytes] of BROKEN) {
        const inner = await connectPeer("127.0.0.1", port);
        const peer = await WebSocketPeer.open(inner);
        await peer.sendRaw(bytes);
        await until(() => inner.isEnded, `the connection ends after ${name}`);
        codes.push(`${name} ${peer.control}`);
        inner.destroy();
      }
      assertEquals(codes, BROKEN.map(([name, , code]) => `${name} close:${code}`));
      await midge.logged(/: The WebSocket peer broke the protocol: 100[239]\.$/, BROKEN.length);

      // Pongs are few: what is asked again before it is answered is answered once.
      const inner = await connectPeer("127.0.0.1", port);
      const flood = await WebSocketPeer.open(inner);
      const ping = clientFrame(new Uint8Array(125), { opcode: 9 });
      const pings = new Uint8Array(ping.length * 5000);
      for (let i = 0; i < 5000; i++) pings.set(ping, i * ping.length);
      inner.setReading(false);
      await flood.sendRaw(pings);
      inner.setReading(true);
      await flood.sendRaw(clientFrame(ONE, { opcode: 9 }));
      await until(() => flood.control.includes("pong:65"), "the last ping is answered");
      inner.destroy();

      // Without `http_dir` there is nothing but WebSockets.
      for (
        const request of [
          "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
          upgradeRequest({ Upgrade: undefined }),
          upgradeRequest({ Connection: "close" }),
          upgradeRequest({ "Sec-WebSocket-Key": undefined }),
          upgradeRequest({ "Sec-WebSocket-Version": "8" }),
          upgradeRequest({ "Sec-WebSocket-Protocol": undefined }),
          upgradeRequest({ "X-Long": "x".repeat(5000) }),
          upgradeRequest() + "x",
          "\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",
        ]
      ) assertEquals(await firstLine(port, request), "");
      const reasons = await midge.found(/^Client 127\.0\.0\.1:\d+ disconnected: (.*)\.$/, 9);
      assertEquals(reasons, [
        "not a websocket request",
        "not a websocket request",
        "no connection upgrade",
        "bad websocket key",
        "unknown websocket version",
        "no known websocket subprotocol",
        "http request too large",
        "bytes ahead of the websocket reply",
        "bad http request",
      ]);

      const client = new WireClient(await openWebSocket(port), 5);
      assertEquals((await client.handshake()).reasonCode, 0);
      client.leave();
      await canary.stop();
    }),
);

test(
  "Where MQTT is not spoken, a WebSocket is asked for in vain (B-57)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "allow_anonymous true\nlistener $PORT1 127.0.0.1\nprotocol http_api\n" +
        "listener $PORT2 127.0.0.1",
    }, async (midge) => {
      const request = upgradeRequest({ Connection: "Upgrade, close" });
      assertEquals(await firstLine(midge.port, request), "HTTP/1.1 404 Not Found");
      assertEquals(await firstLine(midge.ports[1]!, request), "");
      await midge.logged(
        /^Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: protocol error\.$/,
      );
    }),
);
