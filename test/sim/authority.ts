// Who may do what in a simulated world, and whether that is said at once, late, never, or otherwise
// the next time. It remembers what it has said last: nothing may happen that it forbids.

import { matches } from "../../src/core/topic/filter.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
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
} from "../../src/core/broker/question.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import type { Peer } from "../../src/core/session/peer.ts";
import { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

const { NOT_AUTHORIZED, SUCCESS } = ReasonCode;

/** How the authority is, per thousand decisions. */
export interface Temper {
  readonly asksPerMille: number;
  readonly contradictsPerMille: number;
}

/** One permission that was taken away, with the steps between which it was missing. */
interface Ban {
  readonly clientId: string;
  readonly filter: string;
  readonly since: number;
  until: number;
}

/** The user name of honest clients; most of them are known by nothing else. */
export const HONEST = "honest";

/** Of those who are asked for more, step by step. */
export const AUTHENTICATION_METHOD = "PLUS-ONE";

/** More than can be guessed. */
const CHALLENGE_BYTES = 8;

/** What an honest client answers to a challenge. */
export function answerTo(challenge: Uint8Array | undefined): Uint8Array {
  return Uint8Array.from(challenge ?? [], (byte) => byte + 1);
}

export class Authority implements Policy {
  temper: Temper;
  /** Questions that have not been answered. */
  openQuestions = 0;
  /** A promise was settled, and whoever waits has yet to hear of it. */
  hasAnswered = false;
  readonly #scheduler: Scheduler;
  readonly #seed: number;
  readonly #mountPoint: string;
  /** One stream for each client, whoever else there is. */
  readonly #chances: Map<string, Chance> = new Map();
  readonly #readBans: Ban[] = [];
  readonly #writeBans: Ban[] = [];
  /** Those that wait for their answer, by who was asked. */
  readonly #challenges: Map<Peer, Uint8Array> = new Map();
  /** When a message of that client and topic was refused, by both. */
  /** Those that were ever refused a subscription, or may have been. */
  readonly #refusedReaders: Set<string> = new Set();
  readonly #refused: Map<string, { readonly step: number; readonly now: number }[]> = new Map();

  constructor(scheduler: Scheduler, seed: number, temper: Temper, mountPoint: string) {
    this.#scheduler = scheduler;
    this.#seed = seed;
    this.temper = temper;
    this.#mountPoint = mountPoint;
  }

  /** Nobody need be asked while nobody is forbidden anything. */
  get isOpenForTopics(): boolean {
    const { asksPerMille, contradictsPerMille } = this.temper;
    return asksPerMille === 0 && contradictsPerMille === 0 &&
      this.#readBans.length === 0 && this.#writeBans.length === 0;
  }

  /** Takes a permission away. */
  ban(kind: "read" | "write", clientId: string, filter: string): void {
    const bans = kind === "read" ? this.#readBans : this.#writeBans;
    bans.push({ clientId, filter, since: this.#scheduler.step, until: Infinity });
  }

  /** Gives all permissions back. */
  pardon(): void {
    for (const ban of [...this.#readBans, ...this.#writeBans]) {
      ban.until = Math.min(ban.until, this.#scheduler.step);
    }
  }

  /** Whether the client was forbidden to read the topic all the time between two steps. */
  forbadeReading(clientId: string, topic: string, from: number, to: number): boolean {
    return this.#readBans.some((ban) =>
      ban.clientId === clientId && matches(ban.filter, topic) && ban.since < from && ban.until > to
    );
  }

  /** Likewise for publishing. */
  forbadePublishing(clientId: string, topic: string, from: number, to: number): boolean {
    return this.#writeBans.some((ban) =>
      ban.clientId === clientId && matches(ban.filter, topic) && ban.since < from && ban.until > to
    );
  }

  /** Whether the client could not read the topic at some moment from a step on. */
  hasForbiddenReading(clientId: string, topic: string, from: number): boolean {
    return this.#readBans.some((ban) =>
      ban.clientId === clientId && matches(ban.filter, topic) && ban.until >= from
    );
  }

  /** Whether a message of the client under the topic was refused between two steps. */
  hasRefused(clientId: string, topic: string, from: number, to: number): boolean {
    const refusals = this.#refused.get(`${clientId} ${topic}`);
    return refusals !== undefined && refusals.some(({ step }) => step >= from && step <= to);
  }

  /** Likewise, from an instant on. */
  hasRefusedSince(clientId: string, topic: string, instant: number): boolean {
    const refusals = this.#refused.get(`${clientId} ${topic}`);
    return refusals !== undefined && refusals.some(({ now }) => now >= instant);
  }

  /** Whether a client was ever refused a subscription, of which version 3.1 does not tell it. */
  hasRefusedReader(clientId: string): boolean {
    return this.#refusedReaders.has(clientId);
  }

  connect(request: ConnectRequest): Decision {
    if (this.#asks(request)) return ASK;
    return this.#connectCode(request);
  }

  hasAuthenticationMethod(method: string): boolean {
    return method === AUTHENTICATION_METHOD;
  }

  publish(client: Client, topic: string, _qos: QoS, _retain: boolean): PublishDecision {
    if (this.#asks(client)) return this.#chanceOf(client).happens(500) ? ASK : ASK_MESSAGE;
    return this.#publishCode(client, topic);
  }

  subscribe(client: Client, filter: string, _qos: QoS): Decision {
    if (this.#asks(client)) return ASK;
    return this.#subscribeCode(client, filter);
  }

  unsubscribe(): Decision {
    return SUCCESS;
  }

  deliver(client: Client, topic: string): boolean {
    return !isBanned(this.#readBans, client.clientId, this.#unmounted(topic));
  }

  hasRetained({ clientId }: Publisher, topic: string): boolean {
    return !isBanned(this.#writeBans, clientId, this.#unmounted(topic));
  }

  /** Answers a question, some time or never. */
  ask(question: Question): Promise<Answer> {
    this.openQuestions++;
    const chance = this.#chanceOf("client" in question ? question.client : question.request);
    return new Promise((resolve, reject) => {
      const ms = chance.happens(20) ? 40_000 : chance.below(400);
      if (ms > 30_000 && question.kind === "publish") {
        this.#noteRefusal(question.client, this.#unmounted(question.topic), 30_000);
      }
      if (question.kind === "subscribe") this.#refusedReaders.add(question.client.clientId);
      this.#scheduler.afterInProcess(ms, () => {
        this.openQuestions--;
        this.hasAnswered = true;
        if (!chance.happens(30)) return resolve(this.#answer(question));
        if (question.kind === "publish") {
          this.#noteRefusal(question.client, this.#unmounted(question.topic));
        }
        reject(new Error("Connection refused"));
      });
    });
  }

  /** Whoever has asked is no more. */
  forgetQuestions(): void {
    this.openQuestions = 0;
    this.#challenges.clear();
  }

  #answer(question: Question): Answer {
    switch (question.kind) {
      case "connect":
        return { kind: "connect", reasonCode: this.#connectCode(question.request) };
      case "authenticate":
        return this.#answerStep(question);
      case "publish":
        return { kind: "publish", reasonCode: this.#publishCode(question.client, question.topic) };
      case "subscribe": {
        const reasonCodes = question.filters.map(({ filter }) =>
          this.#subscribeCode(question.client, filter)
        );
        return { kind: "subscribe", reasonCodes };
      }
    }
  }

  /** Up to two challenges, each another; whoever fails one is not who they say. */
  #answerStep({ request, data }: Extract<Question, { readonly kind: "authenticate" }>): Answer {
    const { peer } = request;
    const challenge = this.#challenges.get(peer);
    this.#challenges.delete(peer);
    const chance = this.#chanceOf(request);
    const isWrong = challenge !== undefined && String(answerTo(challenge)) !== String(data);
    if (isWrong) return { kind: "authenticate", reasonCode: NOT_AUTHORIZED };
    const length = challenge?.length ?? 0;
    if (length === 0 || (length === CHALLENGE_BYTES && chance.happens(500))) {
      const longer = Uint8Array.from({ length: length + CHALLENGE_BYTES }, () => chance.next());
      this.#challenges.set(peer, longer);
      const reasonCode = ReasonCode.CONTINUE_AUTHENTICATION;
      return { kind: "authenticate", reasonCode, data: longer };
    }
    return { kind: "authenticate", reasonCode: this.#connectCode(request) };
  }

  /** Identifiers of honest clients are theirs alone. */
  #connectCode({ clientId, username }: ConnectRequest): ReasonCode {
    return clientId.startsWith("c") && username !== HONEST ? NOT_AUTHORIZED : SUCCESS;
  }

  #publishCode(client: Client, mounted: string): ReasonCode {
    const topic = this.#unmounted(mounted);
    const isForbidden = isBanned(this.#writeBans, client.clientId, topic) ||
      this.#contradicts(client);
    if (!isForbidden) return SUCCESS;
    this.#noteRefusal(client, topic);
    return NOT_AUTHORIZED;
  }

  #subscribeCode(client: Client, filter: string): ReasonCode {
    // Rude clients see nothing of what honest ones do.
    const isOwn = this.#unmounted(filter).startsWith("rude/");
    if (!client.clientId.startsWith("c") && !isOwn) return NOT_AUTHORIZED;
    if (!this.#contradicts(client)) return SUCCESS;
    this.#refusedReaders.add(client.clientId);
    return NOT_AUTHORIZED;
  }

  #noteRefusal({ clientId }: Client, topic: string, inMs = 0): void {
    const note = (): void => {
      const key = `${clientId} ${topic}`;
      const { step, now } = this.#scheduler;
      const refusals = this.#refused.get(key);
      if (refusals === undefined) this.#refused.set(key, [{ step, now }]);
      else refusals.push({ step, now });
    };
    if (inMs === 0) note();
    else this.#scheduler.after(inMs - 1, note);
  }

  /** A topic as its clients see it. */
  #unmounted(topic: string): string {
    return topic.startsWith(this.#mountPoint) ? topic.slice(this.#mountPoint.length) : topic;
  }

  #asks(client: Named): boolean {
    return this.#chanceOf(client).happens(this.temper.asksPerMille);
  }

  #contradicts(client: Named): boolean {
    return this.#chanceOf(client).happens(this.temper.contradictsPerMille);
  }

  #chanceOf({ clientId }: Named): Chance {
    const known = this.#chances.get(clientId);
    if (known !== undefined) return known;
    const chance = new Chance(this.#seed, `authority ${clientId}`);
    this.#chances.set(clientId, chance);
    return chance;
  }
}

/** Whoever asks. */
type Named = Pick<Client, "clientId">;

function isBanned(bans: readonly Ban[], clientId: string, topic: string): boolean {
  return bans.some((ban) =>
    ban.until === Infinity && ban.clientId === clientId && matches(ban.filter, topic)
  );
}
