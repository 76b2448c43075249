/**
 * Shows a message on its way in to the observers that want to see it, one after the other; each
 * may change it or stop it, and one that fails stops it, with the client being told that it may
 * not.
 *
 * @module
 */

import type { Answer, Client } from "../core/broker/question.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { InboundMessage, Observer } from "./auth.ts";
import type { Chain, OnFailure } from "./chain.ts";

/** Whether an observer of the chain is to be shown what clients publish. */
export function seesMessages({ observers }: Chain): boolean {
  return observers.some(({ message }) => message !== undefined);
}

/** Gives each observer the message as the one before left it. It never rejects. */
export async function showMessage(
  observers: readonly Observer[],
  client: Client,
  asSent: InboundMessage,
  onFailure: OnFailure,
): Promise<Answer> {
  const kind = "publish";
  const reasonCode = ReasonCode.SUCCESS;
  let message = asSent;
  for (const observer of observers) {
    if (observer.message === undefined) continue;
    try {
      const next = await observer.message(client, message);
      if (next === undefined) return { kind, reasonCode, isDropped: true };
      message = next;
    } catch (error) {
      onFailure(observer.name, error);
      return { kind, reasonCode: ReasonCode.NOT_AUTHORIZED };
    }
  }
  return message === asSent ? { kind, reasonCode } : { kind, reasonCode, message };
}
