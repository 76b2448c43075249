/**
 * What the log says about events, to the letter as Mosquitto's users and their scripts know it. No
 * clock and no choice of types here: see log.ts.
 *
 * The idea: one event gives the lines that belong together, in order; those without a line of their
 * own give none.
 *
 * @module
 */

import { unreachable } from "../core/base/assert.ts";
import type { BrokerEvent, CloseCause, PacketEvent } from "../core/broker/event.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { Peer } from "../core/session/peer.ts";
import type { LogLine, LogType } from "./log_line.ts";

/** Which lines are worth making. */
export interface EventWishes {
  readonly wantsDebug: boolean;
  /** Lines about clients that come and go. */
  readonly wantsConnections: boolean;
}

const ALL: EventWishes = { wantsDebug: true, wantsConnections: true };

/** The lines about an event. */
export function formatEvent(event: BrokerEvent, wishes: EventWishes = ALL): readonly LogLine[] {
  switch (event.kind) {
    case "opened":
    case "denied-connection":
    case "tls-on-plain":
    case "second-connect":
    case "session-expired":
      return wishes.wantsConnections ? formatComing(event) : [];
    // What comes of a command is logged by who carries it out.
    case "control":
      return [];
    case "connected":
      return formatConnected(event, wishes);
    case "closed":
      return formatClosed(event, wishes);
    case "login-refused":
      return one("notice", formatRefused(event));
    case "session-discarded":
      return one("warning", formatDiscarded(event));
    case "will-not-permitted":
      return one(
        "notice",
        `Client ${event.clientId} may not publish its will message to '${event.topic}'.`,
      );
    case "publish-rate-exceeded":
      return one(
        "notice",
        `Client ${event.clientId} has exceeded its publish rate and is being slowed down.`,
      );
    case "subscribed":
      return one("subscribe", `${event.clientId} ${event.qos} ${event.filter}`);
    case "unsubscribed":
      return one("unsubscribe", `${event.clientId} ${event.filter}`);
    case "dropping":
      return one("notice", `Outgoing messages are being dropped for client ${event.clientId}.`);
    case "deliveries-lost":
      return one(
        "error",
        `Error: ${event.count} messages for client ${event.clientId} are lost from the database.`,
      );
    case "store-failing":
      return one(
        "error",
        `Error: The database does not save: ${event.detail}. ` +
          "Nothing that depends on it is acknowledged until it does.",
      );
    case "store-recovered":
      return one("notice", "The database saves again.");
    case "oversize-delivery":
      return one(
        "debug",
        `Dropping too large outgoing PUBLISH for ${event.clientId} (${event.packetBytes} bytes)`,
      );
    case "receive-maximum-exceeded":
      return one(
        "warning",
        `Client ${event.clientId} has exceeded its receive-maximum quota. ` +
          "This behaviour must be fixed on the client.",
      );
    case "packet":
      return formatPacket(event);
    default:
      return unreachable(event);
  }
}

type EventOf<Kind extends BrokerEvent["kind"]> = Extract<BrokerEvent, { kind: Kind }>;

/** What the client says of itself comes last: scripts that ban addresses read what is first. */
function formatRefused(event: EventOf<"login-refused">): string {
  const { peer, clientId, username, reasonCode } = event;
  const reason = REFUSALS[reasonCode] ?? "not authorised";
  const user = username === undefined ? "" : `, u'${username}'`;
  return `Login refused from ${at(peer)}: ${reason} (${clientId}${user}).`;
}

function formatComing(
  event: EventOf<
    "opened" | "denied-connection" | "tls-on-plain" | "second-connect" | "session-expired"
  >,
): readonly LogLine[] {
  switch (event.kind) {
    case "opened":
      // A proxy's own connection says nothing about a client.
      if (event.peer.isProxied) return [];
      return one(
        "notice",
        `New connection from ${at(event.peer)} on port ${event.peer.localPort}.`,
      );
    case "denied-connection": {
      const { remoteAddress } = event.peer;
      return one(
        "notice",
        `Client connection from ${remoteAddress} denied: max_connections exceeded.`,
      );
    }
    case "tls-on-plain":
      return one(
        "notice",
        `Client from ${at(event.peer)} appears to be using TLS to connect to a non-TLS listener.`,
      );
    case "second-connect":
      return one("notice", `Bad client ${at(event.peer)} sending multiple CONNECT messages.`);
    case "session-expired":
      return one("notice", `Expiring client ${event.clientId} due to timeout.`);
    default:
      return unreachable(event);
  }
}

function formatConnected(event: EventOf<"connected">, wishes: EventWishes): LogLine[] {
  const { clientId, protocolVersion, cleanStart, keepAlive, username, will, peer } = event;
  const lines: LogLine[] = [];
  if (wishes.wantsConnections) {
    const kind = event.isBridge ? "bridge" : "client";
    const user = username === undefined ? "" : `, u'${username}'`;
    const fields = `p${protocolVersion}, c${bit(cleanStart)}, k${keepAlive}${user}`;
    lines.push(
      line("notice", `New ${kind} connected from ${at(peer)} as ${clientId} (${fields}).`),
    );
  }
  // A proxy that ended TLS may not have said how.
  if (peer.tls !== undefined && peer.tls.version !== "") {
    const { version, cipher } = peer.tls;
    lines.push(line("notice", `Client ${clientId} negotiated ${version} cipher ${cipher}`));
  }
  if (!wishes.wantsDebug || !wishes.wantsConnections) return lines;
  if (will === undefined) {
    lines.push(line("debug", "No will message specified."));
  } else {
    const { payloadBytes, retain, qos, topic } = will;
    lines.push(
      line("debug", `Will message specified (${payloadBytes} bytes) (r${bit(retain)}, q${qos}).`),
      line("debug", `\t${topic}`),
    );
  }
  return lines;
}

function formatDiscarded(event: EventOf<"session-discarded">): string {
  const { peer, clientId, username, ownerUsername } = event;
  return `Session of client ${clientId} belonged to ${
    userName(ownerUsername)
  } and was discarded: ` +
    `the client identifier is now used by ${userName(username)} from ${at(peer)}.`;
}

function formatClosed(event: EventOf<"closed">, wishes: EventWishes): LogLine[] {
  const { peer, clientId, cause, detail } = event;
  // A broker that stops says so once, not for each client.
  if (cause === "broker stopped") return [];
  const lines: LogLine[] = [];
  const isPeersFault = cause === "protocol error" || cause === "malformed packet";
  if (isPeersFault && detail !== undefined) {
    lines.push(line("information", `Protocol error from ${clientId ?? at(peer)}: ${detail}.`));
  }
  if (!wishes.wantsConnections) return lines;
  const reason = closeReason(cause, detail);
  const tail = reason === "" ? "." : `: ${reason}`;
  const name = clientId ?? peer.remoteAddress;
  lines.push(line("notice", `Client ${name} [${at(peer)}] disconnected${tail}`));
  return lines;
}

/** What follows the colon, `""` for a client that took its leave. */
function closeReason(cause: CloseCause, detail: string | undefined): string {
  switch (cause) {
    case "client disconnected":
    case "client disconnected with will":
      return "";
    case "connection lost":
      // Without a final stop if there is nothing from the system to say.
      return detail === undefined
        ? "bad socket read/write: The connection was lost."
        : `${detail}.`;
    case "unsupported protocol version":
      return "protocol error.";
    case "internal error":
      return "implementation specific error.";
    default:
      return `${cause}.`;
  }
}

function formatPacket(event: PacketEvent): LogLine[] {
  const { action, clientId } = event;
  const name = event.type.toUpperCase();
  switch (action) {
    case "received":
      return [
        line("debug", `Received ${name} from ${clientId}${receivedFields(event)}`),
        ...filterLines(event),
      ];
    case "sending":
      return [line("debug", `Sending ${name} to ${clientId}${sentFields(event)}`)];
    case "denied":
      return [line("debug", `Denied ${name} from ${clientId}${publishFields(event)}`)];
    case "over-quota":
      return [line("debug", `Rejected ${name} from ${clientId}, quota exceeded.`)];
    case "dropped-too-large":
      return [line("debug", `Dropped too large ${name} from ${clientId}${publishFields(event)}`)];
    case "denied-delivery": {
      const fields = `q${event.qos ?? 0}, r${bit(event.retain)}, ${messageFields(event)}`;
      return [line("debug", `Denied ${name} to ${clientId} (${fields})`)];
    }
    default:
      return unreachable(action);
  }
}

function receivedFields(event: PacketEvent): string {
  switch (event.type) {
    case "publish":
      return publishFields(event);
    case "puback":
    case "pubcomp":
      return ` (Mid: ${event.packetId ?? 0}, RC:${event.reasonCode ?? 0})`;
    case "pubrec":
    case "pubrel":
      return ` (Mid: ${event.packetId ?? 0})`;
    case "auth":
      return ` (rc${event.reasonCode ?? 0})`;
    default:
      return "";
  }
}

function sentFields(event: PacketEvent): string {
  switch (event.type) {
    case "connack":
      return ` (${bit(event.sessionPresent)}, ${event.reasonCode ?? 0})`;
    case "publish":
      return publishFields(event);
    case "puback":
    case "pubrec":
      return ` (m${event.packetId ?? 0}, rc${event.reasonCode ?? 0})`;
    case "pubrel":
    case "pubcomp":
      return ` (m${event.packetId ?? 0})`;
    case "disconnect":
    case "auth":
      return ` (rc${event.reasonCode ?? 0})`;
    default:
      return "";
  }
}

function publishFields(event: PacketEvent): string {
  const flags = `d${bit(event.dup)}, q${event.qos ?? 0}, r${bit(event.retain)}`;
  return ` (${flags}, m${event.packetId ?? 0}, ${messageFields(event)})`;
}

function messageFields(event: PacketEvent): string {
  return `'${event.topic ?? ""}', ... (${event.payloadBytes ?? 0} bytes)`;
}

/** Reason codes from here on refuse; below, a granted quality of service is the code. */
const FIRST_REFUSAL = 0x80;

function filterLines(event: PacketEvent): LogLine[] {
  return (event.filters ?? []).map(({ filter, reasonCode }) => {
    if (event.type === "unsubscribe") return line("debug", `\t${filter}`);
    const answer = reasonCode >= FIRST_REFUSAL ? "denied" : `QoS ${reasonCode}`;
    return line("debug", `\t${filter} (${answer})`);
  });
}

function one(type: LogType, text: string): readonly LogLine[] {
  return [line(type, text)];
}

function line(type: LogType, text: string): LogLine {
  return { type, text };
}

/** Why somebody is not let in, as the reasons of a disconnection say it. */
const REFUSALS: Readonly<Record<number, string>> = {
  [ReasonCode.BAD_USER_NAME_OR_PASSWORD]: "bad username or password",
  [ReasonCode.CLIENT_IDENTIFIER_NOT_VALID]: "client identifier not valid",
  [ReasonCode.BANNED]: "client banned",
  [ReasonCode.BAD_AUTHENTICATION_METHOD]: "bad authentication method",
  [ReasonCode.SERVER_UNAVAILABLE]: "server unavailable",
  [ReasonCode.SERVER_BUSY]: "server busy",
  [ReasonCode.QUOTA_EXCEEDED]: "quota exceeded",
  [ReasonCode.CONNECTION_RATE_EXCEEDED]: "connection rate exceeded",
};

function userName(username: string | undefined): string {
  return username === undefined ? "no user" : `user '${username}'`;
}

function at(peer: Peer): string {
  return `${peer.remoteAddress}:${peer.remotePort}`;
}

function bit(value: boolean | undefined): 0 | 1 {
  return value ? 1 : 0;
}
