// A store in plain maps: what the changes have led to, as the contract wants it back. It decides
// and remembers as simply as can be, so that it can stand for what a broker must find after a crash.

import { assert } from "../../src/core/base/assert.ts";
import type { Change, StoredRecord } from "../../src/core/broker/change.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import type { LoadLimits, Store } from "../../src/store/store.ts";

type Of<Kind extends Change["kind"]> = Extract<Change, { kind: Kind }>;

class StoredSession {
  set: Of<"session-set">;
  readonly subscriptions = new Map<string, Change>();
  readonly owed = new Map<string, Change>();
  /** By sequence number. */
  readonly queued = new Map<number, Delivery>();
  /** By packet identifier, in the order of sending; without a delivery once it was received. */
  readonly inflight = new Map<number, Of<"delivery-sent">>();
  readonly received = new Set<number>();
  readonly held = new Set<number>();
  will: Change | undefined;

  constructor(set: Of<"session-set">) {
    this.set = set;
  }
}

export class FoldedStore implements Store {
  readonly #sessions = new Map<string, StoredSession>();
  readonly #retained = new Map<string, Of<"retained-set">>();
  /** How many deliveries of each queue `load` gives. */
  readonly #windowMax: number;
  commits = 0;
  /** All changes that were committed. */
  changeCount = 0;

  constructor(windowMax: number = Infinity) {
    this.#windowMax = windowMax;
  }

  commit(changes: readonly Change[]): void {
    this.commits++;
    this.changeCount += changes.length;
    for (const change of changes) this.#fold(change);
  }

  *load(): Iterable<StoredRecord> {
    for (const [clientId, session] of this.#sessions) {
      yield session.set;
      yield* session.subscriptions.values();
      yield* session.owed.values();
      for (const sent of session.inflight.values()) {
        yield { ...sent, wasQueued: false };
        const { packetId } = sent;
        if (session.received.has(packetId)) yield { kind: "delivery-received", clientId, packetId };
      }
      const queued = this.#queue(clientId);
      for (const delivery of queued.slice(0, this.#windowMax)) {
        yield { kind: "delivery-queued", clientId, delivery };
      }
      const left = queued.slice(this.#windowMax);
      const bytes = left.reduce((sum, { message }) => sum + message.keptBytes, 0);
      const qos0Count = left.filter(({ qos }) => qos === 0).length;
      const lastSequence = left.at(-1)?.sequence ?? 0;
      const count = left.length;
      if (count > 0) {
        yield { kind: "deliveries-left", clientId, count, bytes, qos0Count, lastSequence };
      }
      for (const packetId of session.held) yield { kind: "packet-id-held", clientId, packetId };
      if (session.will !== undefined) yield session.will;
    }
    yield* [...this.#retained.values()]
      .sort((a, b) => a.message.retainedSequence - b.message.retainedSequence);
  }

  loadDeliveries(clientId: string, after: number, limits: LoadLimits): readonly Delivery[] {
    const loaded: Delivery[] = [];
    let bytes = 0;
    for (const delivery of this.#queue(clientId)) {
      if (delivery.sequence <= after) continue;
      if (loaded.length >= limits.countMax || bytes >= limits.bytesMax) break;
      bytes += delivery.message.keptBytes;
      loaded.push({ ...delivery, recordedAt: 0 });
    }
    return loaded;
  }

  close(): void {}

  #queue(clientId: string): Delivery[] {
    const queued = this.#sessions.get(clientId)?.queued.values() ?? [];
    return [...queued].sort((a, b) => a.sequence - b.sequence);
  }

  #fold(change: Change): void {
    switch (change.kind) {
      case "retained-set":
        this.#retained.set(change.message.topic, change);
        return;
      case "retained-removed":
        this.#retained.delete(change.topic);
        return;
      case "session-set": {
        const session = this.#sessions.get(change.clientId);
        if (session === undefined) this.#sessions.set(change.clientId, new StoredSession(change));
        else session.set = change;
        return;
      }
      case "session-removed":
        this.#sessions.delete(change.clientId);
        return;
      default: {
        const session = this.#sessions.get(change.clientId);
        assert(session !== undefined, `A change "${change.kind}" is for no session`);
        foldIn(session, change);
      }
    }
  }
}

function foldIn(session: StoredSession, change: Change): void {
  const { subscriptions, owed, queued, inflight, received, held } = session;
  switch (change.kind) {
    case "subscription-set":
      subscriptions.set(change.filter, change);
      return;
    case "subscription-removed":
      subscriptions.delete(change.filter);
      owed.delete(change.filter);
      return;
    case "retained-owed":
      owed.set(change.filter, change);
      return;
    case "retained-paid":
      owed.delete(change.filter);
      return;
    case "delivery-queued":
      queued.set(change.delivery.sequence, change.delivery);
      return;
    case "delivery-sent": {
      const wasQueued = queued.delete(change.delivery.sequence);
      assert(wasQueued === change.wasQueued, "A delivery was sent from a queue that it was not in");
      assert(!inflight.has(change.packetId), "A packet identifier is in flight twice");
      inflight.set(change.packetId, change);
      return;
    }
    case "delivery-received":
      received.add(change.packetId);
      return;
    case "delivery-finished":
      inflight.delete(change.packetId);
      received.delete(change.packetId);
      return;
    case "delivery-dropped":
      assert(queued.delete(change.sequence), "A delivery was dropped that was not queued");
      return;
    case "packet-id-held":
      held.add(change.packetId);
      return;
    case "packet-id-released":
      held.delete(change.packetId);
      return;
    case "will-set":
      session.will = change;
      return;
    case "will-removed":
      session.will = undefined;
  }
}
