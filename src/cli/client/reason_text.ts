/**
 * The words in which the tools say reason codes and failures, which scripts and people know.
 *
 * @module
 */

import type { ReasonCode } from "../../core/codec/reason_code.ts";

const REASON_TEXTS: Readonly<Record<number, string>> = {
  0: "Success",
  1: "Granted QoS 1",
  2: "Granted QoS 2",
  4: "Disconnect with Will Message",
  16: "No matching subscribers",
  17: "No subscription existed",
  24: "Continue authentication",
  25: "Re-authenticate",
  128: "Unspecified error",
  129: "Malformed Packet",
  130: "Protocol Error",
  131: "Implementation specific error",
  132: "Unsupported Protocol Version",
  133: "Client Identifier not valid",
  134: "Bad User Name or Password",
  135: "Not authorized",
  136: "Server unavailable",
  137: "Server busy",
  138: "Banned",
  139: "Server shutting down",
  140: "Bad authentication method",
  141: "Keep Alive timeout",
  142: "Session taken over",
  143: "Topic Filter invalid",
  144: "Topic Name invalid",
  145: "Packet Identifier in use",
  146: "Packet Identifier not found",
  147: "Receive Maximum exceeded",
  148: "Topic Alias invalid",
  149: "Packet too large",
  150: "Message rate too high",
  151: "Quota exceeded",
  152: "Administrative action",
  153: "Payload format invalid",
  154: "Retain not supported",
  155: "QoS not supported",
  156: "Use another server",
  157: "Server moved",
  158: "Shared Subscriptions not supported",
  159: "Connection rate exceeded",
  160: "Maximum connect time",
  161: "Subscription identifiers not supported",
  162: "Wildcard Subscriptions not supported",
};

/** What a CONNACK before version 5 says when it refuses. */
const REFUSAL_TEXTS: Readonly<Record<number, string>> = {
  1: "unacceptable protocol version",
  2: "identifier rejected",
  3: "broker unavailable",
  4: "bad user name or password",
  5: "not authorised",
};

/** A reason code in words. */
export function reasonText(reasonCode: ReasonCode): string {
  return REASON_TEXTS[reasonCode]!;
}

/** The code of a refusal before version 5 in words. */
export function refusalText(returnCode: number): string {
  return REFUSAL_TEXTS[returnCode]!;
}
