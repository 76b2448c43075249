/**
 * The file of options that is read before the command line: one option a line, and the rest of the
 * line is its argument, blanks and all.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import type { Files } from "../../runtime/files.ts";
import type { ToolName } from "./client_settings.ts";
import { UsageError } from "./usage_error.ts";
import { textOfBytes } from "./words.ts";

const LINE_BYTES_MAX = 1023;
const FILE_BYTES_MAX = 1_048_576;
const LINE_FEED = 0x0a;

/** Where the file is, if there is one; a path that was given beats the usual places. */
export function optionFilePath(
  tool: ToolName,
  given: string | undefined,
  environment: Readonly<Record<string, string>>,
): string | undefined {
  if (given !== undefined) return given;
  const { XDG_CONFIG_HOME: configHome, HOME: home } = environment;
  if (configHome) return `${configHome}/mosquitto_${tool}`;
  return home ? `${home}/.config/mosquitto_${tool}` : undefined;
}

/** The words of the file, an option and its argument in each; none when there is no such file. */
export async function readOptionFile(files: Files, path: string): Promise<string[][]> {
  let bytes: Uint8Array;
  try {
    bytes = await files.readBytes(path);
  } catch (error) {
    if (error instanceof OperationError && error.code === "not-found") return [];
    throw new UsageError(`Error: Unable to read options file "${path}".`);
  }
  if (bytes.length > FILE_BYTES_MAX || bytes.includes(0)) {
    throw new UsageError(`Error: "${path}" is not an options file.`);
  }
  return linesOf(bytes).flatMap((line, index) => {
    if (line.length > LINE_BYTES_MAX) {
      const where = `Line ${index + 1} of options file "${path}"`;
      throw new UsageError(`Error: ${where} is longer than ${LINE_BYTES_MAX} bytes.`);
    }
    const words = wordsOf(textOfBytes(line));
    return words === undefined ? [] : [words];
  });
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const at = bytes.indexOf(LINE_FEED, start);
    const end = at < 0 ? bytes.length : at;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function wordsOf(line: string): string[] | undefined {
  if (line.startsWith("#")) return undefined;
  const match = /^ *([^ ]+) ?(.*)$/s.exec(line.replace(/\r$/, ""));
  if (match === null) return undefined;
  const [, option, rest] = match;
  return rest === "" ? [option!] : [option!, rest!];
}
