/**
 * What a client is told when it is made, and what it tells of itself. Everything has a default but
 * the place of the broker.
 *
 * @module
 */

import type { ConnackPacket } from "../core/codec/packet.ts";
import type { Properties } from "../core/codec/property.ts";
import type { ProtocolVersion, QoS } from "../core/codec/protocol.ts";
import type { ReasonCode } from "../core/codec/reason_code.ts";
import type { ByteDuplex } from "../driver/stream_connection.ts";
import type { Dialer, ProxyOptions, Runtime } from "../runtime/runtime.ts";
import type { TlsClientOptions } from "../runtime/tls.ts";
import type { Accept } from "../transport/transport.ts";
import type { Backoff } from "./backoff.ts";
import type { Message } from "./message.ts";
import type { SessionStore, StoredMessage } from "./session_store.ts";

/**
 * Opens a Network Connection and hands it to `accept`, once. Rejects when that cannot be, and with
 * the reason of the signal when that is aborted first.
 */
export type Dial = (accept: Accept, signal: AbortSignal) => Promise<void>;

/**
 * Where the broker is: a URL (see {@linkcode ClientOptions}), a stream of bytes, the port of a
 * channel, or a way to it.
 */
export type BrokerAddress = string | URL | ByteDuplex | MessagePort | Dial;

/** The message that the broker publishes when the connection is lost (section 3.1.2.5). */
export interface WillOptions {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

/** An enhanced authentication (section 4.12); version 5 only. */
export interface Authentication {
  readonly method: string;
  /** What CONNECT, or a re-authentication, begins with. */
  begin?(): Eventual<Uint8Array | undefined>;
  /** Answers the broker; what it throws ends the connection. */
  answer(
    challenge: Uint8Array | undefined,
    properties: Properties,
  ): Eventual<Uint8Array | undefined>;
}

/** A value, or a promise of it. */
export type Eventual<T> = T | Promise<T>;

/** When and how a lost connection is opened again. */
export interface Reconnection extends Backoff {
  /** Attempts in a row; without a bound unless given. */
  readonly attemptsMax?: number;
  /** Whether the first connection is attempted again too; unless given, `open` rejects. */
  readonly atFirst?: boolean;
  /**
   * Whether to go on after this error. Unless given: not after the broker refused for a reason that
   * time does not heal, nor after another client took the session over.
   */
  readonly isWorthwhile?: (error: unknown) => boolean;
}

/** How a client is made. */
export interface ClientOptions {
  /** MQTT 3.1 (3), 3.1.1 (4) or 5; 5 unless given. */
  readonly protocolVersion?: ProtocolVersion;
  /** Chosen by the broker unless given; before version 5, chosen here. */
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: Uint8Array | string;
  /**
   * Begins without what the broker may remember; `true` unless given. Version 5 goes on with its
   * own session when it reconnects; before that, `true` means a new session each time.
   */
  readonly cleanStart?: boolean;
  /** Seconds between two packets at most; 60 unless given, 0 for no such bound. */
  readonly keepAlive?: number;
  readonly will?: WillOptions;
  /**
   * Of CONNECT: `sessionExpiryInterval` in seconds (a session that can be resumed has one above 0),
   * `receiveMaximum`, `maximumPacketSize` in bytes, `topicAliasMaximum`, `userProperties`.
   */
  readonly properties?: Properties;
  readonly authentication?: Authentication;
  /** Announces a bridge, which brokers send the retain flag as published; before version 5. */
  readonly isBridge?: boolean;
  /** Messages in flight at most, within what the broker allows; 65,535 unless given. */
  readonly inflightMax?: number;
  /**
   * Version 5: topics that are sent as a number (an alias) from the second message on, the first
   * ones that are published to, within what the broker allows; none unless given.
   */
  readonly topicAliasesMax?: number;
  /** Messages that may wait to be sent; 1,000 unless given. */
  readonly queueMessagesMax?: number;
  /** Payload bytes that may wait to be sent; 16 MiB unless given. */
  readonly queueBytesMax?: number;
  /** Milliseconds that a connection and its handshakes may take; 30,000 unless given. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds that the broker may take to answer CONNECT or PINGREQ; 10,000 unless given. */
  readonly answerTimeoutMs?: number;
  /** `false` for a client that ends with its connection. */
  readonly reconnect?: Reconnection | false;
  /**
   * Where the session survives the process: QoS 1 and 2 messages that the broker has not
   * acknowledged, and what must not be received twice. It needs a `clientId`, `cleanStart: false`
   * and, in version 5, a `sessionExpiryInterval` above 0. Who made it closes it, after the client.
   */
  readonly store?: SessionStore;
  /** Ends the client at once, whatever it is doing. */
  readonly signal?: AbortSignal;
  /** Where answers to requests come; `response/` and the client identifier unless given. */
  readonly responseTopic?: string;
  /** Told of every message, besides the streams; it is acknowledged when this returns. */
  readonly onMessage?: (message: Message) => void;
  /** Told what becomes of the connection. */
  readonly onEvent?: (event: ClientEvent) => void;
  /** What to connect with; without one there is the platform's own `WebSocket` and no more. */
  readonly runtime?: ClientRuntime | (() => Promise<ClientRuntime>);
  /** Secures the connection, whatever the URL says; `mqtts:` and `wss:` ask for it themselves. */
  readonly tls?: TlsClientOptions;
  /** Makes the connection a WebSocket, whatever the URL says; `ws:` and `wss:` are one anyway. */
  readonly webSocket?: WebSocketOptions;
  /** A SOCKS5 proxy to go through. */
  readonly proxy?: ProxyOptions;
  /** The address of this machine to connect from. */
  readonly localAddress?: string;
  /** Whether small packets leave at once (TCP_NODELAY); `true` unless given. */
  readonly noDelay?: boolean;
}

/** What the opening of a WebSocket says besides what it has to. */
export interface WebSocketOptions {
  /** The path, with a query if need be; that of the URL, or `/mqtt`, unless given. */
  readonly resource?: string;
  /** HTTP headers, for example an `Origin` or a cookie. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The part of a runtime that a client needs; clock and turns are those of the web unless given. */
export type ClientRuntime = Dialer & Partial<Pick<Runtime, "now" | "defer">>;

/** What becomes of the connection, in order; the last of a client is "closed". */
export type ClientEvent =
  | { readonly kind: "connected"; readonly connack: ConnackPacket }
  /** `error` is `undefined` when it was asked for. */
  | { readonly kind: "disconnected"; readonly error: unknown }
  /** The attempt, counted from 1, that begins in `delayMs` milliseconds. */
  | { readonly kind: "reconnecting"; readonly attempt: number; readonly delayMs: number }
  /** The broker had forgotten a subscription, and does not grant it again. */
  | {
    readonly kind: "unsubscribed";
    readonly filter: string;
    readonly reasonCode: ReasonCode;
  }
  /** A message of an earlier process, from the store, that will not be delivered. */
  | { readonly kind: "abandoned"; readonly message: StoredMessage; readonly error: unknown }
  /** For good; `error` is `undefined` when it was asked for. */
  | { readonly kind: "closed"; readonly error: unknown };
