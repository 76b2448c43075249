/**
 * The process and the machine through Node's modules, which Deno and Bun have too; in what they
 * differ is handed in. The system's log, password hashing and starting the program again have files
 * of their own.
 *
 * The idea: whatever gives up rights checks afterwards that they are gone, and throws otherwise.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { readFile, stat } from "node:fs/promises";
import * as os from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { OperationError } from "../../core/base/operation_error.ts";
import type { Host, SentSignal } from "../host.ts";
import { makeArgon2id } from "./argon2id.ts";
import { environment } from "./environment.ts";
import { startDetached } from "./start_detached.ts";
import { openSystemLog } from "./system_log.ts";

/** In what the runtimes differ. */
export interface HostDifferences {
  /** Gives up all supplementary groups. */
  dropGroups(): void;
  /** Imports a module whose file has this address, but none that was imported by another mark. */
  importMarked(url: URL, mark: string): Promise<unknown>;
}

/** Enough for a directory of users that is slow to answer; a broker that waits is not running. */
const PROGRAM_LIMIT_MS = 5000;

/** The contract, given the differences. */
export function makeHost(differences: HostDifferences): Host {
  return {
    processId: process.pid,
    hostname: os.hostname(),
    environment,
    userId: () => process.geteuid?.(),
    groupId: () => process.getegid?.(),
    findUser,
    becomeUser: (userId, groupId) => becomeUser(userId, groupId, differences),
    setFileMask: (mask) => void process.umask(mask),
    memory() {
      // Payloads are in buffers outside of the engine's own heap.
      const { heapUsed, external, rss } = process.memoryUsage();
      return { heapBytes: heapUsed + external, residentBytes: rss };
    },
    resolve: resolveName,
    interfaceAddresses,
    startDetached,
    processes: async () => await (await import("./processes.ts")).listProcesses(),
    signalProcess,
    openSecretPrompt: async () => (await import("./secret_prompt.ts")).openSecretPrompt(),
    openLineEditor: async (complete) => (await import("./line_editor.ts")).openLineEditor(complete),
    openSystemLog: (ident, facility) => openSystemLog(ident, facility),
    importModule: (path) => importModule(path, differences),
    notifyServiceManager,
    argon2id: makeArgon2id(),
  };
}

interface User {
  readonly userId: number;
  readonly groupId: number;
}

async function findUser(name: string): Promise<User | undefined> {
  if (name === "" || name.includes(":")) return undefined;
  const local = parseUser(await readFile("/etc/passwd", "utf8").catch(() => ""), name);
  // Users may also come from a directory, which only the system's own program knows how to ask.
  return local ?? parseUser(await run("getent", ["passwd", "--", name]) ?? "", name);
}

function parseUser(table: string, name: string): User | undefined {
  for (const line of table.split("\n")) {
    const [user, , userId, groupId] = line.split(":");
    if (user !== name || !/^\d+$/.test(userId ?? "") || !/^\d+$/.test(groupId ?? "")) continue;
    return { userId: Number(userId), groupId: Number(groupId) };
  }
  return undefined;
}

/** What a program prints; `undefined` when it is not there or fails. */
function run(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((settle) => {
    execFile(command, [...args], { timeout: PROGRAM_LIMIT_MS }, (error, stdout) => {
      settle(error === null ? String(stdout) : undefined);
    });
  });
}

function becomeUser(userId: number, groupId: number, differences: HostDifferences): void {
  const { setgid, setuid, getuid, geteuid, getgid, getegid } = process;
  if (!setgid || !setuid || !getuid || !geteuid || !getgid || !getegid) {
    throw new OperationError("not-supported", "This runtime cannot become another user");
  }
  try {
    differences.dropGroups();
    // While we still may: the right to choose a group goes with the user.
    setgid.call(process, groupId);
    setuid.call(process, userId);
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError("permission-denied", `Cannot become user ${userId}`, { cause });
  }
  const users = [getuid.call(process), geteuid.call(process)];
  const groups = [getgid.call(process), getegid.call(process)];
  if (users.every((id) => id === userId) && groups.every((id) => id === groupId)) return;
  throw new OperationError("permission-denied", `Cannot become user ${userId}: it had no effect`);
}

function signalProcess(processId: number, signal: SentSignal): void {
  try {
    process.kill(processId, signal);
  } catch (cause) {
    // What is thrown is an error of the system, which carries its code.
    const { code } = cause as { readonly code?: unknown };
    throw new OperationError(
      code === "ESRCH" ? "not-found" : "permission-denied",
      `Cannot send ${signal} to process ${processId}`,
      { cause },
    );
  }
}

async function resolveName(hostname: string): Promise<string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (cause) {
    const message = `Cannot resolve "${hostname}"`;
    throw new OperationError("address-not-available", message, { cause });
  }
}

function interfaceAddresses(name: string): string[] {
  return (os.networkInterfaces()[name] ?? []).map(({ address, family }) => {
    // An address of one link means nothing without the name of the link.
    return family === "IPv6" && address.startsWith("fe80:") ? `${address}%${name}` : address;
  });
}

async function importModule(path: string, differences: HostDifferences): Promise<unknown> {
  const whole = resolve(path);
  let mark: string;
  try {
    const { mtimeMs, size } = await stat(whole);
    mark = `${mtimeMs}-${size}`;
  } catch (cause) {
    throw new OperationError("not-found", `Cannot load "${path}": there is no such file`, {
      cause,
    });
  }
  return await differences.importMarked(pathToFileURL(whole), mark);
}

/**
 * A service manager listens on a socket of a kind that no runtime speaks, hence by its own program.
 * The unit needs `NotifyAccess=all`, because that program is not the service's main process.
 */
async function notifyServiceManager(state: string): Promise<void> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return;
  if (await run("systemd-notify", [state]) !== undefined) return;
  throw new OperationError(
    "not-supported",
    "Cannot tell the service manager: systemd-notify failed",
  );
}
