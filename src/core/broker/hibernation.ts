/**
 * What a broker is given that may lose its memory while its connections stay open: how to write a
 * connection down and how to put it back. Only hosts that hibernate give it (`wake.ts`), so that
 * no other carries the code.
 *
 * @module
 */

import type { Writer } from "../codec/writer.ts";
import type { ListenerSettings, Peer } from "../session/peer.ts";
import type { Connection } from "./connection.ts";
import type { BrokerState } from "./state.ts";

/** A connection that has slept. */
export interface Sleeper {
  readonly peer: Peer;
  /** The settings that it came in by; the broker's own when there are none. */
  readonly listener?: ListenerSettings | undefined;
  readonly snapshot: Uint8Array;
}

/** Connections that were put back, and how they go on once all is in order. */
export interface Woken {
  readonly connections: readonly Connection[];
  goOn(now: number): void;
}

export interface Hibernation {
  /** Appends a connection; `false` while it cannot be put to sleep, and then nothing is written. */
  write(state: BrokerState, connection: Connection, writer: Writer, now: number): boolean;
  /** Puts connections back, in their order, into a broker that has its sessions. */
  putBack(state: BrokerState, sleepers: Iterable<Sleeper>): Woken;
}
