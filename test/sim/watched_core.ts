// The real broker core, with its connections in sight, so that what it holds for each of them can be
// measured against the limits, and so that they can be put to sleep. Broken brokers are made from it.

import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import type { Connection } from "../../src/core/broker/connection.ts";
import type { CloseCause } from "../../src/core/broker/event.ts";
import type { ListenerSettings, Peer } from "../../src/core/session/peer.ts";

export class WatchedCore extends BrokerCore {
  /** Those that the driver has not been told to be gone. */
  readonly connections: Set<Connection> = new Set();
  /** Connections that have slept, and that the driver of a new broker takes in as if they came. */
  readonly #woken: Map<Peer, Connection> = new Map();

  override open(peer: Peer, now: number, listener?: ListenerSettings): Connection {
    const connection = this.#woken.get(peer) ?? super.open(peer, now, listener);
    this.#woken.delete(peer);
    this.connections.add(connection);
    return connection;
  }

  override close(
    connection: Connection,
    cause: CloseCause,
    detail: string | undefined,
    now: number,
  ): void {
    this.connections.delete(connection);
    super.close(connection, cause, detail, now);
  }

  override restore(...given: Parameters<BrokerCore["restore"]>): readonly Connection[] {
    const woken = super.restore(...given);
    for (const connection of woken) this.connections.add(connection);
    return woken;
  }

  /** Has `open` give these for the peers that they have. */
  wake(connections: readonly Connection[]): void {
    for (const connection of connections) this.#woken.set(connection.peer, connection);
  }
}
