/**
 * The command line of the load generator: words in, wishes out, and the help that explains them.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import type { BrokerSource } from "./brokers.ts";
import { type Wire, wireOf, WIRES } from "./wire.ts";
import { NAMED_RUNS, type Scenario, SCENARIOS } from "./scenario.ts";

/** What the command line asks for. */
export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  /** The brokers to measure; the last of several is what the others are compared with. */
  readonly sources: readonly BrokerSource[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly version: ProtocolVersion;
  readonly inflightMax: number;
  /** CPUs of broker and generator, `undefined` for no pinning. */
  readonly pin: readonly [string, string] | undefined;
  readonly jsonPath: string | undefined;
}

/** Thrown for a command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const TEXT_FLAGS = [
  "scenario",
  "wire",
  "runtime",
  "url",
  "pid",
  "against",
  "rounds",
  "duration",
  "warmup",
  "rate",
  "size",
  "qos",
  "publishers",
  "subscribers",
  "silent",
  "durable",
  "filters",
  "scale",
  "version",
  "inflight",
  "pin",
  "json",
] as const;

type Flags = Partial<Record<typeof TEXT_FLAGS[number], string>>;

/** Parses the words; "help" when they ask for that. */
export function parseOptions(words: readonly string[]): BenchOptions | "help" | "list" {
  const unknown: string[] = [];
  const parsed = parseArgs([...words], {
    boolean: ["help", "list"],
    string: [...TEXT_FLAGS],
    alias: { help: "h" },
    unknown(word: string): void {
      unknown.push(word);
    },
  });
  if (unknown.length > 0) throw new UsageError(`Unknown option "${unknown[0]}"`);
  if (parsed.help) return "help";
  if (parsed.list) return "list";
  // What `string` lists is a string or not there.
  const flags = parsed as Flags;
  const sources = [...brokersOf(flags), ...againstOf(flags)];
  return {
    scenarios: scenariosOf(flags),
    sources,
    rounds: wholeOf(flags, "rounds", sources.length > 1 ? 3 : 1, 1),
    seconds: numberOf(flags, "duration", 5, 0.1),
    warmupSeconds: numberOf(flags, "warmup", 1, 0),
    version: versionOf(flags),
    inflightMax: wholeOf(flags, "inflight", 50, 1),
    pin: pinOf(flags),
    jsonPath: flags.json,
  };
}

function scenariosOf(flags: Flags): Scenario[] {
  const all = [...SCENARIOS, ...NAMED_RUNS];
  const names = (flags.scenario ?? "fan-out,pairs,fan-in").split(",").flatMap((name) =>
    name === "all"
      ? SCENARIOS.map((each) => each.name)
      : name === "named"
      ? NAMED_RUNS.map((each) => each.name)
      : [name]
  );
  return names.map((name) => {
    const found = all.find((each) => each.name === name);
    if (found === undefined) {
      throw new UsageError(`There is no scenario "${name}": see --list for those there are`);
    }
    return scaled(changed(found, flags), numberOf(flags, "scale", 1, 0.001));
  }).flatMap((base) => wiresOf(flags).map((wire) => carried(base, wire)))
    .flatMap((base) => durabilitiesOf(flags).map((isDurable) => kept(base, isDurable)));
}

function durabilitiesOf({ durable = "off" }: Flags): readonly boolean[] {
  switch (durable) {
    case "off":
      return [false];
    case "on":
      return [true];
    case "both":
      return [false, true];
    default:
      throw new UsageError(`"--durable" takes off, on or both: "${durable}"`);
  }
}

function kept(base: Scenario, isDurable: boolean): Scenario {
  return isDurable ? { ...base, isDurable, name: `${base.name} durable` } : base;
}

function wiresOf(flags: Flags): readonly Wire[] {
  if (flags.wire === undefined) return ["tcp"];
  if (flags.url !== undefined || flags.against?.includes("://")) {
    throw new UsageError('A URL says by itself what carries it: leave "--wire" out');
  }
  return flags.wire.split(",").map((word) => {
    const wire = WIRES.find((each) => each === word);
    if (wire === undefined) throw new UsageError(`"--wire" takes tcp, tls, ws or wss: "${word}"`);
    return wire;
  });
}

function carried(base: Scenario, wire: Wire): Scenario {
  return wire === "tcp" ? base : { ...base, wire, name: `${base.name} over ${wire}` };
}

function changed(base: Scenario, flags: Flags): Scenario {
  return {
    ...base,
    publishers: wholeOf(flags, "publishers", base.publishers, 0),
    subscribers: wholeOf(flags, "subscribers", base.subscribers, 0),
    qos: wholeOf(flags, "qos", base.qos, 0, 2) as QoS, // checked by its bounds
    size: wholeOf(flags, "size", base.size, 0, 256 * 1024 * 1024 - 100),
    rate: numberOf(flags, "rate", base.rate, 0),
    silent: wholeOf(flags, "silent", base.silent, 0),
    otherFilters: wholeOf(flags, "filters", base.otherFilters, 0),
  };
}

/** The same with fewer clients or more, each as busy as before. */
function scaled(base: Scenario, scale: number): Scenario {
  const many = (count: number): number => count <= 10 ? count : Math.max(1, count * scale | 0);
  const publishers = many(base.publishers);
  if (scale === 1) return base;
  return {
    ...base,
    name: `${base.name} × ${scale}`,
    publishers,
    subscribers: many(base.subscribers),
    silent: many(base.silent),
    rate: base.publishers === 0 ? base.rate : base.rate * publishers / base.publishers,
  };
}

function brokersOf(flags: Flags): BrokerSource[] {
  if (flags.url === undefined) {
    const names = (flags.runtime ?? "deno").split(",");
    if (names.length > 1 && flags.against === undefined) {
      throw new UsageError('Several runtimes need "--against", to be compared with');
    }
    return names.map((name) => sourceOf(name, undefined, "--runtime"));
  }
  if (flags.runtime !== undefined) {
    throw new UsageError('"--url" measures a broker that runs already: leave "--runtime" out');
  }
  const pid = flags.pid === undefined ? undefined : wholeOf(flags, "pid", 0, 1);
  return [sourceOf(flags.url, pid, "--url")];
}

function againstOf(flags: Flags): BrokerSource[] {
  return flags.against === undefined ? [] : [sourceOf(flags.against, undefined, "--against")];
}

function sourceOf(word: string, pid: number | undefined, flag: string): BrokerSource {
  const mayBeUrl = flag !== "--runtime";
  if (mayBeUrl && word.includes("://")) {
    const url = URL.canParse(word) ? new URL(word) : undefined;
    if (url === undefined || wireOf(url) === undefined || url.hostname === "") {
      throw new UsageError(`"${flag}" takes a URL like mqtt://localhost:1883: "${word}"`);
    }
    return { kind: "url", url, pid };
  }
  if (flag !== "--url" && (word === "deno" || word === "bun" || word === "node")) {
    return { kind: "midge", runtime: word };
  }
  if (flag === "--against" && (word === "mosquitto" || word === "aedes")) return { kind: word };
  throw new UsageError(
    flag === "--runtime"
      ? `"--runtime" takes deno, bun or node: "${word}"`
      : flag === "--url"
      ? `"--url" takes a URL like mqtt://localhost:1883: "${word}"`
      : `"--against" takes mosquitto, aedes, deno, bun, node or a URL: "${word}"`,
  );
}

function versionOf(flags: Flags): ProtocolVersion {
  switch (flags.version ?? "3.1.1") {
    case "3.1":
      return 3;
    case "3.1.1":
      return 4;
    case "5":
      return 5;
    default:
      throw new UsageError(`"--version" takes 3.1, 3.1.1 or 5: "${flags.version}"`);
  }
}

function pinOf(flags: Flags): readonly [string, string] | undefined {
  const word = flags.pin ?? "0,1";
  if (word === "none") return undefined;
  const cpus = word.split(",");
  if (cpus.length !== 2 || !cpus.every((cpu) => /^\d+$/.test(cpu))) {
    throw new UsageError(`"--pin" takes the CPUs of broker and generator, or none: "${word}"`);
  }
  return [cpus[0]!, cpus[1]!];
}

function numberOf(flags: Flags, name: keyof Flags, fallback: number, min: number): number {
  const word = flags[name];
  if (word === undefined) return fallback;
  const value = Number(word);
  if (word.trim() === "" || !(value >= min)) {
    throw new UsageError(`"--${name}" takes a number from ${min} on: "${word}"`);
  }
  return value;
}

function wholeOf(
  flags: Flags,
  name: keyof Flags,
  fallback: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const word = flags[name];
  if (word === undefined) return fallback;
  const value = Number(word);
  if (!/^\d+$/.test(word) || value < min || value > max) {
    const bounds = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
    throw new UsageError(`"--${name}" takes a whole number ${bounds}: "${word}"`);
  }
  return value;
}

/** All scenarios with what they do. */
export function listScenarios(): string {
  const lines = (scenarios: readonly Scenario[]): string =>
    scenarios.map(({ name, summary }) => `  ${name.padEnd(20)}${summary}`).join("\n");
  return `Scenarios ("all"):\n${lines(SCENARIOS)}\n\nNamed runs ("named"):\n${lines(NAMED_RUNS)}`;
}

export const HELP = `Measures an MQTT broker: what it delivers, how late, and what that costs it.

Usage: deno task bench:broker [option]...

Which broker
  --runtime <names>     Start Midge on deno, bun or node; with --against, on
                        several in turn, with commas [deno]
  --url <mqtt://...>    Measure a broker that runs already, also by mqtts://, ws://
                        and wss://; a user name and a password may stand in the URL
  --pid <pid>           The process of that broker, to read its CPU and memory
  --against <broker>    Measure another broker in turn with the first and print
                        ratios: mosquitto, aedes, deno, bun, node or a URL
  --wire <names>        What carries MQTT to brokers that are started: tcp, tls,
                        ws, wss, with commas [tcp]
  --rounds <n>          Rounds; in each, the brokers take turns [1, or 3 with --against]

What load
  --scenario <names>    One or more of --list, with commas; "all" or "named"
                        [fan-out,pairs,fan-in]
  --list                Print the scenarios
  --duration <s>        Seconds of each measurement [5]
  --warmup <s>          Seconds of the same before it, not counted [1]
  --rate <n>            Messages published a second in all; 0: flat out
  --size <bytes>        Payload; at least 12 are sent
  --qos <0|1|2>         Of publishers and subscribers
  --publishers <n>  --subscribers <n>
  --silent <n>          Further connections that say nothing
  --durable <choice>    off, on or both: sessions that last, and brokers that keep them on disk
  --filters <n>         Further subscriptions that match nothing
  --scale <factor>      So many times the clients, each as busy as before: 0.1 makes
                        conn-tcp-10K-100 take ten seconds instead of a hundred
  --inflight <n>        Unacknowledged messages of a publisher at QoS 1 and 2 [50]
  --version <v>         3.1, 3.1.1 or 5 [3.1.1]

How
  --pin <cpu,cpu>       CPUs of broker and generator, or none [0,1]
  --json <path>         Write all figures to a file
  -h, --help            Print this

Reading the figures
  Flat out, publishers are a bounded number of messages ahead of what has arrived;
  read rates and CPU there, for the latencies are those of the queue. At a fixed
  rate a message's latency counts from when it was due, so that whoever holds it up
  is not excused; "sent late" says how much of that was the generator's own doing.
  CPU is that of the broker's processes, from Linux.

Exit status: 0 well; 1 the run failed, or the command line did; 2 it ran, and the broker
broke a guarantee: a loss at QoS 1 or 2 or where none can be excused, a message twice at
QoS 0 or 2, out of order, to the wrong subscriber, or never acknowledged.

Examples
  deno task bench:broker --scenario pairs --qos 1
  deno task bench:broker --scenario all --against mosquitto --rounds 5
  deno task bench:broker --scenario latency --rate 1000 --runtime bun
  deno task bench:broker --wire tls,ws,wss --runtime deno,bun,node --against mosquitto
  deno task bench:broker --scenario named --scale 0.1
`;
