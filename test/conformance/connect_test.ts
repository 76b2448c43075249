// CONNECT (3.1), row by row: what each version may ask for, and how it is told that it may not.

import { assertEquals } from "@std/assert";
import { DEFAULT_LIMITS, DEFAULT_LISTENER } from "../../src/core/broker/limits.ts";
import { OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import type { Writer } from "../../src/core/codec/writer.ts";
import { test } from "../harness.ts";
import type { ListenerSettings, PeerCertificate, TlsPeer } from "../../src/core/session/peer.ts";
import {
  ack,
  bytesOf,
  connack,
  connect,
  disconnect,
  publish,
  suback,
  will,
} from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";
import {
  CLOSE,
  type Exchange,
  rawPacket,
  SILENCE,
  testExchanges,
  told,
  toldAndClosed,
} from "./exchange.ts";

/** What a version 5 client is told of the defaults. */
const TOLD: Properties = {
  topicAliasMaximum: DEFAULT_LISTENER.topicAliasMaximum,
  maximumPacketSize: DEFAULT_LIMITS.maximumPacketSize,
  receiveMaximum: DEFAULT_LIMITS.receiveMaximum,
};

const accepted = told(connack(0));
const accepted5 = told(connack(0, TOLD));

function refused(reasonCode: number, properties: Properties = {}) {
  return toldAndClosed(connack(reasonCode, properties));
}

/** The codes that return codes 1 to 5 are lifted to when they are decoded. */
const VERSION = ReasonCode.UNSUPPORTED_PROTOCOL_VERSION;
const IDENTIFIER = ReasonCode.CLIENT_IDENTIFIER_NOT_VALID;
const BAD_CREDENTIALS = ReasonCode.BAD_USER_NAME_OR_PASSWORD;
const NOT_AUTHORIZED = ReasonCode.NOT_AUTHORIZED;

interface RawConnect {
  readonly firstByte?: number;
  readonly name?: string;
  readonly level?: number;
  readonly flags?: number;
  readonly clientId?: Uint8Array | string;
  readonly properties?: readonly number[];
  /** What follows the client identifier. */
  readonly rest?: (writer: Writer, version: ProtocolVersion) => void;
}

/** A CONNECT whose fields need not make sense. */
function raw(parts: RawConnect): (version: ProtocolVersion) => Uint8Array {
  return (version) =>
    rawPacket(parts.firstByte ?? 0x10, (writer) => {
      writer.string(parts.name ?? (version === 3 ? "MQIsdp" : "MQTT"));
      writer.u8(parts.level ?? version);
      writer.u8(parts.flags ?? 0x02);
      writer.u16(0);
      if (version === 5) {
        const { properties = [] } = parts;
        writer.varint(properties.length);
        for (const byte of properties) writer.u8(byte);
      }
      const { clientId = "client" } = parts;
      if (typeof clientId === "string") writer.string(clientId);
      else writer.binary(clientId);
      parts.rest?.(writer, version);
    });
}

/** A Will without its properties being of interest. */
function rawWill(topic: string): (writer: Writer, version: ProtocolVersion) => void {
  return (writer, version) => {
    if (version === 5) writer.varint(0);
    writer.string(topic);
    writer.binary(new Uint8Array(1));
  };
}

function sends(parts: Parameters<typeof connect>[0]): Exchange["send"] {
  return (protocolVersion) => [connect({ protocolVersion, ...parts })];
}

function answering(reasonCode: ReasonCode): Policy {
  return { ...OPEN_POLICY, connect: () => reasonCode };
}

const all = { 3: accepted, 4: accepted, 5: accepted5 };
const none = { 3: CLOSE, 4: CLOSE, 5: CLOSE };

const PROTOCOL: readonly Exchange[] = [
  {
    name:
      "is accepted with the name and level of its version [MQTT-3.1.2-1] [MQTT-3.2.0-1] [MQTT-3.1.4-5]",
    send: sends({}),
    expect: all,
  },
  {
    name: "is refused with the level of another name [MQTT-3.1.2-2] [MQTT-3.1.1-3.1.2-2]",
    send: (version) => raw({ level: version === 3 ? 4 : 3 })(version),
    expect: { 3: refused(VERSION), 4: refused(VERSION) },
  },
  {
    name: "is refused with a level that nobody knows [MQTT-3.1.2-2]",
    send: raw({ level: 6 }),
    expect: { 5: refused(VERSION) },
  },
  {
    name: "is refused with level 0 [MQTT-3.1.2-2]",
    send: raw({ level: 0 }),
    expect: { 5: refused(VERSION) },
  },
  {
    name: "of a version that its listener does not accept is refused [MQTT-3.1.2-2]",
    listener: { protocolVersions: [] },
    send: sends({}),
    expect: { 3: refused(VERSION), 4: refused(VERSION), 5: refused(VERSION) },
  },
  {
    name: "of another protocol is cut off [MQTT-3.1.2-1]",
    send: raw({ name: "MQTTX" }),
    expect: none,
  },
  {
    name:
      "with flags in its fixed header is cut off where it matters [MQTT-2.1.3-1] [MQTT-3.1.1-2.2.2-2]",
    send: raw({ firstByte: 0x11 }),
    expect: { 3: accepted, 4: CLOSE, 5: CLOSE },
  },
  {
    name:
      "with the reserved connect flag is cut off where it matters [MQTT-3.1.2-3] [MQTT-3.1.1-3.1.4-1]",
    send: raw({ flags: 0x03 }),
    expect: { 3: accepted, 4: CLOSE, 5: CLOSE },
  },
  {
    name: "of a bridge is accepted",
    send: sends({ isBridge: true }),
    expect: { 3: accepted, 4: accepted },
  },
  {
    name: "of a bridge is not for version 5 [MQTT-3.1.2-2]",
    send: raw({ level: 0x85 }),
    expect: { 5: refused(VERSION) },
  },
  {
    name:
      "with bytes behind it is refused [MQTT-3.1.3-1] [MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT-3.1.4-1]",
    send: raw({ rest: (writer) => writer.u8(0) }),
    expect: { 3: CLOSE, 4: CLOSE, 5: refused(ReasonCode.MALFORMED_PACKET) },
  },
  {
    name: "above the size of a CONNECT is cut off before it has arrived",
    send: () => Uint8Array.of(0x10, 0xff, 0xff, 0x7f),
    expect: none,
  },
  {
    name: "may not be preceded by another packet [MQTT-3.1.0-1]",
    send: () => [{ type: "pingreq" }],
    expect: none,
  },
  {
    name: "may not come after anything with a length of 256 MB [MQTT-3.1.0-1]",
    send: () => Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f),
    expect: none,
  },
  {
    name: "of TLS is cut off",
    send: () => Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc),
    expect: none,
  },
];

const IDENTIFIERS: readonly Exchange[] = [
  {
    name: "with an identifier of more than 23 characters is accepted [MQTT-3.1.3-5]",
    send: sends({ clientId: "x".repeat(65_535 - 20) }),
    expect: all,
  },
  {
    name: "with an identifier that is not UTF-8 is refused [MQTT-3.1.3-4]",
    send: raw({ clientId: Uint8Array.of(0xc0, 0x80) }),
    expect: { 3: CLOSE, 4: CLOSE, 5: refused(IDENTIFIER) },
  },
  {
    name:
      "without an identifier is refused when a session is to be kept [MQTT-3.1.1-3.1.3-8] [MQTT-3.1.1-3.1.3-7] [MQTT-3.1.1-3.1.3-9]",
    send: sends({ clientId: "", cleanStart: false }),
    expect: { 3: refused(IDENTIFIER), 4: refused(IDENTIFIER) },
  },
  {
    name: "without an identifier is given one [MQTT-3.1.3-6] [MQTT-3.2.2-16] [MQTT-3.1.3-7]",
    send: sends({ clientId: "" }),
    expect: {
      3: refused(IDENTIFIER),
      4: accepted,
      5: told(
        connack(0, { ...TOLD, assignedClientId: "auto-01C70AF6-B807-D273-806B-206F6A7CE92A" }),
      ),
    },
  },
  {
    name: "without an identifier is refused where it must bring one [MQTT-3.1.3-8]",
    listener: { allowZeroLengthClientId: false },
    send: sends({ clientId: "" }),
    expect: {
      3: refused(IDENTIFIER),
      4: refused(IDENTIFIER),
      5: refused(ReasonCode.UNSPECIFIED_ERROR),
    },
  },
];

const PREFIXES: readonly Exchange[] = [
  {
    name: "with an identifier that has none of the prefixes is refused",
    limits: { clientIdPrefixes: ["a-", "b-"] },
    send: sends({ clientId: "c-1" }),
    expect: { 3: refused(NOT_AUTHORIZED), 4: refused(NOT_AUTHORIZED), 5: refused(NOT_AUTHORIZED) },
  },
  {
    name: "with an identifier that has one of the prefixes is accepted",
    limits: { clientIdPrefixes: ["a-", "b-"] },
    send: sends({ clientId: "b-1" }),
    expect: all,
  },
  {
    name: "without an identifier is refused where the made-up one has none of the prefixes",
    limits: { clientIdPrefixes: ["a-"] },
    send: sends({ clientId: "" }),
    expect: { 4: refused(NOT_AUTHORIZED), 5: refused(NOT_AUTHORIZED) },
  },
  {
    name: "without a user name is refused where that is to be the identifier",
    listener: { usesUsernameAsClientId: true },
    send: sends({}),
    expect: { 3: refused(NOT_AUTHORIZED), 4: refused(NOT_AUTHORIZED), 5: refused(NOT_AUTHORIZED) },
  },
  {
    name: "with an empty user name is refused where that is to be the identifier",
    listener: { usesUsernameAsClientId: true },
    send: sends({ username: "" }),
    expect: { 3: refused(NOT_AUTHORIZED), 4: refused(NOT_AUTHORIZED), 5: refused(NOT_AUTHORIZED) },
  },
  {
    name: "with a user name is accepted where that is to be the identifier",
    listener: { usesUsernameAsClientId: true },
    send: sends({ username: "user" }),
    expect: all,
  },
  {
    name: "that needs a session more than there may be is turned away",
    limits: { sessionsMax: 0 },
    send: sends({}),
    expect: { 3: CLOSE, 4: CLOSE, 5: refused(ReasonCode.SERVER_BUSY) },
  },
];

const BAD_IDENTITY = {
  3: refused(BAD_CREDENTIALS),
  4: refused(BAD_CREDENTIALS),
  5: refused(BAD_CREDENTIALS),
};

function proving(
  certificate: PeerCertificate | undefined,
  pskIdentity: string | undefined = undefined,
): TlsPeer {
  return { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", certificate, pskIdentity };
}

const IDENTITIES: readonly Exchange[] = [
  {
    name: "without TLS is refused where that is to prove who it is",
    listener: { identitySource: "common-name" },
    send: sends({ username: "user", password: bytesOf("secret") }),
    expect: BAD_IDENTITY,
  },
  {
    name: "without a certificate is refused where that is to prove who it is",
    listener: { identitySource: "common-name" },
    tls: proving(undefined),
    send: sends({ username: "user" }),
    expect: BAD_IDENTITY,
  },
  {
    name: "with a certificate without a name is refused where that is to prove who it is",
    listener: { identitySource: "common-name" },
    tls: proving({ commonName: undefined, subject: "O=Example" }),
    send: sends({ username: "user" }),
    expect: BAD_IDENTITY,
  },
  {
    name: "with a certificate whose name is empty is refused where that is to prove who it is",
    listener: { identitySource: "common-name" },
    tls: proving({ commonName: "", subject: "CN=" }),
    send: sends({ username: "user" }),
    expect: BAD_IDENTITY,
  },
  {
    name: "without a subject is refused where that is to prove who it is",
    listener: { identitySource: "subject" },
    tls: proving({ commonName: "alice", subject: undefined }, "alice"),
    send: sends({ username: "user" }),
    expect: BAD_IDENTITY,
  },
  {
    name: "with a certificate is accepted where that is to prove who it is",
    listener: { identitySource: "common-name" },
    tls: proving({ commonName: "alice", subject: "CN=alice" }),
    send: sends({}),
    expect: all,
  },
  {
    name: "with a pre-shared key is accepted where that is to prove who it is",
    listener: { identitySource: "common-name" },
    tls: proving(undefined, "alice"),
    send: sends({}),
    expect: all,
  },
];

const CREDENTIALS: readonly Exchange[] = [
  {
    name: "with a password and no user name is for version 5 only [MQTT-3.1.1-3.1.2-22]",
    send: raw({ flags: 0x42, rest: (writer) => writer.string("secret") }),
    expect: { 3: CLOSE, 4: CLOSE, 5: accepted5 },
  },
  {
    name: "that announces a user name and has none is tolerated once [MQTT-3.1.2-17]",
    send: raw({ flags: 0x82 }),
    expect: { 3: accepted, 4: CLOSE, 5: CLOSE },
  },
  {
    name: "that announces a password and has none is tolerated once [MQTT-3.1.2-19]",
    send: raw({ flags: 0xc2, rest: (writer) => writer.string("user") }),
    expect: { 3: accepted, 4: CLOSE, 5: CLOSE },
  },
  {
    name:
      "of somebody who may not connect is refused [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT-3.14.0-1] [MQTT-4.13.2-1] [MQTT-3.1.1-3.2.2-4] [MQTT-3.1.1-3.2.2-5]",
    policy: answering(NOT_AUTHORIZED),
    send: sends({}),
    expect: { 3: refused(NOT_AUTHORIZED), 4: refused(NOT_AUTHORIZED), 5: refused(NOT_AUTHORIZED) },
  },
  {
    name: "with the wrong password is told only version 5 what is wrong [MQTT-3.1.4-2]",
    policy: answering(BAD_CREDENTIALS),
    send: sends({}),
    expect: {
      3: refused(NOT_AUTHORIZED),
      4: refused(NOT_AUTHORIZED),
      5: refused(BAD_CREDENTIALS),
    },
  },
  {
    name: "that cannot be judged now may come again [MQTT-3.1.4-2]",
    policy: answering(ReasonCode.SERVER_UNAVAILABLE),
    send: sends({}),
    expect: {
      3: refused(ReasonCode.SERVER_UNAVAILABLE),
      4: refused(ReasonCode.SERVER_UNAVAILABLE),
      5: refused(ReasonCode.SERVER_UNAVAILABLE),
    },
  },
  {
    name: "that is judged by no reason that there is is refused [MQTT-3.1.4-2]",
    policy: answering(ReasonCode.NO_MATCHING_SUBSCRIBERS),
    send: sends({}),
    expect: { 3: refused(NOT_AUTHORIZED), 4: refused(NOT_AUTHORIZED), 5: refused(NOT_AUTHORIZED) },
  },
  {
    name: "of a banned client is refused in the words of its version [MQTT-3.1.4-2]",
    policy: answering(ReasonCode.BANNED),
    send: sends({}),
    expect: {
      3: refused(NOT_AUTHORIZED),
      4: refused(NOT_AUTHORIZED),
      5: refused(ReasonCode.BANNED),
    },
  },
];

const WILLS: readonly Exchange[] = [
  {
    name: "with a Will is accepted [MQTT-3.1.2-9]",
    send: sends({ will: will("w", { qos: 2, retain: true }) }),
    expect: all,
  },
  {
    name: "with a Will of QoS 3 is cut off [MQTT-3.1.2-12]",
    send: raw({ flags: 0x1e, rest: rawWill("w") }),
    expect: none,
  },
  {
    name: "with the QoS of a Will and no Will is cut off where it matters [MQTT-3.1.2-11]",
    send: raw({ flags: 0x0a }),
    expect: { 3: accepted, 4: CLOSE, 5: CLOSE },
  },
  {
    name: "that retains a Will and has none is cut off where it matters [MQTT-3.1.2-13]",
    send: raw({ flags: 0x22 }),
    expect: { 3: accepted, 4: CLOSE, 5: CLOSE },
  },
  {
    name: "with a Will without a topic is refused [MQTT-4.7.3-1]",
    send: raw({ flags: 0x06, rest: rawWill("") }),
    expect: { 3: CLOSE, 4: CLOSE, 5: refused(ReasonCode.PROTOCOL_ERROR) },
  },
  {
    name: "with a Will whose topic is not UTF-8 is cut off [MQTT-3.1.3-11]",
    send: raw({
      flags: 0x06,
      rest: (writer, version) => {
        if (version === 5) writer.varint(0);
        writer.binary(Uint8Array.of(0xc0, 0x80));
        writer.binary(new Uint8Array(1));
      },
    }),
    expect: none,
  },
  {
    name: "without an identifier, not even an empty one, is refused [MQTT-3.1.3-3]",
    send: (version) =>
      rawPacket(0x10, (writer) => {
        writer.string(version === 3 ? "MQIsdp" : "MQTT");
        writer.u8(version);
        writer.u8(0x02);
        writer.u16(0);
        if (version === 5) writer.varint(0);
      }),
    expect: { 3: CLOSE, 4: CLOSE, 5: refused(ReasonCode.MALFORMED_PACKET) },
  },
  {
    name: "with a Will for a filter is cut off [MQTT-3.3.2-2]",
    send: raw({ flags: 0x06, rest: rawWill("a/+") }),
    expect: none,
  },
  {
    name: "with a Will to be retained is refused where nothing is retained [MQTT-3.2.2-13]",
    limits: { retainAvailable: false },
    send: sends({ will: will("w", { retain: true }) }),
    expect: { 3: CLOSE, 4: CLOSE, 5: refused(ReasonCode.RETAIN_NOT_SUPPORTED) },
  },
  {
    name: "with a Will above the maximum QoS is refused [MQTT-3.2.2-12]",
    listener: { maximumQos: 1 },
    send: sends({ will: will("w", { qos: 2 }) }),
    expect: { 3: CLOSE, 4: CLOSE, 5: refused(ReasonCode.QOS_NOT_SUPPORTED, { maximumQos: 1 }) },
  },
  {
    name: "with a Will that is too large is refused",
    limits: { messageSizeLimit: 3 },
    send: sends({ will: will("w") }),
    expect: {
      3: refused(NOT_AUTHORIZED),
      4: refused(NOT_AUTHORIZED),
      5: refused(ReasonCode.PACKET_TOO_LARGE),
    },
  },
];

const PROPERTIES: readonly Exchange[] = [
  {
    name: "with an unknown method is refused [MQTT-4.12.0-1]",
    send: sends({ properties: { authenticationMethod: "x" } }),
    expect: { 5: refused(ReasonCode.BAD_AUTHENTICATION_METHOD) },
  },
  {
    name: "with data for no method is refused",
    send: raw({ properties: [0x16, 0, 1, 9] }),
    expect: { 5: refused(ReasonCode.PROTOCOL_ERROR) },
  },
  {
    name: "with a Receive Maximum of 0 is refused",
    send: raw({ properties: [0x21, 0, 0] }),
    expect: { 5: refused(ReasonCode.PROTOCOL_ERROR) },
  },
  {
    name: "with a Maximum Packet Size of 0 is refused",
    send: raw({ properties: [0x27, 0, 0, 0, 0] }),
    expect: { 5: refused(ReasonCode.PROTOCOL_ERROR) },
  },
  {
    name: "with a property that does not exist is refused",
    send: raw({ properties: [0x7f, 0] }),
    expect: { 5: refused(ReasonCode.MALFORMED_PACKET) },
  },
  {
    name: "with a property of another packet is refused",
    send: raw({ properties: [0x23, 0, 1] }),
    expect: { 5: refused(ReasonCode.PROTOCOL_ERROR) },
  },
  {
    name: "with a property that comes twice is refused",
    send: raw({ properties: [0x21, 0, 1, 0x21, 0, 1] }),
    expect: { 5: refused(ReasonCode.PROTOCOL_ERROR) },
  },
];

const KEEP_ALIVE: readonly Exchange[] = [
  {
    name: "without a Keep Alive is told one where there has to be one [MQTT-3.1.2-21]",
    limits: { keepAliveMax: 60 },
    send: sends({ keepAlive: 0 }),
    expect: {
      3: refused(IDENTIFIER),
      4: refused(IDENTIFIER),
      5: told(connack(0, { serverKeepAlive: 60, ...TOLD })),
    },
  },
  {
    name: "with a Keep Alive that is too long is told a shorter one [MQTT-3.1.2-21]",
    limits: { keepAliveMax: 60 },
    send: sends({ keepAlive: 61 }),
    expect: {
      3: refused(IDENTIFIER),
      4: refused(IDENTIFIER),
      5: told(connack(0, { serverKeepAlive: 60, ...TOLD })),
    },
  },
  {
    name: "with a Keep Alive within the bound is told nothing of it",
    limits: { keepAliveMax: 60 },
    send: sends({ keepAlive: 60 }),
    expect: all,
  },
];

const TABLE = [
  ...PROTOCOL,
  ...IDENTIFIERS,
  ...PREFIXES,
  ...IDENTITIES,
  ...CREDENTIALS,
  ...WILLS,
  ...PROPERTIES,
  ...KEEP_ALIVE,
];

testExchanges("CONNECT", TABLE, (broker, version, how) => broker.open(version, how));

const RESERVED_WILLS = ["$CONTROL/x", "$SYS/x", "$SYS/broker/connection/state", "$share/g/x"].map((
  topic,
): Exchange => ({
  name: `with a Will for the broker's own topic "${topic}" is refused`,
  send: sends({ will: will(topic) }),
  expect: { 3: CLOSE, 4: CLOSE, 5: refused(ReasonCode.TOPIC_NAME_INVALID) },
}));

testExchanges("CONNECT", RESERVED_WILLS, (broker, version) => broker.open(version));

testExchanges("CONNECT", [{
  name: "with a bridge's notice as its Will is accepted",
  send: sends({ will: will("$SYS/broker/connection/bridge/state", { retain: true }) }),
  expect: all,
}], (broker, version) => broker.open(version));

testExchanges("A connected client", [
  {
    name: "is cut off at a second CONNECT, without a word [MQTT-3.1.0-2] [MQTT-3.2.0-2]",
    send: sends({}),
    expect: none,
  },
  {
    name: "that sends what only brokers send is refused",
    send: (): Packet[] => [suback(1, [0])],
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(ReasonCode.PROTOCOL_ERROR)) },
  },
  {
    name: "that sends packet type 0 is refused",
    send: () => Uint8Array.of(0, 0),
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(ReasonCode.PROTOCOL_ERROR)) },
  },
  {
    name: "that sends packet type 15 is refused in versions without it",
    send: () => Uint8Array.of(0xf0, 0),
    expect: { 3: CLOSE, 4: CLOSE },
  },
  {
    name: "whose packet is shorter than its fields is refused [MQTT-4.13.1-1] [MQTT-3.1.1-4.8.0-1]",
    send: () => Uint8Array.of(0x82, 1, 0),
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(ReasonCode.MALFORMED_PACKET)) },
  },
  {
    name: "whose length takes five bytes is refused [MQTT-4.13.1-1]",
    send: () => Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f),
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(ReasonCode.MALFORMED_PACKET)) },
  },
  {
    name: "that acknowledges what was never sent is left alone",
    send: () => [ack("puback", 7), ack("pubcomp", 8)],
    expect: { 3: SILENCE, 4: SILENCE, 5: SILENCE },
  },
], (broker, version) => broker.connect({ protocolVersion: version }));

test("CONNECT may come byte by byte", () => {
  const broker = new VirtualBroker();
  const client = broker.open(5);
  const bytes = raw({})(5);
  for (const byte of bytes) client.sendBytes(Uint8Array.of(byte));
  assertEquals(client.take(), [connack(0, TOLD)]);
});

test("CONNECT and what follows it may come in one chunk, before the CONNACK [MQTT-3.1.4-6]", () => {
  const broker = new VirtualBroker();
  const client = broker.open(5);
  const sent = publish("a", { qos: 1, packetId: 9 });
  assertEquals(client.exchange(connect(), sent, { type: "pingreq" }), [
    connack(0, TOLD),
    ack("puback", 9, ReasonCode.NO_MATCHING_SUBSCRIBERS),
    { type: "pingresp" },
  ]);
});

test("A connection without a CONNECT is closed in time", () => {
  const broker = new VirtualBroker({ limits: { connectTimeoutMs: 30_000 } });
  const client = broker.open();
  client.sendBytes(Uint8Array.of(0x10));
  broker.advance(29_999);
  assertEquals(client.isClosed, false);
  broker.advance(1);
  assertEquals([client.isClosed, client.take()], [true, []]);
  assertEquals(broker.core.nextDeadline, Infinity);
});

test("A connection beyond the most that there may be is closed at once", () => {
  const broker = new VirtualBroker({ limits: { connectionsMax: 1 } });
  const first = broker.connect();
  const second = broker.open();
  assertEquals([first.isClosed, second.isClosed], [false, true]);
  assertEquals(broker.core.connectionCount, 1);
  const kinds = broker.takeEvents().map((event) => event.kind);
  assertEquals(kinds, ["opened", "connected", "denied-connection"]);
  first.drop();
  assertEquals(broker.open().isClosed, false);
});

test("A connection beyond the most of its listener is closed at once, and no other", () => {
  const broker = new VirtualBroker();
  const narrow = { ...DEFAULT_LISTENER, connectionsMax: 2 };
  const wide = { ...DEFAULT_LISTENER };
  const open = (listener: ListenerSettings) => broker.open(5, { listener });
  const [first, , third] = [open(narrow), open(narrow), open(narrow)];
  const other = open(wide);
  assertEquals([first.isClosed, third!.isClosed, other.isClosed], [false, true, false]);
  first.drop();
  assertEquals([open(narrow).isClosed, open(narrow).isClosed], [false, true]);
  const { connectionsOpened, connectsRefused } = broker.core.counters;
  assertEquals([connectionsOpened, connectsRefused, broker.core.connectionCount], [6, 2, 3]);
});

test("CONNECT takes over the connection of the same identifier [MQTT-3.1.4-3] [MQTT-3.1.1-3.1.4-2]", () => {
  const broker = new VirtualBroker();
  for (const version of [3, 4, 5] as const) {
    const old = broker.connect({ clientId: `v${version}`, protocolVersion: version });
    const fresh = broker.connect({ clientId: `v${version}` });
    assertEquals([old.isClosed, fresh.isClosed], [true, false]);
    const expected = version === 5 ? [disconnect(ReasonCode.SESSION_TAKEN_OVER)] : [];
    assertEquals(old.take(), expected);
  }
  assertEquals(broker.core.counters.takeOvers, 3);
  assertEquals(broker.core.connectionCount, 3);
});
