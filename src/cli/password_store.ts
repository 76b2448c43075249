/**
 * Reads and writes the files of `passwd`, with the same care as the broker reads them: links are
 * refused, permissions are judged, and a change takes the old file's place at once, with its owner
 * and mode.
 *
 * A copy stands beside a file while it is changed, because there are folders in which a file cannot
 * be replaced but only overwritten.
 *
 * @module
 */

import { readSecretFile } from "../auth/secret_file.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { Files } from "../runtime/files.ts";
import type { Host } from "../runtime/host.ts";
import { CorruptLineError, type FileLine, splitPasswordFile } from "./password_lines.ts";

/** The message is what the user is told. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

const NEW_FILE_MODE = 0o600;

/** Set by operators who accept files behind links. */
const ALLOW_LINKS = "MOSQUITTO_UNSAFE_ALLOW_SYMLINKS";

const LINK_TEXT = "Too many levels of symbolic links";

export class PasswordStore {
  readonly #files: Files;
  readonly #host: Host;
  readonly #warn: (text: string) => void;
  /** Each is told once, however often a file is read. */
  readonly #told: Set<string> = new Set();

  constructor(files: Files, host: Host, warn: (text: string) => void) {
    this.#files = files;
    this.#host = host;
    this.#warn = warn;
  }

  /**
   * The lines of a file.
   *
   * @throws {StoreError}
   */
  async read(path: string): Promise<FileLine[]> {
    const bytes = await this.#readBytes(path, `Error: Unable to open password file ${path}.`);
    try {
      return splitPasswordFile(bytes);
    } catch (error) {
      if (!(error instanceof CorruptLineError)) throw error;
      throw new StoreError(`Error: ${error.message}.`);
    }
  }

  /** Warns of a file that is to be overwritten, and refuses what is no file. */
  async check(path: string): Promise<void> {
    const failure = `Error: Unable to open file ${path} for writing.`;
    if (await this.#attempt(failure, () => this.#files.info(path)) === undefined) return;
    await this.#readBytes(path, failure);
  }

  /** Writes a file that was not there, or is not to be kept. */
  async create(path: string, bytes: Uint8Array): Promise<void> {
    const failure = `Error: Unable to open file ${path} for writing.`;
    await this.#attempt(failure, () => this.#files.write(path, bytes, NEW_FILE_MODE));
  }

  /** Changes a file that was read. */
  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const files = this.#files;
    const backup = `${path}.backup.${randomSuffix()}`;
    try {
      await files.write(backup, await files.readBytes(path), NEW_FILE_MODE);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      throw new StoreError(
        `Error creating backup password file "${backup}", not continuing.\n${error.message}.`,
      );
    }
    try {
      await files.write(path, bytes, NEW_FILE_MODE);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      throw new StoreError(
        `Error occurred updating password file.\n${error.message}.\n` +
          `Password file may be corrupt, check the backup file: ${backup}.`,
      );
    }
    await files.remove(backup).catch((error: unknown) => {
      this.#warn(`Warning: The backup file ${backup} is still there: ${messageOf(error)}.`);
    });
  }

  async #readBytes(path: string, failure: string): Promise<Uint8Array> {
    const { bytes, problems } = await readSecretFile(path, {
      files: this.#files,
      allowsLinks: this.#host.environment()[ALLOW_LINKS] !== undefined,
      userId: this.#host.userId(),
      groupId: this.#host.groupId(),
    });
    if (bytes !== undefined) {
      for (const { message } of problems) {
        if (!this.#told.has(message)) this.#warn(message);
        this.#told.add(message);
      }
      return bytes;
    }
    const info = await this.#attempt(failure, () => this.#files.info(path));
    if (info === undefined) throw new StoreError(`${failure} No such file or directory.`);
    const details = problems.map(({ message }) => `\n${message}`).join("");
    if (info.isLink) throw new StoreError(`${failure} ${LINK_TEXT}.${details}`);
    if (info.kind === "directory") throw new StoreError(`${failure} Is a directory.`);
    if (info.kind === "other") throw new StoreError(`${failure} Invalid argument.${details}`);
    await this.#attempt(failure, () => this.#files.readBytes(path));
    throw new StoreError(`${failure} Input/output error.${details}`);
  }

  async #attempt<T>(failure: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      throw new StoreError(`${failure} ${systemText(error)}.`);
    }
  }
}

/** As the C library puts it. */
function systemText(error: OperationError): string {
  switch (error.code) {
    case "not-found":
      return "No such file or directory";
    case "permission-denied":
      return "Permission denied";
    case "too-many-files":
      return "Too many open files";
    default:
      return error.message;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const SUFFIX_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SUFFIX_LENGTH = 6;

function randomSuffix(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SUFFIX_LENGTH));
  return Array.from(bytes, (byte) => SUFFIX_CHARACTERS[byte % SUFFIX_CHARACTERS.length]).join("");
}
