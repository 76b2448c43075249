/**
 * What a runtime provides: listening, time, the end of a turn, signals and standard streams. One
 * implementation per runtime lives in `runtime/<name>/runtime.ts`; only the assembly chooses one.
 *
 * @module
 */

import type { Accept } from "../transport/transport.ts";

/** Where to listen. */
export interface ListenOptions {
  /** An address or host name; `"0.0.0.0"`, `"::"`, `"127.0.0.1"` … */
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Told of a connection that could not be accepted; the listener lives on. */
  readonly onError?: (error: unknown) => void;
}

/** An open listening socket. */
export interface Listener {
  readonly hostname: string;
  /** The port in use, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting. Connections already accepted live on. */
  close(): Promise<void>;
}

/** Signals that end or steer the program. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR1" | "SIGUSR2";

/** One runtime, seen from the neutral zone. */
export interface Runtime {
  readonly name: "deno" | "bun" | "node";
  /** The version of the runtime, for the start-up lines. */
  readonly version: string;
  /**
   * Listens for TCP connections.
   *
   * @throws {OperationError} with code `"address-in-use"`, `"address-not-available"`,
   * `"permission-denied"` or `"listen-failed"`.
   */
  listenTcp(options: ListenOptions, accept: Accept): Promise<Listener>;
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Runs `flush` when the current turn of the event loop has handed over what it has. */
  defer(flush: () => void): void;
  /** The words after the program's name. */
  readonly args: readonly string[];
  /** Calls `handler` for each such signal; returns what undoes it. */
  onSignal(signal: Signal, handler: () => void): () => void;
  /** Writes text to standard output or standard error, whole, before the program can exit. */
  print(stream: "stdout" | "stderr", text: string): void;
  /** Settings of the process that a program may make and a library may not; at its start. */
  tuneProcess(): void;
  /** Ends the process. */
  exit(status: number): never;
}
