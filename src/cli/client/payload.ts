/**
 * One payload from wherever the command line says, read whole before anything is opened.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { ClientFailure } from "./client_failure.ts";
import type { MessageSource } from "./client_settings.ts";

const STATUS = 1;
const PAYLOAD_BYTES_MAX = 268_435_455;
const PIECE_BYTES = 65_536;

/** Reads the payload; throws a `ClientFailure` when there is none. */
export async function readPayload(
  source: Exclude<MessageSource, { kind: "lines" }>,
  runtime: Runtime,
): Promise<Uint8Array> {
  switch (source.kind) {
    case "payload":
      return source.payload;
    case "file":
      return await readFile(source.path, runtime);
    case "stdin":
      return await readAll(runtime);
  }
}

async function readFile(path: string, runtime: Runtime): Promise<Uint8Array> {
  const files = await runtime.files();
  try {
    const info = await files.info(path);
    if (info !== undefined && info.bytes > PAYLOAD_BYTES_MAX) throw tooLarge("File");
    return await files.readBytes(path);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new ClientFailure(STATUS, `Error: Unable to open file "${path}".`);
  }
}

async function readAll(runtime: Runtime): Promise<Uint8Array> {
  let buffer = new Uint8Array(PIECE_BYTES);
  let length = 0;
  for (;;) {
    if (buffer.length - length < PIECE_BYTES) {
      const grown = new Uint8Array(buffer.length * 2);
      grown.set(buffer.subarray(0, length));
      buffer = grown;
    }
    const count = await readPiece(runtime, buffer.subarray(length));
    if (count === undefined) break;
    length += count;
    if (length > PAYLOAD_BYTES_MAX) throw tooLarge("Input");
  }
  if (length === 0) throw new ClientFailure(STATUS, "Error: Zero length input.");
  return buffer.subarray(0, length);
}

/** Reads from standard input as `Runtime.readInput` does, with the words of the tools. */
export async function readPiece(
  runtime: Runtime,
  buffer: Uint8Array,
): Promise<number | undefined> {
  try {
    return await runtime.readInput(buffer);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new ClientFailure(STATUS, "Error: Unable to read standard input.");
  }
}

function tooLarge(what: string): ClientFailure {
  return new ClientFailure(STATUS, `Error: ${what} must be less than ${PAYLOAD_BYTES_MAX} bytes.`);
}
