/**
 * What happened, for logs, metrics, `$SYS` and hooks. Events are gathered during a turn and read by
 * the driver at its end. Packet events are made only when the broker is told to trace packets, so
 * that a quiet broker allocates nothing for them.
 *
 * @module
 */

import type { ProtocolVersion, QoS } from "../codec/protocol.ts";
import type { ReasonCode } from "../codec/reason_code.ts";
import type { Peer } from "../session/peer.ts";

/** Why a connection ended, in the terms that the log uses. */
export type CloseCause =
  | "client disconnected"
  | "client disconnected with will"
  | "connection closed by client"
  | "connection lost"
  | "malformed packet"
  | "protocol error"
  | "oversize packet"
  | "not authorised"
  | "exceeded timeout"
  | "session taken over"
  | "administrative action"
  | "broker stopped"
  | "receive maximum exceeded"
  | "topic alias invalid"
  | "used disallowed feature"
  | "client identifier not valid"
  | "bad username or password"
  | "bad authentication method"
  | "client banned"
  | "connection rate exceeded"
  | "server unavailable"
  | "unsupported protocol version"
  | "server busy"
  | "quota exceeded"
  | "internal error";

/** A packet that was received, sent, denied or dropped. Fields that its type lacks are absent. */
export interface PacketEvent {
  readonly kind: "packet";
  readonly action:
    | "received"
    | "sending"
    | "denied"
    | "denied-delivery"
    | "dropped-too-large"
    | "over-quota";
  readonly type:
    | "connack"
    | "publish"
    | "puback"
    | "pubrec"
    | "pubrel"
    | "pubcomp"
    | "subscribe"
    | "suback"
    | "unsubscribe"
    | "unsuback"
    | "pingreq"
    | "pingresp"
    | "disconnect"
    | "auth";
  readonly clientId: string;
  readonly packetId?: number;
  readonly reasonCode?: number;
  readonly sessionPresent?: boolean;
  readonly dup?: boolean;
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly topic?: string;
  /** Payload length in bytes. */
  readonly payloadBytes?: number;
  /** Filters of a SUBSCRIBE or UNSUBSCRIBE, each with what it was answered. */
  readonly filters?: readonly { readonly filter: string; readonly reasonCode: number }[];
}

/** Something that happened in the broker. */
export type BrokerEvent =
  | { readonly kind: "opened"; readonly peer: Peer }
  | {
    readonly kind: "connected";
    readonly peer: Peer;
    readonly clientId: string;
    readonly protocolVersion: ProtocolVersion;
    readonly cleanStart: boolean;
    /** Seconds, as the client asked. */
    readonly keepAlive: number;
    readonly username: string | undefined;
    readonly isBridge: boolean;
    readonly will:
      | {
        readonly topic: string;
        readonly payloadBytes: number;
        readonly qos: QoS;
        readonly retain: boolean;
      }
      | undefined;
  }
  | {
    readonly kind: "closed";
    readonly peer: Peer;
    /** `undefined` when no CONNECT was accepted. */
    readonly clientId: string | undefined;
    readonly cause: CloseCause;
    /** What was broken, in words for an operator; never a secret, never a payload. */
    readonly detail: string | undefined;
  }
  /** There are as many connections as there may be; it was closed without having been opened. */
  | { readonly kind: "denied-connection"; readonly peer: Peer }
  /** The first bytes were those of a TLS handshake. */
  | { readonly kind: "tls-on-plain"; readonly peer: Peer }
  /** Somebody was not who he said he was, or is not let in; the connection is closed next. */
  | {
    readonly kind: "login-refused";
    readonly peer: Peer;
    readonly clientId: string;
    readonly username: string | undefined;
    readonly reasonCode: ReasonCode;
  }
  /** The identifier's session belonged to somebody else, and has ended with all it held. */
  | {
    readonly kind: "session-discarded";
    readonly peer: Peer;
    readonly clientId: string;
    readonly username: string | undefined;
    readonly ownerUsername: string | undefined;
  }
  /** A client has left a Will that it may not publish; it is asked about again when it is due. */
  | { readonly kind: "will-not-permitted"; readonly clientId: string; readonly topic: string }
  /** A client publishes too fast and waits, for the first time since it connected. */
  | { readonly kind: "publish-rate-exceeded"; readonly clientId: string }
  /** A client has published below `$CONTROL/`: a command, perhaps with secrets in it. */
  | {
    readonly kind: "control";
    readonly clientId: string;
    readonly username: string | undefined;
    readonly topic: string;
    readonly payload: Uint8Array;
  }
  | { readonly kind: "second-connect"; readonly peer: Peer; readonly clientId: string | undefined }
  | {
    readonly kind: "subscribed";
    readonly clientId: string;
    readonly filter: string;
    readonly qos: QoS;
  }
  | { readonly kind: "unsubscribed"; readonly clientId: string; readonly filter: string }
  | { readonly kind: "session-expired"; readonly clientId: string }
  /** The first message dropped for this client since it connected. */
  | { readonly kind: "dropping"; readonly clientId: string }
  /** Messages that waited for a client in the store are not there any more. */
  | { readonly kind: "deliveries-lost"; readonly clientId: string; readonly count: number }
  /** The store does not commit what is recorded, and is tried again; nothing is acknowledged. */
  | { readonly kind: "store-failing"; readonly detail: string }
  /** All that was recorded meanwhile is committed. */
  | { readonly kind: "store-recovered" }
  | {
    readonly kind: "oversize-delivery";
    readonly clientId: string;
    readonly packetBytes: number;
  }
  | { readonly kind: "receive-maximum-exceeded"; readonly clientId: string }
  | PacketEvent;
