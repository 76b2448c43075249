// Foreign WebSocket clients against our WebSocket on a TCP listener: the one that the present
// runtime has built in, and MQTT.js with a broker behind it.

import { assertEquals } from "@std/assert";
import mqtt from "mqtt";
import { Broker } from "../../src/app/broker.ts";
import type { Listener } from "../../src/runtime/runtime.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { withWebSocket } from "../../src/transport/websocket.ts";
import { test } from "../harness.ts";
import { fillPattern, PatternCheck } from "../support/byte_pattern.ts";
import { runtime } from "../support/current_runtime.ts";
import { Probe } from "../support/probe.ts";
import { until } from "../support/wait.ts";
import { JS_VERSION_NAMES, JS_VERSIONS, JsClient } from "./js_client.ts";

async function listening(
  accept: Accept,
  body: (url: string) => Promise<void>,
): Promise<void> {
  let listener: Listener | undefined;
  try {
    listener = await runtime.listenTcp(
      { hostname: "127.0.0.1", port: 0 },
      withWebSocket(accept, { headBytesMax: 4096 }),
    );
    await body(`ws://127.0.0.1:${listener.port}/mqtt`);
  } finally {
    await listener?.close();
  }
}

interface Client {
  readonly socket: WebSocket;
  readonly check: PatternCheck;
  readonly log: string[];
}

function connect(url: string, protocols: string | string[]): Client {
  const socket = new WebSocket(url, protocols);
  socket.binaryType = "arraybuffer";
  const client = { socket, check: new PatternCheck(), log: [] as string[] };
  socket.onopen = () => client.log.push(`open ${socket.protocol}`);
  socket.onmessage = ({ data }) => client.check.add(new Uint8Array(data));
  socket.onclose = ({ code, wasClean }) => client.log.push(`close ${code} ${wasClean}`);
  return client;
}

const options = { timeout: 20_000 };

test("withWebSocket() echoes to the runtime's own client, small and large", options, async () => {
  const accept: Accept = (transport) => {
    const probe = new Probe(transport);
    probe.onChunk = (chunk) => {
      if (!probe.write(chunk.slice())) probe.pause();
    };
    probe.onRoom = () => probe.resume();
    return probe;
  };
  await listening(accept, async (url) => {
    const { socket, check, log } = connect(url, ["chat", "mqtt"]);
    await until(() => log.length > 0, "the client is connected");
    let sent = 0;
    for (const size of [1, 125, 126, 65_535, 65_536, 1_000_000]) {
      const bytes = new Uint8Array(size);
      fillPattern(bytes, sent);
      sent += size;
      socket.send(bytes);
    }
    await until(() => check.count >= sent, "everything is echoed");
    socket.close(3001);
    await until(() => log.length > 1, "the client is closed");
    assertEquals({ ...check, log }, {
      count: sent,
      firstWrong: -1,
      log: ["open mqtt", "close 3001 true"],
    });
  });
});

test("withWebSocket() closes the runtime's own client with a clean 1000", options, async () => {
  let probe: Probe | undefined;
  await listening((transport) => probe = new Probe(transport), async (url) => {
    const { log } = connect(url, "mqttv3.1");
    await until(() => probe !== undefined && log.length > 0, "the client is connected");
    probe!.close();
    await until(() => log.length > 1, "the client is closed");
    assertEquals(log, ["open mqttv3.1", "close 1000 true"]);
    await until(() => probe!.closeCount > 0, "the transport is closed");
  });
});

test("withWebSocket() closes the runtime's own client with 1003 for text", options, async () => {
  let probe: Probe | undefined;
  await listening((transport) => probe = new Probe(transport), async (url) => {
    const { socket, log } = connect(url, "mqtt");
    await until(() => log.length > 0, "the client is connected");
    socket.send("text");
    await until(() => log.length > 1, "the client is closed");
    assertEquals(log, ["open mqtt", "close 1003 true"]);
    await until(() => probe!.closeCount > 0, "the transport is closed");
  });
});

test("withWebSocket() does not let in a client that speaks something else", options, async () => {
  let isAccepted = false;
  await listening((transport) => {
    isAccepted = true;
    return new Probe(transport);
  }, async (url) => {
    const { socket, log } = connect(url, "chat");
    socket.onerror = (event) => event.preventDefault();
    await until(() => log.length > 0, "the client is closed");
    assertEquals([log[0]!.split(" ")[0], isAccepted], ["close", false]);
  });
});

for (const name of JS_VERSION_NAMES) {
  test(`Broker speaks MQTT ${name} with MQTT.js over a WebSocket`, options, async () => {
    const broker = new Broker();
    await listening((transport) => broker.accept(transport), async (url) => {
      const client = new JsClient(mqtt.connect(url, {
        ...JS_VERSIONS[name],
        clientId: "ws",
        reconnectPeriod: 0,
      }));
      try {
        await until(() => client.connack !== undefined, "the client is connected");
        await client.client.subscribeAsync("t/#", { qos: 2 });
        const large = "x".repeat(300_000);
        for (const qos of [0, 1, 2] as const) await client.publish("t/a", large, { qos });
        await client.receives(3);
        assertEquals(
          client.received.map(({ text, qos }) => [text === large, qos]),
          [[true, 0], [true, 1], [true, 2]],
        );
      } finally {
        await client.end();
        await broker.close();
      }
    });
  });
}
