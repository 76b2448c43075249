/**
 * The head of an HTTP/1.1 request: the request line and the headers up to the empty line. Strict,
 * because what two programs read differently is how requests are smuggled: no bare line feeds, no
 * folded lines, no control characters, no second copy of a header that is decided by.
 *
 * The idea: bytes are gathered up to a bound until the empty line has come, and are read once then.
 * A first line that is no request line, or a byte that cannot stand in a head, ends it at once, so
 * that other protocols do not keep us waiting.
 *
 * @module
 */

/** A request without its body. */
export interface HttpHead {
  readonly method: string;
  /** A path with or without a query: no other form is for us. */
  readonly target: string;
  readonly minorVersion: 0 | 1;
  /** By lower-case name; the values of a repeated header are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What `HttpHeadReader.read` says when the head is not whole. */
export const HEAD_INCOMPLETE = -1;
export const HEAD_TOO_LARGE = -2;
export const HEAD_MALFORMED = -3;

const SIZE_MIN = 512;

const CR = 13;
const LF = 10;
const TAB = 9;

/** Gathers the bytes of one head after the other. */
export class HttpHeadReader {
  readonly #bytesMax: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** How much of the two line ends at the end of a head the last bytes are. */
  #matched = 0;
  #hasRequestLine = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes a chunk; gives where in it the head ends, or one of the reasons above. */
  read(chunk: Uint8Array): number {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (this.#length === this.#bytesMax) return HEAD_TOO_LARGE;
      if (!this.#follows(byte)) return HEAD_MALFORMED;
      if (this.#length === this.#bytes.length) this.#grow();
      this.#bytes[this.#length++] = byte;
      if (this.#matched === 4) return i + 1;
      if (byte !== LF || this.#hasRequestLine) continue;
      this.#hasRequestLine = true;
      if (!REQUEST_LINE.test(this.#text(this.#length - 2))) return HEAD_MALFORMED;
    }
    return HEAD_INCOMPLETE;
  }

  /** The head that was read, `undefined` if it makes no sense; the next one may come then. */
  take(): HttpHead | undefined {
    const text = this.#text(this.#length - 4);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    this.#matched = 0;
    this.#hasRequestLine = false;
    return parseHead(text);
  }

  /** The first bytes as text, each byte a character. */
  #text(length: number): string {
    let text = "";
    for (let at = 0; at < length; at += 4096) {
      text += String.fromCharCode(...this.#bytes.subarray(at, Math.min(at + 4096, length)));
    }
    return text;
  }

  #follows(byte: number): boolean {
    const isAfterReturn = (this.#matched & 1) === 1;
    if (isAfterReturn !== (byte === LF)) return false;
    if (byte === CR || byte === LF) this.#matched++;
    else if (byte === 127 || (byte < 32 && byte !== TAB)) return false;
    else this.#matched = 0;
    return true;
  }

  #grow(): void {
    const size = Math.min(Math.max(SIZE_MIN, 2 * this.#length), this.#bytesMax);
    const grown = new Uint8Array(size);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([!-~]+) HTTP/1\\.([01])$`);
const HEADER_LINE = new RegExp(`^(${TOKEN}):(.*)$`, "s");

/** Headers that somebody decides by, and that have one value: two are one too many. */
const SINGLES: readonly string[] = Object.freeze([
  "authorization",
  "content-length",
  "host",
  "origin",
  "sec-websocket-key",
  "sec-websocket-version",
  "transfer-encoding",
]);

function parseHead(text: string): HttpHead | undefined {
  const [requestLine, ...lines] = text.split("\r\n");
  const request = REQUEST_LINE.exec(requestLine!);
  if (request === null) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const header = HEADER_LINE.exec(line);
    if (header === null) return undefined;
    const name = header[1]!.toLowerCase();
    const value = trimBlanks(header[2]!);
    const before = headers.get(name);
    if (before !== undefined && SINGLES.includes(name)) return undefined;
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const [, method, target, minor] = request;
  return { method: method!, target: target!, minorVersion: minor === "1" ? 1 : 0, headers };
}

/** Spaces and tabs only: what else a string's own `trim` takes for blank is not blank here. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === TAB;
}

/** The members of a header that is a list. */
export function listMembers(value: string | undefined): string[] {
  return (value ?? "").split(",").map(trimBlanks).filter((member) => member !== "");
}

/** Whether a list has a member, upper and lower case alike. */
export function hasMember(value: string | undefined, member: string): boolean {
  return listMembers(value).some((present) => present.toLowerCase() === member);
}
