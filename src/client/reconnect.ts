/**
 * Whether and when a client tries again. The waiting itself is in backoff.ts.
 *
 * @module
 */

import { ReasonCode } from "../core/codec/reason_code.ts";
import { backoffMs } from "./backoff.ts";
import { ClientError } from "./client_error.ts";
import type { Reconnection } from "./client_options.ts";

/** A connection that lasted this long was a good one: what follows is the first attempt again. */
const GOOD_MS = 10_000;

/** What time does not heal, and what a new connection would only start again. */
const LASTING: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  ReasonCode.MALFORMED_PACKET,
  ReasonCode.PROTOCOL_ERROR,
  ReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
  ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
  ReasonCode.BAD_USER_NAME_OR_PASSWORD,
  ReasonCode.NOT_AUTHORIZED,
  ReasonCode.BANNED,
  ReasonCode.BAD_AUTHENTICATION_METHOD,
  ReasonCode.SESSION_TAKEN_OVER,
  ReasonCode.USE_ANOTHER_SERVER,
  ReasonCode.SERVER_MOVED,
]);

/** Counts the attempts of one client. */
export class Reconnector {
  readonly #options: Reconnection | undefined;
  #attempt = 0;
  #wasConnected = false;

  constructor(options: Reconnection | false | undefined) {
    this.#options = options === false ? undefined : options ?? {};
  }

  /** The number of the attempt that comes next, counted from 1. */
  get attempt(): number {
    return this.#attempt;
  }

  /** A connection was had for so long. */
  connected(lastedMs: number): void {
    this.#wasConnected = true;
    if (lastedMs >= GOOD_MS) this.#attempt = 0;
  }

  /** Milliseconds until the next attempt; `undefined` when there is to be none. */
  next(error: unknown): number | undefined {
    const options = this.#options;
    if (options === undefined) return undefined;
    const { attemptsMax = Infinity, atFirst = false, isWorthwhile = heals } = options;
    if (!this.#wasConnected && !atFirst) return undefined;
    if (this.#attempt >= attemptsMax || !isWorthwhile(error)) return undefined;
    return backoffMs(this.#attempt++, options, Math.random());
  }
}

/** Whether trying again later would be answered in the same way. */
export function isLasting(reasonCode: ReasonCode): boolean {
  return LASTING.has(reasonCode);
}

function heals(error: unknown): boolean {
  if (!(error instanceof ClientError)) return true;
  if (error.code === "protocol-error" || error.code === "not-supported") return false;
  return error.reasonCode === undefined || !isLasting(error.reasonCode);
}
