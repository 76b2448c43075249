/**
 * Retained messages: the last one of each topic, kept for those who subscribe later.
 *
 * @module
 */

import type { Message } from "../session/message.ts";
import type { OwedRetained, Subscription } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import type { BrokerState } from "./state.ts";

/** Replaces the retained message of a topic; an empty payload removes it. [MQTT-3.3.1-5] */
export function retain(state: BrokerState, message: Message): void {
  const { topic } = message;
  // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
  if (message.payloadLength === 0) {
    forget(state, topic);
    return;
  }
  const { retainedMessagesMax } = state.limits;
  const old = state.retained.get(topic);
  if (old === undefined) {
    if (retainedMessagesMax > 0 && state.retained.size >= retainedMessagesMax) {
      state.counters.retainedRefused++;
      return;
    }
  } else {
    old.isSuperseded = true;
  }
  const kept = message.keep();
  kept.retainedSequence = ++state.retainedSequence;
  state.retained.set(topic, kept);
  if (state.keepsJournal) state.record({ kind: "retained-set", message: kept });
}

function forget(state: BrokerState, topic: string): void {
  const old = state.retained.delete(topic);
  if (old === undefined) return;
  old.isSuperseded = true;
  if (state.keepsJournal) state.record({ kind: "retained-removed", topic });
}

/**
 * Notes that a subscription is owed what is retained; `pump` sends it after the SUBACK. Who is owed
 * it already, and has had none of it, is owed no more by asking again. [MQTT-3.3.1-9]
 */
export function oweRetained(state: BrokerState, subscription: Subscription<Connection>): void {
  const { owedRetained } = subscription.session;
  const sequence = state.retainedSequence;
  const owed = owedRetained.get(subscription);
  if (owed === undefined) {
    owedRetained.set(subscription, { subscription, sequence, messages: undefined, next: 0 });
  } else if (owed.next > 0) {
    owed.sequence = sequence;
    owed.messages = undefined;
    owed.next = 0;
  }
}

/** Looks up what a subscription is owed, now that its turn has come. */
export function findOwed(
  state: BrokerState,
  { subscription, sequence }: OwedRetained<Connection>,
  now: number,
): readonly Message[] {
  const messages: Message[] = [];
  state.retained.match(subscription.filter, messages);
  let owed = 0;
  for (const message of messages) {
    // Expired messages are found when they are met; until then they cost only their memory.
    if (message.expiresAt <= now) forget(state, message.topic);
    else if (message.retainedSequence <= sequence) messages[owed++] = message;
  }
  messages.length = owed;
  return messages;
}
