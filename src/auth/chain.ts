/**
 * The deciders of one listener, and how a question goes from one to the next: the first who says
 * yes or no is heard, and nobody left to say yes is no.
 *
 * The idea: whatever goes wrong with a decider (it throws, rejects, or answers nonsense) is a no,
 * which is reported and which no later decider can turn into a yes.
 *
 * @module
 */

import { PacketType } from "../core/codec/protocol.ts";
import { mayCarry, ReasonCode } from "../core/codec/reason_code.ts";
import type { Authenticator, Authorizer, Eventual, Observer, TopicRules, Verdict } from "./auth.ts";

/** Who decides for those who come in by one listener, in the order in which they are asked. */
export interface Chain {
  /** Decides for clients without user name that nobody else decides about. */
  readonly allowAnonymous: boolean;
  readonly authenticators: readonly Authenticator[];
  readonly authorizers: readonly Authorizer[];
  readonly observers: readonly Observer[];
}

/** Told which decider failed, and how. */
export type OnFailure = (decider: string, error: unknown) => void;

/** What became of a question: somebody's word, or nobody's. */
export interface Outcome {
  /** `undefined` when nobody decided. */
  readonly reasonCode: ReasonCode | undefined;
  /** Who did. */
  readonly by: string | undefined;
  /** Somebody left it to others, so that there is more than nobody to ask. */
  readonly hasDeferred: boolean;
}

const refuse = (): ReasonCode => ReasonCode.NOT_AUTHORIZED;

/** Nothing is granted. */
export const CLOSED_RULES: TopicRules = Object.freeze({ publish: refuse, deliver: refuse });

/** Nobody gets in, and who is in may do nothing. */
export const CLOSED_CHAIN: Chain = Object.freeze({
  allowAnonymous: false,
  authenticators: [{ name: "nobody", authenticate: refuse }],
  authorizers: [
    { name: "nobody", rulesFor: () => CLOSED_RULES, subscribe: refuse, hasRetained: refuse },
  ],
  observers: [],
});

const REFUSED_MIN = ReasonCode.UNSPECIFIED_ERROR;
const REFUSED_MAX = ReasonCode.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;

/** Asks the deciders in order, at once as long as they answer at once. It never rejects. */
export function poll<D extends { readonly name: string }>(
  deciders: readonly D[],
  ask: (decider: D, index: number) => Eventual<Verdict>,
  onFailure: OnFailure,
): Eventual<Outcome> {
  const from = (start: number, deferred: boolean): Eventual<Outcome> => {
    let hasDeferred = deferred;
    for (let index = start; index < deciders.length; index++) {
      const decider = deciders[index]!;
      const fail = (error: unknown): Outcome => {
        onFailure(decider.name, error);
        return { reasonCode: ReasonCode.NOT_AUTHORIZED, by: decider.name, hasDeferred };
      };
      try {
        const verdict = ask(decider, index);
        if (isPromise(verdict)) {
          return verdict.then((late) => {
            const reasonCode = reasonCodeOf(late);
            if (reasonCode !== undefined) return { reasonCode, by: decider.name, hasDeferred };
            return from(index + 1, hasDeferred || late === "defer");
          }).catch(fail);
        }
        const reasonCode = reasonCodeOf(verdict);
        if (reasonCode !== undefined) return { reasonCode, by: decider.name, hasDeferred };
        if (verdict === "defer") hasDeferred = true;
      } catch (error) {
        return fail(error);
      }
    }
    return { reasonCode: undefined, by: undefined, hasDeferred };
  };
  return from(0, false);
}

/** What an outcome means to somebody who wants to do something: nobody against it is enough. */
export function permissionOf(outcome: Outcome, packetType: PacketType): ReasonCode {
  const { reasonCode, hasDeferred } = outcome;
  if (reasonCode !== undefined) return carriedCode(reasonCode, packetType);
  return hasDeferred ? ReasonCode.NOT_AUTHORIZED : ReasonCode.SUCCESS;
}

/** What an outcome means to somebody who wants to connect. */
export function admissionCodeOf(
  outcome: Outcome,
  isAnonymous: boolean,
  allowAnonymous: boolean,
): ReasonCode {
  const { reasonCode, hasDeferred } = outcome;
  if (reasonCode !== undefined) return carriedCode(reasonCode, PacketType.CONNACK);
  // Without anybody to ask, user names mean nothing.
  const isAdmitted = allowAnonymous && (isAnonymous || !hasDeferred);
  return isAdmitted ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
}

/** The code, or one that says the same less well, where the packet may not carry it. */
export function carriedCode(reasonCode: ReasonCode, packetType: PacketType): ReasonCode {
  return mayCarry(packetType, reasonCode) ? reasonCode : ReasonCode.NOT_AUTHORIZED;
}

/** The code of a final verdict, `undefined` for one that leaves it to others; nonsense throws. */
export function reasonCodeOf(verdict: Verdict): ReasonCode | undefined {
  if (verdict === "ignore" || verdict === "defer") return undefined;
  if (verdict === ReasonCode.SUCCESS) return verdict;
  if (Number.isInteger(verdict) && verdict >= REFUSED_MIN && verdict <= REFUSED_MAX) return verdict;
  throw new TypeError("A decider must answer with a verdict");
}

/** Whether an answer is still to come. */
export function isPromise<T>(value: Eventual<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value;
}
