/**
 * Tells observers which clients have come and gone. Who is told of a coming is told of the going,
 * even if other observers are in force by then.
 *
 * @module
 */

import type { BrokerEvent } from "../core/broker/event.ts";
import type { Client, ConnectRequest } from "../core/broker/question.ts";
import type { ListenerSettings, Peer } from "../core/session/peer.ts";
import type { Observer } from "./auth.ts";
import type { Chain, OnFailure } from "./chain.ts";

/** Those who watch a connection; the client is there once it has connected. */
interface Watch {
  readonly observers: readonly Observer[];
  readonly listener: ListenerSettings;
  client: Client | undefined;
}

export class Witnesses {
  readonly #onFailure: OnFailure;
  readonly #watches: WeakMap<Peer, Watch> = new WeakMap();

  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure;
  }

  /** Somebody wants to connect, so there may soon be something to tell. */
  note({ peer, listener }: ConnectRequest, chain: Chain): void {
    const observers = chain.observers.filter((observer) =>
      observer.connected !== undefined || observer.disconnected !== undefined
    );
    if (observers.length === 0) return;
    const client = this.#watches.get(peer)?.client;
    this.#watches.set(peer, { observers, listener, client });
  }

  observe(event: BrokerEvent): void {
    if (event.kind !== "connected" && event.kind !== "closed") return;
    const watch = this.#watches.get(event.peer);
    if (watch === undefined) return;
    if (event.kind === "connected") {
      const { clientId, username } = event;
      const client = { clientId, username, listener: watch.listener, policyNotes: undefined };
      watch.client = client;
      this.#tell(watch, (observer) => observer.connected?.(client));
      return;
    }
    this.#watches.delete(event.peer);
    const { client } = watch;
    if (client === undefined) return;
    this.#tell(watch, (observer) => observer.disconnected?.(client, event.cause));
  }

  #tell({ observers }: Watch, tell: (observer: Observer) => void): void {
    for (const observer of observers) {
      try {
        tell(observer);
      } catch (error) {
        this.#onFailure(observer.name, error);
      }
    }
  }
}
