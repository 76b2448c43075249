/**
 * Salted hashes of passwords as `mosquitto_passwd` writes them: reading, writing, making and
 * verifying. `$6$` is one round of SHA-512, `$7$` is PBKDF2, `$argon2id$` the usual encoded form.
 *
 * A hash keeps its salt and result to itself: neither printing nor serialising one shows them, only
 * `format` does.
 *
 * @module
 */

import type { Host } from "../runtime/host.ts";
import {
  decodeBase64,
  decodeUnpaddedBase64,
  encodeBase64,
  encodeUnpaddedBase64,
} from "./base64.ts";

/** Hashes with Argon2id, which no Web API does. */
export type Argon2id = Host["argon2id"];

/** How a hash is made. */
export type HashParameters =
  | { readonly algorithm: "sha512" }
  | { readonly algorithm: "sha512-pbkdf2"; readonly iterations: number }
  | {
    readonly algorithm: "argon2id";
    readonly passes: number;
    readonly memoryKib: number;
    readonly lanes: number;
  };

/** What new hashes are made with, by the names of `mosquitto_passwd -H`. */
export const NEW_HASHES: Readonly<Record<HashParameters["algorithm"], HashParameters>> = Object
  .freeze({
    "sha512": { algorithm: "sha512" },
    "sha512-pbkdf2": { algorithm: "sha512-pbkdf2", iterations: 1000 },
    "argon2id": { algorithm: "argon2id", passes: 1, memoryKib: 47_104, lanes: 1 },
  });

const SALT_BYTES = 64;
const HASH_BYTES = 64;
/** What older releases wrote. */
const OLD_SALT_BYTES = 12;
const ITERATIONS_MAX = 0x7fff_ffff;
const ARGON2_VERSION = "v=19";
/** Of Argon2id lines that others wrote: what is safe, and what can be computed at all. */
const ARGON2_SALT_BYTES_MIN = 8;
const ARGON2_HASH_BYTES_MIN = 16;
const ARGON2_BYTES_MAX = 512;
const ARGON2_MEMORY_KIB_MAX = 2 ** 20;
const ARGON2_PASSES_MAX = 10;
const ARGON2_LANES_MAX = 64;

/** The hash of one password. */
export class PasswordHash {
  readonly parameters: HashParameters;
  readonly #salt: Uint8Array<ArrayBuffer>;
  readonly #hash: Uint8Array<ArrayBuffer>;

  constructor(
    parameters: HashParameters,
    salt: Uint8Array<ArrayBuffer>,
    hash: Uint8Array<ArrayBuffer>,
  ) {
    this.parameters = parameters;
    this.#salt = salt;
    this.#hash = hash;
  }

  /** Reads the text of a hash; `undefined` when it is none, or one of a kind that is not known. */
  static parse(text: string): PasswordHash | undefined {
    const [before, kind, ...fields] = text.split("$");
    if (before !== "") return undefined;
    switch (kind) {
      case "6":
        return fields.length === 2 ? parseSha512(fields) : undefined;
      case "7":
        return fields.length === 3 ? parsePbkdf2(fields) : undefined;
      case "argon2id":
        return fields.length === 4 ? parseArgon2id(fields) : undefined;
      default:
        return undefined;
    }
  }

  /** Hashes a password with a new salt. */
  static async make(
    password: Uint8Array,
    parameters: HashParameters,
    argon2id: Argon2id,
  ): Promise<PasswordHash> {
    const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
    const hash = await derive(password, parameters, salt, HASH_BYTES, argon2id);
    return new PasswordHash(parameters, salt, hash);
  }

  /** A hash that no password has, which takes as long to verify as others of the kind. */
  static unmatchable(parameters: HashParameters): PasswordHash {
    const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
    return new PasswordHash(parameters, salt, crypto.getRandomValues(new Uint8Array(HASH_BYTES)));
  }

  /** Whether it is this password's; the time that it takes tells nothing of either. */
  async verify(password: Uint8Array, argon2id: Argon2id): Promise<boolean> {
    const expected = this.#hash;
    const actual = await derive(
      password,
      this.parameters,
      this.#salt,
      expected.length,
      argon2id,
    );
    if (actual.length !== expected.length) return false;
    let difference = 0;
    for (let i = 0; i < expected.length; i++) difference |= actual[i]! ^ expected[i]!;
    return difference === 0;
  }

  /** The text to keep in a password file. */
  format(): string {
    const { parameters } = this;
    const salt = encodeBase64(this.#salt);
    const hash = encodeBase64(this.#hash);
    switch (parameters.algorithm) {
      case "sha512":
        return `$6$${salt}$${hash}`;
      case "sha512-pbkdf2":
        return `$7$${parameters.iterations}$${salt}$${hash}`;
      case "argon2id": {
        const { memoryKib, passes, lanes } = parameters;
        const costs = `m=${memoryKib},t=${passes},p=${lanes}`;
        const ends = `${encodeUnpaddedBase64(this.#salt)}$${encodeUnpaddedBase64(this.#hash)}`;
        return `$argon2id$${ARGON2_VERSION}$${costs}$${ends}`;
      }
    }
  }
}

function parseSha512(fields: readonly string[]): PasswordHash | undefined {
  return checked({ algorithm: "sha512" }, decodeBase64(fields[0]!), decodeBase64(fields[1]!));
}

function parsePbkdf2(fields: readonly string[]): PasswordHash | undefined {
  const iterations = parseCount(fields[0]!, ITERATIONS_MAX);
  if (iterations === undefined) return undefined;
  const salt = decodeBase64(fields[1]!);
  return checked({ algorithm: "sha512-pbkdf2", iterations }, salt, decodeBase64(fields[2]!));
}

function checked(
  parameters: HashParameters,
  salt: Uint8Array<ArrayBuffer> | undefined,
  hash: Uint8Array<ArrayBuffer> | undefined,
): PasswordHash | undefined {
  if (salt?.length !== SALT_BYTES && salt?.length !== OLD_SALT_BYTES) return undefined;
  if (hash?.length !== HASH_BYTES) return undefined;
  return new PasswordHash(parameters, salt, hash);
}

function parseArgon2id(fields: readonly string[]): PasswordHash | undefined {
  const costs = /^m=([0-9]+),t=([0-9]+),p=([0-9]+)$/.exec(fields[1]!);
  if (fields[0] !== ARGON2_VERSION || costs === null) return undefined;
  const memoryKib = parseCount(costs[1]!, ARGON2_MEMORY_KIB_MAX);
  const passes = parseCount(costs[2]!, ARGON2_PASSES_MAX);
  const lanes = parseCount(costs[3]!, ARGON2_LANES_MAX);
  if (memoryKib === undefined || passes === undefined || lanes === undefined) return undefined;
  // Section 3.1 of RFC 9106.
  if (memoryKib < 8 * lanes) return undefined;
  const salt = decodeUnpaddedBase64(fields[2]!);
  const hash = decodeUnpaddedBase64(fields[3]!);
  if (salt === undefined || hash === undefined) return undefined;
  if (salt.length < ARGON2_SALT_BYTES_MIN || salt.length > ARGON2_BYTES_MAX) return undefined;
  if (hash.length < ARGON2_HASH_BYTES_MIN || hash.length > ARGON2_BYTES_MAX) return undefined;
  return new PasswordHash({ algorithm: "argon2id", passes, memoryKib, lanes }, salt, hash);
}

/** A number from 1 to `max` in plain digits. */
function parseCount(text: string, max: number): number | undefined {
  if (!/^[1-9][0-9]{0,9}$/.test(text)) return undefined;
  const count = Number(text);
  return count <= max ? count : undefined;
}

async function derive(
  password: Uint8Array,
  parameters: HashParameters,
  salt: Uint8Array<ArrayBuffer>,
  length: number,
  argon2id: Argon2id,
): Promise<Uint8Array<ArrayBuffer>> {
  const secret = terminated(password);
  switch (parameters.algorithm) {
    case "sha512": {
      const salted = new Uint8Array(secret.length + salt.length);
      salted.set(secret);
      salted.set(salt, secret.length);
      return new Uint8Array(await crypto.subtle.digest("SHA-512", salted));
    }
    case "sha512-pbkdf2": {
      const { iterations } = parameters;
      const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
      const algorithm = { name: "PBKDF2", hash: "SHA-512", salt, iterations };
      return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, length * 8));
    }
    case "argon2id": {
      const { passes, memoryKib, lanes } = parameters;
      const options = { salt, passes, memoryKib, lanes, length };
      return new Uint8Array(await argon2id(secret, options));
    }
  }
}

/** A password is text that ends at its first zero, as those who wrote the hashes took it. */
function terminated(password: Uint8Array): Uint8Array<ArrayBuffer> {
  const zero = password.indexOf(0);
  return new Uint8Array(zero < 0 ? password : password.subarray(0, zero));
}
