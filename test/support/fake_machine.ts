// A machine for the program to run on within a test: a disk, a process with a user, an environment
// and signals, and sockets that nobody can reach. Whatever the program does to it can be looked at.

import { OperationError, type OperationErrorCode } from "../../src/core/base/operation_error.ts";
import type { AppendedFile, FileInfo, Files } from "../../src/runtime/files.ts";
import type { Host } from "../../src/runtime/host.ts";
import type { Listener, Runtime, Signal } from "../../src/runtime/runtime.ts";
import type { TlsOptions } from "../../src/runtime/tls.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { until } from "./wait.ts";

interface Entry extends Partial<FileInfo> {
  text: string;
}

/** A file system; a path that ends in a slash is a directory. */
export class FakeDisk implements Files {
  readonly entries: Map<string, Entry> = new Map();
  /** Paths with which nothing can be done, and why. */
  readonly failures: Map<string, OperationErrorCode> = new Map();
  /** Paths that were opened, read or listed. */
  readonly touched: Set<string> = new Set();
  /** What new files belong to. */
  owner: { userId: number; groupId: number } = { userId: 1000, groupId: 1000 };

  put(path: string, text: string, info: Partial<FileInfo> = {}): void {
    this.entries.set(path, { ...info, text });
  }

  textOf(path: string): string | undefined {
    return this.entries.get(path)?.text;
  }

  rename(from: string, to: string): void {
    this.entries.set(to, this.entries.get(from)!);
    this.entries.delete(from);
  }

  readBytes(path: string): Promise<Uint8Array> {
    return this.#act(path, () => new TextEncoder().encode(this.#entry(path).text));
  }

  readText(path: string): Promise<string> {
    return this.#act(path, () => this.#entry(path).text);
  }

  info(path: string): Promise<FileInfo | undefined> {
    return this.#act(path, () => {
      const entry = this.entries.get(path) ?? this.entries.get(`${path}/`);
      if (entry === undefined) return undefined;
      const kind = this.entries.has(path) ? "file" : "directory";
      const rest = { kind, isLink: false, mode: 0o600, bytes: entry.text.length } as const;
      return { ...rest, userId: 1000, groupId: 1000, ...entry };
    });
  }

  list(path: string): Promise<string[]> {
    return this.#act(path, () => {
      if (!this.entries.has(`${path}/`)) throw failure("not-found", path);
      return [...this.entries.keys()].filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1)).filter((name) => name !== "");
    });
  }

  realPath(path: string): Promise<string> {
    return this.#act(path, () => {
      if (!this.entries.has(`${path}/`)) this.#entry(path);
      return path;
    });
  }

  write(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    const text = new TextDecoder().decode(bytes);
    return this.#act(path, () => this.put(path, text, { mode, ...this.owner }));
  }

  openAppended(path: string): AppendedFile {
    this.#check(path);
    let entry = this.entries.get(path);
    if (entry === undefined) {
      entry = { text: "", mode: 0o600, ...this.owner };
      this.entries.set(path, entry);
    }
    const opened = entry;
    return { append: (text) => void (opened.text += text), close: () => {} };
  }

  remove(path: string): Promise<void> {
    return this.#act(path, () => void this.entries.delete(path));
  }

  #act<T>(path: string, action: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#check(path);
      resolve(action());
    });
  }

  #check(path: string): void {
    this.touched.add(path);
    const code = this.failures.get(path);
    if (code !== undefined) throw failure(code, path);
  }

  #entry(path: string): Entry {
    const entry = this.entries.get(path);
    if (entry === undefined) throw failure("not-found", path);
    return entry;
  }
}

/** A listening socket. */
export interface FakeSocket {
  /** An address and port, or the path of a Unix socket. */
  readonly place: string;
  readonly mode: number | undefined;
  readonly accept: Accept;
  readonly onError: ((error: unknown, remoteAddress?: string) => void) | undefined;
  tls: TlsOptions | undefined;
  isOpen: boolean;
}

/** Ends `runtime.exit`, which never returns. */
export class ProcessExit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The process has ended with status ${status}`);
    this.status = status;
  }
}

export class FakeMachine {
  readonly disk: FakeDisk = new FakeDisk();
  readonly environment: Record<string, string> = {};
  readonly users: Record<string, { userId: number; groupId: number }> = {};
  /** Who the program is. */
  user: { userId: number; groupId: number } = { userId: 1000, groupId: 1000 };
  /** Why it cannot become another one. */
  userFailure: OperationError | undefined;
  fileMask: number | undefined;
  stdout = "";
  stderr = "";
  args: string[] = [];
  programName = "midge";
  readonly sockets: FakeSocket[] = [];
  /** Places on which nobody can listen, and certificates that cannot be used. */
  readonly refused: Map<string, OperationErrorCode> = new Map();
  readonly interfaces: Record<string, string[]> = {};
  readonly names: Record<string, string[]> = {};
  readonly modules: Record<string, unknown> = {};
  /** What runs, by process id, and who cannot be signalled. */
  readonly processes: Map<number, readonly string[]> = new Map();
  readonly unreachable: Map<number, OperationErrorCode> = new Map();
  readonly signalled: (readonly [processId: number, signal: string])[] = [];
  /** The words of programs that were started in the background. */
  readonly detached: (readonly string[])[] = [];
  /** Why none can be. */
  detachFailure: OperationError | undefined;
  /** What service managers were told. */
  readonly notices: string[] = [];
  noticeFailure: OperationError | undefined;
  readonly #handlers: Map<Signal, () => void> = new Map();

  readonly host: Host = {
    processId: 4711,
    hostname: "machine",
    environment: () => ({ ...this.environment }),
    userId: () => this.user.userId,
    groupId: () => this.user.groupId,
    findUser: (name) => Promise.resolve(this.users[name]),
    becomeUser: (userId, groupId) => {
      if (this.userFailure !== undefined) throw this.userFailure;
      this.user = { userId, groupId };
    },
    setFileMask: (mask) => void (this.fileMask = mask),
    memory: () => ({ heapBytes: 1_000_000, residentBytes: 2_000_000 }),
    resolve: (name) => Promise.resolve(this.names[name] ?? [name]),
    interfaceAddresses: (name) => this.interfaces[name] ?? [],
    startDetached: (args) => {
      if (this.detachFailure !== undefined) throw this.detachFailure;
      return this.detached.push(args);
    },
    processes: () => Promise.resolve(this.processes),
    signalProcess: (processId, signal) => {
      const code = this.unreachable.get(processId);
      if (code !== undefined) throw failure(code, String(processId));
      this.signalled.push([processId, signal]);
    },
    openSecretPrompt: () => {
      throw new OperationError("not-supported", "There is no terminal here");
    },
    openLineEditor: () => {
      throw new OperationError("not-supported", "There is no terminal here");
    },
    openSystemLog: () => {
      throw new OperationError("not-supported", "There is no such program here");
    },
    importModule: (path) => {
      const module = this.modules[path];
      if (module !== undefined) return Promise.resolve(module);
      return Promise.reject(new OperationError("not-found", `There is no file "${path}"`));
    },
    notifyServiceManager: (state) => {
      this.notices.push(state);
      return this.noticeFailure === undefined
        ? Promise.resolve()
        : Promise.reject(this.noticeFailure);
    },
    argon2id: (password) => Promise.resolve(password),
  };

  readonly runtime: Runtime = {
    name: "node",
    version: "0",
    listenTcp: ({ hostname, port, tls, onError }, accept) =>
      this.#listen(
        { place: hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`, tls },
        { mode: undefined, accept, onError },
      ),
    listenUnix: ({ path, mode, tls, onError }, accept) =>
      this.#listen({ place: path, tls }, { mode, accept, onError }),
    dial: ({ address }) => Promise.reject(failure("connect-failed", JSON.stringify(address))),
    files: () => Promise.resolve(this.disk),
    hasFile: () => Promise.resolve(false),
    host: () => Promise.resolve(this.host),
    processId: 1,
    environment: () => this.host.environment(),
    openDatabase: ({ path }) => Promise.reject(failure("not-supported", path)),
    now: () => performance.now(),
    defer: (flush) => queueMicrotask(flush),
    args: this.args,
    argumentBytes: () => undefined,
    programName: () => this.programName,
    onSignal: (signal, handler) => {
      this.#handlers.set(signal, handler);
      return () => void this.#handlers.delete(signal);
    },
    print: (stream, text) => void (this[stream] += text),
    writeOutput: (bytes) => {
      this.stdout += new TextDecoder().decode(bytes);
      return Promise.resolve(true);
    },
    readInput: () => Promise.resolve(undefined),
    tuneProcess: () => {},
    exit: (status) => {
      throw new ProcessExit(status);
    },
  };

  raise(signal: Signal): void {
    this.#handlers.get(signal)!();
  }

  /** What was printed to standard error since the last time, without the time of each line. */
  takeLines(): string[] {
    const lines = linesOf(this.stderr);
    this.stderr = "";
    return lines;
  }

  /** Resolves when this was printed. */
  says(text: string): Promise<void> {
    return until(() => this.stderr.includes(text), `"${text}" is said:\n${this.stderr}`);
  }

  /** The places on which the program listens. */
  openPlaces(): string[] {
    return this.sockets.filter(({ isOpen }) => isOpen).map(({ place }) => place);
  }

  #listen(
    { place, tls }: Pick<FakeSocket, "place" | "tls">,
    rest: Pick<FakeSocket, "mode" | "accept" | "onError">,
  ): Promise<Listener> {
    const code = this.refused.get(place);
    if (code !== undefined) {
      return Promise.reject(new OperationError(code, `Cannot listen on ${place}: ${code}`));
    }
    const socket: FakeSocket = { place, tls, ...rest, isOpen: true };
    this.sockets.push(socket);
    return Promise.resolve({
      hostname: place,
      port: 0,
      setTls: (other: TlsOptions): Promise<void> => {
        const fault = this.refused.get(other.certificate ?? "");
        if (fault !== undefined) {
          return Promise.reject(new OperationError(fault, "Unusable TLS settings: nonsense"));
        }
        socket.tls = other;
        return Promise.resolve();
      },
      close: () => {
        socket.isOpen = false;
        return Promise.resolve();
      },
    });
  }
}

/** Lines of a log without their times. */
export function linesOf(text: string): string[] {
  if (text === "") return [];
  return text.trimEnd().split("\n").map((line) => line.replace(/^\d{10}: /, ""));
}

function failure(code: OperationErrorCode, path: string): OperationError {
  return new OperationError(code, `Cannot use "${path}": ${code}`);
}
