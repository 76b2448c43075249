// Requests that ask a host for a WebSocket: what is agreed to, and what each other one is told.

import { assertEquals } from "@std/assert";
import { judgeUpgrade } from "../../src/transport/websocket_upgrade.ts";
import { test } from "../harness.ts";

const HEADERS: Readonly<Record<string, string>> = {
  "connection": "Upgrade",
  "upgrade": "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-protocol": "mqtt",
};

const ORIGINS = ["https://page.example"];

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly origins?: readonly string[];
}

/** The subprotocol; or the status, the words, and the headers that are not about the words. */
async function judge({ method = "GET", headers = {}, origins = [] }: Asked): Promise<unknown> {
  const list = new Map(Object.entries({ ...HEADERS, ...headers }));
  const verdict = judgeUpgrade({ method, headers: list }, {
    origins,
    subprotocols: ["mqtt", "mqttv3.1"],
  });
  if (typeof verdict === "string") return verdict;
  const { "content-type": type, ...others } = Object.fromEntries(verdict.headers);
  assertEquals(type, "text/plain; charset=utf-8");
  return [verdict.status, (await verdict.text()).trimEnd(), others];
}

test("judgeUpgrade() agrees to the better subprotocol that is offered [MQTT-6.0.0-4]", async () => {
  const rows: [Asked, string][] = [
    [{}, "mqtt"],
    [{ headers: { "sec-websocket-protocol": "mqttv3.1" } }, "mqttv3.1"],
    [{ headers: { "sec-websocket-protocol": "chat, mqttv3.1,mqtt" } }, "mqtt"],
    // What only the host has to know, it looks at itself.
    [{ headers: { "connection": undefined, "sec-websocket-version": undefined } }, "mqtt"],
    [{ headers: { "upgrade": "WebSocket" } }, "mqtt"],
    [{ headers: { "origin": "https://page.example" }, origins: ORIGINS }, "mqtt"],
    [{ headers: { "origin": "https://elsewhere.example" } }, "mqtt"],
  ];
  for (const [asked, subprotocol] of rows) assertEquals(await judge(asked), subprotocol);
});

test("judgeUpgrade() answers every other request in words", async () => {
  const noWebSocket = [426, "This is an MQTT broker: connect by WebSocket.", {
    upgrade: "websocket",
  }];
  const noOrigin = [403, "Pages of this origin may not connect.", {}];
  const noSubprotocol = [400, "The WebSocket subprotocol must be mqtt or mqttv3.1.", {}];
  const rows: [Asked, unknown][] = [
    [{ headers: { "upgrade": undefined } }, noWebSocket],
    [{ headers: { "upgrade": "h2c" } }, noWebSocket],
    [{ method: "POST", headers: { "upgrade": undefined } }, noWebSocket],
    [{ method: "POST" }, [405, "A WebSocket begins with a GET.", { allow: "GET" }]],
    [{ headers: { "sec-websocket-version": "8" } }, [
      426,
      "The version of WebSocket is not supported.",
      { "upgrade": "websocket", "sec-websocket-version": "13" },
    ]],
    [{ origins: ORIGINS }, noOrigin],
    [{ headers: { "origin": "https://page.example.evil" }, origins: ORIGINS }, noOrigin],
    [{ headers: { "sec-websocket-protocol": undefined } }, noSubprotocol],
    [{ headers: { "sec-websocket-protocol": "MQTT, mqtt5" } }, noSubprotocol],
  ];
  for (const [asked, answer] of rows) assertEquals(await judge(asked), answer);
});
