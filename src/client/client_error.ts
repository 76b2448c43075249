/**
 * How the client library says that something did not work: one error, recognised by its `code`.
 * What the surroundings did (no route, no certificate) is its `cause`. An aborted call rejects with
 * the reason of its signal instead, as everywhere on the web.
 *
 * @module
 */

import type { Properties } from "../core/codec/property.ts";
import type { ReasonCode } from "../core/codec/reason_code.ts";

/** Every code that a {@linkcode ClientError} can carry. */
export type ClientErrorCode =
  /** An argument that the protocol has no form for; nothing was sent. */
  | "invalid-argument"
  /** The broker, or the version in use, cannot do it; nothing was sent. */
  | "not-supported"
  /** A packet above the broker's Maximum Packet Size; nothing was sent. */
  | "too-large"
  /** As many messages wait to be sent as are allowed to. */
  | "queue-full"
  /** The broker answered with a reason code of 0x80 or more. */
  | "refused"
  /** The broker did not accept the connection; `reasonCode` says why. */
  | "connection-refused"
  /** The Network Connection broke. */
  | "connection-lost"
  /** The host name has no address, as far as anybody could say. */
  | "lookup-failed"
  /** The Network Connection could not be had. */
  | "connect-failed"
  /** The proxy refused to connect us, or is none. */
  | "proxy-failed"
  /** TLS could not be agreed on, or the certificate is not one to trust. */
  | "tls-failed"
  /** The broker ended the connection; `reasonCode` says why. */
  | "disconnected"
  /** The broker broke the protocol. */
  | "protocol-error"
  /** The session with an unfinished exchange is gone: the message may have arrived or not. */
  | "session-lost"
  /** What was waited for did not come in time. */
  | "timed-out"
  /** The session store failed, or belongs to another client: the client has ended. */
  | "store-failed"
  /** The client has been closed. */
  | "closed";

/** What is known besides the code. */
export interface ClientErrorDetails {
  readonly reasonCode?: ReasonCode;
  readonly properties?: Properties;
  readonly reason?: string;
}

/** Thrown by the client library; see {@linkcode ClientErrorCode}. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  /** What the broker said, where it is the broker who refused. */
  readonly reasonCode: ReasonCode | undefined;
  /** What else the broker said: a reason string, another server, user properties; version 5. */
  readonly properties: Properties | undefined;
  /** What the system or the proxy said, in its own words: `Connection refused`. */
  readonly reason: string | undefined;

  constructor(
    code: ClientErrorCode,
    message: string,
    options: ErrorOptions & ClientErrorDetails = {},
  ) {
    super(message, options);
    this.code = code;
    this.reasonCode = options.reasonCode;
    this.properties = options.properties;
    this.reason = options.reason;
  }
}

/** A reason code as messages show it. */
export function hexOf(reasonCode: ReasonCode): string {
  return `0x${reasonCode.toString(16).padStart(2, "0")}`;
}
