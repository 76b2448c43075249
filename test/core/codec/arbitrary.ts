/**
 * Any packet that a version can say, for property tests. Codes and properties are drawn from lists
 * written down here, not from the tables of the codec that they are to check.
 *
 * @module
 */

import fc from "fast-check";
import type { AckPacket, Packet, Will } from "../../../src/core/codec/packet.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import type { ProtocolVersion, QoS } from "../../../src/core/codec/protocol.ts";
import type { ReasonCode } from "../../../src/core/codec/reason_code.ts";

/** Letters of one to four bytes, a byte order mark among them. */
const unit = fc.constantFrom("a", "Z", "/", " ", "$", "é", "\u0301", "€", "\ufeff", "😀");
const text = fc.string({ unit, maxLength: 12 });
const name = fc.string({ unit, minLength: 1, maxLength: 12 });
const binary = fc.uint8Array({ maxLength: 200 });
const u16 = fc.nat(0xffff);
const u16AboveZero = fc.integer({ min: 1, max: 0xffff });
const u32 = fc.oneof(fc.nat(0xffff), fc.constant(0xffff_ffff), fc.constant(0x8000_0000));
const u32AboveZero = u32.filter((value) => value > 0);
const bit = fc.nat(1);
const qos = fc.constantFrom<QoS>(0, 1, 2);

const FIELDS: { [Name in keyof Required<Properties>]: fc.Arbitrary<Required<Properties>[Name]> } = {
  payloadFormatIndicator: bit,
  messageExpiryInterval: u32,
  contentType: text,
  responseTopic: name,
  correlationData: binary,
  subscriptionIds: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { minLength: 1 }),
  sessionExpiryInterval: u32,
  assignedClientId: text,
  serverKeepAlive: u16,
  authenticationMethod: text,
  authenticationData: binary,
  requestProblemInformation: fc.boolean(),
  willDelayInterval: u32,
  requestResponseInformation: fc.boolean(),
  responseInformation: text,
  serverReference: text,
  reasonString: text,
  receiveMaximum: u16AboveZero,
  topicAliasMaximum: u16,
  topicAlias: u16AboveZero,
  maximumQos: bit,
  retainAvailable: fc.boolean(),
  userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }),
  maximumPacketSize: u32AboveZero,
  wildcardSubscriptionAvailable: fc.boolean(),
  subscriptionIdsAvailable: fc.boolean(),
  sharedSubscriptionAvailable: fc.boolean(),
};

function some(
  version: ProtocolVersion,
  ...names: (keyof Properties)[]
): fc.Arbitrary<Properties> {
  if (version !== 5) return fc.constant({});
  const model = Object.fromEntries(names.map((each) => [each, FIELDS[each]]));
  return fc.record(model, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Properties>;
}

function code(version: ProtocolVersion, old: number[], since5: number[]): fc.Arbitrary<ReasonCode> {
  return fc.constantFrom(...(version === 5 ? since5 : old) as ReasonCode[]);
}

const MESSAGE: (keyof Properties)[] = [
  "payloadFormatIndicator",
  "messageExpiryInterval",
  "contentType",
  "responseTopic",
  "correlationData",
  "userProperties",
];

function will(version: ProtocolVersion): fc.Arbitrary<Will> {
  return fc.record({
    topic: name,
    payload: binary,
    qos,
    retain: fc.boolean(),
    properties: some(version, "willDelayInterval", ...MESSAGE),
  }, { noNullPrototype: true });
}

function connect(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const properties = some(
    version,
    "sessionExpiryInterval",
    "receiveMaximum",
    "maximumPacketSize",
    "topicAliasMaximum",
    "requestResponseInformation",
    "requestProblemInformation",
    "userProperties",
    "authenticationMethod",
  );
  return fc.record({
    type: fc.constant("connect" as const),
    protocolVersion: fc.constant(version),
    isBridge: version === 5 ? fc.constant(false) : fc.boolean(),
    clientId: text,
    cleanStart: fc.boolean(),
    keepAlive: u16,
    username: text,
    ...(version === 5 ? { password: binary } : {}),
    will: will(version),
    properties,
  }, {
    requiredKeys: [
      "type",
      "protocolVersion",
      "isBridge",
      "clientId",
      "cleanStart",
      "keepAlive",
      "properties",
    ],
    noNullPrototype: true,
  }) as fc.Arbitrary<Packet>;
}

function connack(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const since5 = [0, 0x80, 0x81, 0x87, 0x8a, 0x95, 0x9d, 0x9f];
  return fc.record({
    sessionPresent: version === 3 ? fc.constant(false) : fc.boolean(),
    reasonCode: code(version, [0, 0x84, 0x85, 0x86, 0x87, 0x88], since5),
    properties: some(
      version,
      "sessionExpiryInterval",
      "receiveMaximum",
      "maximumQos",
      "retainAvailable",
      "maximumPacketSize",
      "assignedClientId",
      "topicAliasMaximum",
      "reasonString",
      "userProperties",
      "wildcardSubscriptionAvailable",
      "subscriptionIdsAvailable",
      "sharedSubscriptionAvailable",
      "serverKeepAlive",
      "responseInformation",
      "serverReference",
      "authenticationMethod",
      "authenticationData",
    ),
  }).map(({ sessionPresent, reasonCode, properties }) => ({
    type: "connack",
    sessionPresent: sessionPresent && reasonCode === 0,
    reasonCode,
    properties,
  }));
}

/** Any PUBLISH; with identifiers of subscriptions only when it goes to a client. */
export function publish(version: ProtocolVersion, toClient: boolean): fc.Arbitrary<Packet> {
  const own: (keyof Properties)[] = ["topicAlias", ...MESSAGE];
  if (toClient) own.push("subscriptionIds");
  return fc.record({
    topic: name,
    payload: binary,
    qos,
    retain: fc.boolean(),
    dup: fc.boolean(),
    packetId: u16AboveZero,
    properties: some(version, ...own),
  }).map((packet) => ({
    type: "publish",
    topic: packet.topic,
    payload: packet.payload,
    qos: packet.qos,
    retain: packet.retain,
    dup: packet.dup && packet.qos > 0,
    packetId: packet.qos === 0 ? 0 : packet.packetId,
    properties: packet.properties,
  }));
}

function ack(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc.constantFrom<AckPacket["type"]>("puback", "pubrec", "pubrel", "pubcomp").chain((type) =>
    fc.record({
      type: fc.constant(type),
      packetId: u16AboveZero,
      reasonCode: type === "puback" || type === "pubrec"
        ? code(version, [0], [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
        : code(version, [0], [0, 0x92]),
      properties: some(version, "reasonString", "userProperties"),
    }, { noNullPrototype: true })
  );
}

function subscribe(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const only5 = version === 5 ? fc.boolean() : fc.constant(false);
  const subscription = fc.record({
    filter: name,
    qos,
    noLocal: only5,
    retainAsPublished: only5,
    retainHandling: fc.constantFrom<0 | 1 | 2>(
      ...(version === 5 ? [0, 1, 2] as const : [0] as const),
    ),
  }, { noNullPrototype: true });
  const subscriptionIds = fc.integer({ min: 1, max: 268_435_455 }).map((id) => [id]);
  return fc.record({
    type: fc.constant("subscribe" as const),
    packetId: u16AboveZero,
    subscriptions: fc.array(subscription, { minLength: version === 3 ? 0 : 1, maxLength: 20 }),
    properties: version === 5
      ? fc.record({ subscriptionIds, userProperties: FIELDS.userProperties }, {
        requiredKeys: [],
        noNullPrototype: true,
      }) as fc.Arbitrary<Properties>
      : fc.constant({}),
  }, { noNullPrototype: true });
}

function answers(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const granted = code(version, [0, 1, 2, 0x80], [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x97, 0xa2]);
  const removed = code(version, [0], [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]);
  return fc.oneof(
    fc.record({
      type: fc.constant("suback" as const),
      packetId: u16AboveZero,
      reasonCodes: fc.array(granted, { minLength: 1, maxLength: 200 }),
      properties: some(version, "reasonString", "userProperties"),
    }, { noNullPrototype: true }),
    fc.record({
      type: fc.constant("unsuback" as const),
      packetId: u16AboveZero,
      reasonCodes: fc.array(removed, { maxLength: version === 5 ? 200 : 0 }),
      properties: some(version, "reasonString", "userProperties"),
    }, { noNullPrototype: true }),
  );
}

function unsubscribe(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc.record({
    type: fc.constant("unsubscribe" as const),
    packetId: u16AboveZero,
    filters: fc.array(name, { minLength: version === 3 ? 0 : 1, maxLength: 20 }),
    properties: some(version, "userProperties"),
  }, { noNullPrototype: true });
}

function farewell(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc.record({
    type: fc.constant("disconnect" as const),
    reasonCode: code(version, [0], [0, 4, 0x80, 0x81, 0x82, 0x8b, 0x8e, 0x93, 0x9d, 0xa2]),
    properties: some(
      version,
      "sessionExpiryInterval",
      "reasonString",
      "userProperties",
      "serverReference",
    ),
  }, { noNullPrototype: true });
}

function auth(): fc.Arbitrary<Packet> {
  return fc.record({
    reasonCode: code(5, [], [0, 0x18, 0x19]),
    properties: some(
      5,
      "authenticationMethod",
      "authenticationData",
      "reasonString",
      "userProperties",
    ),
  }).map(({ reasonCode, properties }) => {
    if (properties.authenticationMethod === undefined) delete properties.authenticationData;
    return { type: "auth", reasonCode, properties };
  });
}

/** Any packet of a version, whichever side sends it. */
export function anyPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc.oneof(
    connect(version),
    connack(version),
    publish(version, true),
    ack(version),
    subscribe(version),
    answers(version),
    unsubscribe(version),
    fc.constantFrom<Packet>({ type: "pingreq" }, { type: "pingresp" }),
    farewell(version),
    ...(version === 5 ? [auth()] : []),
  );
}
