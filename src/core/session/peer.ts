/**
 * The other end of a Network Connection: where it is, what TLS says of it, and the settings of the
 * listener that it came in by.
 *
 * @module
 */

import type { ProtocolVersion, QoS } from "../codec/protocol.ts";

/** Where a connection comes from. */
export interface Peer {
  /** The peer's address as text; `""` where there is none. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** What the connection is secured with, if it is; told by us or by a proxy that we trust. */
  readonly tls?: TlsPeer | undefined;
  /** The connection is that of a proxy, which has told where the client is. */
  readonly isProxied?: boolean | undefined;
}

/** What is known of a connection that is secured by TLS. */
export interface TlsPeer {
  /** `TLSv1.3` and the like; `""` when a proxy did not say. */
  readonly version: string;
  readonly cipher: string;
  /** The client's certificate, when it presented one that verifies. */
  readonly certificate: PeerCertificate | undefined;
  /** The identity whose pre-shared key it knows. */
  readonly pskIdentity: string | undefined;
}

export interface PeerCertificate {
  /** The subject's Common Name, `undefined` when it has none that is whole UTF-8 without U+0000. */
  readonly commonName: string | undefined;
  /** The whole subject in the text form of RFC 2253; `undefined` when only a proxy has seen it. */
  readonly subject: string | undefined;
}

/** What the broker grants those who come in by one listener. */
export interface ListenerSettings {
  /** What the listener is called in answers to the operator: a port or a path. */
  readonly name: string;
  readonly protocolVersions: readonly ProtocolVersion[];
  /** A message or Will with a higher one ends the connection; subscriptions are granted less. */
  readonly maximumQos: QoS;
  /** Aliases that a client may set; more end the connection. */
  readonly topicAliasMaximum: number;
  /** Aliases that the broker gives out per connection, within what the client allows. */
  readonly topicAliasMaximumBroker: number;
  /** Whether a client may leave its identifier to the broker. */
  readonly allowZeroLengthClientId: boolean;
  /** What generated identifiers begin with. */
  readonly autoIdPrefix: string;
  /** Connections by this listener at one time; more are closed at once. */
  readonly connectionsMax: number;
  /** What stands before every topic of its clients in the broker; `""` for nothing. */
  readonly mountPoint: string;
  readonly usesUsernameAsClientId: boolean;
  /** What becomes the user name instead of that in the CONNECT, and counts as authenticated. */
  readonly identitySource: "none" | "common-name" | "subject";
}
