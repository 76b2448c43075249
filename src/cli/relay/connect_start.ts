/**
 * How a connection begins: which protocol the first bytes are of, and of MQTT which version. A
 * relay asks its broker for a WebSocket only for those who speak MQTT, by the name that their
 * version has there; everything else about a CONNECT is the broker's to judge.
 *
 * @module
 */

/** What the first bytes are. */
export type ConnectStart =
  /** So far nothing speaks against a CONNECT. */
  | "incomplete"
  | "mqtt-3.1"
  | "mqtt-3.1.1"
  | "mqtt-5"
  /** A TLS handshake, where none is expected. */
  | "tls"
  | "unknown";

const CONNECT = 0x10;
const TLS_HANDSHAKE = 0x16;
const VARINT_BYTES_MAX = 4;
const LEVEL_5 = 5;

/** Names with their length in front [MQTT-3.1.2-1]; of 3.1 nothing else is interesting. */
const NAMES: readonly (readonly [name: string, start: "mqtt" | "mqtt-3.1"])[] = [
  ["\0\x04MQTT", "mqtt"],
  ["\0\x06MQIsdp", "mqtt-3.1"],
];

/** Says what a connection is that begins with these bytes. */
export function readConnectStart(bytes: Uint8Array): ConnectStart {
  if (bytes.length === 0) return "incomplete";
  if (bytes[0] === TLS_HANDSHAKE) return "tls";
  if ((bytes[0]! & 0xf0) !== CONNECT) return "unknown";
  let at = 1;
  do {
    if (at > VARINT_BYTES_MAX) return "unknown";
    if (at === bytes.length) return "incomplete";
  } while (bytes[at++]! >= 0x80);
  const rest = bytes.subarray(at);
  for (const [name, start] of NAMES) {
    const match = matchText(rest, name);
    if (match === "no") continue;
    // The level stands behind the name.
    const level = rest[name.length];
    if (match === "begins" || level === undefined) return "incomplete";
    if (start === "mqtt-3.1") return start;
    return level >= LEVEL_5 && level < 0x80 ? "mqtt-5" : "mqtt-3.1.1";
  }
  return "unknown";
}

function matchText(bytes: Uint8Array, text: string): "no" | "begins" | "whole" {
  const count = Math.min(bytes.length, text.length);
  for (let i = 0; i < count; i++) if (bytes[i] !== text.charCodeAt(i)) return "no";
  return count === text.length ? "whole" : "begins";
}
