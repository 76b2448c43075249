/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP: how exchanges of QoS 1 and 2 go on and end.
 *
 * @module
 */

import { ProtocolError } from "../codec/error.ts";
import { type AckType, PacketType } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import { AwaitedPacket, type InflightEntry } from "../session/sender.ts";
import type { Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import { pump } from "./pump.ts";
import type { PacketEvent } from "./event.ts";
import { recordFinished } from "./record.ts";
import { sendAck } from "./send.ts";
import type { BrokerState } from "./state.ts";

/** The client acknowledges; the packet is the one that the framer stands on. */
export function handleAck(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  type: AckType,
  now: number,
): void {
  const { framer } = connection;
  const { ackView } = state;
  ackView.read(
    framer.firstByte,
    framer.bytes,
    framer.bodyStart,
    framer.end,
    connection.protocolVersion,
  );
  const { packetId, reasonCode } = ackView;
  if (state.tracesPackets) trace(state, session, type, packetId, reasonCode);
  if (type === PacketType.PUBREL) {
    handlePubrel(state, connection, session, packetId);
    return;
  }
  const entry = session.sender.find(packetId);
  switch (type) {
    // [MQTT-4.3.2-3]
    case PacketType.PUBACK:
      if (entry === undefined) return;
      expect(entry, AwaitedPacket.PUBACK);
      finish(state, session, entry);
      break;
    case PacketType.PUBREC:
      handlePubrec(state, connection, session, entry);
      break;
    // [MQTT-4.3.3-5]
    case PacketType.PUBCOMP:
      if (entry === undefined) return;
      expect(entry, AwaitedPacket.PUBCOMP);
      finish(state, session, entry);
      break;
  }
  if (connection.isStalled) pump(state, session, now);
}

function handlePubrec(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  entry: InflightEntry | undefined,
): void {
  const { packetId, reasonCode } = state.ackView;
  if (entry !== undefined && entry.awaits !== AwaitedPacket.PUBCOMP) {
    expect(entry, AwaitedPacket.PUBREC);
    if (reasonCode >= ReasonCode.UNSPECIFIED_ERROR) {
      // Refused: the exchange is over, and the identifier free [MQTT-4.3.3-4].
      // [MQTT-4.4.0-2] [MQTT-4.8.2-6]
      finish(state, session, entry);
      return;
    }
    // [MQTT-4.3.3-3]
    session.sender.received(entry);
    if (entry.isResumable && state.records(session)) {
      state.journal.record({ kind: "delivery-received", clientId: session.clientId, packetId });
      // The receiver forgets the identifier with the PUBREL, and would take the message for new.
      state.hold(connection);
    }
  }
  // A refusal ends an exchange for its sender too.
  if (entry === undefined && reasonCode >= ReasonCode.UNSPECIFIED_ERROR) return;
  // Also for one that is not known any more: its receiver has to get rid of it.
  sendAck(state, connection, PacketType.PUBREL, packetId, ReasonCode.SUCCESS);
}

/** [MQTT-4.3.3-11]; one that is not known any more was released before. [MQTT-4.3.3-12] */
function handlePubrel(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  packetId: number,
): void {
  if (session.receiver.release(packetId) && state.records(session)) {
    state.journal.record({ kind: "packet-id-released", clientId: session.clientId, packetId });
    // The identifier is free with the PUBCOMP, and its next message must not be a repetition.
    state.hold(connection);
  }
  sendAck(state, connection, PacketType.PUBCOMP, packetId, ReasonCode.SUCCESS);
}

function finish(
  state: BrokerState,
  session: Session<Connection>,
  entry: InflightEntry,
): void {
  const { packetId, delivery, isResumable } = entry;
  session.sender.release(entry);
  if (isResumable) recordFinished(state, session, packetId, delivery);
}

function expect(entry: InflightEntry, awaited: AwaitedPacket): void {
  if (entry.awaits === awaited) return;
  throw new ProtocolError(
    "4.3",
    `Packet "${entry.packetId}" was acknowledged in a way that its QoS does not have`,
  );
}

function trace(
  state: BrokerState,
  session: Session<Connection>,
  type: AckType,
  packetId: number,
  reasonCode: ReasonCode,
): void {
  state.emit({
    kind: "packet",
    action: "received",
    type: NAMES[type],
    clientId: session.clientId,
    packetId,
    reasonCode,
  });
}

const NAMES: Readonly<Record<AckType, PacketEvent["type"]>> = Object.freeze({
  [PacketType.PUBACK]: "puback",
  [PacketType.PUBREC]: "pubrec",
  [PacketType.PUBREL]: "pubrel",
  [PacketType.PUBCOMP]: "pubcomp",
});
