// Mosquitto's command line clients at a site: `publish` runs one to its end, `subscribe` starts one
// and waits until the broker has its subscriptions.

import { assertEquals } from "@std/assert";
import { type Ended, ForeignProcess, linesOf } from "../support/foreign_process.ts";
import type { Site } from "./site.ts";

export const VERSIONS = ["mqttv31", "mqttv311", "mqttv5"] as const;
export type Version = typeof VERSIONS[number];

export const PUB_AND_SUB = ["mosquitto_pub", "mosquitto_sub"] as const;

/** Starts a client at the site. */
export function start(
  site: Site,
  tool: string,
  args: readonly string[],
  input?: Uint8Array | string,
): ForeignProcess {
  return new ForeignProcess(
    tool,
    ["-h", "127.0.0.1", "-p", `${site.port}`, ...args],
    input === undefined ? {} : { input },
  );
}

/** Runs `mosquitto_pub` to its end, which must be a good one. */
export async function publish(
  site: Site,
  args: readonly string[],
  input?: Uint8Array | string,
): Promise<void> {
  const { code, stderr } = await start(site, "mosquitto_pub", args, input).ended;
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, `mosquitto_pub ${args.join(" ")}`);
}

/**
 * Starts `mosquitto_sub` and waits until it has subscribed to all of its filters.
 *
 * @param before how many subscriptions the client has made in earlier connections.
 */
export async function subscribe(
  site: Site,
  clientId: string,
  args: readonly string[],
  before = 0,
): Promise<ForeignProcess> {
  const process = start(site, "mosquitto_sub", ["-i", clientId, ...args]);
  const filters = args.filter((arg) => arg === "-t").length;
  try {
    await site.subscribed(clientId, before + filters);
  } catch (error) {
    process.kill("SIGKILL");
    throw error;
  }
  return process;
}

/** What a client printed until its end, which must be a good one. */
export async function printed(process: ForeignProcess): Promise<Ended> {
  const ended = await process.ended;
  assertEquals(
    { code: ended.code, stderr: ended.stderr },
    { code: 0, stderr: "" },
    process.commandLine,
  );
  return ended;
}

/** Numbered lines, as `mosquitto_pub -l` reads them. */
export function numberedLines(count: number, prefix = ""): string {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}\n`).join("");
}

/** Runs jobs a few at a time, so that two cores are busy but not swamped with processes. */
export async function fewAtATime<T>(jobs: readonly (() => Promise<T>)[], width = 4): Promise<T[]> {
  const results: T[] = [];
  const waiting = jobs.entries();
  const lane = async (): Promise<void> => {
    for (const [index, job] of waiting) results[index] = await job();
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

/** The lines that a client prints before the one that matches `last`; then it is ended. */
export async function linesUntil(
  process: ForeignProcess,
  last: RegExp,
  { isIncluded = false } = {},
): Promise<string[]> {
  try {
    await process.until((lines) => lines.some((line) => last.test(line)), `it prints ${last}`);
  } finally {
    process.kill("SIGTERM");
  }
  const lines = linesOf((await process.ended).stdout);
  return lines.slice(0, lines.findIndex((line) => last.test(line)) + (isIncluded ? 1 : 0));
}
