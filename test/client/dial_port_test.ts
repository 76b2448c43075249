// Clients over the ports of channels, with a broker at the other end: one connection for each port,
// and a new port for each connection.

import { assertEquals, assertRejects } from "@std/assert";
import { Client, ClientError, type ClientEvent, dialPort } from "../../client_web.ts";
import { Broker } from "../../web.ts";
import { test } from "../harness.ts";
import { until } from "../support/wait.ts";

function texts(lines: string[]): (message: { readonly payload: Uint8Array }) => void {
  return ({ payload }) => void lines.push(new TextDecoder().decode(payload));
}

test("Client connects over a port to a broker that serves the other, once", async () => {
  const broker = new Broker();
  const { port1, port2 } = new MessageChannel();
  const served = broker.serve(port1, { remoteAddress: "tab" });
  const lines: string[] = [];
  const client = new Client(port2, { onMessage: texts(lines), reconnect: { initialMs: 1 } });
  await client.open();
  await client.subscribe("a", { qos: 2 });
  for (const qos of [0, 1, 2] as const) await client.publish("a", `of ${qos}`, { qos });
  await client.publish("a", "x".repeat(200_000), { qos: 1 });
  await until(() => lines.length === 4, "all has arrived");
  assertEquals(lines.slice(0, 3), ["of 0", "of 1", "of 2"]);
  assertEquals(lines[3]!.length, 200_000);
  assertEquals(broker.gauges.connections, 1);
  await client.disconnect();
  await served;
  assertEquals(broker.gauges.connections, 0);

  const { port1: near, port2: far } = new MessageChannel();
  broker.serve(near);
  const again = new Client(far, { reconnect: { initialMs: 1, attemptsMax: 1 } });
  await again.open();
  await broker.close();
  const error = await again.closed;
  assertEquals(error instanceof ClientError && error.message, "The port is used up");
});

test("dialPort() asks for a new port each time, and a Will tells of the one that broke", async () => {
  const broker = new Broker();
  const ports: MessagePort[] = [];
  const open = (): MessagePort => {
    const { port1, port2 } = new MessageChannel();
    broker.serve(port1);
    ports.push(port1);
    return port2;
  };
  const wills: string[] = [];
  const heir = await Client.connect(dialPort(open), { onMessage: texts(wills) });
  await heir.subscribe("will");
  const events: ClientEvent["kind"][] = [];
  const client = await Client.connect(dialPort(open), {
    clientId: "one",
    will: { topic: "will", payload: "gone" },
    reconnect: { initialMs: 1 },
    onEvent: ({ kind }) => void events.push(kind),
  });
  broker.disconnect("one");
  await until(() => events.length === 4, "the client is back");
  assertEquals(events, ["connected", "disconnected", "reconnecting", "connected"]);
  // Whoever posts what is no message of ours breaks the connection.
  const { port1, port2 } = new MessageChannel();
  broker.serve(port1);
  const rude = new Client(port2, { will: { topic: "will", payload: "rude" }, reconnect: false });
  await rude.open();
  port2.postMessage({});
  await until(() => wills.includes("rude"), "the Will is published");
  assertEquals([wills, ports.length], [["gone", "rude"], 3]);
  await Promise.all([client.disconnect(), heir.disconnect()]);
  await broker.close();
});

test("dialPort() takes promises, and closes a port that comes too late", async () => {
  const { port1, port2 } = new MessageChannel();
  let give: (port: MessagePort) => void = () => {};
  const dial = dialPort(() => new Promise((resolve) => give = resolve));
  const ending = new AbortController();
  const dialled = dial(() => {
    throw new Error("Nobody accepts");
  }, ending.signal);
  ending.abort(new Error("Too late"));
  give(port2);
  await assertRejects(() => dialled, Error, "Too late");
  port1.close();

  const failing = dialPort(() => Promise.reject(new Error("No worker")));
  const error = await assertRejects(
    () => Client.connect(failing, { reconnect: false }),
    ClientError,
  );
  assertEquals((error.cause as Error).message, "No worker");
});
