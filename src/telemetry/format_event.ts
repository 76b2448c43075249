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
import type { Peer } from "../core/session/peer.ts";
import type { LogLine, LogType } from "./log_line.ts";

/** The lines about an event. */
export function formatEvent(event: BrokerEvent): readonly LogLine[] {
  switch (event.kind) {
    case "opened":
      return one(
        "notice",
        `New connection from ${at(event.peer)} on port ${event.peer.localPort}.`,
      );
    case "connected":
      return formatConnected(event);
    case "closed":
      return formatClosed(event);
    case "denied-connection": {
      const { remoteAddress } = event.peer;
      const text = `Client connection from ${remoteAddress} denied: max_connections exceeded.`;
      return one("notice", text);
    }
    case "tls-on-plain": {
      const text = "appears to be using TLS to connect to a non-TLS listener.";
      return one("notice", `Client from ${at(event.peer)} ${text}`);
    }
    case "login-refused":
      return [];
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
    case "second-connect":
      return one("notice", `Bad client ${at(event.peer)} sending multiple CONNECT messages.`);
    case "subscribed":
      return one("subscribe", `${event.clientId} ${event.qos} ${event.filter}`);
    case "unsubscribed":
      return one("unsubscribe", `${event.clientId} ${event.filter}`);
    case "session-expired":
      return one("notice", `Expiring client ${event.clientId} due to timeout.`);
    case "dropping":
      return one("notice", `Outgoing messages are being dropped for client ${event.clientId}.`);
    case "oversize-delivery":
      return one(
        "debug",
        `Dropped too large PUBLISH to ${event.clientId} (${event.packetBytes} bytes)`,
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

function formatConnected(event: Extract<BrokerEvent, { kind: "connected" }>): LogLine[] {
  const { clientId, protocolVersion, cleanStart, keepAlive, username, will } = event;
  const kind = event.isBridge ? "bridge" : "client";
  const user = username === undefined ? "" : `, u'${username}'`;
  const fields = `p${protocolVersion}, c${bit(cleanStart)}, k${keepAlive}${user}`;
  const lines: LogLine[] = [
    line("notice", `New ${kind} connected from ${at(event.peer)} as ${clientId} (${fields}).`),
  ];
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

function formatDiscarded(event: Extract<BrokerEvent, { kind: "session-discarded" }>): string {
  const { peer, clientId, username, ownerUsername } = event;
  return `Session of client ${clientId} belonged to ${userName(ownerUsername)} and was discarded: ` +
    `the client identifier is now used by ${userName(username)} from ${at(peer)}.`;
}

function userName(username: string | undefined): string {
  return username === undefined ? "no user" : `user '${username}'`;
}

function formatClosed(event: Extract<BrokerEvent, { kind: "closed" }>): LogLine[] {
  const { peer, clientId, cause, detail } = event;
  // A broker that stops says so once, not for each client.
  if (cause === "broker stopped") return [];
  const lines: LogLine[] = [];
  const isPeersFault = cause === "protocol error" || cause === "malformed packet";
  if (isPeersFault && detail !== undefined) {
    lines.push(line("information", `Protocol error from ${clientId ?? at(peer)}: ${detail}.`));
  }
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

function at(peer: Peer): string {
  return `${peer.remoteAddress}:${peer.remotePort}`;
}

function bit(value: boolean | undefined): 0 | 1 {
  return value ? 1 : 0;
}
