/**
 * Asking a SOCKS5 proxy for a connection (RFC 1928), with a user name and password where it wants
 * them (RFC 1929). Host names are sent as they are, for the proxy to look up.
 *
 * The idea: a dialogue of three or two questions. Bytes of the proxy go in, the next bytes for it
 * come out, and when it is done the connection belongs to the one who asked for it. Nothing here
 * opens, reads or closes anything.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import { parseIpv4, parseIpv6 } from "./ip_address.ts";

/** Whom to ask the proxy for, and who we are. */
export interface Socks5Request {
  readonly hostname: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const VERSION = 5;
const LOGIN_VERSION = 1;
const CONNECT = 1;
const NO_LOGIN = 0;
const LOGIN = 2;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
/** No reply is longer: a head of four bytes, the longest name with its length, a port. */
const REPLY_BYTES_MAX = 4 + 1 + 255 + 2;
const TEXT_BYTES_MAX = 255;

const STATUS_TEXTS: readonly string[] = [
  "succeeded",
  "General SOCKS server failure",
  "Connection not allowed by ruleset",
  "Network unreachable",
  "Host unreachable",
  "Connection refused",
  "TTL expired",
  "Command not supported",
  "Address type not supported",
];

type State = "method" | "login" | "connection" | "done";

/** One dialogue with one proxy. */
export class Socks5Dialogue {
  readonly #request: Socks5Request;
  readonly #address: Uint8Array;
  readonly #login: Uint8Array | undefined;
  #state: State = "method";
  readonly #reply: Uint8Array = new Uint8Array(REPLY_BYTES_MAX);
  #length = 0;

  /** @throws {OperationError} with code `"proxy-failed"` when something is too long to be said. */
  constructor(request: Socks5Request) {
    this.#request = request;
    this.#address = addressOf(request.hostname);
    const { username, password = "" } = request;
    this.#login = username === undefined
      ? undefined
      : Uint8Array.of(LOGIN_VERSION, ...sized(username, 1), ...sized(password, 0));
  }

  /** Whether the connection is there. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** What to send first. */
  begin(): Uint8Array {
    return this.#login === undefined
      ? Uint8Array.of(VERSION, 1, NO_LOGIN)
      : Uint8Array.of(VERSION, 2, NO_LOGIN, LOGIN);
  }

  /**
   * Takes bytes of the proxy and returns what to send next, which may be nothing.
   *
   * @throws {OperationError} with code `"proxy-failed"` when the proxy refuses, or is none.
   */
  receive(chunk: Uint8Array): Uint8Array {
    let at = 0;
    let answer = NOTHING;
    while (at < chunk.length) {
      // The server behind it waits for us to speak first.
      if (this.isDone || answer.length > 0) throw refused("it sent what nobody asked for");
      this.#reply[this.#length++] = chunk[at++]!;
      if (this.#length === this.#expected()) {
        this.#length = 0;
        answer = this.#answer();
      }
    }
    return answer;
  }

  /** How long the reply at hand is, as far as is known by now. */
  #expected(): number {
    if (this.#state !== "connection") return 2;
    if (this.#length < 5) return 5;
    switch (this.#reply[3]) {
      case IPV4:
        return 4 + 4 + 2;
      case IPV6:
        return 4 + 16 + 2;
      case NAME:
        return 4 + 1 + this.#reply[4]! + 2;
    }
    // Whatever it is, the status is known.
    return 5;
  }

  #answer(): Uint8Array {
    const [first, second] = this.#reply;
    switch (this.#state) {
      case "method":
        if (first !== VERSION) throw refused("it does not speak SOCKS5");
        if (second === NO_LOGIN) return this.#ask();
        if (second !== LOGIN || this.#login === undefined) {
          throw refused("it accepts no login that we have");
        }
        this.#state = "login";
        return this.#login;
      case "login":
        if (first !== LOGIN_VERSION || second !== 0) {
          throw refused("it does not accept the user name and password");
        }
        return this.#ask();
      default:
        if (first !== VERSION) throw refused("it does not speak SOCKS5");
        if (second !== 0) {
          throw refused(STATUS_TEXTS[second!] ?? `unknown status ${second}`);
        }
        this.#state = "done";
        return NOTHING;
    }
  }

  #ask(): Uint8Array {
    this.#state = "connection";
    const { port } = this.#request;
    return Uint8Array.of(VERSION, CONNECT, 0, ...this.#address, port >> 8, port & 0xff);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

function addressOf(hostname: string): Uint8Array {
  const ipv4 = parseIpv4(hostname);
  if (ipv4 !== undefined) return Uint8Array.of(IPV4, ...ipv4);
  const ipv6 = parseIpv6(hostname);
  if (ipv6 !== undefined) return Uint8Array.of(IPV6, ...ipv6);
  return Uint8Array.of(NAME, ...sized(hostname, 1));
}

/** Text with its length in front. */
function sized(text: string, bytesMin: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < bytesMin || bytes.length > TEXT_BYTES_MAX) {
    throw refused("a name or password is empty, or too long for SOCKS5");
  }
  return Uint8Array.of(bytes.length, ...bytes);
}

function refused(reason: string): OperationError {
  return new OperationError("proxy-failed", `The proxy gives no connection: ${reason}`, { reason });
}
