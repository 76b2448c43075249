/**
 * What an error of the protocol carries.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MalformedPacketError, MqttError, ProtocolError } from "../../../src/core/codec/error.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";

test("MqttError and its two kinds carry a reason code and the section that was broken", () => {
  const errors = [
    new MqttError(ReasonCode.PACKET_TOO_LARGE, "MQTT-3.1.2-24", "Too large"),
    new MalformedPacketError("1.5.5", "Too long"),
    new ProtocolError("2.2.2.2", "Not allowed"),
    new ProtocolError("MQTT-3.3.2-8", "Alias 0", ReasonCode.TOPIC_ALIAS_INVALID),
  ];
  assertEquals(
    errors.map((each) => [
      each instanceof MqttError,
      each.name,
      each.reasonCode,
      each.section,
      each.message,
      each.protocolVersion,
    ]),
    [
      [true, "MqttError", 0x95, "MQTT-3.1.2-24", "Too large", undefined],
      [true, "MalformedPacketError", 0x81, "1.5.5", "Too long", undefined],
      [true, "ProtocolError", 0x82, "2.2.2.2", "Not allowed", undefined],
      [true, "ProtocolError", 0x94, "MQTT-3.3.2-8", "Alias 0", undefined],
    ],
  );
});
