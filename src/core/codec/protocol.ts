/**
 * The numbers that name things in every packet: protocol versions, qualities of service, packet
 * types. What the packets hold is in packet.ts; why one failed is in reason_code.ts.
 *
 * A version is the level byte that a CONNECT carries: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0.
 *
 * @module
 */

export type ProtocolVersion = 3 | 4 | 5;

export type QoS = 0 | 1 | 2;

/** The upper half of a packet's first byte. */
export const PacketType = Object.freeze(
  {
    CONNECT: 1,
    CONNACK: 2,
    PUBLISH: 3,
    PUBACK: 4,
    PUBREC: 5,
    PUBREL: 6,
    PUBCOMP: 7,
    SUBSCRIBE: 8,
    SUBACK: 9,
    UNSUBSCRIBE: 10,
    UNSUBACK: 11,
    PINGREQ: 12,
    PINGRESP: 13,
    DISCONNECT: 14,
    AUTH: 15,
  } as const,
);

export type PacketType = typeof PacketType[keyof typeof PacketType];

/** The four packets that acknowledge a PUBLISH, or each other. */
export type AckType = 4 | 5 | 6 | 7;

/** The largest number that four bytes of a variable byte integer can say [MQTT-1.5.5-1]. */
export const VARINT_MAX = 268_435_455;
