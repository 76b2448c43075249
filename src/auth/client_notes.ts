/**
 * What the gatekeeper notes about a client: who let it in, and what it may do by rules that depend
 * on nothing but the topic. The broker keeps the notes with the session and knows nothing of them.
 *
 * @module
 */

import type { Client } from "../core/broker/question.ts";
import type { QoS } from "../core/codec/protocol.ts";
import type { ReasonCode } from "../core/codec/reason_code.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { Eventual, TopicRules } from "./auth.ts";
import type { Chain } from "./chain.ts";
import { seesMessages } from "./message_hooks.ts";

/** On whose word a client is connected. */
export class Admission {
  /** By TLS: the user name is an identity that was proven. */
  readonly isIdentified: boolean;
  /** The authenticator that let it in; `undefined` when that was `allow_anonymous`. */
  readonly by: string | undefined;
  readonly #credential: string | undefined;

  constructor(parts: {
    readonly isIdentified?: boolean;
    readonly by?: string | undefined;
    readonly credential?: string | undefined;
  }) {
    this.isIdentified = parts.isIdentified ?? false;
    this.by = parts.by;
    this.#credential = parts.credential;
  }

  get hasCredential(): boolean {
    return this.#credential !== undefined;
  }

  /** Whether this is what let the client in. */
  isCredential(credential: string | undefined): boolean {
    return credential !== undefined && credential === this.#credential;
  }
}

/** Whether a client may publish: asked, and soon to be asked for by a question. */
export interface PublishPermission {
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly reasonCode: Eventual<ReasonCode>;
}

/** Whether a client may subscribe, likewise. */
export interface SubscribePermission {
  readonly filter: string;
  readonly reasonCode: Promise<ReasonCode>;
}

export interface ClientNotesParts {
  readonly client: Client;
  readonly admission: Admission | undefined;
  readonly chain: Chain;
  readonly rules: readonly (TopicRules | undefined)[];
  readonly generation: number;
}

export class ClientNotes {
  readonly admission: Admission | undefined;
  readonly chain: Chain;
  /** One place per authorizer of the chain; `undefined` for those without rules. */
  readonly rules: readonly (TopicRules | undefined)[];
  /** All authorizers have rules, so nobody need be waited for. */
  readonly isByRules: boolean;
  /** Somebody is to be shown what the client publishes. */
  readonly seesMessages: boolean;
  readonly #generation: number;
  readonly #listener: ListenerSettings | undefined;
  readonly #username: string | undefined;

  publishing: PublishPermission | undefined = undefined;
  subscribing: SubscribePermission[] | undefined = undefined;

  constructor(parts: ClientNotesParts) {
    const { client, rules } = parts;
    this.admission = parts.admission;
    this.chain = parts.chain;
    this.rules = rules;
    this.isByRules = !rules.includes(undefined);
    this.seesMessages = seesMessages(parts.chain);
    this.#generation = parts.generation;
    this.#listener = client.listener;
    this.#username = client.username;
  }

  /** Whether they are about the client as it is, by the deciders as they are. */
  isCurrent(client: Client, generation: number): boolean {
    return this.#generation === generation && this.#listener === client.listener &&
      this.#username === client.username;
  }
}

/** Who let a client in, by whatever has been noted about it or about its request to connect. */
export function admissionOf(notes: unknown): Admission | undefined {
  if (notes instanceof ClientNotes) return notes.admission;
  return notes instanceof Admission ? notes : undefined;
}
