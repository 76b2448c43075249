/**
 * The command line of `passwd`: words in, one wish out. What becomes of it is in passwd.ts.
 *
 * The idea: options stand before the words, one each, as they do for `mosquitto_passwd`; a word
 * more or less is never guessed about, because a password may be among them.
 *
 * @module
 */

import { type HashParameters, NEW_HASHES } from "../auth/password_hash.ts";
import type { Manual } from "./manual.ts";

/** What the command line asks for. */
export type PasswdFlags =
  | {
    readonly kind: "set";
    readonly path: string;
    readonly username: string;
    /** Asked for when there is none. */
    readonly password: string | undefined;
    /** The file is made anew, with this user alone. */
    readonly isNew: boolean;
    readonly hash: HashParameters;
  }
  | { readonly kind: "delete"; readonly path: string; readonly username: string }
  | { readonly kind: "hash-all"; readonly path: string; readonly hash: HashParameters }
  | { readonly kind: "help" }
  | { readonly kind: "fault"; readonly text: string };

/** Also of the password, which the file's reader does not take longer either. */
export const PART_BYTES_MAX = 65_535;

/** What is hashed with unless another one is asked for. */
const ALGORITHM: HashParameters["algorithm"] = "sha512-pbkdf2";

const ITERATIONS_MAX = 0x7fff_ffff;

/** What cannot be asked for at once, in the order in which it is told. */
const EXCLUSIVE = [["-c", "-D"], ["-c", "-U"], ["-D", "-U"], ["-b", "-D"]] as const;

/** Parses the words after the command's name. */
export function parsePasswdFlags(args: readonly string[]): PasswdFlags {
  const given = new Set<string>();
  let algorithm = ALGORITHM;
  let iterations: number | undefined;
  let at = 0;
  for (; at < args.length; at++) {
    const option = args[at]!;
    if (option === "-b" || option === "-c" || option === "-D" || option === "-U") {
      given.add(option);
    } else if (option === "-H" || option === "-I") {
      const value = args[++at];
      if (value === undefined) {
        return fault(`${option} argument given but not enough other arguments.`);
      }
      if (option === "-H") {
        if (!isAlgorithm(value)) return fault(`Unknown hash type '${value}'`);
        algorithm = value;
      } else {
        iterations = /^\d+$/.test(value) ? Number(value) : 0;
        if (iterations < 1) return fault("Number of iterations must be > 0.");
        if (iterations > ITERATIONS_MAX) {
          return fault(`Number of iterations must be <= ${ITERATIONS_MAX}.`);
        }
      }
    } else break;
  }
  for (const [one, other] of EXCLUSIVE) {
    if (given.has(one) && given.has(other)) {
      return fault(`${one} and ${other} cannot be used together.`);
    }
  }
  return chooseForm(given, args.slice(at), hashParameters(algorithm, iterations));
}

function isAlgorithm(text: string): text is HashParameters["algorithm"] {
  return Object.hasOwn(NEW_HASHES, text);
}

function hashParameters(
  algorithm: HashParameters["algorithm"],
  iterations: number | undefined,
): HashParameters {
  const usual = NEW_HASHES[algorithm];
  if (usual.algorithm !== "sha512-pbkdf2" || iterations === undefined) return usual;
  return { ...usual, iterations };
}

function chooseForm(
  given: ReadonlySet<string>,
  words: readonly string[],
  hash: HashParameters,
): PasswdFlags {
  const [path, username, password] = words;
  const isBatch = given.has("-b");
  const isNew = given.has("-c");
  if (given.has("-U")) {
    if (path === undefined) return fault("-U argument given but password file missing.");
    return words.length === 1 ? { kind: "hash-all", path, hash } : { kind: "help" };
  }
  if (path === undefined || username === undefined) {
    if (given.has("-D")) return fault("-D argument given but password file or username missing.");
    if (isNew) return fault(missingWords(isBatch));
    return { kind: "help" };
  }
  if (isBatch && password === undefined) {
    return isNew ? fault(missingWords(isBatch)) : { kind: "help" };
  }
  if (words.length !== (isBatch ? 3 : 2)) return { kind: "help" };
  const problem = usernameProblem(username, !given.has("-D"));
  if (problem !== undefined) return fault(problem);
  if (given.has("-D")) return { kind: "delete", path, username };
  return { kind: "set", path, username, password, isNew, hash };
}

function missingWords(isBatch: boolean): string {
  const words = isBatch ? "password file, username, or password" : "password file or username";
  return `-c argument given but ${words} missing.`;
}

/** Why nobody could log in by this name; to be deleted, it only has to be one. */
function usernameProblem(username: string, isNew: boolean): string | undefined {
  if (new TextEncoder().encode(username).length > PART_BYTES_MAX) {
    return `Username must be less than ${PART_BYTES_MAX + 1} characters long.`;
  }
  // deno-lint-ignore no-control-regex -- they are what is looked for
  if (/[\0-\x1f\x7f]/.test(username)) return "Username must not contain control characters.";
  if (username.includes(":")) return "Username must not contain the ':' character.";
  if (!isNew) return undefined;
  if (username === "") return "Username must not be empty.";
  if (username.startsWith("#")) return "Username must not begin with '#', which begins a comment.";
  if (username.startsWith(" ") || username.endsWith(" ")) {
    return "Username must not begin or end with a blank.";
  }
  return undefined;
}

function fault(what: string): PasswdFlags {
  return { kind: "fault", text: `Error: ${what}\n` };
}

/** The help, by the name that the command was called by. */
export function passwdManual(name: string): Manual {
  const usual = NEW_HASHES[ALGORITHM];
  const iterations = usual.algorithm === "sha512-pbkdf2" ? String(usual.iterations) : "";
  return {
    name,
    about: [`${name} keeps the password files of an MQTT broker.`],
    usage: [
      "[-H hash] [-I iterations] [-c] passwordfile username",
      "[-H hash] [-I iterations] [-c] -b passwordfile username password",
      "-D passwordfile username",
      "[-H hash] [-I iterations] -U passwordfile",
    ],
    sections: [{
      entries: [
        {
          names: ["-b"],
          text: "Take the password from the command line, where others may see it.",
        },
        {
          names: ["-c"],
          text: "Make a new file; one that is there is overwritten. With '-' for the file the " +
            "line is printed instead.",
        },
        { names: ["-D"], text: "Delete the user." },
        {
          names: ["-H"],
          argument: "<hash>",
          candidates: Object.keys(NEW_HASHES),
          text: `How to hash: ${Object.keys(NEW_HASHES).join(", ")}.`,
          default: ALGORITHM,
        },
        {
          names: ["-I"],
          argument: "<iterations>",
          text: "Iterations of sha512-pbkdf2.",
          default: iterations,
        },
        {
          names: ["-U"],
          text: "Hash all passwords of a file with a line 'username:password' for each user.",
        },
        { names: ["--help"], text: "Print this and exit." },
      ],
    }],
    notes: [
      "Without an option the user is added to the file, or given another password, which is " +
      "asked for. The broker reads the file again when it is sent SIGHUP.",
      "Exit status: 0 when done, 1 for any error and for this help, 2 when the password was not " +
      "repeated.",
    ],
    examples: [
      `${name} -c passwd alice`,
      `${name} -b passwd bob 'secret'`,
      `${name} -U users.txt`,
    ],
    operands: ["files", []],
  };
}
