// pub, sub and rr as processes: ours on the runtime of the test, or Debian's. What they write is
// there as it comes, and nobody is waited for without a limit.

import { Buffer } from "node:buffer";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import { midgeCommand } from "../runtime/programs.ts";
import { mosquittoTool } from "./foreign.ts";
import { until } from "./wait.ts";

/** Whose program it is. */
export type Maker = "midge" | "debian";

/** What a tool left behind. */
export interface ToolOutcome {
  /** `null` when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMIT_MS = 30_000;

export class ClientTool {
  /** Resolves when the tool has ended and all it wrote is here. */
  readonly ended: Promise<ToolOutcome>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #stdout: Uint8Array[] = [];
  readonly #stderr: Uint8Array[] = [];

  /** Starts Mosquitto's tool of this name, or ours under that name. */
  constructor(maker: Maker, tool: string, args: readonly string[], input = "") {
    const { command, args: words } = maker === "midge"
      ? midgeCommand([tool, ...args])
      : { command: mosquittoTool(tool)!, args };
    // No option file of whoever runs the tests; the home stays, because caches are there.
    const env = { ...process.env, XDG_CONFIG_HOME: "/nonexistent" };
    const child = spawn(command, words, { stdio: "pipe", env });
    this.#child = child;
    child.stdout.on("data", (chunk: Uint8Array) => this.#stdout.push(chunk));
    child.stderr.on("data", (chunk: Uint8Array) => this.#stderr.push(chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    this.ended = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        const said = `${this.stdout}\n${this.stderr}`.slice(-1000);
        reject(new Error(`Still running: ${maker} ${tool} ${args.join(" ")}\n${said}`));
      }, LIMIT_MS);
      child.on("error", reject);
      child.on("close", (status) => {
        clearTimeout(timer);
        resolve({ status, stdout: this.stdout, stderr: this.stderr });
      });
    });
    // Whoever waits hears of it; a test that has failed meanwhile does not.
    this.ended.catch(() => {});
  }

  get processId(): number {
    return this.#child.pid!;
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  get stdoutBytes(): Uint8Array {
    return Buffer.concat(this.#stdout);
  }

  /** Resolves when this is on standard output. */
  printed(text: string): Promise<void> {
    return until(() => this.stdout.includes(text), `it prints "${text}"`);
  }

  kill(signal: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    // By its id: a child that is killed as such is said to have died of it, however it ended.
    process.kill(this.processId, signal);
  }

  /** Reads nothing more of standard output. */
  pauseReading(): void {
    this.#child.stdout.pause();
  }

  /** Undoes `pauseReading`. */
  resumeReading(): void {
    this.#child.stdout.resume();
  }

  /** Nobody reads standard output any more. */
  closeOutput(): void {
    this.#child.stdout.destroy();
  }
}
