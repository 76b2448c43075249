/**
 * One step of an enhanced authentication: finds the authenticator that knows the method, gives it
 * what the client sent, and checks what it answers. What it remembers between steps is its own.
 *
 * @module
 */

import type { Answer, Question } from "../core/broker/question.ts";
import { PacketType } from "../core/codec/protocol.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { Authenticator, ExchangeReply } from "./auth.ts";
import { carriedCode, type Chain, type OnFailure, reasonCodeOf } from "./chain.ts";
import { Admission } from "./client_notes.ts";

/** Who of the chain knows the Authentication Method. */
export function authenticatorOf(chain: Chain, method: string): Authenticator | undefined {
  return chain.authenticators.find(({ methods, exchange }) =>
    exchange !== undefined && methods?.includes(method)
  );
}

/** Answers the question; who lets the client in is noted. It never rejects. */
export async function exchange(
  chain: Chain,
  question: Extract<Question, { readonly kind: "authenticate" }>,
  onFailure: OnFailure,
): Promise<Answer> {
  const { kind, request, method, data, isReauthentication } = question;
  const authenticator = authenticatorOf(chain, method);
  if (authenticator?.exchange === undefined) {
    return { kind, reasonCode: ReasonCode.BAD_AUTHENTICATION_METHOD };
  }
  try {
    const step = { request, method, data, isReauthentication };
    const reply = checked(await authenticator.exchange(step));
    if (reply.reasonCode === ReasonCode.SUCCESS) {
      request.policyNotes = new Admission({ by: authenticator.name });
    }
    return { ...reply, kind };
  } catch (error) {
    onFailure(authenticator.name, error);
    return { kind, reasonCode: ReasonCode.NOT_AUTHORIZED };
  }
}

/** The reply without anything that does not belong there; throws when it makes no sense. */
function checked({ reasonCode, data, username, reasonString }: ExchangeReply): ExchangeReply {
  const isSound = (data === undefined || data instanceof Uint8Array) &&
    isTextOrNothing(username) && isTextOrNothing(reasonString);
  if (!isSound) throw new TypeError("An exchange must be answered with a reply");
  const parts = {
    ...data === undefined ? {} : { data },
    ...username === undefined ? {} : { username },
    ...reasonString === undefined ? {} : { reasonString },
  };
  if (reasonCode === ReasonCode.CONTINUE_AUTHENTICATION) return { reasonCode, ...parts };
  const final = reasonCodeOf(reasonCode) ?? ReasonCode.NOT_AUTHORIZED;
  return { reasonCode: carriedCode(final, PacketType.CONNACK), ...parts };
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
