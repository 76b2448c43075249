/**
 * DISCONNECT from a client: it leaves as it wants to, with or without its Will.
 *
 * @module
 */

import { ProtocolError } from "../codec/error.ts";
import type { DisconnectPacket } from "../codec/packet.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { Connection } from "./connection.ts";
import { endConnection, setExpiryInterval } from "./end.ts";
import type { BrokerState } from "./state.ts";

export function handleDisconnect(
  state: BrokerState,
  connection: Connection,
  packet: DisconnectPacket,
  now: number,
): void {
  const { session } = connection;
  const { sessionExpiryInterval } = packet.properties;
  if (session !== undefined && sessionExpiryInterval !== undefined) {
    if (session.expiryInterval === 0 && sessionExpiryInterval > 0) {
      throw new ProtocolError(
        "MQTT-3.1.2-23",
        "A session that ends with its connection cannot be prolonged by DISCONNECT",
      );
    }
    const interval = Math.min(sessionExpiryInterval, state.limits.sessionExpiryIntervalMax);
    setExpiryInterval(state, session, interval);
  }
  if (state.tracesPackets && session !== undefined) {
    state.emit({
      kind: "packet",
      action: "received",
      type: "disconnect",
      clientId: session.clientId,
      reasonCode: packet.reasonCode,
    });
  }
  // Without a reason to the contrary the Will is deleted [MQTT-3.14.4-3].
  const isNormal = packet.reasonCode === ReasonCode.NORMAL_DISCONNECTION;
  endConnection(state, connection, {
    cause: isNormal ? "client disconnected" : "client disconnected with will",
    publishesWill: !isNormal,
  }, now);
}
