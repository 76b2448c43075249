// An exchange between foreign clients, written once and run against Midge, its Worker and, where it
// is installed, Debian's Mosquitto. Midge must give what the exchange expects. Mosquitto must give the
// same, or else what a listed difference says: one that disappears fails until it is off the list.

import process from "node:process";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { mosquittoTool, skipWithout } from "../support/foreign.ts";
import type { Difference } from "./differences.ts";
import { openEdge } from "./edge_site.ts";
import { openMidge, openMosquitto, type Site } from "./site.ts";

/** The Worker runs in workerd, whatever runs the tests: once is enough. */
const HAS_EDGE = runtimeName === "deno" && process.env["MIDGE_TEST_WORKERD"] !== undefined;

export interface Exchange<T> {
  /** The programs of Mosquitto that take part. */
  readonly tools?: readonly string[];
  readonly expected: T;
  readonly difference?: Difference<T> | undefined;
  /** Why Mosquitto is not asked. */
  readonly withoutMosquitto?: string;
  /** Why the Worker is not asked. */
  readonly withoutEdge?: string;
  /** Returns what the clients have seen. */
  run(site: Site): Promise<T>;
}

/** Registers an exchange as a test. */
export function exchange<T>(name: string, options: Exchange<T>): void {
  const { tools = [], expected, difference } = options;
  test(name, { skip: skipWithout(...tools) }, async () => {
    const hasOracle = options.withoutMosquitto === undefined &&
      mosquittoTool("mosquitto") !== undefined;
    const hasEdge = options.withoutEdge === undefined && HAS_EDGE;
    const [midge, mosquitto, edge] = await Promise.allSettled([
      runAt(openMidge(), options),
      hasOracle ? runAt(openMosquitto(), options) : undefined,
      hasEdge ? runAt(openEdge(), options) : undefined,
    ]);
    if (midge.status === "rejected") throw midge.reason;
    assertEquals(midge.value, expected);
    if (mosquitto.status === "rejected") throw mosquitto.reason;
    if (hasOracle) judge(mosquitto.value!, expected, difference);
    if (edge.status === "rejected") throw edge.reason;
    if (hasEdge) assertEquals(edge.value, expected, "The Worker");
  });
}

/** Throws unless Mosquitto has shown what is expected of it. */
export function judge<T>(shown: T, expected: T, difference: Difference<T> | undefined): void {
  if (difference === undefined) {
    assertEquals(shown, expected, "Mosquitto differs, and the list of differences does not say so");
    return;
  }
  assertEquals(shown, difference.mosquitto, "Mosquitto does not differ as the list says");
}

async function runAt<T>(opening: Promise<Site>, { run }: Exchange<T>): Promise<T> {
  const site = await opening;
  try {
    return await run(site);
  } catch (error) {
    throw new Error(`Failed with ${site.name}`, { cause: error });
  } finally {
    await site.close();
  }
}
