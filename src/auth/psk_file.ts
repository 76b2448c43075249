/**
 * The file of pre-shared keys for TLS: `identity:key in hexadecimal digits`, a line each. The keys
 * are found by identity and are seen in no other way.
 *
 * @module
 */

import {
  type FileProblem,
  type Parsed,
  parsed,
  significantLines,
  trimBlanks,
} from "./text_lines.ts";

/** The keys of a file by identity. */
export class PskKeys {
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  constructor(keys: ReadonlyMap<string, Uint8Array>) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The key of an identity; `undefined` when there is none, and the handshake then fails. */
  keyOf(identity: string): Uint8Array | undefined {
    return this.#keys.get(identity)?.slice();
  }
}

/** Reads a PSK file's text; `path` is for the messages. */
export function parsePskFile(text: string, path: string): Parsed<PskKeys> {
  const keys = new Map<string, Uint8Array>();
  const problems: FileProblem[] = [];
  const notice = (line: number, message: string): void => {
    problems.push({ severity: "notice", message, line });
  };
  for (const [content, line] of significantLines(text)) {
    const colon = content.indexOf(":");
    if (colon < 0) continue;
    const identity = trimBlanks(content.slice(0, colon));
    const digits = trimBlanks(content.slice(colon + 1));
    if (identity === "") {
      notice(line, `Empty identity in psk_file "${path}", line ignored.`);
    } else if (digits === "") {
      notice(line, `Missing key for identity "${identity}" in psk_file "${path}", line ignored.`);
    } else if (keys.has(identity)) {
      notice(line, `Duplicate identity "${identity}" in psk_file "${path}", first one kept.`);
    } else if (!/^[0-9A-Fa-f]+$/.test(digits)) {
      const message = `Error: psk for identity "${identity}" contains non-hexadecimal characters.`;
      problems.push({ severity: "error", message, line });
    } else {
      keys.set(identity, decodeHex(digits));
    }
  }
  return parsed(new PskKeys(keys), problems);
}

/** An odd number of digits lacks a zero at its front. */
function decodeHex(digits: string): Uint8Array {
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from(
    { length: even.length / 2 },
    (_, i) => Number.parseInt(even.slice(i * 2, i * 2 + 2), 16),
  );
}
