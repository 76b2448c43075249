/**
 * What a session store still has to be told. Changes of one turn become one commit, and nothing
 * that rests on them leaves before it has come back.
 *
 * @module
 */

import { ClientError } from "./client_error.ts";
import type { SessionChange, SessionStore, StoredSession } from "./session_store.ts";

/** What the journal needs of its client. */
export interface JournalOwner {
  /** Runs `commit` at the end of the present turn of the event loop. */
  defer(commit: () => void): void;
  /** What the store held is here. */
  restore(session: StoredSession): void;
  /** The store does not take any more. */
  failed(error: unknown): void;
}

const LATER_MS = 20;

export class Journal {
  readonly #store: SessionStore;
  readonly #owner: JournalOwner;
  #changes: SessionChange[] = [];
  #isCommitDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The commit under way, where the store takes its time. */
  #committing: Promise<void> | undefined;
  /** The one after it. */
  #next: Promise<void> | undefined;
  #failure: ClientError | undefined;
  readonly #loaded: Promise<void>;
  #onLoaded!: () => void;
  #onEnded!: (error: unknown) => void;

  constructor(store: SessionStore, owner: JournalOwner) {
    this.#store = store;
    this.#owner = owner;
    this.#loaded = new Promise((resolve, reject) => {
      this.#onLoaded = resolve;
      this.#onEnded = reject;
    });
    // Most of the time nobody waits for it.
    this.#loaded.catch(() => {});
  }

  /** Takes over what the store holds; throws a {@linkcode ClientError} of code `"store-failed"`. */
  async load(clientId: string): Promise<void> {
    try {
      this.#owner.restore(await this.#store.load(clientId));
      this.#onLoaded();
    } catch (cause) {
      throw storeFailure(cause);
    }
  }

  /** Resolves when all that was noted in this turn is durable. */
  async stored(): Promise<void> {
    await this.#loaded;
    await new Promise<void>((resolve) => this.#owner.defer(resolve));
    await this.settle();
  }

  /** The client has ended; resolves when the last changes are durable, or cannot be. */
  async end(error: unknown): Promise<void> {
    this.#onEnded(error);
    // A store that has failed has said so by ending the client.
    await this.settle()?.catch(() => {});
  }

  /** Notes a change; it is committed at the end of the turn at the latest. */
  add(change: SessionChange): void {
    if (this.#failure !== undefined) return;
    this.#changes.push(change);
    if (this.#isCommitDue) return;
    this.#isCommitDue = true;
    this.#owner.defer(() => {
      this.#isCommitDue = false;
      // Whoever waits for it is told as well; the owner is told in any case.
      this.settle()?.catch(() => {});
    });
  }

  /**
   * Notes a change that nothing rests on: without it only something is sent again that may be. It
   * goes with the next commit, so that an exchange costs one, or with one of its own soon.
   */
  addLater(change: SessionChange): void {
    if (this.#failure !== undefined) return;
    this.#changes.push(change);
    this.#timer ??= setTimeout(() => {
      this.settle()?.catch(() => {});
    }, LATER_MS);
  }

  /**
   * Commits what was noted. `undefined` when all of it is durable now; otherwise a promise of that,
   * which rejects with a {@linkcode ClientError} of code `"store-failed"`.
   */
  settle(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#committing === undefined) return this.#commit();
    // What was noted meanwhile goes with the next batch.
    this.#next ??= this.#committing.then(() => {
      this.#next = undefined;
      return this.#commit();
    });
    return this.#next;
  }

  #commit(): Promise<void> | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#changes.length === 0) return undefined;
    const changes = this.#changes;
    this.#changes = [];
    try {
      const committing = this.#store.commit(changes);
      if (committing === undefined) return undefined;
      this.#committing = committing.then(
        () => {
          this.#committing = undefined;
        },
        (cause) => {
          throw this.#fail(cause);
        },
      );
      return this.#committing;
    } catch (cause) {
      return Promise.reject(this.#fail(cause));
    }
  }

  #fail(cause: unknown): ClientError {
    const error = storeFailure(cause);
    this.#failure = error;
    clearTimeout(this.#timer);
    this.#owner.failed(error);
    return error;
  }
}

/** The error for a store that throws. */
function storeFailure(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  const detail = cause instanceof Error ? `: ${cause.message}` : "";
  return new ClientError("store-failed", `The session store failed${detail}`, { cause });
}
