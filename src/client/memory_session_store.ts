/**
 * A session store that lives as long as its process: for tests, and for a client that is made anew
 * within one process and should go on where the last one ended.
 *
 * @module
 */

import type {
  SessionChange,
  SessionStore,
  StoredOutgoing,
  StoredSession,
} from "./session_store.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Keeps a session in memory. */
export class MemorySessionStore implements SessionStore {
  readonly #outgoing: Map<number, StoredOutgoing> = new Map();
  readonly #heldIds: Set<number> = new Set();

  load(): StoredSession {
    const outgoing = [...this.#outgoing.values()].sort((a, b) => a.sequence - b.sequence);
    return { outgoing, heldIds: [...this.#heldIds] };
  }

  commit(changes: readonly SessionChange[]): void {
    for (const change of changes) this.#apply(change);
  }

  #apply(change: SessionChange): void {
    switch (change.kind) {
      case "queued": {
        const { sequence, message } = change;
        const fresh = { sequence, packetId: undefined, sentAt: 0, isReceived: false };
        this.#outgoing.set(sequence, { ...fresh, message });
        return;
      }
      case "sent": {
        const { packetId, sentAt } = change;
        return this.#update(change.sequence, { packetId, sentAt, isReceived: false });
      }
      case "received": {
        const message = this.#outgoing.get(change.sequence)?.message;
        if (message === undefined) return;
        return this.#update(change.sequence, {
          isReceived: true,
          message: { ...message, payload: NO_BYTES },
        });
      }
      case "removed":
        this.#outgoing.delete(change.sequence);
        return;
      case "held":
        this.#heldIds.add(change.packetId);
        return;
      case "released":
        this.#heldIds.delete(change.packetId);
        return;
      case "session-lost":
        this.#heldIds.clear();
    }
  }

  #update(sequence: number, changed: Partial<StoredOutgoing>): void {
    const stored = this.#outgoing.get(sequence);
    if (stored !== undefined) this.#outgoing.set(sequence, { ...stored, ...changed });
  }
}
