/**
 * What is thrown when the peer broke the protocol: one error with a reason code and the place in
 * the standard that was broken, and two subclasses for the two usual kinds. Faults of our own are
 * assertions (base/assert.ts), refusals of the broker are ordinary return values; neither is here.
 *
 * @module
 */

import type { ProtocolVersion } from "./protocol.ts";
import { ReasonCode } from "./reason_code.ts";

/** The peer broke the protocol: the connection has to be closed. */
export class MqttError extends Error {
  override readonly name: string = "MqttError";
  readonly reasonCode: ReasonCode;

  /** A normative statement such as "MQTT-3.1.2-3", or a section where the standard gives no id. */
  readonly section: string;

  /**
   * Set when a CONNECT failed in a way that its sender can be told by a CONNACK of this version;
   * otherwise a failed CONNECT is answered by closing the connection.
   */
  protocolVersion: ProtocolVersion | undefined = undefined;

  constructor(reasonCode: ReasonCode, section: string, message: string) {
    super(message);
    this.reasonCode = reasonCode;
    this.section = section;
  }
}

/** The bytes cannot be read as a packet. */
export class MalformedPacketError extends MqttError {
  override readonly name: string = "MalformedPacketError";

  constructor(section: string, message: string) {
    super(ReasonCode.MALFORMED_PACKET, section, message);
  }
}

/** The packet can be read, but the protocol does not allow it. */
export class ProtocolError extends MqttError {
  override readonly name: string = "ProtocolError";

  constructor(
    section: string,
    message: string,
    reasonCode: ReasonCode = ReasonCode.PROTOCOL_ERROR,
  ) {
    super(reasonCode, section, message);
  }
}
