/**
 * Retained messages: the last one of each topic, kept for those who subscribe later.
 * [MQTT-3.1.1-3.1.2-7]
 *
 * @module
 */

import type { Message } from "../session/message.ts";
import type { OwedRetained, Subscription } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import { recordOwed, recordRetained, recordUnretained } from "./record.ts";
import type { BrokerState } from "./state.ts";

/** Nodes of the tree that one step of the search for expired messages goes through. */
const SWEEP_NODES = 1000;
/** Between two steps others have their turn. */
const SWEEP_STEP_MS = 10;

/**
 * Replaces the retained message of a topic; an empty payload removes it. [MQTT-3.3.1-5]
 * [MQTT-3.1.1-3.3.1-7]
 */
export function retain(state: BrokerState, message: Message, now: number): void {
  // A Will may have been left when it could still be retained.
  if (!state.limits.retainAvailable) return;
  // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
  if (message.payloadLength === 0) {
    forget(state, message.topic);
    return;
  }
  const isOwn = isOwnValue(message);
  const { retainedMessagesMax } = state.limits;
  if (
    !isOwn && retainedMessagesMax > 0 &&
    state.retained.size - state.retainedOwnCount >= retainedMessagesMax &&
    state.retained.get(message.topic) === undefined
  ) {
    state.counters.retainedRefused++;
    return;
  }
  const kept = message.keep();
  kept.retainedSequence = ++state.retainedSequence;
  const old = putRetained(state, kept);
  if (!isOwn) recordRetained(state, kept, old);
  scheduleSweep(state, now);
}

function forget(state: BrokerState, topic: string): void {
  const old = takeRetained(state, topic);
  if (old !== undefined && !isOwnValue(old)) recordUnretained(state, old);
}

/**
 * What the broker says of itself: made anew when it starts, so it is not stored, and takes nothing
 * from the room that clients have.
 */
function isOwnValue(message: Message): boolean {
  return message.publisherId === "" && message.topic.startsWith("$SYS/");
}

/** Stores a kept message in the place of the one before, which it returns. */
export function putRetained(state: BrokerState, message: Message): Message | undefined {
  const { topicBytes, topicStart, topicEnd } = message;
  const old = state.retained.setBytes(topicBytes, topicStart, topicEnd, message);
  if (old !== undefined) discount(state, old);
  state.stored.hold(message);
  if (isOwnValue(message)) state.retainedOwnCount++;
  if (message.expiresAt !== Infinity) state.retainedExpiringCount++;
  return old;
}

/** Takes the retained message of a topic away; what it was. */
export function takeRetained(state: BrokerState, topic: string): Message | undefined {
  const old = state.retained.delete(topic);
  if (old !== undefined) discount(state, old);
  return old;
}

function discount(state: BrokerState, old: Message): void {
  old.isSuperseded = true;
  state.stored.release(old);
  if (isOwnValue(old)) state.retainedOwnCount--;
  if (old.expiresAt !== Infinity) state.retainedExpiringCount--;
}

/** Has expired messages looked for in due time, if there can be any. */
export function scheduleSweep(state: BrokerState, now: number): void {
  const { retainSweepMs } = state.limits;
  if (retainSweepMs === 0 || state.retainedExpiringCount === 0) return;
  if (state.retainSweep.heapIndex !== -1) return;
  state.retainSweep.before = Infinity;
  state.deadlines.set(state.retainSweep, now + retainSweepMs);
}

/** Removes expired messages, in steps of bounded length. */
export function sweepRetained(state: BrokerState, now: number): void {
  const { retainSweep } = state;
  const found: Message[] = [];
  retainSweep.before = state.retained.scan(retainSweep.before, SWEEP_NODES, found);
  for (const message of found) {
    if (message.expiresAt <= now) forget(state, message.topic);
  }
  if (retainSweep.before === 0) scheduleSweep(state, now);
  else state.deadlines.set(retainSweep, now + SWEEP_STEP_MS);
}

/**
 * Whether a retained message may still be given out: whoever had it retained must be allowed to
 * have it there today. What the broker retained itself is always given out.
 */
export function isVouchedFor(state: BrokerState, message: Message): boolean {
  const { publisherId: clientId, publisherUsername: username } = message;
  if (state.isOpen || !state.limits.checksRetainSource || clientId === "") return true;
  return state.policy.hasRetained({ clientId, username }, message.topic);
}

/**
 * Notes that a subscription is owed what is retained; `pump` sends it after the SUBACK. Who is owed
 * it already, and has had none of it, is owed no more by asking again. [MQTT-3.3.1-9]
 */
export function oweRetained(state: BrokerState, subscription: Subscription<Connection>): void {
  if (!state.limits.retainAvailable) return;
  const { owedRetained } = subscription.session;
  const sequence = state.retainedSequence;
  const owed = owedRetained.get(subscription);
  if (owed === undefined) {
    const owed = {
      subscription,
      sequence,
      after: 0,
      messages: undefined,
      next: 0,
      recordedAt: 0,
      isStored: false,
    };
    owedRetained.set(subscription, owed);
    recordOwed(state, owed);
  } else if (owed.after > 0) {
    owed.sequence = sequence;
    owed.after = 0;
    owed.messages = undefined;
    owed.next = 0;
    recordOwed(state, owed);
  }
}

/** Looks up what a subscription is owed, now that its turn has come. */
export function findOwed(
  state: BrokerState,
  { subscription, sequence, after }: OwedRetained<Connection>,
  now: number,
): readonly Message[] {
  const messages: Message[] = [];
  state.retained.match(subscription.filter, messages);
  let owed = 0;
  for (const message of messages) {
    // Expired messages are found when they are met; until then they cost only their memory.
    if (message.expiresAt <= now) forget(state, message.topic);
    else if (message.retainedSequence <= sequence && message.retainedSequence > after) {
      messages[owed++] = message;
    }
  }
  messages.length = owed;
  // One number then says how far it has been given them, also after a restart.
  if (state.records(subscription.session)) {
    messages.sort((a, b) => a.retainedSequence - b.retainedSequence);
  }
  return messages;
}
