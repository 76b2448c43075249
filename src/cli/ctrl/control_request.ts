/**
 * Requests of the control API and their responses, as bytes; whoever is connected sends them.
 *
 * The idea: a response goes to all who listen, other administrators' too. Each request has a mark
 * that comes back with its response, and what has another mark is for somebody else.
 *
 * @module
 */

import { decodeUtf8, encodeUtf8 } from "../../core/base/utf8.ts";
import type { ResponseData } from "./module.ts";

/** What became of a command. */
export type ControlReply =
  | { readonly kind: "done"; readonly data: ResponseData | undefined }
  /** The broker's refusal, or a response that makes no sense. */
  | { readonly kind: "error"; readonly text: string };

/** One command with its fields. */
export interface ControlRequest {
  readonly command: string;
  readonly fields: ResponseData;
  /** Nobody else's. */
  readonly mark: string;
}

export function responseTopicOf(endpoint: string): string {
  return `${endpoint}/response`;
}

export function encodeRequest({ command, fields, mark }: ControlRequest): Uint8Array {
  const text = JSON.stringify({ commands: [{ command, ...fields, correlationData: mark }] });
  return encodeUtf8(text)!; // JSON text is well-formed
}

/** Reads a response; `undefined` when it is somebody else's. */
export function readResponse(
  payload: Uint8Array,
  { command, mark }: ControlRequest,
): ControlReply | undefined {
  const body = parse(payload);
  if (body === undefined) return { kind: "error", text: "Error: Payload not JSON." };
  const refused = (text: string): ControlReply => ({
    kind: "error",
    text: `${command}: Error: ${text}.`,
  });
  // Sent to the one who asked, about the endpoint and not about a command.
  if (isObject(body) && typeof body["error"] === "string") return refused(body["error"]);
  const responses = isObject(body) ? body["responses"] : undefined;
  const response = Array.isArray(responses) ? responses[0] : undefined;
  if (!isObject(response) || typeof response["command"] !== "string") {
    return { kind: "error", text: "Error: Payload missing data." };
  }
  if (response["correlationData"] !== mark) return undefined;
  if (typeof response["error"] === "string") return refused(response["error"]);
  const data = response["data"];
  if (data !== undefined && !isObject(data)) {
    return { kind: "error", text: "Error: Invalid response from server." };
  }
  return { kind: "done", data };
}

function parse(payload: Uint8Array): unknown {
  const text = decodeUtf8(payload, 0, payload.length);
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is ResponseData {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
