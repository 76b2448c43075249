/**
 * The CONNECT of a client, from its options; what cannot be encoded is found before anything is
 * opened.
 *
 * @module
 */

import { encodeConnect } from "../core/codec/connect.ts";
import type { ConnectPacket } from "../core/codec/packet.ts";
import { NO_PROPERTIES } from "../core/codec/property.ts";
import { Writer } from "../core/codec/writer.ts";
import { ClientError } from "./client_error.ts";
import type { ClientOptions } from "./client_options.ts";
import type { Target } from "./mqtt_url.ts";

const KEEP_ALIVE_S = 60;
const KEEP_ALIVE_MAX_S = 65_535;

/**
 * Makes the first CONNECT.
 *
 * @throws {ClientError} with code `"invalid-argument"`.
 */
export function connectPacketOf(options: ClientOptions, target: Target | undefined): ConnectPacket {
  const { protocolVersion = 5, cleanStart = true, keepAlive = KEEP_ALIVE_S, will } = options;
  const { authentication, isBridge = false, properties = NO_PROPERTIES } = options;
  const username = options.username ?? target?.username;
  const password = options.password ?? target?.password;
  if (!(Number.isInteger(keepAlive) && keepAlive >= 0 && keepAlive <= KEEP_ALIVE_MAX_S)) {
    throw new ClientError("invalid-argument", `Cannot use the keep alive "${keepAlive}"`);
  }
  if (protocolVersion !== 5 && authentication !== undefined) {
    throw new ClientError("invalid-argument", "An enhanced authentication needs version 5");
  }
  if (options.store !== undefined && !survives(options)) {
    const message = "A session store needs a client identifier and a session that lasts";
    throw new ClientError("invalid-argument", message);
  }
  const packet: ConnectPacket = {
    type: "connect",
    protocolVersion,
    isBridge,
    clientId: options.clientId ?? (protocolVersion === 5 ? "" : randomClientId()),
    cleanStart,
    keepAlive,
    properties: authentication === undefined
      ? properties
      : { ...properties, authenticationMethod: authentication.method },
  };
  if (username !== undefined) packet.username = username;
  if (password !== undefined) packet.password = bytesOf(password);
  if (will !== undefined) {
    packet.will = {
      topic: will.topic,
      payload: bytesOf(will.payload),
      qos: will.qos ?? 0,
      retain: will.retain ?? false,
      properties: will.properties ?? NO_PROPERTIES,
    };
  }
  try {
    encodeConnect(new Writer(new Uint8Array(256)), packet);
  } catch (cause) {
    throw new ClientError("invalid-argument", "Cannot encode CONNECT", { cause });
  }
  return packet;
}

/** Whether the broker keeps the session when the process ends. */
function survives(
  { clientId, cleanStart, protocolVersion = 5, properties }: ClientOptions,
): boolean {
  if (clientId === undefined || clientId === "" || cleanStart !== false) return false;
  return protocolVersion !== 5 || (properties?.sessionExpiryInterval ?? 0) > 0;
}

/** Text as the protocol has it, bytes as they are. */
export function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** Of the form that every broker must take [MQTT-3.1.3-5]. */
function randomClientId(): string {
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `midge${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
