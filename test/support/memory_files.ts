// A file system in memory, as far as serving files reads one: directories by their files, and
// links from one path to another.

import { OperationError } from "../../src/core/base/operation_error.ts";
import type { FileInfo, Files } from "../../src/runtime/files.ts";

export interface MemoryFileSystem {
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** A path, and where it leads; both from the root. */
  readonly links?: Readonly<Record<string, string>>;
  /** What is there and is neither a file nor a directory. */
  readonly devices?: readonly string[];
}

export function memoryFiles(system: MemoryFileSystem): Files {
  const contents = (path: string): Uint8Array | undefined => {
    const content = system.files[path];
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  };
  const isDirectory = (path: string): boolean =>
    Object.keys(system.files).some((file) => file.startsWith(`${path === "/" ? "" : path}/`));
  const realPath = (path: string): string => {
    let real = "";
    for (const segment of path.split("/").filter((part) => part !== "" && part !== ".")) {
      if (segment === "..") real = real.slice(0, real.lastIndexOf("/"));
      else real = system.links?.[`${real}/${segment}`] ?? `${real}/${segment}`;
    }
    return real === "" ? "/" : real;
  };
  const info = (path: string): FileInfo | undefined => {
    const real = realPath(path);
    const bytes = contents(real);
    const isDevice = system.devices?.includes(real) === true;
    if (bytes === undefined && !isDevice && !isDirectory(real)) return undefined;
    const kind = isDevice ? "other" : bytes === undefined ? "directory" : "file";
    const common = { isLink: false, mode: 0o644, userId: 0, groupId: 0 };
    return { ...common, kind, bytes: bytes?.length ?? 0 };
  };
  const missing = (path: string): OperationError =>
    new OperationError("not-found", `Path "${path}" does not exist`);
  const refuse = (): never => {
    throw new OperationError("not-supported", "Files in memory are for reading");
  };
  return {
    readBytes: (path) => {
      const bytes = contents(realPath(path));
      return bytes === undefined ? Promise.reject(missing(path)) : Promise.resolve(bytes);
    },
    realPath: (path) =>
      info(path) === undefined ? Promise.reject(missing(path)) : Promise.resolve(realPath(path)),
    info: (path) => Promise.resolve(info(path)),
    readText: refuse,
    list: refuse,
    write: refuse,
    openAppended: refuse,
    remove: refuse,
  };
}
