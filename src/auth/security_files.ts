/**
 * Loads the files of a security configuration: opened with care, parsed whole, and void with the
 * first error. It says which exit status an error asks for, and what to tell the operator.
 *
 * @module
 */

import { type AclEntries, parseAclFile } from "./acl_file.ts";
import { parsePasswordFile, type PasswordUsers } from "./password_file.ts";
import { parsePskFile, type PskKeys } from "./psk_file.ts";
import { readSecretFile, type SecretFileOptions } from "./secret_file.ts";
import type { FileProblem, Parsed } from "./text_lines.ts";

/** The exit status of a program that cannot go on: a file that does not open, or makes no sense. */
export const CANNOT_OPEN = 13;
export const BAD_CONTENT = 3;

/** What a file gave. */
export interface Loaded<T> {
  /** `undefined` when the file must not be used. */
  readonly value: T | undefined;
  readonly problems: readonly FileProblem[];
  /** 0 when there is a value. */
  readonly exitStatus: 0 | typeof CANNOT_OPEN | typeof BAD_CONTENT;
}

export function loadPasswordFile(
  path: string,
  options: SecretFileOptions,
): Promise<Loaded<PasswordUsers>> {
  const unopened = `password-file: Error: Unable to open pwfile "${path}".`;
  return load(path, parsePasswordFile, unopened, options);
}

export function loadAclFile(path: string, options: SecretFileOptions): Promise<Loaded<AclEntries>> {
  return load(path, parseAclFile, `Error: Unable to open acl_file "${path}".`, options);
}

export function loadPskFile(path: string, options: SecretFileOptions): Promise<Loaded<PskKeys>> {
  return load(path, parsePskFile, `Error: Unable to open psk_file "${path}".`, options);
}

async function load<T>(
  path: string,
  parse: (text: string, path: string) => Parsed<T>,
  unopened: string,
  options: SecretFileOptions,
): Promise<Loaded<T>> {
  const { bytes, problems } = await readSecretFile(path, options);
  if (bytes === undefined) {
    const first: FileProblem = { severity: "error", message: unopened };
    return { value: undefined, problems: [first, ...problems], exitStatus: CANNOT_OPEN };
  }
  const { value, problems: faults } = parse(new TextDecoder().decode(bytes), path);
  return {
    value,
    problems: [...problems, ...faults],
    exitStatus: value === undefined ? BAD_CONTENT : 0,
  };
}
