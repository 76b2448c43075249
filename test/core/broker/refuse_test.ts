// What each version is told, and what the log is.

import { assertEquals } from "@std/assert";
import { subackCode } from "../../../src/core/broker/refuse.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { OPEN_POLICY } from "../../../src/core/broker/question.ts";
import { test } from "../../harness.ts";
import { connect, publish } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("subackCode() hides a refusal from version 3.1, which had none [MQTT-3.9.3-2]", () => {
  const codes = ([3, 4, 5] as const).map((version) =>
    subackCode(version, ReasonCode.NOT_AUTHORIZED, ReasonCode.GRANTED_QOS_1)
  );
  assertEquals(codes, [1, 0x87, 0x87]);
  assertEquals(subackCode(3, ReasonCode.GRANTED_QOS_2, ReasonCode.GRANTED_QOS_2), 2);
});

/** Refuses CONNECT with this code and gives the cause that is logged. */
function causeOf(reasonCode: ReasonCode): string | undefined {
  const broker = new VirtualBroker({ policy: { ...OPEN_POLICY, connect: () => reasonCode } });
  broker.open().send(connect());
  const closed = broker.takeEvents().find((event) => event.kind === "closed");
  return closed?.kind === "closed" ? closed.cause : undefined;
}

test("refuseConnect() gives the log a cause for each code", () => {
  const causes: readonly [ReasonCode, string][] = [
    [ReasonCode.MALFORMED_PACKET, "malformed packet"],
    [ReasonCode.PROTOCOL_ERROR, "protocol error"],
    [ReasonCode.PACKET_TOO_LARGE, "oversize packet"],
    [ReasonCode.NOT_AUTHORIZED, "not authorised"],
    [ReasonCode.CLIENT_IDENTIFIER_NOT_VALID, "client identifier not valid"],
    [ReasonCode.BAD_USER_NAME_OR_PASSWORD, "bad username or password"],
    [ReasonCode.BAD_AUTHENTICATION_METHOD, "bad authentication method"],
    [ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, "unsupported protocol version"],
    [ReasonCode.SERVER_BUSY, "server busy"],
    [ReasonCode.QUOTA_EXCEEDED, "quota exceeded"],
    [ReasonCode.QOS_NOT_SUPPORTED, "used disallowed feature"],
    [ReasonCode.RETAIN_NOT_SUPPORTED, "used disallowed feature"],
    [ReasonCode.UNSPECIFIED_ERROR, "internal error"],
    [ReasonCode.BANNED, "client banned"],
    [ReasonCode.SERVER_UNAVAILABLE, "server unavailable"],
    [ReasonCode.CONNECTION_RATE_EXCEEDED, "connection rate exceeded"],
    [ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "internal error"],
  ];
  assertEquals(causes.map(([code]) => [code, causeOf(code)]), causes);
});

test("refuse() names what was broken, and never what was in it", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  broker.takeEvents();
  client.send(publish("secret/+", { payload: "password" }));
  const [closed] = broker.takeEvents();
  assertEquals(
    closed?.kind === "closed" && [closed.cause, closed.detail],
    ["malformed packet", "A topic name is not well-formed [MQTT-3.3.2-2]"],
  );
});
