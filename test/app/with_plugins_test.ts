// A library's broker that asks plugins.

import { assertEquals } from "@std/assert";
import { Broker, ReasonCode, withPlugins } from "../../mod.ts";
import { test } from "../harness.ts";
import { WireClient } from "../support/wire_client.ts";
import { until } from "../support/wait.ts";

const { SUCCESS, NOT_AUTHORIZED } = ReasonCode;

test("withPlugins() has plugins decide who may connect and publish, and tells them", async () => {
  const seen: string[] = [];
  const events: string[] = [];
  const broker = new Broker(withPlugins({
    plugins: [{
      name: "rules",
      authenticator: {
        name: "rules",
        authenticate: ({ username }) => username === "ann" ? SUCCESS : NOT_AUTHORIZED,
      },
      authorizer: {
        name: "rules",
        publish: (_client, topic) => topic === "yes" ? SUCCESS : NOT_AUTHORIZED,
      },
      observer: {
        name: "rules",
        connected: ({ clientId }) => void seen.push(`${clientId} came`),
        disconnected: ({ clientId }) => void seen.push(`${clientId} went`),
      },
    }],
    onEvent: ({ kind }) => events.push(kind),
  }));
  try {
    const { port } = await broker.listen({ port: 0 });
    const stranger = await WireClient.open(port);
    assertEquals((await stranger.handshake()).reasonCode, NOT_AUTHORIZED);
    const ann = await WireClient.connect(port, 5, { clientId: "a", username: "ann" });
    const codes = [];
    for (const topic of ["yes", "no"]) {
      ann.publish(topic, "", { qos: 1 });
      const packet = await ann.next("the PUBACK");
      codes.push(packet.type === "puback" ? packet.reasonCode : packet.type);
    }
    assertEquals(codes, [ReasonCode.NO_MATCHING_SUBSCRIBERS, NOT_AUTHORIZED]);
    broker.disconnect("a");
    await until(() => seen.length === 2, "the plugin has been told");
    assertEquals([seen, events.includes("connected")], [["a came", "a went"], true]);
  } finally {
    await broker.close();
  }
});

test("withPlugins() reports a plugin that fails, and refuses", async () => {
  const said: string[] = [];
  const broker = new Broker(withPlugins({
    plugins: [{
      name: "broken",
      authenticator: {
        name: "broken",
        authenticate() {
          throw new Error("no more");
        },
      },
    }],
    onLog: (type, text) => said.push(`${type}: ${text}`),
  }));
  try {
    const { port } = await broker.listen({ port: 0 });
    const client = await WireClient.open(port);
    assertEquals((await client.handshake()).reasonCode, NOT_AUTHORIZED);
    assertEquals(said, ["error: Error: Plugin broken failed in 'basic-auth': no more"]);
  } finally {
    await broker.close();
  }
});
