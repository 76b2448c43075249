/**
 * Wills: published when a client goes missing, at once or after its Will Delay Interval, and never
 * more than once.
 *
 * @module
 */

import type { Will as WillPacket } from "../codec/packet.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import { makeMessage } from "../session/make_message.ts";
import type { Message } from "../session/message.ts";
import { contentsOf } from "../session/message_contents.ts";
import type { Session } from "../session/session.ts";
import type { Will } from "../session/will.ts";
import type { Connection } from "./connection.ts";
import { publish } from "./publish.ts";
import { type Answer, ASK, ASK_MESSAGE, type PublishDecision } from "./question.ts";
import { decideAgain, replaceMessage } from "./replacement.ts";
import { isReserved } from "./reserved_topic.ts";
import type { BrokerState, UndecidedWill } from "./state.ts";

/** The name that the topic of a Will has inside the broker. */
export function willTopic({ mount }: Connection, will: WillPacket): string {
  return mount === undefined ? will.topic : mount.text + will.topic;
}

/** Keeps the Will that a client leaves with its CONNECT. [MQTT-3.1.2-7] */
export function setWill(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  packet: WillPacket,
): void {
  const { payload, qos, retain, properties } = packet;
  const topic = willTopic(connection, packet);
  // [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.3-10]
  const message = makeMessage({
    topic,
    payload,
    qos,
    retain,
    properties,
    publisherId: session.clientId,
    publisherUsername: session.username,
  });
  const will: Will = {
    message,
    messageExpiryInterval: properties.messageExpiryInterval,
    // A session that ends with its connection leaves no time for a delay.
    delay: session.isPersistent ? properties.willDelayInterval ?? 0 : 0,
  };
  session.will = will;
  session.willDueAt = Infinity;
  if (state.records(session)) {
    const { clientId } = session;
    state.journal.record({ kind: "will-set", clientId, will, dueAt: Infinity });
  }
  // The permission that counts is that of the day; but its operator may want to know already.
  if (decide(state, session, message) >= ReasonCode.UNSPECIFIED_ERROR) {
    state.emit({ kind: "will-not-permitted", clientId: session.clientId, topic });
  }
}

/** Publishes the session's Will, if it has one, and forgets it. [MQTT-3.1.2-8] [MQTT-3.1.2-10] */
export function publishWill(
  state: BrokerState,
  session: Session<Connection>,
  now: number,
): void {
  const { will } = session;
  if (will === undefined) return;
  const { message, messageExpiryInterval } = will;
  if (messageExpiryInterval !== undefined) message.expiresAt = now + messageExpiryInterval * 1000;
  // The permission is that of now, not of when the Will was left.
  const decision = decide(state, session, message);
  session.will = undefined;
  session.willDueAt = Infinity;
  recordRemoved(state, session);
  settle(state, { session, message, isReplaced: false, recordedAt: 0 }, decision, now);
}

/** The answer to whether a Will may be published; `false` when no Will waits for it. */
export function answerWill(
  state: BrokerState,
  questionId: number,
  answer: Answer,
  now: number,
): boolean {
  const undecided = state.undecidedWills.get(questionId);
  if (undecided === undefined) return false;
  state.undecidedWills.delete(questionId);
  recordDecided(state, undecided, questionId);
  const { session, message, isReplaced } = undecided;
  if (answer.kind !== "publish") return true;
  if (answer.reasonCode !== ReasonCode.SUCCESS || isReplaced || answer.message === undefined) {
    const decision = answer.isDropped === true ? ReasonCode.NOT_AUTHORIZED : answer.reasonCode;
    settle(state, undecided, decision, now);
    return true;
  }
  const replacement = replaceMessage(state, session, answer.message, now);
  if (typeof replacement === "number") {
    settle(state, undecided, replacement, now);
  } else {
    const decision = decideAgain(state, session, message, replacement);
    settle(
      state,
      { session, message: replacement, isReplaced: true, recordedAt: 0 },
      decision,
      now,
    );
  }
  return true;
}

/** Goes on with a Will that a store gives back, about which nobody has decided. */
export function resumeWill(state: BrokerState, undecided: UndecidedWill, now: number): void {
  const { session, message } = undecided;
  if (message.expiresAt > now) settle(state, undecided, decide(state, session, message), now);
}

function decide(
  state: BrokerState,
  session: Session<Connection>,
  { topic, qos, retain }: Message,
): PublishDecision {
  if (isReserved(topic)) return ReasonCode.NOT_AUTHORIZED;
  return state.isOpen ? ReasonCode.SUCCESS : state.policy.publish(session, topic, qos, retain);
}

/** Publishes a Will, drops it, or has the outside decide. Nobody waits for that answer. */
function settle(
  state: BrokerState,
  undecided: UndecidedWill,
  decision: PublishDecision,
  now: number,
): void {
  const { session, message, isReplaced } = undecided;
  if (decision === ASK || decision === ASK_MESSAGE) {
    if (state.undecidedWills.size >= state.limits.undecidedWillsMax) {
      state.counters.publishDropped++;
      return;
    }
    const id = state.askForWill(undecided);
    recordUndecided(state, undecided, id);
    state.questions.push({
      kind: "publish",
      id,
      client: session,
      topic: message.topic,
      qos: message.qos,
      retain: message.retain,
      ...decision === ASK_MESSAGE && !isReplaced ? { message: contentsOf(message, now) } : {},
      ...isReplaced ? { isReplaced } : {},
    });
    return;
  }
  if (decision !== ReasonCode.SUCCESS) return;
  const topic = state.routes.findName(message.topic);
  if (topic !== null) publish(state, message, topic, now);
}

/** Forgets the session's Will without publishing it. [MQTT-3.14.4-3] */
export function discardWill(state: BrokerState, session: Session<Connection>): void {
  if (session.will === undefined) return;
  session.will = undefined;
  session.willDueAt = Infinity;
  recordRemoved(state, session);
}

/** Notes for the store that there is no Will, unless its client has left another one meanwhile. */
function recordRemoved(state: BrokerState, session: Session<Connection>): void {
  if (session.will !== undefined || !state.records(session)) return;
  state.journal.record({ kind: "will-removed", clientId: session.clientId });
  // Its client may have left for good, and nobody else would hurry.
  state.journal.urge();
}

/** The store keeps a Will until there is an answer, whatever becomes of the session meanwhile. */
function recordUndecided(state: BrokerState, undecided: UndecidedWill, number: number): void {
  if (!state.keepsJournal) return;
  const { session, message, isReplaced } = undecided;
  const { clientId, username, isIdentified, protocolVersion, listener } = session;
  undecided.recordedAt = state.journal.record({
    kind: "undecided-will-set",
    number,
    owner: {
      clientId,
      username,
      isIdentified,
      protocolVersion,
      listenerName: listener?.name ?? "",
    },
    message,
    isReplaced,
  });
  state.journal.urge();
}

function recordDecided(state: BrokerState, { recordedAt }: UndecidedWill, number: number): void {
  if (!state.keepsJournal || state.journal.withdraw(recordedAt) !== undefined) return;
  state.journal.record({ kind: "undecided-will-removed", number });
  state.journal.urge();
}

/** Has the Will published after its delay, or with the end of the session. [MQTT-3.1.3-9] */
export function delayWill(
  state: BrokerState,
  session: Session<Connection>,
  will: Will,
  now: number,
): void {
  session.willDueAt = now + will.delay * 1000;
  if (state.records(session)) {
    const { clientId } = session;
    state.journal.record({ kind: "will-set", clientId, will, dueAt: session.willDueAt });
  }
}
