// Midge as a process of its own, with a configuration file and whatever files it names, in a folder
// that is gone afterwards. In every text `$DIR` is that folder and `$PORT1` … `$PORT9` are free
// ports.

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { midgeCommand, type RuntimeName } from "../runtime/programs.ts";
import { until } from "./wait.ts";

export interface MidgeOptions {
  /** The text of the configuration file; without one the program gets no `-c`. */
  readonly config?: string;
  /** Other files, by their path in the folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Words of the command line beside `-c`. */
  readonly args?: readonly string[];
  /** A command that runs the command line that follows its own words, in its own place. */
  readonly through?: readonly string[];
  /** Where it runs; on the runtime of the test unless told. */
  readonly runtime?: RuntimeName;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A start may have to wait for a busy machine; so may a test of one. */
export const PROCESS_TEST = { timeout: 60_000 } as const;

/** A test as root would otherwise start a program that may not read the files of the test. */
const KEEPS_ITS_USER = { SNAP_NAME: "mosquitto" } as const;

/** Shorter than the test of which it is a part. */
const END_LIMIT_MS = 20_000;

const FILE_MODE = 0o600;
const PORTS_MAX = 9;

export class MidgeProcess {
  readonly folder: string;
  readonly ports: readonly number[];
  /** The exit status; `null` when a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #spawn: () => ChildProcess;
  readonly #stdout: Uint8Array[] = [];
  readonly #stderr: Uint8Array[] = [];

  constructor(spawn: () => ChildProcess, folder: string, ports: readonly number[]) {
    const child = spawn();
    this.#spawn = spawn;
    this.#child = child;
    this.folder = folder;
    this.ports = ports;
    child.stdout!.on("data", (chunk: Uint8Array) => this.#stdout.push(chunk));
    child.stderr!.on("data", (chunk: Uint8Array) => this.#stderr.push(chunk));
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
  }

  /** Starts the program and does not wait for anything. */
  static async launch(options: MidgeOptions = {}): Promise<MidgeProcess> {
    const folder = await mkdtemp(join(tmpdir(), "midge-test-"));
    const ports = await freePorts(PORTS_MAX);
    const fill = (text: string): string =>
      text.replaceAll("$DIR", folder).replace(/\$PORT(\d)/g, (_, n) => String(ports[n - 1]));
    const files = { ...options.files };
    if (options.config !== undefined) files["midge.conf"] = options.config;
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, typeof content === "string" ? fill(content) : content);
      await chmod(path, FILE_MODE);
    }
    const words = options.config === undefined ? [] : ["-c", join(folder, "midge.conf")];
    const { command, args } = midgeCommand(
      [...words, ...(options.args ?? []).map(fill)],
      options.runtime,
    );
    const env: Record<string, string | undefined> = { ...process.env, ...KEEPS_ITS_USER };
    for (const [name, value] of Object.entries(options.env ?? {})) env[name] = fill(value);
    const [first, ...others] = [...options.through ?? [], command, ...args];
    const start = (): ChildProcess =>
      spawn(first!, others, { stdio: ["ignore", "pipe", "pipe"], env });
    return new MidgeProcess(start, folder, ports);
  }

  /** Starts the program once more, when this one has ended, on what it has left. */
  again(): MidgeProcess {
    return new MidgeProcess(this.#spawn, this.folder, this.ports);
  }

  /** Runs the body with a program that is up, then ends it. */
  static async with(
    options: MidgeOptions,
    body: (midge: MidgeProcess) => Promise<void>,
  ): Promise<void> {
    const midge = await MidgeProcess.launch(options);
    try {
      await midge.running();
      await body(midge);
    } finally {
      await midge.discard();
    }
  }

  /** Runs a program that ends by itself; what it left behind. */
  static async run(
    options: MidgeOptions,
  ): Promise<{ status: number | null; stdout: string; lines: string[] }> {
    const midge = await MidgeProcess.launch(options);
    try {
      const status = await midge.within(END_LIMIT_MS);
      return { status, stdout: midge.stdout, lines: midge.lines };
    } finally {
      await midge.discard();
    }
  }

  get port(): number {
    return this.ports[0]!;
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

  /** The log so far, each line without its time, `$DIR` in place of the folder. */
  get lines(): string[] {
    const text = this.stderr.trimEnd().replaceAll(this.folder, "$DIR");
    return text === "" ? [] : text.split("\n").map((line) => line.replace(/^\d{10}: /, ""));
  }

  /** Resolves when it serves; rejects when it has ended instead. */
  async running(): Promise<void> {
    let isEnded = false;
    this.ended.then(() => isEnded = true, () => isEnded = true);
    await until(() => isEnded || / running(?:"|$)/m.test(this.stderr), `it runs: ${this.stderr}`);
    if (isEnded) throw new Error(`It has ended instead of running:\n${this.stderr}`);
  }

  /** The exit status, soon; a program that goes on is an error, and does not outlive the test. */
  async within(limitMs: number): Promise<number | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`It goes on instead of ending:\n${this.stderr}`);
      timer = setTimeout(() => reject(error), limitMs);
    });
    try {
      return await Promise.race([this.ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when such a line is in the log, `count` times. */
  logged(line: string | RegExp, count = 1): Promise<void> {
    const fits = (text: string) => typeof line === "string" ? text === line : line.test(text);
    return until(
      () => this.lines.filter(fits).length >= count,
      `it logs ${line}:\n${this.stderr}`,
    );
  }

  /**
   * What a pattern finds in the log, once it has found this much: a peer may have its answer before
   * its line is here. Of each line it is the first group, or all of it.
   */
  async found(pattern: RegExp, count: number): Promise<string[]> {
    await this.logged(pattern, count);
    return this.lines.flatMap((line) => {
      const match = pattern.exec(line);
      return match === null ? [] : [match[1] ?? match[0]];
    });
  }

  /** Writes another version of a file. */
  async write(name: string, content: string): Promise<void> {
    const text = content.replaceAll("$DIR", this.folder)
      .replace(/\$PORT(\d)/g, (_, n) => String(this.ports[n - 1]));
    await writeFile(join(this.folder, name), text);
  }

  /** Sends a signal; with `child.kill` Deno would report it in place of the exit status. */
  signal(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2"): void {
    process.kill(this.processId, signal);
  }

  /** Ends it as an operator would; the exit status. */
  stop(): Promise<number | null> {
    this.signal("SIGTERM");
    return this.ended;
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** Ends it in any case and removes its folder. */
  async discard(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Ports that nobody has at the moment, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.on("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  return await Promise.all(servers.map((server) =>
    new Promise<number>((resolve) => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address!.port : 0));
    })
  ));
}
