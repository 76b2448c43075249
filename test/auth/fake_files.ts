// A file system of a few names in memory, with links and permissions.

import { OperationError, type OperationErrorCode } from "../../src/core/base/operation_error.ts";
import type { FileInfo, Files } from "../../src/runtime/files.ts";

export interface FakeFile extends Partial<FileInfo> {
  readonly text?: string;
  /** A link to this path. */
  readonly link?: string;
  /** Cannot be read, for this reason. */
  readonly failure?: OperationErrorCode;
}

/** The paths are whole; a path that leads through a linked directory is listed with its target. */
export function fakeFiles(
  entries: Readonly<Record<string, FakeFile>>,
): Pick<Files, "info" | "realPath" | "readBytes"> {
  const realPath = (path: string): string => {
    const link = entries[path]?.link;
    return link === undefined ? path : realPath(link);
  };
  return {
    info(path) {
      const entry = entries[realPath(path)];
      if (entry === undefined) return Promise.resolve(undefined);
      const { text = "", kind = "file", mode = 0o600, userId = 1000, groupId = 1000 } = entry;
      const { bytes = text.length } = entry;
      const isLink = entries[path]?.link !== undefined;
      return Promise.resolve({ kind, isLink, mode, userId, groupId, bytes });
    },
    realPath: (path) => Promise.resolve(realPath(path)),
    readBytes(path) {
      const { text = "", failure } = entries[path] ?? { failure: "not-found" as const };
      if (failure !== undefined) {
        return Promise.reject(new OperationError(failure, `File "${path}" cannot be read`));
      }
      return Promise.resolve(new TextEncoder().encode(text));
    },
  };
}
