// Clients without manners: they say nothing, or nonsense, or far too much; they take nothing; they
// come under somebody else's name. Each is one connection and one bad habit. Nobody owes them
// anything, and honest clients must not notice them.

import { encodePacket } from "../../src/core/codec/encode.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { ack, connect, publish, request, subscribe } from "../support/packets.ts";
import { AUTHENTICATION_METHOD, HONEST } from "./authority.ts";
import type { Chance } from "./chance.ts";
import type { ClientEnd, SimConnection } from "./network.ts";
import { CLIENTS_MAX } from "./plan.ts";
import type { World } from "./world.ts";

const NOBODY: ClientEnd = { onBytes() {}, onClose() {} };
const TOPIC = "rude/x";
const METHOD = { authenticationMethod: AUTHENTICATION_METHOD };

type Habit = (connection: SimConnection, chance: Chance, version: ProtocolVersion) => void;

const HABITS: readonly Habit[] = [
  // Says nothing.
  () => {},
  (connection, chance) => connection.send(noise(chance, 200)),
  // Begins a packet and leaves it at that.
  (connection, chance, version) => {
    const bytes = encoded(version, introduction(chance, version));
    connection.send(bytes.subarray(0, chance.between(1, bytes.length - 1)));
  },
  (connection, chance, version) => {
    connection.send(encoded(version, introduction(chance, version)));
    connection.send(noise(chance, 500));
  },
  // Floods, and takes nothing of what it has asked for.
  (connection, chance, version) => {
    connection.freeze();
    const filter = chance.pick(["#", "rude/#", "t/#"]);
    const asked = subscribe(1, [request(filter, { qos: chance.below(3) as QoS })]);
    const messages = Array.from(
      { length: chance.between(1, 300) },
      () => publish(TOPIC, { payload: "y".repeat(chance.below(200)), retain: chance.happens(50) }),
    );
    connection.send(encoded(version, introduction(chance, version), asked, ...messages));
  },
  // Begins exchanges and ends none, or ends what was never begun.
  (connection, chance, version) => {
    const packets = Array.from(
      { length: chance.between(1, 60) },
      (_, i): Packet =>
        chance.happens(800)
          ? publish(TOPIC, { qos: chance.pick([1, 2]), packetId: i + 1, payload: "z" })
          : ack(chance.pick(["puback", "pubrec", "pubrel", "pubcomp"]), chance.between(1, 60)),
    );
    connection.send(encoded(version, introduction(chance, version), ...packets));
  },
  // Almost speaks MQTT.
  (connection, chance, version) => {
    const asked = subscribe(1, [request("rude/#", { qos: 1 })]);
    const said = publish(TOPIC, { qos: 1, packetId: 2, payload: "w" });
    const bytes = encoded(version, introduction(chance, version), asked, said, said);
    for (let i = chance.between(1, 4); i > 0; i--) {
      bytes[chance.below(bytes.length)] = chance.next();
    }
    connection.send(bytes);
  },
];

/** One of them comes. */
export function behaveRudely(world: World, chance: Chance): void {
  const connection = world.dial(`rude ${chance.next()}`, NOBODY);
  world.rude.add(connection);
  chance.pick(HABITS)(connection, chance, chance.pick([3, 4, 5]));
  if (chance.happens(500)) world.scheduler.after(chance.below(3000), () => connection.end());
}

/** Somebody comes under the name of an honest client. */
export function lie(world: World, chance: Chance): void {
  const connection = world.dial(`liar ${chance.next()}`, NOBODY);
  world.rude.add(connection);
  const clientId = `c${chance.below(CLIENTS_MAX)}`;
  const cleanStart = chance.happens(500);
  // Or even pretends to be known, and cannot show it.
  const isBold = chance.happens(300);
  const introduction = isBold
    ? connect({ clientId, cleanStart, username: HONEST, properties: METHOD })
    : connect({ clientId, cleanStart, username: "liar" });
  connection.send(encoded(5, introduction));
  if (isBold) {
    const authenticationData = noise(chance, 3);
    world.scheduler.after(chance.below(1000), () =>
      connection.send(encoded(5, {
        type: "auth",
        reasonCode: ReasonCode.CONTINUE_AUTHENTICATION,
        properties: { ...METHOD, authenticationData },
      })));
  }
  world.scheduler.after(chance.below(3000), () => connection.end());
}

function introduction(chance: Chance, protocolVersion: ProtocolVersion): Packet {
  const clientId = `rude-${chance.below(3)}`;
  const properties = protocolVersion === 5 ? { sessionExpiryInterval: chance.below(3) } : {};
  return connect({ clientId, protocolVersion, properties, keepAlive: chance.below(3) });
}

function encoded(version: ProtocolVersion, ...packets: readonly Packet[]): Uint8Array {
  const writer = new Writer(new Uint8Array(256));
  for (const packet of packets) encodePacket(writer, packet, version);
  return writer.bytes.slice(0, writer.length);
}

function noise(chance: Chance, lengthMax: number): Uint8Array {
  return Uint8Array.from({ length: chance.between(1, lengthMax) }, () => chance.below(256));
}
