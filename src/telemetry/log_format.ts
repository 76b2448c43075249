/**
 * The shape of a line: `<time>: <text>`, or a JSON object. What it says is the caller's; where it
 * goes is in log_output.ts.
 *
 * The idea: a line is one line and not a long one, whatever a client has put into its identifier.
 *
 * @module
 */

import type { LogFields, LogLine, LogSettings } from "./log_line.ts";
import { strftime } from "./strftime.ts";

/** Longer lines are cut: a topic may be as long as 65,535 bytes. */
const LINE_BYTES_MAX = 999;
/** In a JSON line each value is cut instead, so that the line stays whole. */
const FIELD_LENGTH_MAX = 300;

/** Makes whole lines, without their line feed. */
export class LineFormatter {
  readonly #hasTimestamp: boolean;
  readonly #timestampFormat: string | undefined;
  readonly #isJson: boolean;
  readonly #bytes: Uint8Array = new Uint8Array(LINE_BYTES_MAX);
  #stampedSecond = NaN;
  #stamp = "";

  constructor(settings: LogSettings) {
    this.#hasTimestamp = settings.hasTimestamp;
    this.#timestampFormat = settings.timestampFormat;
    this.#isJson = settings.format === "json";
  }

  /** One line; `now` in milliseconds since 1970. */
  format(line: LogLine, fields: LogFields | undefined, now: number): string {
    if (this.#isJson) return formatJson(line, fields, now);
    const text = escapeControls(line.text);
    return this.#cut(this.#hasTimestamp ? `${this.#stampOf(now)}: ${text}` : text);
  }

  /** A second has one stamp, however many lines. */
  #stampOf(now: number): string {
    const second = Math.floor(now / 1000);
    if (second !== this.#stampedSecond) {
      const format = this.#timestampFormat;
      this.#stampedSecond = second;
      this.#stamp = format === undefined
        ? String(second)
        : escapeControls(strftime(format, new Date(now)));
    }
    return this.#stamp;
  }

  #cut(line: string): string {
    // A character of UTF-16 is three bytes at most.
    if (line.length * 3 <= LINE_BYTES_MAX) return line;
    return line.slice(0, new TextEncoder().encodeInto(line, this.#bytes).read);
  }
}

/**
 * Control characters of a client's identifier, user name or topic would forge lines. The tab that
 * begins a line stays: it says that the line belongs to the one before.
 */
function escapeControls(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return text.replaceAll(/(?!^\t)[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}

function formatJson({ type, text }: LogLine, fields: LogFields | undefined, now: number): string {
  const time = new Date(now).toISOString();
  return JSON.stringify({ time, level: type, msg: text, ...fields }, shorten);
}

function shorten(key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const lengthMax = key === "msg" ? LINE_BYTES_MAX : FIELD_LENGTH_MAX;
  if (value.length <= lengthMax) return value;
  // Not between the halves of a character.
  return `${value.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, "")}…`;
}
