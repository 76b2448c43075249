/**
 * The file system through `node:fs`, which Deno and Bun have too. What a missing or unsafe file
 * means is the caller's business; here is only how the system's answers are told.
 *
 * The idea: what is read may be a link (that is how a cluster mounts its secrets), but nothing is
 * written through a link that a stranger may have put there.
 *
 * @module
 */

import * as fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { OperationError, type OperationErrorCode } from "../../core/base/operation_error.ts";
import type { AppendedFile, FileInfo, Files } from "../files.ts";

/** No file that belongs to a configuration is larger. */
const READ_BYTES_MAX = 256 * 1024 * 1024;
/** What is no file, such as a pipe, is not read on when it seems never to end. */
const STREAM_BYTES_MAX = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** The system itself gives up after so many. */
const LINKS_MAX = 40;
const PERMISSION_BITS = 0o7777;
const WRITABLE_BY_OTHERS = 0o022;
const RIGHTS_OF_OTHERS = 0o077;

/** Set by operators who accept files behind links; Mosquitto's name for it. */
const ALLOW_LINKS = "MOSQUITTO_UNSAFE_ALLOW_SYMLINKS";

/** The file system of this machine. */
export const nodeFiles: Files = {
  readBytes: (path) => attempt("read", path, () => readWhole(path)),
  readText: async (path) => new TextDecoder().decode(await nodeFiles.readBytes(path)),
  info: (path) => attempt("look at", path, () => infoOf(path)),
  list: (path) => attempt("list", path, () => fs.promises.readdir(path)),
  realPath: (path) => attempt("resolve", path, () => fs.promises.realpath(path)),
  write: (path, bytes, mode) => attempt("write", path, () => replace(path, bytes, mode)),
  openAppended: (path) => openAppended(path),
  remove: (path) => attempt("remove", path, () => fs.promises.rm(path, { force: true })),
};

async function readWhole(path: string): Promise<Uint8Array> {
  const handle = await fs.promises.open(path, "r");
  try {
    const stats = await handle.stat();
    const bytesMax = stats.isFile() ? READ_BYTES_MAX : STREAM_BYTES_MAX;
    // One byte more than there should be, so that the end is found without growing.
    let bytes = new Uint8Array(Math.min(stats.size, bytesMax) + 1);
    for (let length = 0;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, null);
      if (bytesRead === 0) return bytes.slice(0, length);
      length += bytesRead;
      if (length > bytesMax) {
        const message = `Cannot read "${path}": it is larger than ${bytesMax} bytes`;
        throw new OperationError("file-failed", message);
      }
      if (length < bytes.length) continue;
      const larger = new Uint8Array(Math.max(2 * length, CHUNK_BYTES));
      larger.set(bytes);
      bytes = larger;
    }
  } finally {
    await handle.close();
  }
}

async function infoOf(path: string): Promise<FileInfo | undefined> {
  try {
    const own = await fs.promises.lstat(path);
    const isLink = own.isSymbolicLink();
    const stats = isLink ? await fs.promises.stat(path) : own;
    return {
      kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other",
      isLink,
      mode: stats.mode & PERMISSION_BITS,
      userId: stats.uid,
      groupId: stats.gid,
      bytes: stats.size,
    };
  } catch (error) {
    if (codeOf(systemCode(error)) === "not-found") return undefined;
    throw error;
  }
}

/**
 * The new contents stand beside the old ones until they are whole, so that a full disk or a crash
 * leaves the old ones. Where the folder does not allow that, as with a single file that is mounted
 * into a container, they are written in place.
 */
async function replace(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  assertNoForeignLink(path);
  const old = await fs.promises.stat(path).catch(() => undefined);
  const target = old === undefined ? path : await fs.promises.realpath(path);
  if (old !== undefined && !old.isFile()) return await fs.promises.writeFile(path, bytes);
  const suffix = crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16);
  const draft = join(dirname(target), `.${basename(target)}.${suffix}`);
  const wanted = old === undefined ? mode : old.mode & PERMISSION_BITS;
  try {
    await writeNew(draft, bytes, wanted);
    if (old !== undefined) await keepOwner(draft, old);
    await fs.promises.rename(draft, target);
  } catch (error) {
    await fs.promises.rm(draft, { force: true }).catch(() => {});
    if (old === undefined || !IN_PLACE_ONLY.has(systemCode(error))) throw error;
    await fs.promises.writeFile(target, bytes);
  }
}

/** What a folder answers in which a file may be changed but not replaced. */
const IN_PLACE_ONLY: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EBUSY", "EROFS", "EXDEV"]);

async function writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  const handle = await fs.promises.open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function keepOwner(path: string, old: fs.Stats): Promise<void> {
  const made = await fs.promises.stat(path);
  if (made.uid !== old.uid || made.gid !== old.gid) {
    await fs.promises.chown(path, old.uid, old.gid);
  }
  // After the owner, whose change may take bits away; and whatever the mask took.
  await fs.promises.chmod(path, old.mode & PERMISSION_BITS);
}

function openAppended(path: string): AppendedFile {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
  const descriptor = attemptNow("open", path, () => {
    const followed = assertNoForeignLink(path) ? 0 : O_NOFOLLOW;
    // Not blocking: a pipe without a reader is an error now, not a broker that stands still.
    return fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | followed, 0o600);
  });
  let isOpen = true;
  return {
    append(text: string): void {
      if (!isOpen) return;
      const bytes = new TextEncoder().encode(text);
      attemptNow("write", path, () => {
        for (let at = 0; at < bytes.length;) {
          at += fs.writeSync(descriptor, bytes, at, bytes.length - at);
        }
      });
    },
    close(): void {
      if (isOpen) fs.closeSync(descriptor);
      isOpen = false;
    },
  };
}

/**
 * Makes a file that only its owner may read and write, or takes others' rights to one that is
 * there: for those who open it by its path alone. One that is there is not opened, because closing
 * it again would end the locks that this process has on it.
 */
export function keepForOwner(path: string): void {
  attemptNow("open", path, () => {
    assertNoForeignLink(path);
    const stats = fs.statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) {
      const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
      fs.closeSync(fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600));
    } else if ((stats.mode & RIGHTS_OF_OTHERS) !== 0 && stats.uid === process.geteuid?.()) {
      fs.chmodSync(path, 0o600);
    }
  });
}

/**
 * Throws when a link on the way to the path lies in a folder that others can write to: whoever put
 * it there would choose the file that is written. Gives whether the path itself is a link.
 */
function assertNoForeignLink(path: string, depth = 0): boolean {
  if (depth > LINKS_MAX || process.env[ALLOW_LINKS] !== undefined) return true;
  const whole = resolve(path);
  let isLink = false;
  for (let at = whole; at !== dirname(at); at = dirname(at)) {
    const stats = fs.lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isSymbolicLink()) continue;
    if (at === whole) isLink = true;
    if ((fs.statSync(dirname(at)).mode & WRITABLE_BY_OTHERS) !== 0) {
      const reason = `"${at}" is a symbolic link in a directory that others can write to`;
      throw new OperationError("permission-denied", `Cannot write "${path}": ${reason}`);
    }
    assertNoForeignLink(resolve(dirname(at), fs.readlinkSync(at)), depth + 1);
  }
  return isLink;
}

async function attempt<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw fileError(verb, path, error);
  }
}

function attemptNow<T>(verb: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(verb, path, error);
  }
}

function fileError(verb: string, path: string, cause: unknown): OperationError {
  if (cause instanceof OperationError) return cause;
  const code = systemCode(cause);
  const words = WORDS[code] ?? `the system says ${code === "" ? String(cause) : code}`;
  return new OperationError(codeOf(code), `Cannot ${verb} "${path}": ${words}`, { cause });
}

function codeOf(code: string): OperationErrorCode {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return "not-found";
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ELOOP":
      return "permission-denied";
    case "EMFILE":
    case "ENFILE":
      return "too-many-files";
    default:
      return "file-failed";
  }
}

/** The system's code, such as `ENOENT`; `""` when there is none. */
function systemCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
  ELOOP: "it is a symbolic link",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open on this machine",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENXIO: "nobody reads from it",
};
