/**
 * What the tools cost: the CPU time of a process that publishes or prints messages, and the time
 * from the start of a process to its first packet.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { openSync } from "node:fs";
import process from "node:process";
import { type Place, PublishBatch } from "./publish_batch.ts";

/** What a process has cost, in seconds. */
export interface Cost {
  readonly cpuSeconds: number;
  readonly seconds: number;
}

export const TOPIC = "bench/cli";

/** A message without its number; with a line feed it is a line of the file. */
export const PAYLOAD_BYTES = 20;

/** Published and not yet printed at most: less than what sockets hold, so that nothing is dropped. */
const AHEAD_MAX = 4000;
const SILENCE_MAX_MS = 20_000;
const LINE_BYTES = PAYLOAD_BYTES + 1;

/** Lets a program publish the lines of a file. */
export async function measurePublishing(
  command: readonly string[],
  file: string,
): Promise<Cost> {
  const input = openSync(file, "r");
  const run = timed(command, input);
  run.child.stdout!.resume();
  return await run.cost;
}

/** Lets a program print messages, which are published no faster than it prints them. */
export async function measurePrinting(
  command: readonly string[],
  place: Place,
  messages: number,
): Promise<Cost> {
  const publisher = await PublishBatch.connect(place, TOPIC, PAYLOAD_BYTES);
  try {
    // The first one is retained: when it is printed, the program has subscribed.
    publisher.publishRetained();
    const { child, cost } = timed(command, "ignore");
    let bytes = 0;
    let sent = 0;
    let timer = setTimeout(() => {}, 0);
    const lost = new Promise<never>((_, reject) => {
      const arm = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          child.kill("SIGKILL");
          reject(new Error(`Only ${Math.floor(bytes / LINE_BYTES)} messages were printed`));
        }, SILENCE_MAX_MS);
      };
      arm();
      child.stdout!.on("data", (chunk: Uint8Array) => {
        arm();
        bytes += chunk.length;
        const printed = Math.floor(bytes / LINE_BYTES) - 1;
        while (sent < messages && sent - printed + PublishBatch.SIZE <= AHEAD_MAX) {
          sent += publisher.publishBatch();
        }
      });
    });
    try {
      return await Promise.race([cost, lost]);
    } finally {
      clearTimeout(timer);
    }
  } finally {
    publisher.close();
  }
}

/** Milliseconds from the start of a program until its CONNECT has come. */
export async function measureStart(
  command: (port: number) => readonly string[],
): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port to listen on");
  let socket: Socket | undefined;
  const arrived = new Promise<number>((resolve) => {
    server.on("connection", (accepted) => {
      socket = accepted;
      accepted.on("error", () => {});
      accepted.once("data", () => resolve(performance.now()));
    });
  });
  const [program, ...args] = command(address.port);
  const begun = performance.now();
  const child = spawn(program!, args, { stdio: "ignore" });
  const ended = new Promise<never>((_, reject) => {
    child.on("exit", () => reject(new Error(`${program} has ended without a CONNECT`)));
  });
  try {
    return await Promise.race([arrived, ended]) - begun;
  } finally {
    child.kill("SIGKILL");
    await ended.catch(() => {});
    socket?.destroy();
    server.close();
  }
}

/** Bash knows what its child has cost, to the millisecond. */
const TIMING = 'TIMEFORMAT="%3U %3S %3R"; time "$@"';

function timed(
  command: readonly string[],
  input: number | "ignore",
): { readonly child: ChildProcess; readonly cost: Promise<Cost> } {
  const child = spawn("bash", ["-c", TIMING, "bash", ...command], {
    stdio: [input, "pipe", "pipe"],
    // So that numbers have points.
    env: { ...process.env, LC_ALL: "C" },
  });
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => said += text);
  const cost = new Promise<Cost>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const [user, system, seconds] = (said.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
      if (code === 0) resolve({ cpuSeconds: user! + system!, seconds: seconds! });
      else reject(new Error(`${command.join(" ")} has ended with ${code}: ${said}`));
    });
  });
  return { child, cost };
}
