// The examples of examples/hosts, each on the runtime that it is for, as they stand but for the port:
// a client over WebSocket, and somebody who wants the site.

import { assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "../harness.ts";
import { currentRuntime } from "../runtime/programs.ts";
import { freePorts, PROCESS_TEST } from "../support/midge_process.ts";
import { sleep, until } from "../support/wait.ts";
import { openWebSocket } from "../support/websocket_stream.ts";
import { WireClient } from "../support/wire_client.ts";

const ROOT = new URL("../../", import.meta.url);

/** What docs/embedding.md shows of an example: all but the comment above it. */
async function shown(name: string): Promise<string> {
  const text = await readFile(new URL(`examples/hosts/${name}`, ROOT), "utf8");
  return text.slice(text.indexOf("\n\n") + 2).replace(`"../../mod.ts"`, `"./mod.ts"`);
}

test("docs/embedding.md shows the examples as they are", async () => {
  const guide = await readFile(new URL("docs/embedding.md", ROOT), "utf8");
  const blocks = [...guide.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block]) => block!);
  const examples = await Promise.all(["deno.ts", "bun.ts", "node.ts"].map(shown));
  assertEquals(blocks.slice(0, 3), examples);
});

/** How each runtime runs a file; one that exports its server may want to be told so. */
function wordsFor(file: string, port: number, exportsServer: boolean): string[] {
  if (currentRuntime() !== "deno") return [file];
  if (!exportsServer) return ["run", "-A", "-q", "--no-check", "--no-config", file];
  const place = ["--host", "127.0.0.1", "--port", String(port)];
  return ["serve", "-A", "-q", "--no-check", "--no-config", ...place, file];
}

/** Runs an example on a free port, and ends it behind the body. */
async function withExample(name: string, body: (port: number) => Promise<void>): Promise<void> {
  const text = await readFile(new URL(`examples/hosts/${name}`, ROOT), "utf8");
  const [port] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), "midge-host-"));
  const file = join(folder, "example.ts");
  const source = text.replace(`"../../mod.ts"`, JSON.stringify(new URL("mod.ts", ROOT).href))
    .replace("port: 8080", `port: ${port}`);
  await writeFile(file, source);
  const child = spawn(process.execPath, wordsFor(file, port!, name === "any.ts"), {
    cwd: folder,
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output += chunk);
  let isOver = false;
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()))
    .then(() => void (isOver = true));
  try {
    while (!await isListening(port!)) {
      if (isOver) throw new Error(`It has ended:\n${output}`);
      await sleep(20);
    }
    await body(port!);
  } finally {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

/** Two clients, of which one hears what the other says. */
async function converse(port: number): Promise<void> {
  const [reader, writer] = await Promise.all(
    ["reader", "writer"].map(async (clientId) => {
      const client = new WireClient(await openWebSocket(port), 5);
      assertEquals((await client.handshake({ clientId })).reasonCode, 0);
      return client;
    }),
  );
  await reader!.subscribe(["hosts/#"], 1);
  writer!.publish("hosts/here", "hello", { qos: 1 });
  await until(() => reader!.packets.length > 0, "the message has come");
  const packet = reader!.packets[0]!;
  const got = packet.type === "publish" ? [packet.topic, packet.qos] : packet.type;
  assertEquals(got, ["hosts/here", 1]);
  for (const client of [reader!, writer!]) client.leave();
}

async function siteOf(port: number, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

const BROKER = [426, "This is an MQTT broker: connect by WebSocket.\n"];
const SITE = [200, "Hello from the site\n"];

test("examples/hosts has a broker beside a site, on this runtime", PROCESS_TEST, async () => {
  await withExample(`${currentRuntime()}.ts`, async (port) => {
    await converse(port);
    assertEquals(await siteOf(port, "/"), SITE);
    if (currentRuntime() !== "node") assertEquals(await siteOf(port, "/mqtt"), BROKER);
  });
});

test("examples/hosts has a broker that is all of a server on deno and bun", {
  ...PROCESS_TEST,
  skip: currentRuntime() === "node" ? "Node serves nothing that a module exports" : false,
}, async () => {
  await withExample("any.ts", async (port) => {
    await converse(port);
    assertEquals(await siteOf(port, "/"), BROKER);
  });
});
