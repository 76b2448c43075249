/**
 * Brokers to measure: Midge on a chosen runtime, Mosquitto or Aedes, each started afresh as a child
 * of ours and stopped by us; or one that runs somewhere already, which is left alone.
 *
 * @module
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { connect, createServer } from "node:net";
import process from "node:process";
import { bundleProgram, bundleTests, stopBundler } from "../../tools/bundle.ts";
import { installPackages, installRuntime } from "../../tools/packages.ts";
import { fromRoot, ROOT } from "../../tools/root.ts";
import { makeCertificate, makeStoreFolder, writeConfig } from "./broker_config.ts";
import type { Target } from "./load_client.ts";
import { type Usage, usageOf } from "./process_usage.ts";
import { isEncrypted, type Wire, wireOf } from "./wire.ts";

/** Where a broker comes from. */
export type BrokerSource =
  | {
    readonly kind: "midge";
    readonly runtime: MidgeRuntime;
    readonly extraArgs?: readonly string[];
  }
  | { readonly kind: "mosquitto" }
  | { readonly kind: "aedes" }
  | { readonly kind: "url"; readonly url: URL; readonly pid: number | undefined };

export type MidgeRuntime = "deno" | "bun" | "node";

/** A broker that runs. */
export interface RunningBroker {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly wire: Wire;
  readonly login: Pick<Target, "authority" | "username" | "password">;
  usage(): Usage | undefined;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5000;
/** What is built for a measurement, below the folder in which packages are found. */
const BUNDLES = "dist/bench";
const BUNDLE = `${BUNDLES}/midge.js`;
const AEDES = "bench/broker/aedes_server.ts";

/** What a broker is called in tables. */
export function nameOf(source: BrokerSource): string {
  switch (source.kind) {
    case "midge":
      return `midge on ${source.runtime}`;
    case "url":
      return source.url.host;
    default:
      return source.kind;
  }
}

/** Does once what starting needs: bundles programs, installs runtimes and packages. */
export async function prepare(sources: readonly BrokerSource[]): Promise<void> {
  const kinds = new Set(sources.map(({ kind }) => kind));
  const runtimes = new Set(sources.map((source) => source.kind === "midge" ? source.runtime : ""));
  if (kinds.has("mosquitto") && !hasProgram("mosquitto")) {
    throw new Error('There is no program "mosquitto" on this machine');
  }
  if (runtimes.has("bun")) await installRuntime("bun");
  if (runtimes.has("node") || kinds.has("aedes")) await installRuntime("node");
  if (!runtimes.has("bun") && !runtimes.has("node") && !kinds.has("aedes")) return;
  await installPackages();
  await bundleProgram("mod.ts", BUNDLE);
  if (kinds.has("aedes")) {
    const failures = await bundleTests([AEDES], BUNDLES);
    if (failures.length > 0) throw new Error(`Cannot bundle Aedes: ${failures[0]!.message}`);
  }
  await stopBundler();
}

export interface StartOptions {
  readonly wire: Wire;
  /** Whether it keeps on disk what it has to keep; it does not unless told. */
  readonly isDurable?: boolean;
  /** Where it may run; anywhere unless told. */
  readonly cpu: string | undefined;
}

/** Starts a broker, on one CPU where that is wanted, and waits until it accepts connections. */
export async function startBroker(
  source: BrokerSource,
  { wire, isDurable = false, cpu }: StartOptions,
): Promise<RunningBroker> {
  if (source.kind === "url") return await attach(source.url, source.pid);
  const port = await freePort();
  const login = isEncrypted(wire) ? { authority: await makeCertificate() } : {};
  const [program, ...args] = await commandOf(source, { wire, isDurable, port });
  const words = cpu === undefined ? [program!, ...args] : ["taskset", "-c", cpu, program!, ...args];
  const child = spawn(words[0]!, words.slice(1), {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr!.on("data", (chunk: Uint8Array) => {
    log = (log + new TextDecoder().decode(chunk)).slice(-2000);
  });
  const endWithUs = (): void => void child.kill("SIGKILL");
  process.on("exit", endWithUs);
  child.on("exit", () => process.off("exit", endWithUs));
  const pid = child.pid;
  const broker: RunningBroker = {
    name: nameOf(source),
    host: "127.0.0.1",
    port,
    wire,
    login,
    usage: () => pid === undefined ? undefined : usageOf(pid),
    stop: () => end(child),
  };
  try {
    await untilOpen(broker.host, port, () => child.exitCode !== null);
    return broker;
  } catch (error) {
    await broker.stop();
    throw new Error(`${broker.name} did not start: ${log.trim() || String(error)}`);
  }
}

async function commandOf(
  source: Exclude<BrokerSource, { kind: "url" }>,
  { wire, isDurable, port }: {
    readonly wire: Wire;
    readonly isDurable: boolean;
    readonly port: number;
  },
): Promise<string[]> {
  const config = async (): Promise<string> =>
    await writeConfig({ wire, isDurable, port, sparePort: await freePort() });
  switch (source.kind) {
    case "midge": {
      const args = ["-c", await config()];
      const extra = source.extraArgs ?? [];
      if (source.runtime === "deno") {
        return [Deno.execPath(), "run", "-A", "-q", ...extra, fromRoot("mod.ts"), ...args];
      }
      return [await installRuntime(source.runtime), ...extra, fromRoot(BUNDLE), ...args];
    }
    case "mosquitto":
      return ["mosquitto", "-c", await config()];
    case "aedes":
      if (wire !== "tcp") throw new Error("Aedes is measured over TCP only");
      return [
        await installRuntime("node"),
        fromRoot(`${BUNDLES}/${AEDES.replace(/\.ts$/, ".js")}`),
        `${port}`,
        ...isDurable ? [await makeStoreFolder(port)] : [],
      ];
  }
}

async function attach(url: URL, pid: number | undefined): Promise<RunningBroker> {
  // The command line takes no other URLs.
  const { wire, port } = wireOf(url)!;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  try {
    await untilOpen(host, port, () => true);
  } catch (error) {
    throw new Error(`Cannot connect to ${url.host}: ${messageOf(error)}`);
  }
  const login = {
    ...url.username === "" ? {} : { username: decodeURIComponent(url.username) },
    ...url.password === "" ? {} : { password: decodeURIComponent(url.password) },
  };
  return {
    name: url.host,
    host,
    port,
    wire,
    login,
    usage: () => pid === undefined ? undefined : usageOf(pid),
    stop: () => Promise.resolve(),
  };
}

/** Waits until a port accepts connections; gives up when `isHopeless`, or after a while. */
async function untilOpen(host: string, port: number, isHopeless: () => boolean): Promise<void> {
  const end = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await probe(host, port);
    } catch (error) {
      if (isHopeless() || performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function probe(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("No free port"));
        // Below the range from which clients' own ports are taken.
        else resolve(address.port < 32_768 ? address.port : 20_000 + address.port % 12_000);
      });
    });
  });
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    child.on("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

/** Lets a signal end this process in order, so that no broker of ours outlives it. */
export function endOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => process.exit(1));
  }
}

/** Whether a program can be started by its name. */
export function hasProgram(name: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" }).status === 0;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
