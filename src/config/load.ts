/**
 * Reads a whole configuration: the files of the command line in order, those that they include, and
 * the environment last. Nothing that an option names is opened here, except directories of further
 * configuration and the files of secrets that the environment names.
 *
 * The idea: every fault of everything is found in one go, and a configuration with a fault is none.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { Files } from "../runtime/files.ts";
import { buildConfig } from "./build.ts";
import { checkBridges, noteInsecureBridges } from "./build_bridge.ts";
import { checkListener } from "./check_listener.ts";
import type { Config, SourcePosition } from "./config.ts";
import { type ConfigError, fileError, lineError } from "./config_error.ts";
import { type Draft, newDraft } from "./draft.ts";
import { readEnvironment } from "./environment.ts";
import { type Line, readLines } from "./lines.ts";
import type { ConfigNote } from "./note.ts";
import { findOption } from "./options/all.ts";
import { Parser } from "./parse.ts";

/** Far beyond any configuration, and far below what would hurt. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const SUFFIX = ".conf";

/** Where a configuration is. */
export interface LoadRequest {
  /** Read one after the other into the same configuration. */
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly reader: ConfigReader;
}

export type ConfigReader = Pick<Files, "readBytes" | "info" | "list">;

/** What came of it. There is a configuration exactly if there are no errors. */
export interface LoadResult {
  readonly config: Config | undefined;
  /** In the order in which the faults stand in the files; then those that need all lines. */
  readonly errors: readonly ConfigError[];
  /** To be logged, in order. */
  readonly notes: readonly ConfigNote[];
}

/** Reads files and environment. Never throws for what is in them. */
export async function loadConfig(request: LoadRequest): Promise<LoadResult> {
  const draft = newDraft(request.files);
  const parser = new Parser(draft);
  for (const file of request.files) await readFile(file, request.reader, parser);
  const { lines, errors } = await readEnvironment(request.environment, request.reader);
  parser.errors.push(...errors);
  parser.beginEnvironment();
  for (const line of lines) {
    if (line.name === "include_dir") refuseInclusion(line, parser);
    else parser.take(line);
  }
  checkWhole(draft, parser);
  return {
    config: parser.errors.length === 0 ? buildConfig(draft) : undefined,
    errors: parser.errors,
    notes: parser.notes,
  };
}

function checkWhole(draft: Draft, parser: Parser): void {
  for (const listener of draft.listeners) {
    const { errors, notes } = checkListener(listener);
    parser.errors.push(...errors);
    parser.notes.push(...notes);
  }
  parser.errors.push(...checkBridges(draft.bridges));
  parser.notes.push(...noteInsecureBridges(draft.bridges));
}

/** Reads one file; without `includedAt` it is a main file, which may include others. */
async function readFile(
  file: string,
  reader: ConfigReader,
  parser: Parser,
  includedAt?: SourcePosition,
): Promise<void> {
  const bytes = await readWhole(file, reader);
  if (typeof bytes === "string") {
    parser.errors.push(fileError(bytes, file, includedAt));
    return;
  }
  const endFile = parser.beginFile();
  const lines = readLines(bytes, (line) => ({ at: { file, line }, includedAt }));
  for (const line of lines) {
    if (line.name !== "include_dir") parser.take(line);
    else if (includedAt !== undefined) refuseInclusion(line, parser);
    else await includeDirectory(line, reader, parser);
  }
  endFile();
}

/** The bytes, or why there are none. */
async function readWhole(file: string, reader: ConfigReader): Promise<Uint8Array | string> {
  try {
    const info = await reader.info(file);
    if (info?.kind === "directory") return `Config file '${file}' is a directory.`;
    const bytes = info === undefined || info.bytes > FILE_BYTES_MAX
      ? undefined
      : await reader.readBytes(file);
    if (bytes !== undefined && bytes.length <= FILE_BYTES_MAX) return bytes;
    if (info !== undefined) return `Config file '${file}' is larger than ${FILE_BYTES_MAX} bytes.`;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
  }
  return `Unable to open config file '${file}'.`;
}

function refuseInclusion(line: Line, parser: Parser): void {
  const what = "The include_dir option is only valid in the main configuration file.";
  parser.errors.push(lineError(what, line.place));
}

async function includeDirectory(line: Line, reader: ConfigReader, parser: Parser): Promise<void> {
  const reading = findOption(line.name)!.option.value.read({
    name: line.name,
    text: line.text,
    isWellFormed: line.isWellFormed,
    show: (word) => word,
  });
  if ("fault" in reading) {
    parser.errors.push(lineError(reading.fault, line.place));
    return;
  }
  const directory = line.text;
  const files = await listDirectory(directory, reader);
  if (files === undefined) {
    parser.errors.push(lineError(`Unable to open include_dir '${directory}'.`, line.place));
    return;
  }
  for (const file of files) {
    parser.notes.push({ type: "information", text: `Loading config file '${file}'` });
    await readFile(file, reader, parser, line.place.at);
  }
}

/** The files to read in a directory, in order; `undefined` when it cannot be read. */
async function listDirectory(
  directory: string,
  reader: ConfigReader,
): Promise<string[] | undefined> {
  try {
    const names = (await reader.list(directory))
      .filter((name) => name.endsWith(SUFFIX) && name.length > SUFFIX.length)
      .sort(compareNames);
    const files: string[] = [];
    for (const name of names) {
      const file = `${directory}/${name}`;
      const info = await reader.info(file);
      // What cannot be looked at is not passed over: reading it will say so.
      if (info === undefined || info.kind === "file") files.push(file);
    }
    return files;
  } catch (error) {
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}

/** By character, whatever its case; of two that differ in case alone, the upper one is first. */
export function compareNames(one: string, other: string): number {
  for (let i = 0; i < one.length && i < other.length; i++) {
    const a = one[i]!;
    const b = other[i]!;
    if (a === b) continue;
    const byLetter = a.toUpperCase().charCodeAt(0) - b.toUpperCase().charCodeAt(0);
    return byLetter !== 0 ? byLetter : a.charCodeAt(0) - b.charCodeAt(0);
  }
  return one.length - other.length;
}
