// Exchanges as data: what a client does, and what each version of it must be told. A table names
// its rows; this file turns each row into one test per version.

import { assertEquals } from "@std/assert";
import type { Limits } from "../../src/core/broker/limits.ts";
import type { Policy } from "../../src/core/broker/question.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import type { ListenerSettings, TlsPeer } from "../../src/core/session/peer.ts";
import { MemoryStore } from "../../src/store/memory_store.ts";
import { test } from "../harness.ts";
import { encoded } from "../support/raw_packet.ts";
import {
  type OpenOptions,
  type VirtualBroker,
  VirtualBroker as Broker,
  type VirtualBrokerOptions,
  type VirtualClient,
} from "../support/virtual_broker.ts";

/** What comes back: packets, or none; `closed` when the connection is closed after them. */
export interface Outcome {
  readonly packets: readonly Packet[];
  readonly isClosed: boolean;
}

/** Nothing comes back, and the connection is closed. */
export const CLOSE: Outcome = { packets: [], isClosed: true };

/** Nothing comes back, and nothing happens. */
export const SILENCE: Outcome = { packets: [], isClosed: false };

/** These come back, and the connection lives on. */
export function told(...packets: readonly Packet[]): Outcome {
  return { packets, isClosed: false };
}

/** These come back, and the connection is closed. */
export function toldAndClosed(...packets: readonly Packet[]): Outcome {
  return { packets, isClosed: true };
}

/** One row of a table. */
export interface Exchange {
  /** A sentence, its statement ids last. */
  readonly name: string;
  readonly limits?: Partial<Limits>;
  readonly listener?: Partial<ListenerSettings>;
  readonly tls?: TlsPeer;
  readonly policy?: Policy;
  /** Prepares broker and client, for example by subscribing; what it causes is not looked at. */
  readonly given?: (client: VirtualClient, broker: VirtualBroker) => void;
  /** What the client sends: packets or bytes. */
  readonly send: (version: ProtocolVersion) => readonly Packet[] | Uint8Array;
  /** Versions that are left out are not tried. */
  readonly expect: { readonly [Version in ProtocolVersion]?: Outcome };
}

/** What a row begins with. */
type Begin = (broker: VirtualBroker, version: ProtocolVersion, how: OpenOptions) => VirtualClient;

const NAMES: Readonly<Record<ProtocolVersion, string>> = { 3: "3.1", 4: "3.1.1", 5: "5.0" };

/**
 * Declares the tests of a table. Each row begins with what `begin` makes of a fresh broker: a
 * connection, with or without its CONNECT.
 */
export function testExchanges(
  subject: string,
  rows: readonly Exchange[],
  begin: Begin,
): void {
  for (const row of rows) {
    for (const version of [3, 4, 5] as const) {
      const expected = row.expect[version];
      if (expected === undefined) continue;
      const [, sentence, ids = ""] = /^(.*?)((?: \[MQTT-[^\]]+\])*)$/.exec(row.name)!;
      test(`${subject} ${sentence} in version ${NAMES[version]}${ids}`, () => {
        assertEquals(carryOut(row, version, begin, {}), expected);
        // The same from a broker that loses its memory wherever it may.
        const asleep = { store: new MemoryStore(), hibernates: true };
        const outcome = carryOut(row, version, begin, asleep);
        assertEquals(withoutChance(outcome), withoutChance(expected), "asleep");
      });
    }
  }
}

function carryOut(
  row: Exchange,
  version: ProtocolVersion,
  begin: Begin,
  options: VirtualBrokerOptions,
): Outcome {
  const broker = new Broker({
    ...row.limits === undefined ? {} : { limits: row.limits },
    ...row.listener === undefined ? {} : { listener: row.listener },
    ...row.policy === undefined ? {} : { policy: row.policy },
    ...options,
  });
  const sleep = (): void => {
    if (options.hibernates === true) broker.sleep();
  };
  const client = begin(broker, version, row.tls === undefined ? {} : { tls: row.tls });
  sleep();
  row.given?.(client, broker);
  client.take();
  const sent = row.send(version);
  const chunks = sent instanceof Uint8Array
    ? [sent]
    : sent.map((packet) => encoded(version, packet));
  for (const chunk of chunks) {
    const middle = options.hibernates === true ? chunk.length >> 1 : 0;
    for (const part of [chunk.subarray(0, middle), chunk.subarray(middle)]) {
      if (part.length === 0) continue;
      sleep();
      client.sendBytes(part);
    }
  }
  sleep();
  return { packets: client.take(), isClosed: client.isClosed };
}

/** Names that are drawn are others once a broker has slept. */
function withoutChance({ packets, isClosed }: Outcome): Outcome {
  return {
    packets: packets.map((packet) =>
      packet.type === "connack" && packet.properties.assignedClientId !== undefined
        ? { ...packet, properties: { ...packet.properties, assignedClientId: "drawn" } }
        : packet
    ),
    isClosed,
  };
}

/** A packet made by hand: first byte, and a body whose length is put before it. */
export function rawPacket(firstByte: number, write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer(new Uint8Array(64));
  writer.u8(firstByte);
  const mark = writer.openLength(1);
  write(writer);
  writer.closeLength(mark, 1);
  return writer.bytes.slice(0, writer.length);
}
