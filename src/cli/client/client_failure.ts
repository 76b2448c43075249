/**
 * How the tools end when something is wrong: what they say, and the exit status that scripts look
 * at. The codes are those of Mosquitto's library, in so far as the tools can meet them.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import { MalformedPacketError, type MqttError } from "../../core/codec/error.ts";
import type { ConnackPacket } from "../../core/codec/packet.ts";
import type { ProtocolVersion } from "../../core/codec/protocol.ts";
import { ReasonCode, toReturnCode } from "../../core/codec/reason_code.ts";
import { reasonText, refusalText } from "./reason_text.ts";

/** What goes wrong by itself, with its exit status and its words. */
export const FAILURES = {
  protocol: {
    status: 2,
    text: "A network protocol error occurred when communicating with the broker",
  },
  invalid: { status: 3, text: "Invalid input" },
  refused: { status: 5, text: "The connection was refused" },
  lost: { status: 7, text: "The connection was lost" },
  tls: { status: 8, text: "A TLS error occurred" },
  payloadSize: { status: 9, text: "Payload too large" },
  notSupported: { status: 10, text: "This feature is not supported" },
  proxy: { status: 16, text: "Proxy error" },
  keepAlive: { status: 19, text: "Keepalive exceeded" },
  malformed: { status: 21, text: "Malformed packet" },
  qos: { status: 24, text: "Requested QoS not supported on server" },
  packetSize: { status: 25, text: "Packet larger than supported by the server" },
  timeout: { status: 27, text: "Timeout" },
} as const;

/** What never came about for a reason on this side of the network. */
const STATUS_LOCAL = 1;

/** Ends a tool with these lines on standard error and this exit status. */
export class ClientFailure extends Error {
  override readonly name = "ClientFailure";
  readonly lines: readonly string[];
  readonly status: number;

  constructor(status: number, ...lines: string[]) {
    super(lines.join("\n"));
    this.lines = lines;
    this.status = status;
  }
}

/** One of the library's failures; `detail` says more where more is known. */
export function failureOf(kind: keyof typeof FAILURES, detail?: string): ClientFailure {
  const { status, text } = FAILURES[kind];
  return new ClientFailure(status, `Error: ${text}${detail === undefined ? "" : `: ${detail}`}`);
}

/** What became of an attempt to connect; what is no failure of the surroundings is thrown. */
export function dialFailure(error: unknown): ClientFailure {
  if (error instanceof ClientFailure) return error;
  if (!(error instanceof OperationError)) throw error;
  const { code, reason, message } = error;
  switch (code) {
    case "lookup-failed":
      return new ClientFailure(STATUS_LOCAL, "Unable to connect (Lookup error).");
    case "connect-failed":
      return new ClientFailure(STATUS_LOCAL, `Error: ${reason ?? message}`);
    case "timed-out":
      return new ClientFailure(STATUS_LOCAL, "Error: Connection timed out");
    case "tls-failed":
      return failureOf("tls", reason);
    case "proxy-failed":
      return failureOf("proxy", reason);
    case "not-supported":
      return failureOf("notSupported", message);
  }
  throw error;
}

/** What is wrong with certificates, keys or lists of this side. */
export function ownTlsFailure(detail: string): ClientFailure {
  const { text } = FAILURES.tls;
  return new ClientFailure(STATUS_LOCAL, `Unable to connect (${text}: ${detail}).`);
}

/** The broker did not accept the connection. */
export function refusalFailure(
  { reasonCode }: ConnackPacket,
  version: ProtocolVersion,
): ClientFailure {
  if (version !== 5) {
    const code = toReturnCode(reasonCode);
    return new ClientFailure(
      code,
      `Connection error: Connection Refused: ${refusalText(code)}`,
      `Error: ${FAILURES.refused.text}`,
    );
  }
  const advice = reasonCode === ReasonCode.UNSUPPORTED_PROTOCOL_VERSION
    ? ". Try another version, for example with -V mqttv311."
    : "";
  return new ClientFailure(
    reasonCode,
    `Connection error: ${reasonText(reasonCode)}${advice}`,
    `Error: ${FAILURES.protocol.text}`,
  );
}

/** The broker ended the connection and said why. */
export function disconnectFailure(reasonCode: ReasonCode): ClientFailure {
  if (reasonCode < ReasonCode.UNSPECIFIED_ERROR) return failureOf("lost");
  return new ClientFailure(reasonCode, `Error: ${reasonText(reasonCode)}`);
}

/** The broker broke the protocol. */
export function protocolFailure(error: MqttError): ClientFailure {
  return failureOf(error instanceof MalformedPacketError ? "malformed" : "protocol");
}
