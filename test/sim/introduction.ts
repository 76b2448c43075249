// The CONNECT of an honest client, as its character has it.

import type { ConnectPacket } from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { AUTHENTICATION_METHOD, HONEST } from "./authority.ts";
import type { Character } from "./character.ts";
import type { Model } from "./model.ts";
import { LASTING_SECONDS } from "./plan.ts";

/** What a client asks for this time. */
interface Wish {
  readonly version: ProtocolVersion;
  readonly cleanStart: boolean;
  /** It comes to end its session. */
  readonly isLeaving: boolean;
}

/** A CONNECT without a Will. */
export function connectOf(clientId: string, character: Character, wish: Wish): ConnectPacket {
  const { version } = wish;
  const { keepAlive } = character;
  return {
    type: "connect",
    protocolVersion: version,
    isBridge: false,
    clientId,
    cleanStart: wish.cleanStart,
    keepAlive,
    username: HONEST,
    properties: version === 5 ? propertiesOf(character, wish) : {},
  };
}

/** The same with the Will of its character, if that leaves one, which the model is told of. */
export function withWill(
  packet: ConnectPacket,
  number: number,
  { kind, will }: Character,
  model: Model,
): ConnectPacket {
  if (will === undefined) return packet;
  const { clientId, protocolVersion } = packet;
  const { topic, qos, delaySeconds } = will;
  const id = `w:${clientId}:${number}`;
  const delayMs = protocolVersion === 5 && kind !== "fresh" ? delaySeconds * 1000 : 0;
  model.wills.set(number, { id, clientId, number, topic, qos, delayMs, isConfirmed: false });
  const properties: Properties = protocolVersion === 5 && delaySeconds > 0
    ? { willDelayInterval: delaySeconds }
    : {};
  const payload = new TextEncoder().encode(id);
  return { ...packet, will: { topic, qos, retain: false, payload, properties } };
}

function propertiesOf(character: Character, { isLeaving }: Wish): Properties {
  const { kind, expirySeconds, receiveMaximum, authenticates } = character;
  const properties: Properties = { topicAliasMaximum: 3 };
  if (!isLeaving && kind !== "fresh") {
    properties.sessionExpiryInterval = kind === "brief" ? expirySeconds : LASTING_SECONDS;
  }
  if (receiveMaximum > 0) properties.receiveMaximum = receiveMaximum;
  if (authenticates) properties.authenticationMethod = AUTHENTICATION_METHOD;
  return properties;
}
