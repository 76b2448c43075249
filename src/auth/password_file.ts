/**
 * The password file: its lines, and the authenticator that decides by them. What a hash is, is in
 * `password_hash.ts`; reading the file with its permissions is in `security_files.ts`.
 *
 * The idea: whether a user exists cannot be told from the time that an answer takes, and no number
 * of logins keeps the broker from its other work.
 *
 * @module
 */

import type { ConnectRequest } from "../core/broker/question.ts";
import { encodedLength } from "../core/base/utf8.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { Authenticator, Eventual, Verdict } from "./auth.ts";
import { type Argon2id, type HashParameters, PasswordHash } from "./password_hash.ts";
import {
  type FileProblem,
  type Parsed,
  parsed,
  significantLines,
  trimBlanks,
} from "./text_lines.ts";
import type { WorkGate } from "./work_gate.ts";

const PART_BYTES_MAX = 65_535;

/** The users of a password file, each with the hash of the password. */
export type PasswordUsers = ReadonlyMap<string, PasswordHash>;

/** A line of a password file, taken apart but not understood. */
export interface PasswordLine {
  readonly username: string;
  /** `undefined` when there is none; not necessarily a hash. */
  readonly hash: string | undefined;
}

/** Takes a line apart; `undefined` for one without a colon. A second one ends the hash. */
export function parsePasswordLine(line: string): PasswordLine | undefined {
  const [username, hash] = line.split(":");
  if (hash === undefined) return undefined;
  return { username: trimBlanks(username!), hash: trimBlanks(hash) || undefined };
}

/** The line of a user, without its end. */
export function formatPasswordLine(username: string, hash: PasswordHash): string {
  return `${username}:${hash.format()}`;
}

/** Reads a password file's text; `path` is for the messages. */
export function parsePasswordFile(text: string, path: string): Parsed<PasswordUsers> {
  const users = new Map<string, PasswordHash>();
  const problems: FileProblem[] = [];
  for (const [content, line] of significantLines(text)) {
    const parts = parsePasswordLine(content);
    if (parts === undefined) continue;
    const entry = parseEntry(parts, path);
    if (typeof entry === "string") {
      problems.push({ severity: "error", message: `password-file: Error: ${entry}`, line });
    } else if (users.has(parts.username)) {
      const message =
        `password-file: Error: Duplicate user '${parts.username}' in password file '${path}'.`;
      problems.push({ severity: "error", message, line });
    } else {
      users.set(parts.username, entry);
    }
  }
  return parsed(users, problems);
}

/** The hash of a line, or what is wrong with it. */
function parseEntry({ username, hash }: PasswordLine, path: string): PasswordHash | string {
  if (username === "") return `Empty username in password file '${path}'.`;
  if (encodedLength(username) > PART_BYTES_MAX) {
    return `Invalid line in password file '${path}', username too long.`;
  }
  if (hash === undefined || encodedLength(hash) > PART_BYTES_MAX) {
    return `Invalid line in password file '${path}': ${username}`;
  }
  return PasswordHash.parse(hash) ?? `Unable to decode line in password file '${path}'.`;
}

export interface PasswordFileOptions {
  readonly argon2id: Argon2id;
  /** Shared by all files of a broker, so that its bounds are the broker's. */
  readonly gate: WorkGate;
}

/** Lets in whom a password file names. Clients without a user name are left to others. */
export class PasswordFile implements Authenticator {
  readonly name = "password-file";
  readonly #users: PasswordUsers;
  readonly #options: PasswordFileOptions;
  /** Verified in place of users that there are not. */
  readonly #nobody: PasswordHash | undefined;

  constructor(users: PasswordUsers, options: PasswordFileOptions) {
    this.#users = users;
    this.#options = options;
    const usual = usualParameters(users);
    if (usual !== undefined) this.#nobody = PasswordHash.unmatchable(usual);
  }

  authenticate(request: ConnectRequest): Eventual<Verdict> {
    const { username, password } = request;
    if (username === undefined) return "defer";
    const hash = this.#users.get(username);
    const verified = hash ?? this.#nobody;
    // Said of everybody alike, so that it tells nothing of the user.
    if (password === undefined || password[0] === undefined || password[0] === 0) {
      return ReasonCode.NOT_AUTHORIZED;
    }
    if (verified === undefined) return ReasonCode.NOT_AUTHORIZED;
    const { gate, argon2id } = this.#options;
    return gate.run(() => verified.verify(password, argon2id)).then((isRight) => {
      if (isRight === undefined) return ReasonCode.SERVER_BUSY;
      return isRight && hash !== undefined ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
    });
  }

  /** The hash of the user's password, which is another one when the password is. */
  credentialOf(username: string): string | undefined {
    return this.#users.get(username)?.format();
  }
}

/** What most hashes were made with. */
function usualParameters(users: PasswordUsers): HashParameters | undefined {
  const counts = new Map<string, number>();
  let usual: HashParameters | undefined;
  let most = 0;
  for (const { parameters } of users.values()) {
    const key = JSON.stringify(parameters);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count <= most) continue;
    most = count;
    usual = parameters;
  }
  return usual;
}
