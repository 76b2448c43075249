/**
 * `deno task bench:cli`: what `pub` and `sub` cost beside Mosquitto's, and how long they take to
 * start. All programs take turns at one broker; ratios are medians of the rounds' ratios.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { fromRoot } from "../../tools/root.ts";
import { type BrokerSource, endOnSignals, prepare, startBroker } from "../broker/brokers.ts";
import {
  type Cost,
  measurePrinting,
  measurePublishing,
  measureStart,
  PAYLOAD_BYTES,
  TOPIC,
} from "./measure.ts";
import { prepareTools, type Tool } from "./tools.ts";

const LINES = "dist/bench/cli/lines.txt";
const MICROSECONDS = 1e6;
const CPU = "CPU µs a message";

const HELP = `deno task bench:cli: what pub and sub cost beside Mosquitto's

  --messages <n>   Messages for each run (1000000)
  --rounds <n>     Runs of each program (3)
  --starts <n>     Starts of each program (20)
  --broker <name>  At which broker: midge (on Bun) or mosquitto (midge)
`;

interface Wishes {
  readonly messages: number;
  readonly rounds: number;
  readonly starts: number;
  readonly source: BrokerSource;
}

/** Figures of one program, round by round. */
type Figures = ReadonlyMap<Tool, number[]>;

async function main(args: readonly string[]): Promise<void> {
  const wishes = readWishes(args);
  if (wishes === undefined) return console.log(HELP);
  const { messages, rounds, starts, source } = wishes;
  endOnSignals();
  await prepare([source]);
  const tools = await prepareTools();
  await writeLines(messages);
  const broker = await startBroker(source, { wire: "tcp", cpu: undefined });
  try {
    const at = ["-h", broker.host, "-p", String(broker.port), "-t", TOPIC];
    const publishing = await takeTurns(
      tools,
      rounds,
      (tool) =>
        measurePublishing(tool.command("pub", [...at, "-l"]), fromRoot(LINES)).then(perMessage),
    );
    show(`pub -l, ${messages} lines of ${PAYLOAD_BYTES} bytes, at ${broker.name}`, publishing, CPU);
    const count = ["-C", String(messages + 1)];
    const printing = await takeTurns(
      tools,
      rounds,
      (tool) =>
        measurePrinting(tool.command("sub", [...at, ...count]), broker, messages).then(perMessage),
    );
    show(`sub, ${messages} messages of ${PAYLOAD_BYTES} bytes, at ${broker.name}`, printing, CPU);
  } finally {
    await broker.stop();
    await Deno.remove(fromRoot(LINES));
  }
  const starting = await takeTurns(tools, starts, (tool) =>
    measureStart((port) => {
      const at = ["-h", "127.0.0.1", "-p", String(port), "-t", TOPIC];
      return tool.command("pub", [...at, "-m", "x"]);
    }));
  show("pub, from its start to its CONNECT", starting, "ms");

  function perMessage({ cpuSeconds }: Cost): number {
    return cpuSeconds * MICROSECONDS / messages;
  }
}

function readWishes(args: readonly string[]): Wishes | undefined {
  const known = ["messages", "rounds", "starts", "broker"];
  const { messages = "1000000", rounds = "3", starts = "20", broker = "midge", ...rest } =
    parseArgs(
      [...args],
      { string: known },
    );
  const numbers = [messages, rounds, starts].map(Number);
  const isKnown = broker === "midge" || broker === "mosquitto";
  if (Object.keys(rest).length > 1 || !isKnown || !numbers.every((number) => number >= 1)) {
    return undefined;
  }
  const source: BrokerSource = broker === "midge"
    ? { kind: "midge", runtime: "bun" }
    : { kind: "mosquitto" };
  return { messages: numbers[0]!, rounds: numbers[1]!, starts: numbers[2]!, source };
}

async function writeLines(count: number): Promise<void> {
  const line = `${"x".repeat(PAYLOAD_BYTES)}\n`;
  await Deno.writeTextFile(fromRoot(LINES), line.repeat(count));
}

/** Measures every program once a round. */
async function takeTurns(
  tools: readonly Tool[],
  rounds: number,
  measure: (tool: Tool) => Promise<number>,
): Promise<Figures> {
  const figures = new Map(tools.map((tool) => [tool, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) figures.get(tool)!.push(await measure(tool));
  }
  return figures;
}

function show(title: string, figures: Figures, unit: string): void {
  const control = [...figures.values()][0]!;
  console.log(`\n${title}\n${"".padEnd(24)}${unit.padStart(18)}${"ratio".padStart(8)}`);
  for (const [{ name }, values] of figures) {
    const ratio = median(values.map((value, round) => value / control[round]!));
    const shown = median(values).toFixed(unit === CPU ? 2 : 0);
    console.log(`${name.padEnd(24)}${shown.padStart(18)}${ratio.toFixed(2).padStart(8)}`);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

if (import.meta.main) await main(Deno.args);
