/**
 * `deno run -A bench/broker/relay.ts [seconds]`: what `midge relay` adds to a message, in CPU time
 * of its own and in latency, on each runtime: a broker on Bun that listens for WebSockets, reached
 * by the load generator itself and by way of a relay, in turn.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { installRuntime } from "../../tools/packages.ts";
import { fromRoot } from "../../tools/root.ts";
import { endOnSignals, type MidgeRuntime, prepare, startBroker } from "./brokers.ts";
import { brokerCpuOf, rateOf, type Report } from "./report.ts";
import { measure, type RunOptions } from "./run.ts";
import { type Scenario, scenario } from "./scenario.ts";

const RUNTIMES: readonly MidgeRuntime[] = ["deno", "bun", "node"];
const BUNDLE = "dist/bench/midge.js";
const SECONDS = 3;

const FLAT_OUT = scenario({ name: "pairs, flat out" });
const CALM = scenario({ name: "pairs, 1,000 a second", rate: 1000 });

/** Where one end of the path is, and whose CPU time counts. */
interface Way {
  readonly name: string;
  readonly url: URL;
  readonly pid: number | undefined;
}

async function main(args: readonly string[]): Promise<void> {
  const seconds = Number(args[0] ?? SECONDS);
  if (!(seconds >= 1)) throw new RangeError(`Expected a number of seconds, got "${args[0]}"`);
  endOnSignals();
  await prepare([{ kind: "midge", runtime: "bun" }, { kind: "midge", runtime: "node" }]);
  const broker = await startBroker({ kind: "midge", runtime: "bun" }, {
    wire: "ws",
    cpu: undefined,
  });
  const url = `ws://${broker.host}:${broker.port}/`;
  const relays: ChildProcess[] = [];
  try {
    const ways: Way[] = [{ name: "none: by WebSocket", url: new URL(url), pid: undefined }];
    for (const [index, runtime] of RUNTIMES.entries()) {
      const port = broker.port + 1 + index;
      const child = await startRelay(runtime, url, port);
      relays.push(child);
      const place = new URL(`mqtt://127.0.0.1:${port}`);
      ways.push({ name: `relay on ${runtime}`, url: place, pid: child.pid });
    }
    console.log(HEADER);
    for (const way of ways) console.log(await rowOf(way, seconds));
  } finally {
    for (const relay of relays) relay.kill("SIGKILL");
    await broker.stop();
  }
}

async function startRelay(
  runtime: MidgeRuntime,
  url: string,
  port: number,
): Promise<ChildProcess> {
  const words = ["relay", "--to", url, "--listen", `127.0.0.1:${port}`];
  const [program, ...args] = runtime === "deno"
    ? [Deno.execPath(), "run", "-A", "-q", fromRoot("mod.ts"), ...words]
    : [await installRuntime(runtime), fromRoot(BUNDLE), ...words];
  const child = spawn(program!, args, { stdio: "ignore" });
  process.on("exit", () => child.kill("SIGKILL"));
  return child;
}

const HEADER = [
  "relay".padEnd(20),
  "flat out, /s",
  "CPU µs a message",
  "1,000/s: CPU µs",
  "p50 µs",
  "p99 µs",
].join("  ");

async function rowOf({ name, url, pid }: Way, seconds: number): Promise<string> {
  const options: RunOptions = {
    seconds,
    warmupSeconds: 1,
    version: 4,
    inflightMax: 50,
    pin: undefined,
  };
  const run = (load: Scenario): Promise<Report> =>
    measure({ kind: "url", url, pid }, load, options);
  const flatOut = await run(FLAT_OUT);
  const calm = await run(CALM);
  const cpuOf = (report: Report): string => brokerCpuOf(report)?.toFixed(2) ?? "-";
  return [
    name.padEnd(20),
    rateOf(flatOut).toFixed(0).padStart(12),
    cpuOf(flatOut).padStart(16),
    cpuOf(calm).padStart(15),
    calm.latency.percentile(0.5).toFixed(0).padStart(6),
    calm.latency.percentile(0.99).toFixed(0).padStart(6),
  ].join("  ");
}

if (import.meta.main) await main(Deno.args);
