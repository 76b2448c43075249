// B-33, B-38, B-56 and B-57 with a broker behind the whole stack: wrong first words on every kind
// of listener, and clients that break the rules, while others neither notice nor wait.

import { assertEquals } from "@std/assert";
import { Broker } from "../../src/app/broker.ts";
import { textResponse } from "../../src/transport/http.ts";
import { serveHttp } from "../../src/transport/http_connection.ts";
import { withProxyHeader } from "../../src/transport/proxy_protocol.ts";
import type { Accept, Transport } from "../../src/transport/transport.ts";
import { withWebSocket } from "../../src/transport/websocket.ts";
import { test } from "../harness.ts";
import { binaryHeader, INET, ssl, tlv } from "../support/proxy_headers.ts";
import { encode, ScriptedTransport } from "../support/scripted_transport.ts";
import { settle, until } from "../support/wait.ts";
import { clientFrame, upgradeRequest } from "../support/websocket_peer.ts";

const CONNECT = Uint8Array.of(0x10, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 0);
const CONNACK = [0x20, 2, 0, 0];
const TEXT_HEADER = "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n";
const HTTP = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const CLIENT_HELLO = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);

interface Stack {
  readonly broker: Broker;
  readonly listeners: Readonly<Record<string, Accept>>;
  /** Whom the broker has met. */
  readonly met: Transport[];
}

function stack(): Stack {
  const broker = new Broker();
  const met: Transport[] = [];
  const mqtt: Accept = (transport) => {
    met.push(transport);
    return broker.accept(transport);
  };
  const websockets = withWebSocket(mqtt, { headBytesMax: 4096 });
  const page = () => Promise.resolve(textResponse(200, "page"));
  const listeners = {
    mqtt,
    websockets,
    httpApi: serveHttp(page, { headBytesMax: 4096 }),
    proxy1: withProxyHeader(mqtt, { version: 1 }),
    proxy2: withProxyHeader(mqtt, { version: 2 }),
    proxiedWebsockets: withProxyHeader(websockets, { version: 2 }),
  };
  return { broker, listeners, met };
}

const NOT_EXPECTED: readonly (readonly [listener: string, first: Uint8Array | string])[] = [
  ["mqtt", TEXT_HEADER],
  ["mqtt", binaryHeader()],
  ["mqtt", HTTP],
  ["mqtt", upgradeRequest()],
  ["mqtt", CLIENT_HELLO],
  ["websockets", CONNECT],
  ["websockets", TEXT_HEADER],
  ["websockets", binaryHeader()],
  ["websockets", HTTP],
  ["websockets", CLIENT_HELLO],
  ["httpApi", CONNECT],
  ["httpApi", TEXT_HEADER],
  ["httpApi", binaryHeader()],
  ["httpApi", CLIENT_HELLO],
  ["proxy1", CONNECT],
  ["proxy1", HTTP],
  ["proxy1", CLIENT_HELLO],
  ["proxy1", binaryHeader()],
  ["proxy1", TEXT_HEADER + TEXT_HEADER],
  ["proxy2", CONNECT],
  ["proxy2", HTTP],
  ["proxy2", CLIENT_HELLO],
  ["proxy2", TEXT_HEADER],
  ["proxy2", Uint8Array.of(...binaryHeader(), ...binaryHeader())],
  ["proxiedWebsockets", upgradeRequest()],
  ["proxiedWebsockets", Uint8Array.of(...binaryHeader(), ...CONNECT)],
  ["proxiedWebsockets", Uint8Array.of(...binaryHeader(), ...encode(TEXT_HEADER))],
];

for (const [index, [name, first]] of NOT_EXPECTED.entries()) {
  test(`The ${name} listener ends a connection with wrong first words, case ${index} (B-38, B-56)`, async () => {
    const { broker, listeners } = stack();
    const canary = new ScriptedTransport().accept(listeners["mqtt"]!);
    const wire = new ScriptedTransport().accept(listeners[name]!);
    wire.receive(first);
    await until(() => wire.calls.length > 0, "the connection ends");
    wire.end();
    canary.receive(CONNECT);
    await settle();
    assertEquals([wire.calls, canary.takeBytes(), broker.gauges.connections], [
      ["close"],
      CONNACK,
      1,
    ]);
    canary.end();
    await broker.close();
  });
}

test("The whole stack shows the broker the client behind proxy and WebSocket (B-56)", async () => {
  const { broker, listeners, met } = stack();
  const wire = new ScriptedTransport().accept(listeners["proxiedWebsockets"]!);
  const entry = ssl(5, 0, tlv(0x21, "TLSv1.3"), tlv(0x22, "ann"), tlv(0x23, "AES"));
  const header = binaryHeader({ body: [...INET, ...entry] });
  wire.receive(Uint8Array.of(
    ...header,
    ...encode(upgradeRequest({ "X-Forwarded-For": "10.0.0.1" })),
  ));
  await until(() => met.length > 0, "the handshake is done");
  wire.takeBytes();
  wire.receive(clientFrame(CONNECT));
  await settle();
  const { remoteAddress, remotePort, tls } = met[0]!;
  assertEquals({ remoteAddress, remotePort, tls, written: wire.takeBytes() }, {
    remoteAddress: "203.0.113.7",
    remotePort: 50_000,
    tls: {
      version: "TLSv1.3",
      cipher: "AES",
      certificate: { commonName: "ann", subject: undefined },
      pskIdentity: undefined,
    },
    written: [0x82, 4, ...CONNACK],
  });
  wire.end();
  await broker.close();
});

test("A client that breaks the rules of frames is gone for the broker at once (B-57)", async () => {
  const { broker, listeners, met } = stack();
  const wire = new ScriptedTransport().accept(listeners["websockets"]!);
  wire.receive(upgradeRequest());
  await until(() => met.length > 0, "the handshake is done");
  wire.takeBytes();
  wire.receive(Uint8Array.of(...clientFrame(CONNECT), ...clientFrame(encode("hi"), { opcode: 1 })));
  await settle();
  assertEquals(
    { calls: wire.calls, connections: broker.gauges.connections, last: wire.takeBytes().slice(-4) },
    { calls: ["close"], connections: 0, last: [0x88, 2, 3, 235] },
  );
  wire.end();
  await broker.close();
});
