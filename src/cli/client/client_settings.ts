/**
 * What the command lines of pub, sub, rr and ctrl ask for, once they are read and checked: the
 * contract between the parser and the tools. Files are still paths and the format is still text;
 * whoever needs them reads them.
 *
 * @module
 */

import type { ConnectPacket } from "../../core/codec/packet.ts";
import type { Properties } from "../../core/codec/property.ts";
import type { QoS } from "../../core/codec/protocol.ts";

/** The tools that share a command line, by the names of their commands. */
export type ToolName = "pub" | "sub" | "rr" | "ctrl";

export type ClientSettings = PubSettings | SubSettings | RrSettings | CtrlSettings;

/** What all of them have. */
export interface CommonSettings {
  readonly place: BrokerPlace;
  /** `undefined` for a connection in clear text. */
  readonly tls: TlsSettings | undefined;
  /** Complete; whoever opens a connection sends it as it is. */
  readonly connect: ConnectPacket;
  readonly disconnectProperties: Properties;
  /** QoS 1 and 2 messages in flight at most. */
  readonly inflightMax: number;
  /** Prints what is sent and received. */
  readonly isDebugging: boolean;
  /** Does not print what went wrong while it ran. */
  readonly isQuiet: boolean;
}

/** Where the broker is and how it is reached. */
export interface BrokerPlace {
  readonly hostname: string;
  readonly port: number;
  /** A Unix socket in place of host and port. */
  readonly unixPath: string | undefined;
  readonly localAddress: string | undefined;
  readonly proxy: ProxySettings | undefined;
  readonly usesWebSocket: boolean;
  readonly noDelay: boolean;
}

/** A SOCKS5 proxy, which also finds the address of the broker. */
export interface ProxySettings {
  readonly hostname: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** TLS, by the paths of its files. */
export interface TlsSettings {
  readonly authoritiesFile: string | undefined;
  /** A directory of certificates, each named by its subject's hash. */
  readonly authoritiesDirectory: string | undefined;
  /** Trusts what the system trusts. */
  readonly trustsSystem: boolean;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly minimumVersion: "TLSv1.2" | "TLSv1.3";
  /** An OpenSSL cipher string for versions up to 1.2. */
  readonly ciphers: string | undefined;
  /** The protocol to offer (ALPN). */
  readonly protocol: string | undefined;
  readonly keyLogFile: string | undefined;
  /** Verifies nothing about the broker. */
  readonly isInsecure: boolean;
  readonly psk: { readonly identity: string; readonly key: Uint8Array } | undefined;
}

/** Where the payload comes from. */
export type MessageSource =
  | { readonly kind: "payload"; readonly payload: Uint8Array }
  | { readonly kind: "file"; readonly path: string }
  /** All of standard input. */
  | { readonly kind: "stdin" }
  /** Each line of standard input is a message. */
  | { readonly kind: "lines" };

export interface PubSettings extends CommonSettings {
  readonly tool: "pub";
  readonly topic: string;
  readonly source: MessageSource;
  readonly qos: QoS;
  readonly retain: boolean;
  /** With the topic alias, if there is one. */
  readonly properties: Properties;
  /** How often one message is sent, and how long after one is done the next one begins. */
  readonly repetitions: number;
  readonly repeatDelayMs: number;
}

/** How messages are printed. */
export interface OutputSettings {
  /** The text of -F. */
  readonly format: string | undefined;
  readonly isVerbose: boolean;
  /** Whether a line feed follows each message. */
  readonly endsLines: boolean;
  /** Whether JSON is indented. */
  readonly isPretty: boolean;
}

/** The settings of sub and rr. */
export interface ReceivingSettings extends CommonSettings {
  readonly output: OutputSettings;
  readonly qos: QoS;
  readonly subscribeProperties: Properties;
  readonly retainAsPublished: boolean;
  /** As in the subscription options: 0 always, 1 for new subscriptions, 2 never. */
  readonly retainHandling: 0 | 1 | 2;
  /** Drops retained messages. */
  readonly ignoresRetained: boolean;
  /** Until the whole of it must be over, in milliseconds. */
  readonly timeLimitMs: number | undefined;
}

export interface SubSettings extends ReceivingSettings {
  readonly tool: "sub";
  readonly filters: readonly string[];
  /** Each is sent in an UNSUBSCRIBE of its own. */
  readonly unsubscriptions: readonly string[];
  readonly unsubscribeProperties: Properties;
  /** Messages whose topics match one of these are dropped. */
  readonly filteredOut: readonly string[];
  /** Messages to print at most. */
  readonly countMax: number | undefined;
  readonly exitsWhenSubscribed: boolean;
  readonly onlyRetained: boolean;
  readonly removesRetained: boolean;
  readonly isWatching: boolean;
  readonly printsRate: boolean;
  /** The share of messages to print, in percent. */
  readonly randomShare: number | undefined;
}

export interface RrSettings extends ReceivingSettings {
  readonly tool: "rr";
  readonly topic: string;
  readonly source: Exclude<MessageSource, { kind: "lines" }>;
  readonly responseTopic: string;
  /** With the response topic, for version 5. */
  readonly properties: Properties;
  readonly printsLatency: boolean;
}

export interface CtrlSettings extends CommonSettings {
  readonly tool: "ctrl";
  /** Of requests and of the subscription to responses. */
  readonly qos: QoS;
}
