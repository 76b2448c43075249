/**
 * What a thousand logins a second with wrong passwords do to those who are connected: the latency of
 * deliveries while strangers guess, as a ratio to what it is while nobody does, for one broker after
 * the other. Guesses and deliveries come from processes of their own.
 *
 *     deno run -A bench/broker/bad_logins.ts [deno|bun|node|mosquitto]...
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../test/support/midge_process.ts";
import { passwordLine } from "../../test/support/password_lines.ts";
import { WireClient } from "../../test/support/wire_client.ts";
import { installRuntime } from "../../tools/packages.ts";
import { fromRoot } from "../../tools/root.ts";
import { prepare } from "./brokers.ts";
import { Histogram } from "./histogram.ts";

const GUESSES_PER_SECOND = 1000;
const MESSAGES_PER_SECOND = 500;
const PHASE_MS = 4000;
const ROUNDS = 3;
/** What mosquitto_passwd makes by default. */
const ITERATIONS = 1000;
const ALICE = { username: "alice", password: new TextEncoder().encode("right") };

type Name = "deno" | "bun" | "node" | "mosquitto";

async function main(names: readonly Name[]): Promise<void> {
  const bundled = names.flatMap((name) => name === "bun" || name === "node" ? [name] : []);
  await prepare(bundled.map((runtime) => ({ kind: "midge", runtime })));
  console.log(
    `${GUESSES_PER_SECOND} wrong passwords a second, PBKDF2 with ${ITERATIONS} iterations;\n` +
      `latency of ${MESSAGES_PER_SECOND} messages a second in µs, median of ${ROUNDS} rounds\n`,
  );
  console.log("broker     | quiet p50 | quiet p99 | p50 | p99 | ratio of p99 | answered a second");
  for (const name of names) console.log(await measure(name));
}

async function measure(name: Name): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "midge-bench-"));
  const [port] = await freePorts(1);
  // Salts of 12 bytes are what Mosquitto 2.0 reads.
  const line = passwordLine("alice", "right", { iterations: ITERATIONS, saltBytes: 12 });
  await writeFile(join(folder, "passwd"), `${line}\n`, { mode: 0o600 });
  await writeFile(
    join(folder, "broker.conf"),
    `user root\nlog_type error\nset_tcp_nodelay true\nlistener ${port} 127.0.0.1\n` +
      `password_file ${folder}/passwd\n`,
  );
  const [command, ...words] = await commandOf(name);
  const args = [...words, "-c", join(folder, "broker.conf")];
  const broker = spawn(command!, args, { stdio: ["ignore", "ignore", "inherit"] });
  try {
    await untilOpen(port!);
    const quiet: Histogram[] = [];
    const busy: Histogram[] = [];
    let answered = 0;
    await deliver(port!);
    for (let round = 0; round < ROUNDS; round++) {
      quiet.push(await deliver(port!));
      const guesser = startGuessing(port!);
      await guesser.isGuessing;
      busy.push(await deliver(port!));
      answered += await guesser.stop();
    }
    const at = (all: readonly Histogram[], part: number): number =>
      median(all.map((each) => each.percentile(part)));
    const ratio = median(busy.map((each, i) => each.percentile(0.99) / quiet[i]!.percentile(0.99)));
    const rate = answered / (ROUNDS * PHASE_MS / 1000);
    const figures = [at(quiet, 0.5), at(quiet, 0.99), at(busy, 0.5), at(busy, 0.99)];
    return [name.padEnd(10), ...figures.map(Math.round), ratio.toFixed(1), Math.round(rate)]
      .join(" | ");
  } finally {
    await end(broker);
    await rm(folder, { recursive: true });
  }
}

async function commandOf(name: Name): Promise<string[]> {
  if (name === "mosquitto") return ["/usr/sbin/mosquitto"];
  if (name === "deno") return [Deno.execPath(), "run", "-A", "-q", fromRoot("mod.ts")];
  return [await installRuntime(name), fromRoot("dist/bench/midge.js")];
}

/** Sends messages from one client to another for a while; how long they took, in µs. */
async function deliver(port: number): Promise<Histogram> {
  const publisher = await WireClient.connect(port, 4, ALICE);
  const subscriber = await WireClient.connect(port, 4, { ...ALICE, clientId: "subscriber" });
  await subscriber.subscribe(["canary"], 0);
  const histogram = new Histogram();
  const sentAt: number[] = [];
  let received = 0;
  subscriber.onPacket = () => histogram.add((performance.now() - sentAt[received++]!) * 1000);
  const start = performance.now();
  const count = MESSAGES_PER_SECOND * PHASE_MS / 1000;
  const payload = new Uint8Array(64);
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, (performance.now() - start) * MESSAGES_PER_SECOND / 1000);
      while (sentAt.length < due) {
        sentAt.push(performance.now());
        publisher.publish("canary", payload);
      }
      if (received < count) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  publisher.leave();
  subscriber.leave();
  return histogram;
}

interface Guesser {
  /** Resolves when the guessing has begun. */
  readonly isGuessing: Promise<void>;
  /** Ends it; how many guesses were answered. */
  stop(): Promise<number>;
}

function startGuessing(port: number): Guesser {
  const script = fileURLToPath(import.meta.url);
  const child = spawn(Deno.execPath(), ["run", "-A", "-q", script, "--guess", String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  let begin = (): void => {};
  const isGuessing = new Promise<void>((resolve) => begin = resolve);
  child.stdout.on("data", (chunk: Uint8Array) => {
    text += new TextDecoder().decode(chunk);
    begin();
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return {
    isGuessing,
    async stop() {
      child.stdin.end();
      await ended;
      return Number(text.trim().split("\n").at(-1));
    },
  };
}

/** Guesses until its input ends; it prints how many of its guesses were answered meanwhile. */
function guess(port: number): void {
  console.log("begun");
  const start = performance.now();
  let begun = 0;
  let answered = 0;
  const timer = setInterval(() => {
    const due = (performance.now() - start) * GUESSES_PER_SECOND / 1000;
    for (; begun < due; begun++) {
      const client = connect({ host: "127.0.0.1", port, noDelay: true });
      client.on("error", () => {});
      client.once("data", () => {
        answered++;
        client.destroy();
      });
      client.write(connectBytes(begun));
    }
  }, 1);
  process.stdin.resume().on("end", () => {
    clearInterval(timer);
    console.log(answered);
    process.exit(0);
  });
}

/** A CONNECT of version 3.1.1, every other one of a user that is there. */
function connectBytes(number: number): Uint8Array {
  const text = (value: string): number[] => [0, value.length, ...new TextEncoder().encode(value)];
  const username = number % 2 === 0 ? "alice" : "mallory";
  const ends = [...text(`g${number}`), ...text(username), ...text(`guess ${number}`)];
  const body = [...text("MQTT"), 4, 0xc2, 0, 60, ...ends];
  return Uint8Array.of(0x10, body.length, ...body);
}

async function untilOpen(port: number): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    try {
      (await WireClient.connect(port, 4, ALICE)).leave();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("The broker did not start");
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on("close", () => resolve());
    child.kill("SIGKILL");
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const [first, second] = Deno.args;
if (first === "--guess") guess(Number(second));
else await main(Deno.args.length > 0 ? Deno.args as Name[] : ["deno", "bun", "node", "mosquitto"]);
