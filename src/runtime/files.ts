/**
 * The files of the machine, as far as the broker's configuration needs them. Errors of the system
 * are `OperationError`s with the codes below; what a missing file means is the caller's business.
 *
 * @module
 */

/** What is known of a file without opening it. */
export interface FileInfo {
  readonly kind: "file" | "directory" | "other";
  /** Whether the path itself is a symbolic link; the rest describes what it leads to. */
  readonly isLink: boolean;
  /** Permission bits, `0o600` and the like. */
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
  readonly bytes: number;
}

/** A file that is only ever appended to. */
export interface AppendedFile {
  /** Appends at once; the text is with the system when this returns. */
  append(text: string): void;
  close(): void;
}

/**
 * @throws {OperationError} with code `"not-found"`, `"permission-denied"`, `"too-many-files"` or
 * `"file-failed"`, from every method.
 */
export interface Files {
  readBytes(path: string): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  /** `undefined` when there is nothing there. */
  info(path: string): Promise<FileInfo | undefined>;
  /** The names in a directory, in no order. */
  list(path: string): Promise<string[]>;
  /** The path without links and dots. */
  realPath(path: string): Promise<string>;
  /** Writes a file whole; a new one gets the mode. */
  write(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** Opens a file to append to, making it with mode 0600; at once, because logs are. */
  openAppended(path: string): AppendedFile;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>;
}
