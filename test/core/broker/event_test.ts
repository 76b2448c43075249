// What the log and the bans are told of those who knock.

import { assertEquals } from "@std/assert";
import type { BrokerEvent } from "../../../src/core/broker/event.ts";
import { ASK, OPEN_POLICY } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { auth, bytesOf, connect, disconnect, will } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const PEER = { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 };
const { BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED, SERVER_BUSY, SUCCESS } = ReasonCode;

function loginsOf(broker: VirtualBroker): BrokerEvent[] {
  return broker.takeEvents().filter((event) => event.kind === "login-refused");
}

test("A refused login is told once, at once or when the answer comes, before the end", () => {
  for (const reasonCode of [BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED]) {
    for (const decision of [ASK, reasonCode] as const) {
      const broker = new VirtualBroker({ policy: { ...OPEN_POLICY, connect: () => decision } });
      broker.open(4).send(
        connect({ protocolVersion: 4, username: "user", password: bytesOf("secret") }),
      );
      if (decision === ASK) broker.answer({ kind: "connect", reasonCode });
      const cause = reasonCode === NOT_AUTHORIZED ? "not authorised" : "bad username or password";
      assertEquals(broker.takeEvents(), [
        { kind: "opened", peer: PEER },
        { kind: "login-refused", peer: PEER, clientId: "client", username: "user", reasonCode },
        { kind: "closed", peer: PEER, clientId: undefined, cause, detail: undefined },
      ]);
    }
  }
});

test("A failed exchange of AUTH is a refused login, before and after the CONNACK", () => {
  const policy = { ...OPEN_POLICY, hasAuthenticationMethod: () => true };
  const properties = { authenticationMethod: "x" };
  const refusal = { kind: "authenticate", reasonCode: NOT_AUTHORIZED } as const;
  const broker = new VirtualBroker({ policy });
  const client = broker.open();
  client.send(connect({ properties }));
  broker.answer(refusal);
  const [first] = loginsOf(broker);
  assertEquals(first?.kind === "login-refused" && first.peer, PEER);
  const other = broker.open();
  other.send(connect({ properties }));
  broker.answer({ kind: "authenticate", reasonCode: SUCCESS });
  other.send(auth(ReasonCode.RE_AUTHENTICATE, properties));
  broker.answer(refusal);
  assertEquals(loginsOf(broker).length, 1);
});

test("Who cannot be judged now, or is let in, is no refused login", () => {
  for (const decision of [SERVER_BUSY, SUCCESS]) {
    const broker = new VirtualBroker({ policy: { ...OPEN_POLICY, connect: () => decision } });
    broker.open().send(connect());
    assertEquals(loginsOf(broker), []);
  }
});

test("Who authenticates again as somebody else does not keep the session", () => {
  const policy = { ...OPEN_POLICY, hasAuthenticationMethod: () => true };
  const properties = { authenticationMethod: "x" };
  const broker = new VirtualBroker({ policy });
  const client = broker.open();
  const answer = (username: string) =>
    broker.answer({ kind: "authenticate", reasonCode: SUCCESS, username });
  client.send(connect({ properties }));
  answer("alice");
  client.send(auth(ReasonCode.RE_AUTHENTICATE, properties));
  answer("alice");
  assertEquals([client.isClosed, client.take().map(({ type }) => type)], [false, [
    "connack",
    "auth",
  ]]);
  client.send(auth(ReasonCode.RE_AUTHENTICATE, properties));
  answer("eve");
  assertEquals([client.isClosed, client.take()], [true, [disconnect(NOT_AUTHORIZED)]]);
});

test("A TLS handshake on a plain listener is told for what it is, and HTTP is cut off", () => {
  const broker = new VirtualBroker();
  const hello = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc);
  const tls = broker.open();
  for (const byte of hello) tls.sendBytes(Uint8Array.of(byte));
  const kinds = () => broker.takeEvents().map((event) => event.kind);
  assertEquals([tls.isClosed, kinds()], [true, ["opened", "tls-on-plain", "closed"]]);
  const http = broker.open();
  http.sendBytes(bytesOf("GET / HTTP/1.1\r\n"));
  assertEquals([http.isClosed, broker.takeEvents()], [true, [
    { kind: "opened", peer: PEER },
    {
      kind: "closed",
      peer: PEER,
      clientId: undefined,
      cause: "protocol error",
      detail: "The first packet must be a CONNECT [MQTT-3.1.0-1]",
    },
  ]]);
  // Within a connection the same bytes begin with the type of a CONNECT.
  const client = broker.connect();
  client.sendBytes(hello);
  const told = ["opened", "connected", "second-connect", "closed"];
  assertEquals([client.isClosed, kinds()], [true, told]);
});

test("A Will that its client may not publish is told when it is left, and left all the same", () => {
  const isAllowed = { value: false };
  const broker = new VirtualBroker({
    policy: {
      ...OPEN_POLICY,
      publish: () => isAllowed.value ? SUCCESS : NOT_AUTHORIZED,
    },
  });
  const client = broker.connect({ will: will("w", { retain: true }) });
  const told = broker.takeEvents().filter((event) => event.kind === "will-not-permitted");
  assertEquals(told, [{ kind: "will-not-permitted", clientId: "client", topic: "w" }]);
  isAllowed.value = true;
  client.drop();
  assertEquals(broker.core.retainedCount, 1);
});
