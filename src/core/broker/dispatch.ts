/**
 * From the bytes that have arrived to the handler of each packet, and from an answer to whoever has
 * waited for it. What a packet does is in the file named after it.
 *
 * @module
 */

import { decodeRequest, type RequestPacket } from "../codec/decode_request.ts";
import { MqttError, ProtocolError } from "../codec/error.ts";
import { PacketType } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { Connection } from "./connection.ts";
import { endConnection } from "./end.ts";
import { handleAck } from "./handle_ack.ts";
import { answerAuthenticate, handleAuth } from "./handle_auth.ts";
import { acceptConnect, handleConnect } from "./handle_connect.ts";
import { handleDisconnect } from "./handle_disconnect.ts";
import { answerPublish, handlePublish } from "./handle_publish.ts";
import { answerSubscribe, handleSubscribe, handleUnsubscribe } from "./handle_subscribe.ts";
import { mustWait } from "./publish_rate.ts";
import type { Answer } from "./question.ts";
import { notAConnect, refuse, refuseLogin } from "./refuse.ts";
import { sendPingresp } from "./send.ts";
import type { BrokerState } from "./state.ts";

/** Handles the packets that have arrived whole, until one has to wait. */
export function processPackets(
  state: BrokerState,
  connection: Connection,
  now: number,
): void {
  const { framer } = connection;
  const isRated = state.limits.publishRateCount > 0;
  try {
    while (
      connection.questionId === 0 && connection.phase !== "ended" && !state.journal.isFull &&
      framer.next()
    ) {
      if (isRated && mustWait(state, connection, now)) {
        framer.unread();
        break;
      }
      state.counters.packetsReceived++;
      dispatch(state, connection, now);
    }
    if (connection.phase !== "ended") framer.keepRest();
  } catch (error) {
    if (!(error instanceof MqttError)) throw error;
    refuse(state, connection, error, now);
  }
  // Who does not take what he is given is not listened to either.
  const isPaused = connection.questionId !== 0 || connection.waitsUntil !== 0 ||
    state.isBacklogged(connection) || state.journal.isFull;
  // Whatever it sent might add to what the store has yet to commit.
  if (state.journal.isFull && connection.phase !== "ended") state.blocked.add(connection);
  // It may have nothing to take itself, and then only the others can make room.
  if (state.isOverTotal && connection.phase !== "ended") state.starve(connection, now);
  if (isPaused !== connection.isPaused) {
    connection.isPaused = isPaused;
    state.markDirty(connection);
  }
}

function dispatch(state: BrokerState, connection: Connection, now: number): void {
  const { framer, session } = connection;
  const type = framer.firstByte >> 4;
  if (connection.phase !== "connected" || session === undefined) {
    dispatchEarly(state, connection, type, now);
    return;
  }
  switch (type) {
    case PacketType.PUBLISH:
      return handlePublish(state, connection, session, now);
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
      return handleAck(state, connection, session, type, now);
    // Not read: whatever is wrong with it besides is not for a DISCONNECT to say.
    case PacketType.CONNECT: {
      const { clientId } = session;
      state.counters.connectsReceived++;
      state.counters.protocolErrors++; // [MQTT-3.1.0-2]
      state.emit({ kind: "second-connect", peer: connection.peer, clientId });
      endConnection(state, connection, { cause: "protocol error", publishesWill: true }, now);
      return;
    }
  }
  const packet = decode(connection);
  switch (packet.type) {
    case "subscribe":
      return handleSubscribe(state, connection, session, packet, now);
    case "unsubscribe":
      return handleUnsubscribe(state, connection, session, packet);
    case "pingreq":
      if (state.tracesPackets) {
        const { clientId } = session;
        state.emit({ kind: "packet", action: "received", type: "pingreq", clientId });
      }
      return sendPingresp(state, connection); // [MQTT-3.12.4-1]
    case "disconnect":
      return handleDisconnect(state, connection, packet, now);
    case "auth":
      return handleAuth(state, connection, packet);
  }
}

/** Before the connection is accepted: a CONNECT first [MQTT-3.1.0-1], then nothing but AUTH. */
function dispatchEarly(
  state: BrokerState,
  connection: Connection,
  type: number,
  now: number,
): void {
  if (connection.phase === "opened") {
    if (type !== PacketType.CONNECT) {
      throw notAConnect();
    }
    state.counters.connectsReceived++;
    const packet = decode(connection);
    if (packet.type === "connect") handleConnect(state, connection, packet, now);
    return;
  }
  if (type !== PacketType.AUTH && type !== PacketType.DISCONNECT) {
    throw new ProtocolError("MQTT-3.1.4-6", "Nothing but AUTH may come before the CONNACK");
  }
  const packet = decode(connection);
  if (packet.type === "auth") handleAuth(state, connection, packet);
  else if (packet.type === "disconnect") handleDisconnect(state, connection, packet, now);
}

function decode(connection: Connection): RequestPacket {
  const { firstByte, bytes, bodyStart, end } = connection.framer;
  return decodeRequest(firstByte, bytes, bodyStart, end, connection.protocolVersion);
}

/** Does what an answer to a question of this connection says. */
export function applyAnswer(
  state: BrokerState,
  connection: Connection,
  answer: Answer,
  now: number,
): void {
  const { pending, session } = connection;
  switch (answer.kind) {
    case "connect": {
      if (pending?.kind !== "connect") return;
      const { reasonCode, reasonString, username } = answer;
      if (reasonCode === ReasonCode.SUCCESS) {
        const acceptance = { username, reasonString };
        acceptConnect(state, connection, pending.packet, pending.request, acceptance, now);
      } else {
        refuseLogin(state, connection, pending.request, reasonCode, { reasonString }, now);
      }
      return;
    }
    case "authenticate":
      return answerAuthenticate(state, connection, answer, now);
    case "publish":
      if (session === undefined) return;
      return answerPublish(state, connection, session, answer, now);
    case "subscribe":
      if (session === undefined) return;
      return answerSubscribe(state, connection, session, answer.reasonCodes, now);
  }
}
