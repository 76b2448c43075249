/**
 * What an event is about, as the fields of a JSON log line. The line itself says the same in words:
 * format_event.ts.
 *
 * @module
 */

import type { BrokerEvent } from "../core/broker/event.ts";
import type { Peer } from "../core/session/peer.ts";
import type { LogFields } from "./log_line.ts";

const FILTERS_MAX = 20;

/** The fields of an event: its kind, who it is about, and what its kind has besides. */
export function eventFields(event: BrokerEvent): LogFields {
  const { kind, ...own } = event;
  const fields: Record<string, unknown> = { event: kind };
  for (const [name, value] of Object.entries(own)) {
    switch (name) {
      case "peer":
        // An event with a peer has the peer of the connection that it is about.
        Object.assign(fields, peerFields(value as Peer));
        break;
      case "cause":
        fields["reason"] = value;
        break;
      case "filters":
        fields["filters"] = Array.isArray(value) ? value.slice(0, FILTERS_MAX) : value;
        break;
      default:
        if (value !== undefined) fields[name] = value;
    }
  }
  return fields;
}

function peerFields({ remoteAddress, remotePort, localPort, tls }: Peer): LogFields {
  return {
    address: remoteAddress,
    port: remotePort,
    localPort,
    ...tls === undefined ? {} : { tls: tls.version, cipher: tls.cipher },
  };
}
