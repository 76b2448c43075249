// Our commands: run inside of the test with whatever part of the machine it replaces, as processes of
// their own, and at a terminal. In all that they print `$DIR` stands for the folder of the test.

import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Command } from "../../src/cli/command.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import type { Files } from "../../src/runtime/files.ts";
import type { Host } from "../../src/runtime/host.ts";
import { type CommandLine, midgeCommand } from "../runtime/programs.ts";
import { mosquittoTool } from "./foreign.ts";
import { until } from "./wait.ts";

/** What a command left behind. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Parts of the machine that are the test's. */
export interface Replaced {
  readonly files?: Partial<Files>;
  readonly host?: Partial<Host>;
}

/** Gives the body a folder that is gone afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "midge-tool-")));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs a command inside of the test, with the files and the host of this runtime. */
export async function runInside(
  command: Command,
  args: readonly string[],
  { folder = "", replaced = {} }: { folder?: string; replaced?: Replaced } = {},
): Promise<Outcome> {
  const real = await currentRuntime();
  const printed = { stdout: "", stderr: "" };
  const runtime = {
    ...real,
    files: async () => ({ ...await real.files(), ...replaced.files }),
    host: async () => ({ ...await real.host(), ...replaced.host }),
    print: (stream: "stdout" | "stderr", text: string) => void (printed[stream] += text),
  };
  const fill = (text: string): string => text.replaceAll("$DIR", folder);
  const status = await command({ runtime, args: args.map(fill), name: "tool" });
  const hide = (text: string): string => folder === "" ? text : text.replaceAll(folder, "$DIR");
  return { status, stdout: hide(printed.stdout), stderr: hide(printed.stderr) };
}

/** Runs one of our commands as a process. */
export function runMidge(
  args: readonly string[],
  options: { readonly folder?: string; readonly input?: string } = {},
): Promise<Outcome> {
  const fill = (text: string): string => text.replaceAll("$DIR", options.folder ?? "$DIR");
  return runProcess(midgeCommand(args.map(fill)), options);
}

/** Runs a program with this input to its end. */
export function runProcess(
  { command, args }: CommandLine,
  { folder, input = "" }: { readonly folder?: string; readonly input?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: "pipe" });
    const stdout: Uint8Array[] = [];
    const stderr: Uint8Array[] = [];
    child.stdout.on("data", (chunk: Uint8Array) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Uint8Array) => stderr.push(chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    const text = (chunks: readonly Uint8Array[]): string => {
      const whole = Buffer.concat(chunks).toString();
      return folder === undefined ? whole : whole.replaceAll(folder, "$DIR");
    };
    child.on("close", (status) => {
      resolve({ status, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

/** What somebody at a terminal does when this was shown. */
export interface Reaction {
  readonly shown: string;
  readonly keys?: string;
  readonly signal?: "SIGINT" | "SIGTERM" | "SIGHUP";
}

/**
 * Runs one of our commands at a terminal of its own; gives what the terminal shows, and at its end
 * in which mode the command left it.
 */
export async function runAtTerminal(
  args: readonly string[],
  reactions: readonly Reaction[],
  folder: string,
): Promise<{ status: number | null; shown: string[] }> {
  const { command, args: words } = midgeCommand(args);
  const quoted = [command, ...words].map((word) => `'${word}'`).join(" ");
  const program = `sh -c 'echo $$ > "$0"; exec "$@"' '${join(folder, "pid")}' ${quoted}`;
  const modes = `stty -a | tr ' ;' '\\n\\n' | grep -xE -e '-?(echo|icanon|isig)'`;
  const script = mosquittoTool("script")!;
  const child = spawn(script, ["-qec", `${program}; s=$?; ${modes}; exit $s`, "/dev/null"], {
    stdio: "pipe",
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => shown += text);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  for (const reaction of reactions) {
    await until(() => shown.includes(reaction.shown), `"${reaction.shown}" is shown:\n${shown}`);
    if (reaction.keys !== undefined) child.stdin.write(reaction.keys);
    if (reaction.signal !== undefined) {
      process.kill(Number(await readFile(join(folder, "pid"), "utf8")), reaction.signal);
    }
  }
  const status = await ended;
  child.stdin.destroy();
  return { status, shown: shown.split("\r\n") };
}
