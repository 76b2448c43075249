/**
 * What a daemon does to itself before it serves: the mask of its files, another user, a process id
 * in a file. Each step that was asked for and cannot be done ends the start.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { Config } from "../config/config.ts";
import type { Files } from "../runtime/files.ts";
import type { Host } from "../runtime/host.ts";
import type { LogType } from "../telemetry/log_line.ts";
import { ExitStatus, StartError } from "./start_error.ts";

type Log = (type: LogType, text: string) => void;

const ROOT = 0;
const DEFAULT_USER = "mosquitto";
const FALLBACK_USER = "nobody";
const FILE_MASK_MAX = 0o7777;
const ID_MAX = 0xffffffff;
const PID_FILE_MODE = 0o644;

/** Applies `UMASK_SET`, when it is set. */
export function applyFileMask(host: Host): void {
  const text = host.environment()["UMASK_SET"];
  if (text === undefined) return;
  if (!/^[0-7]+$/.test(text)) {
    throw invalid("UMASK_SET environment variable not a valid octal number.");
  }
  const mask = parseInt(text, 8);
  if (mask > FILE_MASK_MAX) throw invalid("UMASK_SET environment variable out of range.");
  host.setFileMask(mask);
}

/** Becomes the user of the configuration or of the environment, when started as root. */
export async function dropPrivileges(host: Host, config: Config, log: Log): Promise<void> {
  const environment = host.environment();
  // Whoever only tries the broker out, without a configuration, keeps access to his own files.
  if (config.files.length === 0) return;
  if (host.userId() !== ROOT || environment["SNAP_NAME"] === "mosquitto") return;
  const groupId = numericId(environment, "PGID");
  const userId = numericId(environment, "PUID");
  if (userId > 0 || groupId > 0) {
    become(host, { userId, groupId });
    log("information", `Info: running mosquitto as user id: ${userId}.`);
  } else {
    await becomeNamed(host, config, log);
  }
  if (host.userId() === ROOT) {
    log("warning", "Warning: Mosquitto should not be run as root/administrator.");
  }
}

async function becomeNamed(host: Host, config: Config, log: Log): Promise<void> {
  const { user, isUserGiven } = config.general;
  if (user === "root") return;
  let name = user;
  let ids = await host.findUser(name);
  if (ids === undefined) {
    if (isUserGiven && user !== DEFAULT_USER) throw invalid(missing(user));
    log("warning", `Warning: ${missing(user)} Trying '${FALLBACK_USER}' user instead.`);
    name = FALLBACK_USER;
    ids = await host.findUser(name);
  }
  if (ids === undefined) throw invalid(missing(name));
  try {
    become(host, ids);
  } catch (error) {
    // Nobody asked for another user by name; who did is not left with more rights than he thinks.
    if (isUserGiven || !isNotSupported(error)) throw error;
    log("warning", `Warning: Unable to drop privileges: ${wordsOf(error.cause)}.`);
    return;
  }
  log("information", `Info: running mosquitto as user: ${name}.`);
}

function missing(user: string): string {
  return `Unable to drop privileges to '${user}' because this user does not exist.`;
}

function isNotSupported(error: unknown): error is StartError {
  return error instanceof StartError && error.cause instanceof OperationError &&
    error.cause.code === "not-supported";
}

function become(
  host: Host,
  { userId, groupId }: { readonly userId: number; readonly groupId: number },
): void {
  try {
    host.becomeUser(userId, groupId);
  } catch (cause) {
    throw new StartError(ExitStatus.SYSTEM, [
      `Error setting user id and group id whilst dropping privileges: ${wordsOf(cause)}.`,
    ], { cause });
  }
}

/** 0 leaves the id as it is. */
function numericId(environment: Readonly<Record<string, string>>, name: string): number {
  const text = environment[name];
  if (text === undefined || text === "") return 0;
  const id = /^\d+$/.test(text) ? Number(text) : Infinity;
  if (id > ID_MAX) throw invalid(`${name} environment variable is not a valid number.`);
  return id;
}

/** Writes the process id; returns what removes the file again. */
export async function writePidFile(
  host: Host,
  files: Files,
  path: string | undefined,
): Promise<() => Promise<void>> {
  if (path === undefined) return () => Promise.resolve();
  try {
    await files.write(path, new TextEncoder().encode(String(host.processId)), PID_FILE_MODE);
  } catch (cause) {
    throw new StartError(ExitStatus.SYSTEM, [`Error: Unable to write pid file.`, wordsOf(cause)], {
      cause,
    });
  }
  return () => files.remove(path);
}

function invalid(text: string): StartError {
  return new StartError(ExitStatus.INVALID, [`Error: ${text}`]);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
