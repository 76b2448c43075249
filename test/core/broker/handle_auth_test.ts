// Enhanced authentication (4.12): exchanges of any length before the CONNACK and after it.

import { assertEquals } from "@std/assert";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import {
  auth,
  bytesOf,
  connack,
  connect,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
} from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const { CONTINUE_AUTHENTICATION, NOT_AUTHORIZED, PROTOCOL_ERROR, RE_AUTHENTICATE } = ReasonCode;

const POLICY: Policy = {
  ...OPEN_POLICY,
  hasAuthenticationMethod: (method) => method === "SCRAM",
  publish: (_client, topic) => topic === "asked" ? ASK : ReasonCode.SUCCESS,
};

const TOLD: Properties = {
  topicAliasMaximum: 10,
  maximumPacketSize: 2_000_000,
  receiveMaximum: 20,
};

function scram(data?: string): Properties {
  return {
    authenticationMethod: "SCRAM",
    ...data === undefined ? {} : { authenticationData: bytesOf(data) },
  };
}

function answer(reasonCode: ReasonCode, data?: string) {
  return {
    kind: "authenticate",
    reasonCode,
    ...data === undefined ? {} : { data: bytesOf(data) },
  } as const;
}

/** A client whose CONNECT waits for the authenticator. */
function asking(data?: string): { broker: VirtualBroker; client: VirtualClient } {
  const broker = new VirtualBroker({ policy: POLICY });
  const client = broker.open();
  client.send(connect({ properties: scram(data), username: "user" }));
  return { broker, client };
}

/** A client that was let in by one question. */
function authenticated(): { broker: VirtualBroker; client: VirtualClient } {
  const scene = asking();
  scene.broker.answer(answer(ReasonCode.SUCCESS));
  assertEquals(scene.client.take(), [connack(0, { ...TOLD, ...scram() })]);
  return scene;
}

function refusedBy(client: VirtualClient, ...sent: readonly Packet[]): unknown {
  const packets = client.exchange(...sent);
  return [client.isClosed, packets];
}

test("AUTH goes to and fro before the CONNACK, which carries the last word [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5]", () => {
  const { broker, client } = asking("first");
  const [question] = broker.questions;
  assertEquals(question, {
    kind: "authenticate",
    id: question!.id,
    request: {
      peer: { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 },
      listener: DEFAULT_LISTENER,
      clientId: "client",
      protocolVersion: 5,
      username: "user",
      isIdentified: false,
      password: undefined,
      isBridge: false,
    },
    method: "SCRAM",
    data: bytesOf("first"),
    isReauthentication: false,
  });
  broker.answer(answer(CONTINUE_AUTHENTICATION, "challenge"));
  assertEquals(client.take(), [auth(CONTINUE_AUTHENTICATION, scram("challenge"))]);
  client.send(auth(CONTINUE_AUTHENTICATION, scram("second")));
  const [second] = broker.questions;
  assertEquals(second?.kind === "authenticate" && second.data, bytesOf("second"));
  broker.answer({ ...answer(ReasonCode.SUCCESS, "signature"), username: "identity" });
  assertEquals(client.take(), [connack(0, { ...TOLD, ...scram("signature") })]);
  const connected = broker.takeEvents().find((event) => event.kind === "connected");
  assertEquals(connected?.kind === "connected" && connected.username, "identity");
});

test("A failed exchange is refused in the CONNACK, at any step [MQTT-4.12.0-4]", () => {
  const { broker, client } = asking();
  broker.answer(answer(CONTINUE_AUTHENTICATION));
  client.send(auth(CONTINUE_AUTHENTICATION, scram()));
  broker.answer({ ...answer(NOT_AUTHORIZED), reasonString: "Try again" });
  assertEquals(client.take(), [
    auth(CONTINUE_AUTHENTICATION, scram()),
    connack(NOT_AUTHORIZED, { reasonString: "Try again" }),
  ]);
  assertEquals([client.isClosed, broker.core.sessionCount, broker.core.connectionCount], [
    true,
    0,
    0,
  ]);
});

test("AUTH of another method or kind, and any other packet, ends an exchange [MQTT-4.12.0-5] [MQTT-4.12.0-6]", () => {
  const wrong: Packet[] = [
    auth(CONTINUE_AUTHENTICATION, { authenticationMethod: "PLAIN" }),
    auth(CONTINUE_AUTHENTICATION, {}),
    auth(RE_AUTHENTICATE, scram()),
    publish("a"),
    { type: "pingreq" },
    connect(),
  ];
  for (const packet of wrong) {
    const { broker, client } = asking();
    broker.answer(answer(CONTINUE_AUTHENTICATION));
    client.take();
    assertEquals(refusedBy(client, packet), [true, []]);
    assertEquals(broker.core.connectionCount, 0);
  }
});

test("DISCONNECT and a broken network end an exchange, and the late answer is for nobody", () => {
  for (const end of ["packet", "network"]) {
    const { broker, client } = asking();
    if (end === "packet") {
      broker.answer(answer(CONTINUE_AUTHENTICATION));
      client.send(auth(CONTINUE_AUTHENTICATION, scram()));
      client.drop();
    } else client.drop();
    assertEquals(broker.answer(answer(ReasonCode.SUCCESS)), false);
    assertEquals([client.isClosed, broker.core.sessionCount], [true, 0]);
  }
  const { broker, client } = asking();
  broker.answer(answer(CONTINUE_AUTHENTICATION));
  client.send(disconnect());
  assertEquals([client.isClosed, broker.core.nextDeadline], [true, Infinity]);
});

test("An exchange has to end within the time for a CONNECT", () => {
  const { broker, client } = asking();
  broker.advance(30_000);
  assertEquals([client.isClosed, broker.answer(answer(ReasonCode.SUCCESS))], [true, false]);
});

test("AUTH authenticates again, and other packets go on meanwhile [MQTT-4.12.1-1]", () => {
  const { broker, client } = authenticated();
  client.send(auth(RE_AUTHENTICATE, scram("again")));
  const [question] = broker.questions;
  assertEquals(
    question?.kind === "authenticate" && [question.isReauthentication, question.data],
    [true, bytesOf("again")],
  );
  broker.answer(answer(CONTINUE_AUTHENTICATION, "challenge"));
  assertEquals(client.take(), [auth(CONTINUE_AUTHENTICATION, scram("challenge"))]);
  assertEquals(client.exchange(subscribe(1, [request("asked")])), [suback(1, [0])]);
  client.send(publish("asked", { payload: "x" }));
  broker.answer({ kind: "publish", reasonCode: ReasonCode.SUCCESS });
  assertEquals(client.take(), [publish("asked", { payload: "x" })]);
  client.send(auth(CONTINUE_AUTHENTICATION, scram("proof")));
  const [last] = broker.questions;
  assertEquals(last?.kind === "authenticate" && last.isReauthentication, true);
  broker.answer(answer(ReasonCode.SUCCESS, "done"));
  assertEquals(client.take(), [auth(ReasonCode.SUCCESS, scram("done"))]);
  assertEquals(client.isClosed, false);
  // The exchange is over.
  assertEquals(refusedBy(client, auth(CONTINUE_AUTHENTICATION, scram())), [
    true,
    [disconnect(PROTOCOL_ERROR)],
  ]);
});

test("AUTH that fails to authenticate again ends the connection [MQTT-4.12.1-2]", () => {
  const { broker, client } = authenticated();
  client.send(auth(RE_AUTHENTICATE, scram()));
  broker.answer(answer(NOT_AUTHORIZED));
  assertEquals([client.isClosed, client.take()], [true, [disconnect(NOT_AUTHORIZED)]]);
});

test("AUTH of another method than the CONNECT's ends the connection [MQTT-4.12.1-1]", () => {
  const other = { authenticationMethod: "PLAIN" };
  for (const packet of [auth(RE_AUTHENTICATE, other), auth(CONTINUE_AUTHENTICATION, scram())]) {
    const { client } = authenticated();
    assertEquals(refusedBy(client, packet), [true, [disconnect(PROTOCOL_ERROR)]]);
  }
});

test("AUTH is not for clients that did not begin with a method [MQTT-4.12.0-6]", () => {
  const broker = new VirtualBroker({ policy: POLICY });
  const client = broker.connect();
  assertEquals(refusedBy(client, auth(RE_AUTHENTICATE, scram())), [
    true,
    [disconnect(PROTOCOL_ERROR)],
  ]);
  const early = broker.open();
  assertEquals(refusedBy(early, auth(CONTINUE_AUTHENTICATION, scram())), [true, []]);
});
