/**
 * Stands between the broker and its deciders. To the core it is a `Policy`: what can be decided at
 * once is; for the rest it says so, and answers when the driver asks. To the program it is where
 * the chains of deciders are put in force, and who judges the present clients again after that.
 *
 * A question that has been put to deciders is not put to them again when the driver brings it: what
 * they have begun to answer is kept with the request or the client.
 *
 * @module
 */

import type { BrokerEvent } from "../core/broker/event.ts";
import {
  type Answer,
  ASK,
  ASK_MESSAGE,
  type Client,
  type ConnectRequest,
  type Decision,
  type Policy,
  type PublishDecision,
  type Publisher,
  type Question,
} from "../core/broker/question.ts";
import { PacketType, type QoS } from "../core/codec/protocol.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { Eventual } from "./auth.ts";
import {
  admissionCodeOf,
  carriedCode,
  type Chain,
  CLOSED_CHAIN,
  CLOSED_RULES,
  isPromise,
  type OnFailure,
  type Outcome,
  permissionOf,
  poll,
  reasonCodeOf,
} from "./chain.ts";
import { Admission, admissionOf, ClientNotes } from "./client_notes.ts";
import { authenticatorOf, exchange } from "./enhanced_authentication.ts";
import { seesMessages, showMessage } from "./message_hooks.ts";
import { Witnesses } from "./witnesses.ts";

/** Who decides, by the listener that a client came in by. */
export interface ChainSet {
  /** For sessions that a store brought back, and for everybody when no listener has its own. */
  readonly general: Chain;
  /** When there are any, who comes in by another listener is refused. */
  readonly byListener: ReadonlyMap<ListenerSettings, Chain>;
}

export interface GatekeeperOptions {
  readonly chains: ChainSet;
  readonly onFailure: OnFailure;
  /** Answers that deciders may owe at one time; more are not asked for, and refused. */
  readonly owedMax?: number;
}

const OWED_MAX = 10_000;

export class Gatekeeper implements Policy {
  #chains: ChainSet;
  #all: readonly Chain[] = [];
  /** Those by which clients come in. */
  #inUse: readonly Chain[] = [];
  #isOpenForTopics = false;
  /** Notes that were taken under earlier chains are no longer good. */
  #generation = 0;
  #owed = 0;
  readonly #owedMax: number;
  readonly #onFailure: OnFailure;
  readonly #witnesses: Witnesses;
  readonly #admitting: WeakMap<ConnectRequest, Promise<ReasonCode>> = new WeakMap();

  constructor(options: GatekeeperOptions) {
    this.#onFailure = options.onFailure;
    this.#owedMax = options.owedMax ?? OWED_MAX;
    this.#witnesses = new Witnesses(options.onFailure);
    this.#chains = options.chains;
    this.setChains(options.chains);
  }

  /** Puts other deciders in force, for all that is decided from now on. */
  setChains(chains: ChainSet): void {
    this.#chains = chains;
    const { general, byListener } = chains;
    this.#inUse = byListener.size === 0 ? [general] : [...new Set(byListener.values())];
    this.#all = [general, ...this.#inUse];
    this.#isOpenForTopics = this.#all.every((chain) =>
      chain.authorizers.length === 0 && !seesMessages(chain)
    );
    this.#generation++;
  }

  /** Forgets what was decided, because a decider has come to think otherwise, as after a reload. */
  refresh(): void {
    this.setChains(this.#chains);
  }

  get isOpenForTopics(): boolean {
    return this.#isOpenForTopics;
  }

  /**
   * Judges a connected client by the deciders as they are now: by the user's entry where that let
   * it in, and otherwise by whether whoever let it in still decides.
   */
  recheck(client: Client): ReasonCode {
    const { authenticators, allowAnonymous } = this.#chainOf(client.listener);
    const admission = admissionOf(client.policyNotes);
    const { username } = client;
    let isAdmitted = allowAnonymous && (authenticators.length === 0 || username === undefined);
    if (admission?.isIdentified) {
      isAdmitted = true;
    } else if (admission?.hasCredential && authenticators.length > 0) {
      isAdmitted = username !== undefined &&
        authenticators.some((one) => admission.isCredential(one.credentialOf?.(username)));
    } else if (admission?.by !== undefined && authenticators.length > 0) {
      isAdmitted = authenticators.some(({ name }) => name === admission.by);
    }
    return isAdmitted ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
  }

  /** Tells the observers of a client that has come or gone. */
  observe(event: BrokerEvent): void {
    this.#witnesses.observe(event);
  }

  connect(request: ConnectRequest): Decision {
    const reasonCode = this.#admit(request);
    if (!isPromise(reasonCode)) return reasonCode;
    this.#admitting.set(request, reasonCode);
    return ASK;
  }

  hasAuthenticationMethod(method: string): boolean {
    return this.#all.some((chain) => authenticatorOf(chain, method) !== undefined);
  }

  publish(client: Client, topic: string, qos: QoS, retain: boolean): PublishDecision {
    const notes = this.#notesOf(client);
    const reasonCode = this.#mayPublish(notes, client, topic, qos, retain);
    if (!isPromise(reasonCode)) {
      if (reasonCode !== ReasonCode.SUCCESS || !notes.seesMessages) return reasonCode;
    }
    notes.publishing = { topic, qos, retain, reasonCode };
    return notes.seesMessages ? ASK_MESSAGE : ASK;
  }

  subscribe(client: Client, filter: string, qos: QoS): Decision {
    const notes = this.#notesOf(client);
    const reasonCode = this.#maySubscribe(notes, client, filter, qos);
    if (!isPromise(reasonCode)) return reasonCode;
    (notes.subscribing ??= []).push({ filter, reasonCode });
    return ASK;
  }

  unsubscribe(client: Client, filter: string): Decision {
    const { authorizers } = this.#notesOf(client).chain;
    const outcome = poll(
      authorizers,
      (authorizer) => authorizer.unsubscribe?.(client, filter) ?? "ignore",
      this.#onFailure,
    );
    // The contract has it answered at once.
    if (isPromise(outcome)) return ReasonCode.NOT_AUTHORIZED;
    return permissionOf(outcome, PacketType.UNSUBACK);
  }

  deliver(client: Client, topic: string): boolean {
    const { chain, rules } = this.#notesOf(client);
    const { authorizers } = chain;
    let hasDeferred = false;
    for (let i = 0; i < authorizers.length; i++) {
      const authorizer = authorizers[i]!;
      try {
        const own = rules[i];
        const verdict = own === undefined
          ? authorizer.deliver?.(client, topic) ?? "ignore"
          : own.deliver(topic);
        const reasonCode = reasonCodeOf(verdict);
        if (reasonCode !== undefined) return reasonCode === ReasonCode.SUCCESS;
        if (verdict === "defer") hasDeferred = true;
      } catch (error) {
        this.#onFailure(authorizer.name, error);
        return false;
      }
    }
    return !hasDeferred;
  }

  /** By any listener's chain, because nobody knows any more by which one the publisher came. */
  hasRetained(publisher: Publisher, topic: string): boolean {
    if (publisher.clientId === "") return true;
    return this.#inUse.some(({ authorizers }) => {
      const outcome = poll(
        authorizers,
        (authorizer) => authorizer.hasRetained?.(publisher, topic) ?? "ignore",
        this.#onFailure,
      );
      return !isPromise(outcome) && permissionOf(outcome, PacketType.PUBACK) === ReasonCode.SUCCESS;
    });
  }

  /** Answers what was not decided at once; for the driver. */
  ask(question: Question): Promise<Answer> {
    switch (question.kind) {
      case "connect":
        return this.#answerConnect(question.request);
      case "authenticate":
        return this.#answerAuthenticate(question);
      case "publish":
        return this.#answerPublish(question);
      case "subscribe":
        return this.#answerSubscribe(question);
    }
  }

  #chainOf(listener: ListenerSettings | undefined): Chain {
    const { general, byListener } = this.#chains;
    if (listener === undefined || byListener.size === 0) return general;
    return byListener.get(listener) ?? CLOSED_CHAIN;
  }

  #notesOf(client: Client): ClientNotes {
    const { policyNotes } = client;
    if (policyNotes instanceof ClientNotes && policyNotes.isCurrent(client, this.#generation)) {
      return policyNotes;
    }
    const chain = this.#chainOf(client.listener);
    const notes = new ClientNotes({
      client,
      admission: admissionOf(policyNotes),
      chain,
      rules: chain.authorizers.map((authorizer) => {
        try {
          return authorizer.rulesFor?.(client);
        } catch (error) {
          this.#onFailure(authorizer.name, error);
          return CLOSED_RULES;
        }
      }),
      generation: this.#generation,
    });
    client.policyNotes = notes;
    return notes;
  }

  /** Whether a client may connect; who lets it in is noted. */
  #admit(request: ConnectRequest): Eventual<ReasonCode> {
    const chain = this.#chainOf(request.listener);
    this.#witnesses.note(request, chain);
    if (request.isIdentified) {
      request.policyNotes = new Admission({ isIdentified: true });
      return ReasonCode.SUCCESS;
    }
    if (this.#isOverOwed) return ReasonCode.SERVER_BUSY;
    const generation = this.#generation;
    const outcome = poll(
      chain.authenticators,
      (authenticator) => authenticator.authenticate(request),
      this.#onFailure,
    );
    return this.#when(outcome, (settled) => {
      // Somebody was asked who decides no longer.
      if (generation !== this.#generation) return this.#admit(request);
      const { username } = request;
      const { by } = settled;
      const author = chain.authenticators.find(({ name }) => name === by);
      const credential = username === undefined ? undefined : author?.credentialOf?.(username);
      request.policyNotes = new Admission({ by, credential });
      return admissionCodeOf(settled, username === undefined, chain.allowAnonymous);
    });
  }

  async #answerConnect(request: ConnectRequest): Promise<Answer> {
    const reasonCode = await (this.#admitting.get(request) ?? this.#admit(request));
    return { kind: "connect", reasonCode };
  }

  async #answerAuthenticate(
    question: Extract<Question, { kind: "authenticate" }>,
  ): Promise<Answer> {
    const { kind, request } = question;
    const chain = this.#chainOf(request.listener);
    this.#witnesses.note(request, chain);
    if (this.#isOverOwed) return { kind, reasonCode: ReasonCode.SERVER_BUSY };
    const generation = this.#generation;
    this.#owed++;
    const answer = await exchange(chain, question, this.#onFailure).finally(() => this.#owed--);
    // What was begun under other deciders has to be begun again.
    return generation === this.#generation
      ? answer
      : { kind, reasonCode: ReasonCode.NOT_AUTHORIZED };
  }

  #mayPublish(
    notes: ClientNotes,
    client: Client,
    topic: string,
    qos: QoS,
    retain: boolean,
  ): Eventual<ReasonCode> {
    const { chain, rules, isByRules } = notes;
    if (!isByRules && this.#isOverOwed) return ReasonCode.QUOTA_EXCEEDED;
    if (isByRules) return this.#mayPublishByRules(notes, topic);
    const outcome = poll(
      chain.authorizers,
      (authorizer, index) =>
        rules[index]?.publish(topic) ??
          authorizer.publish?.(client, topic, qos, retain) ?? "ignore",
      this.#onFailure,
    );
    return this.#when(outcome, (settled) => permissionOf(settled, PacketType.PUBACK));
  }

  /** The usual case, which makes nothing new. */
  #mayPublishByRules({ chain, rules }: ClientNotes, topic: string): ReasonCode {
    let hasDeferred = false;
    for (let i = 0; i < rules.length; i++) {
      try {
        const verdict = rules[i]!.publish(topic);
        const reasonCode = reasonCodeOf(verdict);
        if (reasonCode !== undefined) return carriedCode(reasonCode, PacketType.PUBACK);
        if (verdict === "defer") hasDeferred = true;
      } catch (error) {
        this.#onFailure(chain.authorizers[i]!.name, error);
        return ReasonCode.NOT_AUTHORIZED;
      }
    }
    return hasDeferred ? ReasonCode.NOT_AUTHORIZED : ReasonCode.SUCCESS;
  }

  async #answerPublish(question: Extract<Question, { kind: "publish" }>): Promise<Answer> {
    const { kind, client, topic, qos, retain, message, isReplaced } = question;
    const notes = this.#notesOf(client);
    const { publishing } = notes;
    notes.publishing = undefined;
    const isKnown = publishing !== undefined && publishing.topic === topic &&
      publishing.qos === qos && publishing.retain === retain;
    const reasonCode =
      await (isKnown ? publishing.reasonCode : this.#mayPublish(notes, client, topic, qos, retain));
    if (notes !== this.#notesOf(client)) return this.#answerPublish(question);
    if (reasonCode !== ReasonCode.SUCCESS || message === undefined || isReplaced) {
      return { kind, reasonCode };
    }
    if (this.#isOverOwed) return { kind, reasonCode: ReasonCode.QUOTA_EXCEEDED };
    this.#owed++;
    const { observers } = notes.chain;
    return showMessage(observers, client, message, this.#onFailure).finally(() => this.#owed--);
  }

  #maySubscribe(
    notes: ClientNotes,
    client: Client,
    filter: string,
    qos: QoS,
  ): Eventual<ReasonCode> {
    if (this.#isOverOwed) return ReasonCode.QUOTA_EXCEEDED;
    const outcome = poll(
      notes.chain.authorizers,
      (authorizer) => authorizer.subscribe?.(client, filter, qos) ?? "ignore",
      this.#onFailure,
    );
    return this.#when(outcome, (settled) => permissionOf(settled, PacketType.SUBACK));
  }

  async #answerSubscribe(question: Extract<Question, { kind: "subscribe" }>): Promise<Answer> {
    const { kind, client, filters } = question;
    const notes = this.#notesOf(client);
    const { subscribing = [] } = notes;
    notes.subscribing = undefined;
    const reasonCodes = await Promise.all(filters.map(({ filter, qos }) => {
      const known = subscribing.findLast((permission) => permission.filter === filter);
      return known?.reasonCode ?? this.#maySubscribe(notes, client, filter, qos);
    }));
    if (notes !== this.#notesOf(client)) return this.#answerSubscribe(question);
    return { kind, reasonCodes };
  }

  get #isOverOwed(): boolean {
    return this.#owed >= this.#owedMax;
  }

  /** Draws the conclusion now or later; what is to come later is owed meanwhile. */
  #when(
    outcome: Eventual<Outcome>,
    conclude: (outcome: Outcome) => Eventual<ReasonCode>,
  ): Eventual<ReasonCode> {
    if (!isPromise(outcome)) return conclude(outcome);
    this.#owed++;
    return outcome.then(conclude).finally(() => this.#owed--);
  }
}
