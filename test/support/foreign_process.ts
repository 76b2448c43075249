// A foreign program as a child process: fed, read to its end, and never waited for without a limit.

import { Buffer } from "node:buffer";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mosquittoTool } from "./foreign.ts";
import { until } from "./wait.ts";

/** What a program left behind. */
export interface Ended {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

export interface ForeignProcessOptions {
  /** What the program reads; nothing unless given. */
  readonly input?: Uint8Array | string;
  /** After this long the program is killed, and `ended` rejects. */
  readonly limitMs?: number;
  /** Told each line of the error stream as it comes. */
  readonly onErrorLine?: (line: string) => void;
}

const LIMIT_MS = 20_000;

export class ForeignProcess {
  /** Resolves when the program has ended and all it wrote is here. */
  readonly ended: Promise<Ended>;
  readonly commandLine: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #written: Uint8Array[] = [];
  #errorText = "";
  #unfinishedLine = "";

  constructor(tool: string, args: readonly string[], options: ForeignProcessOptions = {}) {
    const path = mosquittoTool(tool);
    if (path === undefined) throw new Error(`"${tool}" is not installed`);
    const child = spawn(path, args, { stdio: "pipe" });
    this.#child = child;
    this.commandLine = `${tool} ${args.join(" ")}`;
    child.stdout.on("data", (chunk: Uint8Array) => this.#written.push(chunk));
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => this.#readError(text, options.onErrorLine));
    // A program that ends early does not read the rest of its input, which is its own affair.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
    this.ended = this.#end(options.limitMs ?? LIMIT_MS);
    // Whoever waits hears of it; a test that has failed meanwhile does not.
    this.ended.catch(() => {});
  }

  /** Resolves when the lines it has written are as wished. */
  until(condition: (lines: string[]) => boolean, what: string): Promise<void> {
    return until(
      () => condition(linesOf(Buffer.concat(this.#written))),
      `${what}: ${this.commandLine}`,
    );
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.#child.kill(signal);
  }

  #readError(text: string, onLine: ((line: string) => void) | undefined): void {
    this.#errorText += text;
    if (onLine === undefined) return;
    const lines = (this.#unfinishedLine + text).split("\n");
    this.#unfinishedLine = lines.pop()!;
    for (const line of lines) onLine(line);
  }

  #end(limitMs: number): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#child.kill("SIGKILL");
        const said = Buffer.concat(this.#written).toString().slice(-1000) + this.#errorText;
        reject(
          new Error(`Still running after ${limitMs} ms: ${this.commandLine}\nIt wrote:\n${said}`),
        );
      }, limitMs);
      this.#child.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      this.#child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code, stdout: Buffer.concat(this.#written), stderr: this.#errorText });
      });
    });
  }
}

/** Text in lines, without the empty one behind the last line feed. */
export function linesOf(written: Uint8Array | string): string[] {
  const text = typeof written === "string" ? written : Buffer.from(written).toString();
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
