// The client as a browser has it, inside a Web Worker: with nothing but a WebSocket. Node has no
// such workers; what it has of the web is tried in client_ways_test.ts.

import { assertEquals } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { Broker } from "../../mod.ts";
import { test } from "../harness.ts";
import { sourceUrl } from "../support/child_script.ts";
import { runtimeName } from "../support/current_runtime.ts";

const SCRIPT = `
import { Client } from "${sourceUrl("client_web.ts")}";
self.onmessage = async ({ data: url }) => {
  try {
    const client = await Client.connect(url, { clientId: "worker" });
    const messages = client.messages("a/#");
    await client.subscribe("a/#", { qos: 2 });
    for (const qos of [0, 1, 2]) await client.publish("a/b", "of " + qos, { qos });
    const texts = [];
    for await (const { payload } of messages) {
      if (texts.push(new TextDecoder().decode(payload)) === 3) break;
    }
    await client.disconnect();
    self.postMessage(texts);
  } catch (error) {
    self.postMessage(String(error));
  }
};
`;

/** The part of a Web Worker that is used here; Node has none. */
interface WorkerLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

type WorkerClass = new (url: URL, options: { readonly type: "module" }) => WorkerLike;

test("Client exchanges messages inside a Web Worker", {
  skip: runtimeName === "node" ? "Node has no Web Workers" : false,
}, async () => {
  const broker = new Broker();
  const { port } = await broker.listen({ port: 0, protocol: "websockets" });
  const folder = mkdtempSync(`${tmpdir()}/midge-worker-`);
  const script = `${folder}/worker.mjs`;
  writeFileSync(script, SCRIPT);
  // Not every runtime declares it in the same way.
  const { Worker } = globalThis as unknown as { Worker: WorkerClass };
  const worker = new Worker(pathToFileURL(script), { type: "module" });
  const told = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(`ws://127.0.0.1:${port}/mqtt`);
  });
  assertEquals(told, ["of 0", "of 1", "of 2"]);
  worker.terminate();
  await broker.close();
  rmSync(folder, { recursive: true });
});
