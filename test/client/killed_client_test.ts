// A process with a durable client is killed at random moments and started again: nothing that it
// was told is stored is lost, nothing of QoS 2 comes twice, and nothing that it was done with is
// shown to it again. CLIENT_KILLS sets how often.

import { assertEquals } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { Broker } from "../../mod.ts";
import { Client } from "../../src/client/client.ts";
import { test } from "../harness.ts";
import { sourceUrl } from "../support/child_script.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { until } from "../support/wait.ts";
import { pipeTo } from "./client_site.ts";

const KILLS = Number(process.env["CLIENT_KILLS"] ?? 6);
const decoder = new TextDecoder();

// Publishes `run:number` of both qualities and says which are stored; shows what comes, and says
// what it is done with. The last run waits until the broker has everything.
const SCRIPT = `
import { Client } from "${sourceUrl("src/client/client.ts")}";
import { SqliteSessionStore } from "${sourceUrl("src/client/sqlite_session_store.ts")}";
import { currentRuntime } from "${sourceUrl("src/runtime/current.ts")}";
const [port, path, run] = process.argv.slice(2);
const runtime = await currentRuntime();
const store = await SqliteSessionStore.open({ runtime, path });
const decoder = new TextDecoder();
let inbox = 0;
let onEnd = () => {};
const ended = new Promise((resolve) => onEnd = resolve);
const client = new Client("mqtt://127.0.0.1:" + port, {
  runtime,
  store,
  clientId: "me",
  cleanStart: false,
  properties: { sessionExpiryInterval: 3600 },
  queueMessagesMax: 100_000,
  onMessage({ payload }) {
    const text = decoder.decode(payload);
    console.log("shown " + text);
    if (text === "end") onEnd();
    else client.stored().then(() => console.log("done " + text), () => {});
  },
});
await client.open();
await client.subscribe("in", { qos: 2 });
console.log("ready");
if (run === "last") {
  await client.publish("out/2", "end", { qos: 2 });
  await client.publish("out/1", "end", { qos: 1 });
  await ended;
  await client.disconnect();
  store.close();
  console.log("finished");
} else {
  for (let number = 0;; number++) {
    const text = run + ":" + number;
    client.publish("out/2", text, { qos: 2 });
    client.publish("out/1", text, { qos: 1 });
    await client.stored();
    console.log("stored " + text);
  }
}
`;

class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<void>;
  #rest = "";
  #errors = "";

  constructor(script: string, args: readonly string[]) {
    const words = runtimeName === "deno"
      ? ["run", "-A", "-q", "--no-check", "--no-lock", "--no-config", script]
      : [script];
    const child = spawn(process.execPath, [...words, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    this.#process = child;
    child.stdout!.on("data", (chunk: Uint8Array) => {
      const lines = (this.#rest + decoder.decode(chunk)).split("\n");
      this.#rest = lines.pop()!;
      this.lines.push(...lines);
    });
    child.stderr!.on("data", (chunk: Uint8Array) => this.#errors += decoder.decode(chunk));
    this.#closed = new Promise((resolve) => child.on("close", () => resolve()));
  }

  async said(line: string, count = 1): Promise<void> {
    await until(() => {
      if (this.#process.exitCode !== null) throw new Error(`It has ended: ${this.#errors}`);
      return this.lines.filter((said) => said.startsWith(line)).length >= count;
    }, `the child says "${line}" ${count} times`);
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#closed;
  }

  ended(): Promise<void> {
    return this.#closed;
  }
}

test(`Client loses nothing and delivers QoS 2 once when its process is killed, ${KILLS} times`, async () => {
  const broker = new Broker();
  const { port } = await broker.listen({ port: 0 });
  const received: Record<string, string[]> = { "out/1": [], "out/2": [] };
  const peer = await Client.connect(pipeTo(broker), {
    queueMessagesMax: 100_000,
    onMessage: ({ topic, payload }) => void received[topic]!.push(decoder.decode(payload)),
  });
  await peer.subscribe("out/+", { qos: 2 });
  const folder = mkdtempSync(`${tmpdir()}/midge-killed-`);
  const script = `${folder}/child.mjs`;
  writeFileSync(script, SCRIPT);
  const stored: string[] = [];
  const shown: string[][] = [];
  const done: string[][] = [];
  const sent: Promise<unknown>[] = [];
  let number = 0;
  for (let run = 0; run <= KILLS; run++) {
    const isLast = run === KILLS;
    const args = [String(port), `${folder}/session.db`, isLast ? "last" : String(run)];
    const child = new Child(script, args);
    await child.said("ready");
    for (const end = number + 25; number < end; number++) {
      sent.push(peer.publish("in", String(number), { qos: 2 }));
    }
    if (isLast) {
      sent.push(peer.publish("in", "end", { qos: 2 }));
      await until(() => child.lines.includes("finished"), "the last child has everything");
      await child.ended();
    } else {
      await child.said("stored", 1 + Math.floor(Math.random() * 40));
      await child.kill();
    }
    const told = (what: string): string[] =>
      child.lines.filter((line) => line.startsWith(`${what} `)).map((line) =>
        line.slice(what.length + 1)
      );
    stored.push(...told("stored"));
    shown.push(told("shown"));
    done.push(told("done"));
  }
  await Promise.all(sent);
  for (const qos of [1, 2]) {
    const texts = received[`out/${qos}`]!;
    const missing = [...stored, "end"].filter((text) => !texts.includes(text));
    assertEquals(missing, [], `lost of QoS ${qos}`);
  }
  const twice = received["out/2"]!.filter((text, index, all) => all.indexOf(text) !== index);
  assertEquals(twice, [], "of QoS 2, delivered twice");
  const expected = Array.from({ length: number }, (_, sentNumber) => String(sentNumber));
  const seen = new Set(shown.flat());
  assertEquals(expected.filter((text) => !seen.has(text)), [], "never shown");
  const again = done.flatMap((texts, run) => {
    const later = shown.slice(run + 1).flat();
    return texts.filter((text) => later.includes(text));
  });
  assertEquals(again, [], "shown again after it was done with");
  await peer.disconnect();
  await broker.close();
  rmSync(folder, { recursive: true });
});
