/**
 * What a listener with TLS is told, in contents and not in paths: whoever reads the files decides
 * what a missing one means. A runtime that cannot do a part of it refuses to listen, with code
 * `"not-supported"`; it never listens with less protection than was asked for.
 *
 * @module
 */

/** The settings of one TLS listener. */
export interface TlsOptions {
  /** A PEM chain, the server's certificate first; `undefined` with `psk` alone. */
  readonly certificate: string | undefined;
  /** A PEM private key. */
  readonly key: string | undefined;
  /** PEM certificates that may sign clients' certificates. */
  readonly authorities: string | undefined;
  /** PEM certificate revocation lists: a listed client certificate is refused. */
  readonly revocationLists: string | undefined;
  /** The client must present a certificate that verifies; otherwise none is asked for. */
  readonly requiresCertificate: boolean;
  /** Accepts client certificates that are not valid yet or any more. */
  readonly ignoresCertificateDates: boolean;
  readonly minimumVersion: "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
  /** An OpenSSL cipher string for versions up to 1.2; `undefined` takes a good default. */
  readonly ciphers: string | undefined;
  /** A colon list of suites of version 1.3; `undefined` takes a good default. */
  readonly suites: string | undefined;
  /** Pre-shared keys instead of certificates. */
  readonly psk: PskOptions | undefined;
  /** Told each line of the secrets of a connection, in the NSS key log format. */
  readonly onSecrets: ((line: string) => void) | undefined;
}

export interface PskOptions {
  readonly hint: string;
  /** The key of an identity, `undefined` when there is none. */
  keyOf(identity: string): Uint8Array | undefined;
}

/** The settings of a connection that we open, in contents as well. */
export interface TlsClientOptions {
  /** PEM certificates that may sign the server's. */
  readonly authorities?: string | undefined;
  /**
   * Whom to trust besides `authorities`: the list that the runtime brings along, as far as its user
   * has not changed it, or that of this machine. Nobody unless given, or `"runtime"` when there are
   * no `authorities` either.
   */
  readonly alsoTrusts?: "runtime" | "system" | undefined;
  /** A PEM chain, the client's certificate first, and its `key`. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** A pre-shared key instead of certificates; up to version 1.2. */
  readonly psk?: ClientPsk | undefined;
  /** The name to ask for and to find in the certificate; the host name unless given. */
  readonly serverName?: string | undefined;
  /** Accepts a certificate that is valid for some other name. */
  readonly ignoresServerName?: boolean;
  /** Accepts any certificate: the connection is secret, but nobody knows from whom. */
  readonly ignoresAuthority?: boolean;
  /** `"TLSv1.2"` unless given. */
  readonly minimumVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** An OpenSSL cipher string for versions up to 1.2. */
  readonly ciphers?: string | undefined;
  /** Protocol names to offer (ALPN). */
  readonly protocols?: readonly string[] | undefined;
  /** Told each line of the secrets of the connection, in the NSS key log format. */
  readonly onSecrets?: ((line: string) => void) | undefined;
}

/** Who a client is to a server with pre-shared keys. */
export interface ClientPsk {
  readonly identity: string;
  readonly key: Uint8Array;
}
