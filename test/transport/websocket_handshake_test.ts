// The opening handshake: what is agreed to, and each reason to refuse.

import { assertEquals } from "@std/assert";
import { HttpHeadReader } from "../../src/transport/http_request.ts";
import {
  asksForWebSocket,
  formatReply,
  type HandshakeRules,
  judgeHandshake,
} from "../../src/transport/websocket_handshake.ts";
import { test } from "../harness.ts";
import { encode } from "../support/scripted_transport.ts";
import { SAMPLE_KEY, upgradeRequest } from "../support/websocket_peer.ts";

const ANY: HandshakeRules = { origins: [], subprotocols: ["mqtt", "mqttv3.1"] };
const OURS: HandshakeRules = { ...ANY, origins: ["https://a.example", "https://b.example:8443"] };

function headOf(request: string) {
  const reader = new HttpHeadReader(65_535);
  reader.read(encode(request));
  return reader.take()!;
}

function judge(changes: Record<string, string | undefined>, rules = ANY): string {
  const handshake = judgeHandshake(headOf(upgradeRequest(changes)), rules);
  return handshake.isAccepted ? handshake.subprotocol : handshake.reason;
}

test("formatReply() gives the reply to the letter, with the key's answer of RFC 6455", async () => {
  assertEquals(
    new TextDecoder().decode(await formatReply(SAMPLE_KEY, "mqtt")),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
  );
});

test("asksForWebSocket() looks for the protocol among those of the Upgrade header", () => {
  const asks = (Upgrade: string | undefined): boolean =>
    asksForWebSocket(headOf(upgradeRequest({ Upgrade })));
  assertEquals(
    ["websocket", "WebSocket", "h2c, websocket", "websockets", "h2c", undefined].map(asks),
    [true, true, true, false, false, false],
  );
});

const JUDGED: readonly (readonly [changes: Record<string, string | undefined>, result: string])[] =
  [
    [{}, "mqtt"],
    [{ "Sec-WebSocket-Protocol": "mqttv3.1" }, "mqttv3.1"],
    [{ "Sec-WebSocket-Protocol": "mqttv3.1, mqtt" }, "mqtt"],
    [{ "Sec-WebSocket-Protocol": "chat,mqtt" }, "mqtt"],
    [{ "Sec-WebSocket-Version": undefined }, "mqtt"],
    [{ Host: undefined }, "mqtt"],
    [{ Connection: "keep-alive, upgrade" }, "mqtt"],
    [{ "Sec-WebSocket-Extensions": "permessage-deflate" }, "mqtt"],
    [{ Origin: "https://evil.example" }, "mqtt"],
    [{ "Sec-WebSocket-Protocol": undefined }, "no known websocket subprotocol"],
    [{ "Sec-WebSocket-Protocol": "" }, "no known websocket subprotocol"],
    [{ "Sec-WebSocket-Protocol": "MQTT" }, "no known websocket subprotocol"],
    [{ "Sec-WebSocket-Protocol": "mqtt5" }, "no known websocket subprotocol"],
    [{ "Sec-WebSocket-Version": "8" }, "unknown websocket version"],
    [{ "Sec-WebSocket-Version": "13, 8" }, "unknown websocket version"],
    [{ "Sec-WebSocket-Key": undefined }, "bad websocket key"],
    [{ "Sec-WebSocket-Key": "" }, "bad websocket key"],
    [{ "Sec-WebSocket-Key": SAMPLE_KEY.slice(4) }, "bad websocket key"],
    [{ Connection: undefined }, "no connection upgrade"],
    [{ Connection: "close" }, "no connection upgrade"],
  ];

for (const [changes, result] of JUDGED) {
  test(`judgeHandshake() says "${result}" to ${JSON.stringify(changes)} (B-57)`, () => {
    assertEquals(judge(changes), result);
  });
}

test("judgeHandshake() takes nothing but a GET of HTTP/1.1", () => {
  const requests = [["GET", "POST"], ["GET", "HEAD"], ["HTTP/1.1", "HTTP/1.0"]] as const;
  assertEquals(
    requests.map(([from, to]) => judgeHandshake(headOf(upgradeRequest().replace(from, to)), ANY)),
    requests.map(() => ({ isAccepted: false, reason: "not a GET of HTTP/1.1" })),
  );
});

test("judgeHandshake() compares origins to the letter, and wants one where some are listed (B-57)", () => {
  const wrong = [
    undefined,
    "",
    "null",
    "https://a.exampl",
    "https://a.example.evil",
    "https://a.example/",
    "HTTPS://a.example",
    "http://a.example",
    "https://b.example",
  ];
  assertEquals(
    wrong.map((Origin) => judge({ Origin }, OURS)),
    wrong.map(() => "non-matching http origin"),
  );
  assertEquals(OURS.origins.map((Origin) => judge({ Origin }, OURS)), ["mqtt", "mqtt"]);
});
