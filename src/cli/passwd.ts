/**
 * `passwd`: keeps password files, as `mosquitto_passwd` does. Its command line is in
 * passwd_flags.ts, what becomes of the lines in password_lines.ts, how files are read and written
 * in password_store.ts.
 *
 * The idea: nothing is written before everything is known, so whoever is interrupted or refused
 * keeps the file that was there.
 *
 * @module
 */

import { formatPasswordLine } from "../auth/password_file.ts";
import { type HashParameters, PasswordHash } from "../auth/password_hash.ts";
import type { Host } from "../runtime/host.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CommandCall } from "./command.ts";
import { formatManual } from "./manual.ts";
import {
  parsePasswdFlags,
  PART_BYTES_MAX,
  type PasswdFlags,
  passwdManual,
} from "./passwd_flags.ts";
import { concatenate, type FileLine, withoutUser, withUser } from "./password_lines.ts";
import { PasswordStore, StoreError } from "./password_store.ts";

const DONE = 0;
const FAILED = 1;
const NOT_REPEATED = 2;

/** The file that stands for standard output. */
const STDOUT = "-";
const COMMENT = "#";

type Wish<Kind extends PasswdFlags["kind"]> = Extract<PasswdFlags, { readonly kind: Kind }>;

/** What the wishes are carried out with. */
interface Surroundings {
  readonly runtime: Runtime;
  readonly host: Host;
  readonly store: PasswordStore;
}

/** Runs the command; gives its exit status. */
export async function passwd({ runtime, args, name }: CommandCall): Promise<number> {
  const flags = parsePasswdFlags(args);
  if (flags.kind === "help") {
    runtime.print("stdout", formatManual(passwdManual(name)));
    return FAILED;
  }
  if (flags.kind === "fault") {
    runtime.print("stderr", flags.text);
    return FAILED;
  }
  const [files, host] = await Promise.all([runtime.files(), runtime.host()]);
  const warn = (text: string): void => runtime.print("stderr", `${text}\n`);
  const surroundings = { runtime, host, store: new PasswordStore(files, host, warn) };
  try {
    switch (flags.kind) {
      case "set":
        return await setUser(flags, surroundings);
      case "delete":
        return await deleteUser(flags, surroundings);
      case "hash-all":
        return await hashAll(flags, surroundings);
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    warn(error.message);
    return FAILED;
  }
}

async function setUser(wish: Wish<"set">, surroundings: Surroundings): Promise<number> {
  const { path, username, isNew, hash } = wish;
  const { runtime, host, store } = surroundings;
  // What is wrong with the file is told before anybody is asked for anything.
  if (!isNew) await store.read(path);
  else if (path !== STDOUT) await store.check(path);
  const password = wish.password === undefined
    ? await askTwice(surroundings)
    : new TextEncoder().encode(wish.password);
  if (typeof password === "number") return password;
  const problem = passwordProblem(password);
  if (problem !== undefined) {
    runtime.print("stderr", problem);
    return FAILED;
  }
  const line = formatPasswordLine(username, await PasswordHash.make(password, hash, host.argon2id));
  let isKnown = false;
  if (!isNew) {
    // Anew, since somebody may have thought about a password for long.
    const lines = await store.read(path);
    isKnown = lines.some((each) => each.username === username);
    await store.replace(path, withUser(lines, username, line));
  } else if (path === STDOUT) {
    runtime.print("stdout", `${line}\n`);
    return DONE;
  } else {
    await store.create(path, withUser([], username, line));
  }
  runtime.print("stdout", `${isKnown ? "Updating" : "Adding"} password for user ${username}\n`);
  return DONE;
}

async function deleteUser(wish: Wish<"delete">, surroundings: Surroundings): Promise<number> {
  const { path, username } = wish;
  const { runtime, store } = surroundings;
  const left = withoutUser(await store.read(path), username);
  if (left === undefined) {
    runtime.print("stderr", `Warning: User ${username} not found in password file.\n`);
    return FAILED;
  }
  await store.replace(path, left);
  return DONE;
}

async function hashAll(wish: Wish<"hash-all">, surroundings: Surroundings): Promise<number> {
  const { path, hash } = wish;
  const { store } = surroundings;
  const lines: Uint8Array[] = [];
  for (const [index, line] of (await store.read(path)).entries()) {
    lines.push(await hashed(line, { number: index + 1, hash, surroundings }));
  }
  await store.replace(path, concatenate(lines));
  return DONE;
}

/** The line with the hash of what it holds, unless that is a hash or nothing for the broker. */
async function hashed(
  { bytes, username, hash: password }: FileLine,
  { number, hash, surroundings: { runtime, host } }: {
    readonly number: number;
    readonly hash: HashParameters;
    readonly surroundings: Surroundings;
  },
): Promise<Uint8Array> {
  if (username.startsWith(COMMENT)) return bytes;
  if (PasswordHash.parse(password) !== undefined) {
    runtime.print("stderr", `Warning: Line ${number} holds a hash already and is left as it is.\n`);
    return bytes;
  }
  const secret = new TextEncoder().encode(password);
  return new TextEncoder().encode(
    `${formatPasswordLine(username, await PasswordHash.make(secret, hash, host.argon2id))}\n`,
  );
}

/** Asks for a password, or gives the status with which to end. */
async function askTwice({ runtime, host }: Surroundings): Promise<Uint8Array | number> {
  const prompt = await host.openSecretPrompt();
  try {
    const answers: Uint8Array[] = [];
    for (const question of ["Password: ", "Reenter password: "]) {
      const answer = await prompt.ask(question);
      if (answer === "interrupted") return DONE;
      if (answer === "ended" || answer.length === 0) {
        runtime.print("stderr", EMPTY_PASSWORD);
        return FAILED;
      }
      answers.push(answer);
    }
    const [first, second] = answers;
    if (first!.length === second!.length && first!.every((byte, at) => byte === second![at])) {
      return first!;
    }
    runtime.print("stderr", "Error: Passwords do not match.\n");
    return NOT_REPEATED;
  } finally {
    prompt.close();
  }
}

const EMPTY_PASSWORD = "Error: Empty password.\n";

/** Why nobody could log in with it. */
function passwordProblem(password: Uint8Array): string | undefined {
  if (password.length === 0 || password[0] === 0) return EMPTY_PASSWORD;
  if (password.length <= PART_BYTES_MAX) return undefined;
  return `Error: Password must be less than ${PART_BYTES_MAX + 1} characters long.\n`;
}
