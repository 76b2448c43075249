/**
 * The file that a Unix socket leaves behind, on all three runtimes: cleared away when nobody
 * listens on it any more, made with the permissions asked for from its first instant, removed at
 * the end.
 *
 * @module
 */

import { chmodSync, lstatSync, type Stats, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import process from "node:process";
import { OperationError } from "../../core/base/operation_error.ts";
import type { UnixListenOptions } from "../runtime.ts";

/** What fits into an address on Linux; other systems refuse what they have no room for. */
const PATH_BYTES_MAX = 107;

/**
 * Makes way for a socket and has it made by `bind`; returns what removes it. Rejects with what
 * `bind` throws, or when something else is in the way.
 */
export async function openUnixPath(
  { path, mode }: Pick<UnixListenOptions, "path" | "mode">,
  bind: () => void | Promise<void>,
): Promise<() => void> {
  // The runtimes name different errors for these.
  if (new TextEncoder().encode(path).length > PATH_BYTES_MAX) {
    throw inTheWay(path, "the path is too long for a socket");
  }
  if (infoOf(dirname(path)) === undefined) throw inTheWay(path, "the folder does not exist");
  await removeStale(path);
  // The file is made within the call, so that nobody else's files are made meanwhile.
  const mask = process.umask(0o777 & ~mode);
  let bound: void | Promise<void>;
  try {
    bound = bind();
  } finally {
    process.umask(mask);
  }
  await bound;
  chmodSync(path, mode);
  const made = infoOf(path);
  return () => {
    const found = infoOf(path);
    // Somebody may have put another one in its place.
    if (found !== undefined && found.ino === made?.ino && found.dev === made.dev) remove(path);
  };
}

async function removeStale(path: string): Promise<void> {
  const found = infoOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw inTheWay(path, "there is a file that is no socket");
  const answer = await knock(path);
  // What is left is in use, or is not ours to judge: binding will say why it cannot be had.
  if (answer === "ECONNREFUSED") remove(path);
}

function inTheWay(path: string, words: string): OperationError {
  return new OperationError("listen-failed", `Cannot listen on ${path}: ${words}`);
}

function infoOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // It has gone by itself.
    if ((error as { readonly code?: unknown }).code !== "ENOENT") throw error;
  }
}

/** What the system says to a connection; nothing when somebody takes it. */
function knock(path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error: { readonly code?: unknown }) => resolve(error.code));
  });
}
