/**
 * Makes of Mosquitto's database what the broker restores: changes in an order in which they can be
 * replayed, as if each connection had merely dropped.
 *
 * The idea: the file is read to its end before anything is made of it, so a damaged one changes
 * nothing. What refers to something that is not there, and what MQTT does not allow, is left out.
 *
 * @module
 */

import { decodeUtf8 } from "../core/base/utf8.ts";
import type { HostMessage } from "../core/broker/broker_core.ts";
import type { Change } from "../core/broker/change.ts";
import { VARINT_MAX } from "../core/codec/protocol.ts";
import { contentsOf } from "../core/session/message_contents.ts";
import { NEVER_EXPIRES } from "../core/session/session.ts";
import { countLevels, parseFilter } from "../core/topic/filter.ts";
import { ImportedMessages } from "./imported_messages.ts";
import { ImportedSession } from "./imported_session.ts";
import {
  type ClientChunk,
  type ClientMessageChunk,
  MosquittoDirection,
  type SubscriptionChunk,
} from "./mosquitto_chunk.ts";
import { openMosquittoDb, unsupportedChunkText } from "./mosquitto_db.ts";
import { SessionOwners } from "./session_owners.ts";

/** The clocks at the moment of the import, both in milliseconds. */
export interface ImportClock {
  /** The broker's. */
  readonly now: number;
  /** Since 1970. */
  readonly epochMs: number;
}

export interface MosquittoImport {
  /** For `BrokerCore.restore`. */
  readonly changes: readonly Change[];
  /**
   * QoS 2 messages that were received and not yet released. Mosquitto passes them on at the PUBREL,
   * this broker at once, so they are to be published when everything is restored.
   */
  readonly unreleased: readonly HostMessage[];
  /** What was found and has not expired. */
  readonly counts: ImportCounts;
  /** Lines for the log. */
  readonly warnings: readonly string[];
}

export interface ImportCounts {
  readonly baseMessages: number;
  readonly retainedMessages: number;
  readonly clients: number;
  readonly subscriptions: number;
  readonly clientMessages: number;
}

export interface ImportOptions {
  readonly clock: ImportClock;
  /** Whether clients of this port are known by a name that TLS has proven. */
  readonly isIdentified?: (listenerPort: number) => boolean;
}

/** The most that Mosquitto lets a topic have, and this broker unless told otherwise. */
export const LEVELS_MAX = 201;

const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;

/**
 * Reads a whole database; an empty file is an empty one.
 *
 * @throws {MosquittoDbError}
 */
export function importMosquittoDb(bytes: Uint8Array, options: ImportOptions): MosquittoImport {
  const importer = new Importer(options);
  if (bytes.length > 0) importer.read(bytes);
  return importer.finish();
}

class Importer {
  readonly #options: ImportOptions;
  readonly #owners: SessionOwners;
  readonly #messages: ImportedMessages;
  readonly #clients: ClientChunk[] = [];
  readonly #subscriptions: SubscriptionChunk[] = [];
  readonly #clientMessages: ClientMessageChunk[] = [];
  readonly #retainedIds: Set<bigint> = new Set();
  readonly #warnings: string[] = [];
  readonly #sessions: Map<string, ImportedSession> = new Map();

  constructor(options: ImportOptions) {
    this.#options = options;
    this.#owners = new SessionOwners(options.isIdentified ?? (() => false));
    this.#messages = new ImportedMessages(options.clock, LEVELS_MAX);
  }

  read(bytes: Uint8Array): void {
    for (const chunk of openMosquittoDb(bytes).chunks()) {
      switch (chunk.kind) {
        case "base-message":
          this.#messages.add(chunk);
          break;
        case "client":
          this.#clients.push(chunk);
          break;
        case "subscription":
          this.#subscriptions.push(chunk);
          break;
        case "client-message":
          this.#clientMessages.push(chunk);
          break;
        case "retained":
          this.#retainedIds.add(chunk.storeId);
          break;
        case "unknown":
          this.#warnings.push(unsupportedChunkText(chunk.type));
      }
    }
  }

  finish(): MosquittoImport {
    for (const chunk of this.#clients) this.#addClient(chunk);
    const subscriptions = count(this.#subscriptions, (chunk) => this.#addSubscription(chunk));
    const unreleased: HostMessage[] = [];
    const clientMessages = count(
      this.#clientMessages,
      (chunk) => this.#addClientMessage(chunk, unreleased),
    );
    const retained = this.#retained();
    return {
      changes: [
        ...[...this.#sessions.values()].flatMap((session) => session.changes()),
        ...retained,
      ],
      unreleased,
      counts: {
        baseMessages: this.#messages.lastingCount,
        retainedMessages: retained.length,
        clients: this.#sessions.size,
        subscriptions,
        clientMessages,
      },
      warnings: this.#warnings,
    };
  }

  #addClient(chunk: ClientChunk): void {
    const clientId = textOf(chunk.clientId);
    const endsAt = this.#endOf(chunk);
    const identity = this.#owners.identityOf(chunk);
    if (clientId === undefined || endsAt <= this.#options.clock.now) return;
    this.#sessions.set(
      clientId,
      new ImportedSession({
        kind: "session-set",
        clientId,
        ...identity,
        // The file does not say; the next connection will.
        protocolVersion: 5,
        listenerName: chunk.listenerPort > 0 ? String(chunk.listenerPort) : "",
        expiryInterval: chunk.sessionExpiryInterval ?? NEVER_EXPIRES,
        endsAt,
      }),
    );
  }

  /** When a session ends by which nobody comes; `Infinity` also while its end is not known. */
  #endOf({ sessionExpiryInterval, sessionExpiryTime }: ClientChunk): number {
    switch (sessionExpiryInterval) {
      case NEVER_EXPIRES:
      case undefined:
        return Infinity;
      case 0:
        return -Infinity;
      default:
        return this.#messages.instantOf(sessionExpiryTime ?? 0);
    }
  }

  #addSubscription({ clientId, filter, qos, options, subscriptionId }: SubscriptionChunk): boolean {
    const session = this.#sessionOf(clientId);
    const text = textOf(filter);
    if (session === undefined || text === undefined || !isQos(qos)) return false;
    if (typeof parseFilter(text) !== "object" || countLevels(text) > LEVELS_MAX) return false;
    session.addSubscription({
      filter: text,
      qos,
      noLocal: (options & NO_LOCAL) !== 0,
      retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
      // A number that no packet can carry is none.
      subscriptionId: subscriptionId <= VARINT_MAX ? subscriptionId : 0,
    });
    return true;
  }

  #addClientMessage(chunk: ClientMessageChunk, unreleased: HostMessage[]): boolean {
    const session = this.#sessionOf(chunk.clientId);
    const message = this.#messages.get(chunk.storeId);
    const { qos } = chunk;
    if (session === undefined || message === undefined || !isQos(qos)) return false;
    const { now } = this.#options.clock;
    const hasExpired = message.expiresAt <= now;
    if (chunk.direction === MosquittoDirection.OUT) {
      return session.addOutgoing({ ...chunk, qos }, message, hasExpired);
    }
    if (!session.addIncoming(chunk) || hasExpired) return false;
    const { publisherId, publisherUsername } = message;
    unreleased.push({ ...contentsOf(message, now), publisherId, publisherUsername });
    return true;
  }

  #retained(): Change[] {
    const changes: Change[] = [];
    for (const storeId of this.#retainedIds) {
      const message = this.#messages.get(storeId);
      if (message === undefined || message.expiresAt <= this.#options.clock.now) continue;
      if (message.payloadLength === 0) continue;
      message.retainedSequence = changes.length + 1;
      changes.push({ kind: "retained-set", message });
    }
    return changes;
  }

  #sessionOf(clientId: Uint8Array): ImportedSession | undefined {
    return this.#sessions.get(textOf(clientId) ?? "");
  }
}

function count<T>(items: readonly T[], add: (item: T) => boolean): number {
  let added = 0;
  for (const item of items) if (add(item)) added++;
  return added;
}

/** A text that MQTT allows; `undefined` also for none at all. */
function textOf(bytes: Uint8Array): string | undefined {
  return decodeUtf8(bytes, 0, bytes.length) || undefined;
}

function isQos(qos: number): qos is 0 | 1 | 2 {
  return qos <= 2;
}
