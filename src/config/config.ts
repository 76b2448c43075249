/**
 * What a configuration means once it is read: every option of mosquitto.conf and of our own, typed,
 * with its default applied and its scope resolved. How text becomes this is in `parse.ts` and
 * `build.ts`; options with their values, defaults and reload rules are the tables in `options/`.
 *
 * Compatibility modes end here: `per_listener_settings`, `port`, `bind_address` and the implicit
 * default listener have become plain listeners, each with the security settings that apply to it.
 *
 * @module
 */

/** A whole configuration. */
export interface Config {
  /** The files it was read from, in order; empty without a configuration. */
  readonly files: readonly string[];
  readonly general: GeneralConfig;
  /** In file order. Empty in local-only mode, where the program listens on the loopback. */
  readonly listeners: readonly ListenerConfig[];
  /** Nothing in the configuration said where to listen. */
  readonly isLocalOnly: boolean;
  /**
   * What listeners on the loopback are given in local-only mode: the settings of the default
   * listener, anonymous clients unless they are forbidden. Address and port are the program's.
   */
  readonly localListener: ListenerConfig;
  /** What a listener without its own settings uses, and local-only mode. */
  readonly security: SecurityConfig;
  readonly hasPerListenerSettings: boolean;
  readonly log: LogConfig;
  readonly persistence: PersistenceConfig;
  readonly rateLimits: RateLimitConfig;
  /** Bridges are read and checked; each is an error to start until there are bridges. */
  readonly bridges: readonly BridgeConfig[];
}

/** Options of the whole broker. What a number of 0 means is said at each that may be 0. */
export interface GeneralConfig {
  readonly allowDuplicateMessages: boolean;
  readonly checkRetainSource: boolean;
  readonly clientIdPrefixes: readonly string[];
  readonly connectionMessages: boolean;
  readonly enableControlApi: boolean;
  /** `Infinity`: no limit. */
  readonly globalMaxClients: number;
  /** `Infinity`: no limit. */
  readonly globalMaxConnections: number;
  /** 0: no limit. */
  readonly maxInflightBytes: number;
  /** 0: no limit. */
  readonly maxInflightMessages: number;
  /** Seconds; 0: no limit. */
  readonly maxKeepalive: number;
  readonly maxPacketSize: number;
  /** 0: no limit. */
  readonly maxQueuedBytes: number;
  /** 0: no limit. */
  readonly maxQueuedMessages: number;
  /** 0: no limit. */
  readonly maxQueuedBytesTotal: number;
  /** 0: no limit. */
  readonly maxQueuedMessagesTotal: number;
  /** Bytes of the heap; `Infinity` when there is no limit. */
  readonly memoryLimit: number;
  /** 0: no limit. */
  readonly messageSizeLimit: number;
  /** Seconds; `Infinity`: never. */
  readonly persistentClientExpiration: number;
  readonly pidFile: string | undefined;
  readonly queueQos0Messages: boolean;
  readonly retainAvailable: boolean;
  /** Minutes; 0: off. */
  readonly retainExpiryInterval: number;
  readonly setTcpNodelay: boolean;
  /** Seconds; 0: off. */
  readonly sysInterval: number;
  readonly upgradeOutgoingQos: boolean;
  readonly user: string;
  /** Whether `user` was written and not merely the default. */
  readonly isUserGiven: boolean;
  readonly packetBufferSize: number;
}

/** Who may connect and do what, for one listener or for all. */
export interface SecurityConfig {
  /** `undefined`: anonymous in local-only mode alone. */
  readonly allowAnonymous: boolean | undefined;
  readonly allowZeroLengthClientId: boolean;
  readonly autoIdPrefix: string;
  readonly passwordFile: string | undefined;
  readonly aclFile: string | undefined;
  readonly pskFile: string | undefined;
  /** In the order in which they are asked: global ones first. */
  readonly plugins: readonly PluginConfig[];
}

export interface PluginConfig {
  /** The name of `plugin_load`. */
  readonly name: string | undefined;
  readonly path: string;
  /** `plugin_opt_*` without the prefix. */
  readonly options: ReadonlyMap<string, string>;
  readonly denySpecialChars: boolean;
  /** Where it was configured, for messages. */
  readonly at: SourcePosition;
}

/** Where something was written. An environment variable is a file, `environment:MIDGE_X`. */
export interface SourcePosition {
  readonly file: string;
  /** Counted from 1; 0 where there are no lines. */
  readonly line: number;
}

export interface ListenerConfig {
  readonly at: SourcePosition;
  readonly port: number;
  /** Address or host name; `undefined`: all addresses. */
  readonly host: string | undefined;
  /** A Unix socket instead of a port. */
  readonly path: string | undefined;
  readonly bindInterface: string | undefined;
  readonly socketDomain: "ipv4" | "ipv6" | undefined;
  readonly protocol: "mqtt" | "websockets" | "http_api";
  readonly acceptProtocolVersions: readonly (3 | 4 | 5)[];
  /** `listener_allow_anonymous` already applied over `allow_anonymous`. */
  readonly allowAnonymous: boolean;
  readonly autoIdPrefix: string;
  /** `Infinity`: no limit. */
  readonly maxConnections: number;
  readonly maxQos: 0 | 1 | 2;
  readonly maxTopicAlias: number;
  readonly maxTopicAliasBroker: number;
  readonly mountPoint: string;
  readonly useUsernameAsClientId: boolean;
  readonly proxyProtocol: 0 | 1 | 2;
  readonly proxyRequiresTls: boolean;
  readonly httpDir: string | undefined;
  /** Empty: any origin. */
  readonly websocketsOrigins: readonly string[];
  readonly tls: ListenerTlsConfig | undefined;
  readonly requireCertificate: boolean;
  readonly useIdentityAsUsername: boolean;
  readonly useSubjectAsUsername: boolean;
  /** The global settings, or this listener's own with `per_listener_settings true`. */
  readonly security: SecurityConfig;
}

/** Paths and settings; the files are read when the listener is opened and on reload. */
export interface ListenerTlsConfig {
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly caFile: string | undefined;
  readonly caPath: string | undefined;
  readonly crlFile: string | undefined;
  readonly disableClientCertDateChecks: boolean;
  readonly tlsVersion: "tlsv1.1" | "tlsv1.2" | "tlsv1.3";
  readonly ciphers: string | undefined;
  readonly ciphersTls13: string | undefined;
  /** TLS-PSK instead of a certificate. */
  readonly pskHint: string | undefined;
}

export interface LogConfig {
  readonly destinations: readonly LogDestination[];
  readonly types: readonly string[];
  /** `undefined`: the daemon facility; 0-7: local0 to local7. */
  readonly facility: number | undefined;
  readonly hasTimestamp: boolean;
  /** A strftime format; `undefined`: seconds since 1970. */
  readonly timestampFormat: string | undefined;
  /** Our own `log_format`. */
  readonly format: "text" | "json";
}

export type LogDestination =
  | { readonly kind: "stdout" | "stderr" | "syslog" | "topic" }
  | { readonly kind: "file"; readonly path: string };

export interface PersistenceConfig {
  readonly isOn: boolean;
  readonly file: string;
  readonly location: string;
  readonly autosaveInterval: number;
  readonly autosaveOnChanges: boolean;
  /** How far a change must have come before it is acknowledged: to the disk, or to the system. */
  readonly sync: "full" | "normal";
  /** Whether a disk is waited for in another thread. */
  readonly waitsInThread: boolean;
}

/** Limits of our own; 0 is off, which is the default. */
export interface RateLimitConfig {
  /** `connect_rate_limit <count> <seconds>`: connections per remote address. */
  readonly connects: Rate | undefined;
  /** `publish_rate_limit <count> <seconds>`: PUBLISH packets per client. */
  readonly publishes: Rate | undefined;
  /** `login_failure_limit <count> <seconds>`: refused logins per remote address … */
  readonly loginFailures: Rate | undefined;
  /** … and `login_ban_duration <seconds>`: for how long it is then turned away, at least 1. */
  readonly loginBanSeconds: number;
}

export interface Rate {
  readonly count: number;
  readonly seconds: number;
}

/**
 * One `connection` section, as checked. The options are those of the table of bridge options by
 * their first names, with defaults; values of several words are one text, numbers in decimal. The
 * passwords and keys among them are never to be printed.
 */
export interface BridgeConfig {
  readonly at: SourcePosition;
  readonly name: string;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly topics: readonly BridgeTopicConfig[];
  readonly options: ReadonlyMap<string, string | number | boolean>;
}

export interface BridgeTopicConfig {
  readonly pattern: string;
  readonly direction: "in" | "out" | "both";
  readonly qos: 0 | 1 | 2;
  readonly localPrefix: string;
  readonly remotePrefix: string;
}
