/**
 * What a runtime provides: listening, time, the end of a turn, signals and standard streams. One
 * implementation per runtime lives in `runtime/<name>/runtime.ts`; only the assembly chooses one.
 *
 * @module
 */

import type { DatabaseOptions, SqlDatabase } from "../store/sql_database.ts";
import type { Accept } from "../transport/transport.ts";
import type { Files } from "./files.ts";
import type { Host } from "./host.ts";
import type { TlsClientOptions, TlsOptions } from "./tls.ts";

/** What all listening sockets have in common. */
interface SocketOptions {
  /** TLS on every connection; accepted once its handshake is done. */
  readonly tls?: TlsOptions | undefined;
  /**
   * Told of a connection that could not be accepted, for example because its handshake failed;
   * the listener lives on.
   */
  readonly onError?: (error: unknown, remoteAddress?: string) => void;
}

/** Where to listen. */
export interface ListenOptions extends SocketOptions {
  /** An address or host name; `"0.0.0.0"`, `"::"`, `"127.0.0.1"` … An IPv6 socket is IPv6 only. */
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** Where to listen on this machine's file system. */
export interface UnixListenOptions extends SocketOptions {
  /** A stale socket there is removed first, and ours when the listener closes. */
  readonly path: string;
  /** Permission bits of the socket. */
  readonly mode: number;
}

/** An open listening socket. */
export interface Listener {
  readonly hostname: string;
  /** The port in use, also when 0 was asked for. */
  readonly port: number;
  /**
   * Uses other certificates, keys and lists from the next connection on; those that are there keep
   * theirs. Rejects, and changes nothing, when they are not usable.
   */
  setTls?(options: TlsOptions): Promise<void>;
  /** Stops accepting. Connections already accepted live on. */
  close(): Promise<void>;
}

/** A SOCKS5 proxy (RFC 1928), and who we are to it (RFC 1929). */
export interface ProxyOptions {
  readonly hostname: string;
  /** 1080 unless given. */
  readonly port?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Where to connect to, and how. */
export interface DialOptions {
  /** A host and port, or the path of a Unix socket. */
  readonly address: { readonly hostname: string; readonly port: number } | {
    readonly path: string;
  };
  /** The address of this machine to connect from; the system's choice unless given. */
  readonly localAddress?: string | undefined;
  /** A SOCKS5 proxy to go through, which looks the host name up itself. */
  readonly proxy?: ProxyOptions | undefined;
  /** Whether small packets leave at once (TCP_NODELAY); they do unless told otherwise. */
  readonly noDelay?: boolean | undefined;
  readonly tls?: TlsClientOptions | undefined;
  /** How long connecting and the handshake may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives the attempt up; a connection that is open already lives on. */
  readonly signal?: AbortSignal | undefined;
}

/** The part of a runtime that opens connections, for those who are clients. */
export interface Dialer {
  /**
   * Connects, and hands the connection to `accept` once its handshake is done.
   *
   * @throws {OperationError} with code `"lookup-failed"`, `"connect-failed"`, `"proxy-failed"`,
   * `"tls-failed"`, `"timed-out"`, or `"not-supported"` for what this runtime cannot do; `reason`
   * is what the system or the other side said. The reason of the signal when that is aborted.
   */
  dial(options: DialOptions, accept: Accept): Promise<void>;
}

/** Signals that end or steer the program. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR1" | "SIGUSR2";

/** A request for a WebSocket that the broker agrees to. */
export interface UpgradeRequest {
  readonly request: Request;
  /** What the host's server hands its fetch handler beside the request, if that is passed on. */
  readonly context: unknown;
  readonly subprotocol: string;
  /** Told of a connection that could not be accepted. */
  readonly onError: (error: unknown) => void;
}

/** What the event `upgrade` of a server of `node:http` or `node:https` says. */
export interface SocketUpgrade {
  readonly request: UpgradedRequest;
  readonly socket: UpgradedSocket;
  /** What the client has sent behind its request. */
  readonly head: Uint8Array;
}

/** As much of its request as is looked at. */
export interface UpgradedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMinor: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** As much of its socket as is needed to be rid of it; whoever serves it knows the rest. */
export interface UpgradedSocket {
  on(event: "error", listener: () => void): unknown;
  destroy(): unknown;
}

/** Makes a WebSocket of a request and serves it, or answers why not. */
export type SocketUpgrader = (upgrade: SocketUpgrade) => Promise<void>;

/** Which requests become WebSockets. */
export interface UpgradeRules {
  /** Where pages may come from that connect; none: anywhere. */
  readonly origins: readonly string[];
  /** Whether nobody is served any more. */
  readonly isClosed: () => boolean;
}

/** The part of a runtime that a broker needs. */
export interface BrokerRuntime {
  /**
   * Listens for TCP connections.
   *
   * @throws {OperationError} with code `"address-in-use"`, `"address-not-available"`,
   * `"permission-denied"` or `"listen-failed"`; with TLS also `"tls-failed"` for files that make
   * no sense and `"not-supported"` for what this runtime cannot do.
   */
  listenTcp(options: ListenOptions, accept: Accept): Promise<Listener>;
  /** Listens on a Unix socket; throws as `listenTcp` does. */
  listenUnix(options: UnixListenOptions, accept: Accept): Promise<Listener>;
  /**
   * Makes a WebSocket of a request that the runtime's HTTP server has handed to a fetch handler;
   * `undefined` for one that answers it by itself. Missing where fetch handlers get no WebSockets.
   *
   * @throws {OperationError} with code `"not-supported"`, or whatever the runtime throws for a
   * request that is none for a WebSocket after all.
   */
  upgradeWebSocket?(request: UpgradeRequest, accept: Accept): Response | undefined;
  /** Takes over sockets of `node:http`; missing where there is none. */
  socketUpgrader?(rules: UpgradeRules, accept: Accept): Promise<SocketUpgrader>;
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Runs `flush` when the current turn of the event loop has handed over what it has. */
  defer(flush: () => void): void;
}

/** One runtime, seen from the neutral zone. */
export interface Runtime extends BrokerRuntime, Dialer {
  readonly name: "deno" | "bun" | "node";
  /** The version of the runtime, for the start-up lines. */
  readonly version: string;
  /** The file system. Loaded when first asked for, because most programs need none. */
  files(): Promise<Files>;
  /** Whether there is something at this path, for those who need `files` only then. */
  hasFile(path: string): Promise<boolean>;
  /** The process and the machine. Loaded when first asked for as well. */
  host(): Promise<Host>;
  /** As the host has it. */
  readonly processId: number;
  /** The present environment, as the host has it. */
  environment(): Readonly<Record<string, string>>;
  /**
   * Opens a database of SQLite, for this program alone.
   *
   * @throws {OperationError} with code `"database-locked"` when it is open elsewhere,
   * `"database-corrupt"`, `"not-found"` without its folder, `"not-supported"` where the runtime has
   * no SQLite, and the other codes of `SqlDatabase`.
   */
  openDatabase(options: DatabaseOptions): Promise<SqlDatabase>;
  /** The words after the program's name. */
  readonly args: readonly string[];
  /**
   * The words of the whole command line as they were given, of which `args` are the last: arguments
   * need not be text. `undefined` where the system does not tell.
   */
  argumentBytes(): readonly Uint8Array[] | undefined;
  /** What the program was called as, without folder and extension: of a link its own name. */
  programName(): string;
  /** Calls `handler` for each such signal; returns what undoes it. */
  onSignal(signal: Signal, handler: () => void): () => void;
  /** Writes text to standard output or standard error, whole, before the program can exit. */
  print(stream: "stdout" | "stderr", text: string): void;
  /**
   * Writes bytes to standard output, whole, while the program goes on; one write at a time, whose
   * bytes must not change meanwhile. Resolves when they have left, to `false` when whoever read
   * them has gone.
   *
   * @throws {OperationError} with code `"disk-full"` or `"file-failed"`.
   */
  writeOutput(bytes: Uint8Array): Promise<boolean>;
  /**
   * Waits for bytes on standard input, puts what is there into the buffer and tells how much it is;
   * `undefined` at the end. One call at a time.
   *
   * @throws {OperationError} with code `"file-failed"`.
   */
  readInput(buffer: Uint8Array): Promise<number | undefined>;
  /** Settings of the process that a program may make and a library may not; at its start. */
  tuneProcess(): void;
  /** Ends the process. */
  exit(status: number): never;
}
