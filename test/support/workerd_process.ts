// workerd as a process: the Worker as it is deployed, with its objects on a disk of their own in a
// folder that is gone afterwards. Beside the Worker runs another one that can do what only tests
// may: put an object to sleep at once, as the host does with an idle one some seconds later.

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type WorkerdProgram, workerdProgram } from "../runtime/programs.ts";
import { until } from "./wait.ts";

/** Which config.capnp to serve, and with what. */
export interface WorkerdOptions {
  /** Text bindings of the Worker. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** A configuration of one's own: files by their path, the first of which is served. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further folders. */
  readonly folders?: readonly string[];
  /** Whether what it writes need not outlive the machine; that spares the disk. */
  readonly isForgetful?: boolean;
  /** Told each line that the Worker logs. */
  readonly onLine?: (line: string) => void;
  /** What runs which Worker; unless given, what the tests are told. */
  readonly program?: WorkerdProgram;
}

/** The compatibility date of what the tests run. */
const COMPATIBILITY_DATE = "2026-11-01";
/** A folder in memory, where the system has one. */
const MEMORY = "/dev/shm";
const CONFIG = "config.capnp";
const WORKER = "midge_worker.js";

const OUTSIDER = `import unsafe from "workerd:unsafe";
export default {
  async fetch(request, env) {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (name === "") await unsafe.evictAllDurableObjects();
    else await unsafe.evict(env.BROKER.get(env.BROKER.idFromName(name)));
    return new Response();
  },
};
`;

export class WorkerdProcess {
  readonly folder: string;
  readonly #options: WorkerdOptions;
  readonly #program: WorkerdProgram;
  readonly #config: string;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  /** By the name of the socket; kept over restarts. */
  readonly #ports: Map<string, number> = new Map();
  #listening = 0;
  #output: Uint8Array[] = [];
  #toldLines = 0;

  constructor(folder: string, options: WorkerdOptions) {
    this.folder = folder;
    this.#options = options;
    this.#program = options.program ?? workerdProgram();
    this.#config = Object.keys(options.files ?? {})[0] ?? CONFIG;
  }

  /** Runs the body with workerd serving, then ends it. */
  static async with(
    options: WorkerdOptions,
    body: (workerd: WorkerdProcess) => Promise<void>,
  ): Promise<void> {
    const workerd = await WorkerdProcess.start(options);
    try {
      await body(workerd);
    } finally {
      await workerd.discard();
    }
  }

  static async start(options: WorkerdOptions = {}): Promise<WorkerdProcess> {
    const base = options.isForgetful === true && existsSync(MEMORY) ? MEMORY : tmpdir();
    const workerd = new WorkerdProcess(await mkdtemp(join(base, "midge-workerd-")), options);
    try {
      await workerd.#prepare();
      await workerd.launch();
    } catch (error) {
      await workerd.discard();
      throw error;
    }
    return workerd;
  }

  /** The port of the one socket there is for clients, or of the one with a name. */
  port(socket = "http"): number {
    const port = this.#ports.get(socket);
    if (port === undefined) throw new Error(`There is no socket "${socket}"`);
    return port;
  }

  url(path = "/mqtt"): string {
    return `ws://127.0.0.1:${this.port()}${path}`;
  }

  get processId(): number {
    return this.#child!.pid!;
  }

  /** What it has written since it was started last. */
  get output(): string {
    return Buffer.concat(this.#output).toString();
  }

  /** What the Worker has logged, line by line. */
  get lines(): string[] {
    return this.output.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
  }

  logged(line: RegExp, count = 1): Promise<void> {
    return until(
      () => this.lines.filter((text) => line.test(text)).length >= count,
      `workerd logs ${line}`,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it has written:\n${this.output}`, { cause: error });
    });
  }

  /** Starts it on what is on its disk; resolves when all its sockets listen. */
  async launch(): Promise<void> {
    const args = ["serve", "--experimental", "--control-fd=1", basename(this.#config)];
    const names = this.#socketNames;
    for (const name of names) {
      args.push(`--socket-addr=${name}=127.0.0.1:${this.#ports.get(name) ?? 0}`);
    }
    const child = spawn(this.#program.binary, args, {
      // What a configuration names is found from where it is.
      cwd: join(this.folder, dirname(this.#config)),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#output = [];
    this.#toldLines = 0;
    this.#listening = 0;
    let isEnded = false;
    const take = (chunk: Uint8Array): void => {
      this.#output.push(chunk);
      this.#findPorts();
      this.#tellLines();
    };
    child.stdout!.on("data", take);
    child.stderr!.on("data", (chunk: Uint8Array) => this.#output.push(chunk));
    this.#ended = new Promise((resolve) => {
      child.on("error", () => resolve());
      child.on("close", () => {
        isEnded = true;
        resolve();
      });
    });
    await until(() => isEnded || this.#listening >= names.length, "workerd listens");
    if (isEnded) throw new Error(`workerd has ended instead of serving:\n${this.output}`);
  }

  /** Puts an object to sleep, or all there are: its memory is gone, its sockets stay. */
  async evict(name = ""): Promise<void> {
    const url = `http://127.0.0.1:${this.port("outsider")}/${encodeURIComponent(name)}`;
    const response = await fetch(url, { method: "POST" });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`"${name}" does not sleep: ${text}`);
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  async discard(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    const files = this.#options.files ?? {
      [CONFIG]: configuration(this.#options.bindings ?? {}),
      "outsider.js": OUTSIDER,
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, name)), { recursive: true });
      await writeFile(join(this.folder, name), text);
    }
    for (const name of ["disk", "dist", ...this.#options.folders ?? []]) {
      await mkdir(join(this.folder, name), { recursive: true });
    }
    await copyFile(this.#program.worker, join(this.folder, "dist", WORKER));
  }

  /** Those of the configuration, or the one that a configuration without any has. */
  get #socketNames(): readonly string[] {
    const { files, bindings = {} } = this.#options;
    const text = files?.[this.#config] ?? configuration(bindings);
    const found = [...text.matchAll(/\(name = "(\w+)", address = /g)].map(([, name]) => name!);
    return found.length > 0 ? found : ["http"];
  }

  #tellLines(): void {
    const { onLine } = this.#options;
    if (onLine === undefined) return;
    const whole = this.output.slice(0, this.output.lastIndexOf("\n") + 1).split("\n");
    for (const line of whole.slice(this.#toldLines, -1)) onLine(line);
    this.#toldLines = whole.length - 1;
  }

  #findPorts(): void {
    const found = [
      ...this.output.matchAll(/^\{"event":"listen","socket":"(\w+)","port":(\d+)\}$/gm),
    ];
    for (const [, name, port] of found) this.#ports.set(name!, Number(port));
    this.#listening = found.length;
  }
}

function configuration(bindings: Readonly<Record<string, string>>): string {
  const texts = Object.entries(bindings)
    .map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "broker", worker = .broker),
    (name = "outsider", worker = .outsider),
    (name = "disk", disk = (path = "disk", writable = true)),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "broker"),
    (name = "tcp", address = "127.0.0.1:0", tcp = (), service = "broker"),
    (name = "outsider", address = "127.0.0.1:0", http = (), service = "outsider"),
  ],
);

const broker :Workerd.Worker = (
  modules = [(name = "${WORKER}", esModule = embed "dist/${WORKER}")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  durableObjectNamespaces = [
    (className = "BrokerObject", uniqueKey = "midge", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    ${[`(name = "BROKER", durableObjectNamespace = "BrokerObject")`, ...texts].join(",\n    ")}
  ],
);

const outsider :Workerd.Worker = (
  modules = [(name = "outsider.js", esModule = embed "outsider.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["unsafe_module"],
  bindings = [(
    name = "BROKER",
    durableObjectNamespace = (className = "BrokerObject", serviceName = "broker"),
  )],
);
`;
}
