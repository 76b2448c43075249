/**
 * The errors that a connection begins or ends with: what failed, and who said what of it.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { SilenceCause } from "../core/client/client_sink.ts";
import type { MqttError } from "../core/codec/error.ts";
import type { ConnackPacket, DisconnectPacket } from "../core/codec/packet.ts";
import { ClientError, hexOf } from "./client_error.ts";

/** The error for a connection that could not be had. */
export function dialFailure(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  if (!(cause instanceof OperationError)) {
    const detail = cause instanceof Error ? `: ${cause.message}` : "";
    return new ClientError("connect-failed", `Cannot connect to the broker${detail}`, { cause });
  }
  const { code, message, reason } = cause;
  const options = reason === undefined ? { cause } : { cause, reason };
  switch (code) {
    case "lookup-failed":
    case "proxy-failed":
    case "tls-failed":
    case "timed-out":
    case "not-supported":
      return new ClientError(code, message, options);
    default:
      return new ClientError("connect-failed", message, options);
  }
}

/** For whoever asks something of a client that has been closed. */
export function closedError(): ClientError {
  return new ClientError("closed", "The client is closed");
}

/** For a CONNACK that refuses. */
export function refusedError({ reasonCode, properties }: ConnackPacket): ClientError {
  const message = `The broker refused the connection: ${hexOf(reasonCode)}`;
  return new ClientError("connection-refused", message, { reasonCode, properties });
}

/** For a Network Connection that broke. */
export function lostError(cause: unknown): unknown {
  if (cause instanceof ClientError) return cause;
  const detail = cause instanceof Error ? `: ${cause.message}` : "";
  return new ClientError("connection-lost", `The connection failed${detail}`, { cause });
}

/** For a DISCONNECT of the broker. */
export function disconnectedError({ reasonCode, properties }: DisconnectPacket): ClientError {
  const message = `The broker ended the connection: ${hexOf(reasonCode)}`;
  return new ClientError("disconnected", message, { reasonCode, properties });
}

/** For a broker that broke the protocol. */
export function brokenError(cause: MqttError): ClientError {
  const message = `The broker broke the protocol: ${cause.message}`;
  return new ClientError("protocol-error", message, { cause });
}

/** For a broker that says nothing. */
export function silenceError(cause: SilenceCause): ClientError {
  return new ClientError("timed-out", `The broker does not answer: ${cause}`);
}
