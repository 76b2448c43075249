// Configurations from texts: a reader whose files are in memory, and what is needed to ask for one
// field of what was read.

import { assertEquals } from "@std/assert";
import type { Config } from "../../src/config/config.ts";
import { type ConfigReader, loadConfig, type LoadResult } from "../../src/config/load.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";

/** Contents by path; a path that ends in a slash is a directory. */
export type FileTree = Readonly<Record<string, string | Uint8Array>>;

export function readerOf(tree: FileTree): ConfigReader {
  const bytesOf = (path: string): Uint8Array | undefined => {
    const content = Object.hasOwn(tree, path) ? tree[path] : undefined;
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  };
  const isDirectory = (path: string): boolean => Object.hasOwn(tree, `${path}/`);
  return {
    readBytes(path) {
      const bytes = bytesOf(path);
      if (bytes === undefined) return Promise.reject(new OperationError("not-found", path));
      return Promise.resolve(bytes);
    },
    info(path) {
      const bytes = bytesOf(path);
      if (bytes === undefined && !isDirectory(path)) return Promise.resolve(undefined);
      return Promise.resolve({
        kind: bytes === undefined ? "directory" : "file",
        isLink: false,
        mode: 0o600,
        userId: 0,
        groupId: 0,
        bytes: bytes?.length ?? 0,
      });
    },
    list(path) {
      if (!isDirectory(path)) return Promise.reject(new OperationError("not-found", path));
      const names = Object.keys(tree).filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1).split("/"))
        .filter(([first, second]) => first !== "" && (second === undefined || second === ""))
        .map(([first]) => first!);
      return Promise.resolve(names);
    },
  };
}

/** Reads one file of this text, `m.conf`, and the environment. */
export function load(
  content: string | Uint8Array,
  environment: Readonly<Record<string, string>> = {},
  tree: FileTree = {},
): Promise<LoadResult> {
  return loadConfig({
    files: ["m.conf"],
    environment,
    reader: readerOf({ ...tree, "m.conf": content }),
  });
}

/** The configuration of a text without faults. */
export async function configOf(
  content: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Config> {
  const { config, errors } = await load(content, environment);
  assertEquals(errors.map(({ lines }) => lines), []);
  return config!;
}

/** The lines that are printed for a text. */
export async function errorsOf(
  content: string | Uint8Array,
  environment: Readonly<Record<string, string>> = {},
  tree: FileTree = {},
): Promise<string[]> {
  const { config, errors } = await load(content, environment, tree);
  assertEquals(config === undefined, errors.length > 0);
  return errors.flatMap(({ lines }) => lines);
}

/** What is logged for a text, errors or not. */
export async function notesOf(content: string, tree: FileTree = {}): Promise<string[]> {
  const { notes } = await load(content, {}, tree);
  return notes.map(({ type, text }) => `${type}: ${text}`);
}

/** A field by its path, through maps too: `listeners.0.tls.certFile`. */
export function pick(config: Config, path: string): unknown {
  return path.split("/").reduce<unknown>((value, key) => {
    if (value instanceof Map) return value.get(key);
    return (value as Record<string, unknown> | undefined)?.[key];
  }, config);
}
