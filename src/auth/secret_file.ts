/**
 * Reads a file that must not be anybody else's: passwords, keys, access rules. What is wrong with
 * its permissions is told; what it means is for others to read.
 *
 * Symbolic links are refused unless they are allowed, because who may place one decides what is
 * read. One kind is always followed: a link whose target lies in the link's own directory or below,
 * since whoever could place that could place the file. Secrets mounted by Kubernetes are of this
 * kind (`passwd → ..data/passwd`, `..data → ..2026_01_01/`).
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { FileInfo, Files } from "../runtime/files.ts";
import type { FileProblem } from "./text_lines.ts";

export interface SecretFileOptions {
  readonly files: Pick<Files, "info" | "realPath" | "readBytes">;
  /** The environment sets `MOSQUITTO_UNSAFE_ALLOW_SYMLINKS`. */
  readonly allowsLinks: boolean;
  /** Who the program runs as; `undefined` where there is no such thing, and nobody is warned. */
  readonly userId: number | undefined;
  readonly groupId: number | undefined;
}

/** What was read; without bytes the file could not be opened, and the problems say why. */
export interface SecretFile {
  readonly bytes: Uint8Array | undefined;
  readonly problems: readonly FileProblem[];
}

/** More than any such file needs, and little enough to hold. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Reads a file; it never rejects for what is wrong with the file. */
export async function readSecretFile(
  path: string,
  options: SecretFileOptions,
): Promise<SecretFile> {
  const { files, allowsLinks } = options;
  try {
    const info = await files.info(path);
    if (info === undefined) return unopened(`Error: ${path}: no such file.`);
    let target = path;
    if (info.isLink) {
      target = await files.realPath(path);
      if (!allowsLinks && !await staysInside(files, path, target)) {
        return unopened(
          `Error: ${path} is a symbolic link, which is only followed out of its directory ` +
            "when MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set.",
        );
      }
    }
    if (info.kind !== "file") return unopened(`Error: ${path} is not a file.`);
    if (info.bytes > BYTES_MAX) {
      return unopened(`Error: ${path} is larger than ${BYTES_MAX} bytes.`);
    }
    // The path that was judged, so that a link which changes meanwhile leads nowhere else.
    const bytes = await files.readBytes(target);
    return { bytes, problems: permissionProblems(path, info, options) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return unopened(`Error: ${path}: ${describe(error)}.`);
  }
}

function unopened(message: string): SecretFile {
  return { bytes: undefined, problems: [{ severity: "error", message }] };
}

async function staysInside(
  files: Pick<Files, "realPath">,
  path: string,
  target: string,
): Promise<boolean> {
  const slash = path.lastIndexOf("/");
  const directory = await files.realPath(slash < 0 ? "." : path.slice(0, slash) || "/");
  return target.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
}

function permissionProblems(
  path: string,
  info: FileInfo,
  { userId, groupId }: SecretFileOptions,
): FileProblem[] {
  if (userId === undefined || groupId === undefined) return [];
  const warnings: string[] = [];
  const warn = (fault: string, command: string): void => {
    warnings.push(
      `Warning: File ${path} ${fault}. Future versions will refuse to load this file.`,
      `To fix this, use \`${command} ${path}\`.`,
    );
  };
  if ((info.mode & 0o004) !== 0) warn("has world readable permissions", "chmod 0600");
  if (info.userId !== userId) warn(`owner is not user id ${userId}`, `chown ${userId}`);
  if (info.groupId !== groupId) warn(`group is not group id ${groupId}`, `chgrp ${groupId}`);
  return warnings.map((message) => ({ severity: "warning", message }));
}

function describe({ code }: OperationError): string {
  switch (code) {
    case "not-found":
      return "no such file";
    case "permission-denied":
      return "permission denied";
    case "too-many-files":
      return "too many open files";
    default:
      return "it cannot be read";
  }
}
