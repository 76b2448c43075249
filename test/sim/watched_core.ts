// The real broker core, with its connections in sight, so that what it holds for each of them can be
// measured against the limits. Broken brokers are made from it.

import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import type { Connection } from "../../src/core/broker/connection.ts";
import type { ListenerSettings, Peer } from "../../src/core/session/peer.ts";

export class WatchedCore extends BrokerCore {
  readonly #connections: Set<Connection> = new Set();

  override open(peer: Peer, now: number, listener?: ListenerSettings): Connection {
    const connection = super.open(peer, now, listener);
    this.#connections.add(connection);
    return connection;
  }

  /** Those that have not ended. */
  get openConnections(): Iterable<Connection> {
    for (const connection of this.#connections) {
      if (connection.phase === "ended") this.#connections.delete(connection);
    }
    return this.#connections;
  }
}
