/**
 * Whole state machines on the bytes of a hostile peer: the broker among clients that say anything,
 * and the client's engine before a broker that does. The broker serves everybody else on, says
 * nothing that cannot be decoded, and keeps nothing once all have gone.
 *
 * For the broker an input is a script of records: a byte that says who does what, a length, and as
 * many bytes. Who comes in says a good CONNECT first, unless he is told to say nothing.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { ClientPeer } from "../../core/client/client_peer.ts";
import { fixtures, fromHex } from "../../core/codec/fixture.ts";
import { publish, request, subscribe, unsubscribe } from "../../support/packets.ts";
import { encoded } from "../../support/raw_packet.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";
import { bytesOf, type FuzzTarget } from "../target.ts";

const CLIENTS = 3;
const EXPIRY_MAX_S = 60;
const CANARY = "canary-3f9c";

export const brokerScript: FuzzTarget = {
  name: "broker_script",
  tokens: ["\x82\x06\0\x01\0\x01#\x02", "\x32\x06\0\x01a\0\x01x", "\x05\0", "\x07\x02", "\xc0\0"],
  seeds: () => [
    ...Object.values(fixtures).flat().filter(({ hex }) => hex.length < 300).map(
      ({ hex, versions }) => {
        const bytes = fromHex(hex);
        return Uint8Array.of(versions[0]! % 3 << 4, bytes.length, ...bytes);
      },
    ),
    script([0, subscribe(1, [request("a/#"), request("$share/g/a", { qos: 1 })])], [
      1,
      publish("a", { qos: 1, packetId: 1 }),
    ]),
    script([0, subscribe(1, [request("+/b")])], [0, unsubscribe(2, ["+/b"])], [
      2,
      publish("a", { retain: true }),
    ]),
  ],
  run(input) {
    const broker = new VirtualBroker({ limits: { sessionExpiryIntervalMax: EXPIRY_MAX_S } });
    const canary = broker.connect({ clientId: CANARY, cleanStart: true });
    canary.exchange(subscribe(1, [request(CANARY, { qos: 1 })]));
    const clients: (VirtualClient | undefined)[] = new Array(CLIENTS).fill(undefined);
    for (let at = 0; at + 1 < input.length;) {
      const end = at + 2 + input[at + 1]!;
      act(broker, clients, input[at]!, input.subarray(at + 2, end));
      at = end;
    }
    canary.send(publish(CANARY, { qos: 1, packetId: 7, payload: bytesOf("!") }));
    const topics = canary.settle().flatMap((packet) =>
      packet.type === "publish" ? [packet.topic] : []
    );
    assertEquals(topics.includes(CANARY), true);
    for (const client of [...clients, canary]) client?.drop();
    broker.advance(2 * EXPIRY_MAX_S * 1000);
    const { core } = broker;
    assertEquals([core.connectionCount, core.sessionCount, core.subscriptionCount], [0, 0, 0]);
    assertEquals([core.backlogBytes, core.counters.internalErrors], [0, 0]);
    assertEquals(core.storedCount, core.retainedCount);
  },
};

function act(
  broker: VirtualBroker,
  clients: (VirtualClient | undefined)[],
  command: number,
  bytes: Uint8Array,
): void {
  const who = (command >> 6) % CLIENTS;
  let client = clients[who];
  switch (command & 0x0f) {
    case 5:
      client?.drop();
      return;
    case 6:
      client?.freeze();
      return;
    case 7:
      broker.advance(1000 * bytes.length);
      return;
    case 8:
      client?.thaw();
      return;
  }
  if (client === undefined || client.isClosed) {
    const version = 3 + (command >> 4 & 3) % 3 as ProtocolVersion;
    const isSilent = (command & 0x0f) === 9;
    clients[who] = client = isSilent ? broker.open(version) : broker.connect({
      protocolVersion: version,
      clientId: `client ${who}`,
      cleanStart: false,
      properties: version === 5 ? { sessionExpiryInterval: EXPIRY_MAX_S } : {},
    });
  }
  client.sendBytes(bytes);
  client.settle();
}

/** Packets of version 5, each by one of the clients. */
function script(...steps: readonly (readonly [who: number, packet: Packet])[]): Uint8Array {
  return Uint8Array.from(steps.flatMap(([who, packet]) => {
    const bytes = encoded(5, packet);
    return [who << 6 | 0x20, bytes.length, ...bytes];
  }));
}

export const clientEngine: FuzzTarget = {
  name: "client_engine",
  tokens: ["\x20\x03\0\0\0", "\x40\x02\0\x01", "\x50\x02\0\x02", "\x90\x04\0\x03\0\x01", "\xd0\0"],
  seeds: () =>
    Object.values(fixtures).flat().map(({ hex, versions }) =>
      Uint8Array.of(versions[0]! - 3 + 3, ...fromHex(hex))
    ),
  run(input) {
    const version = 3 + (input[0] ?? 0) % 3 as ProtocolVersion;
    const isConnected = (input[0] ?? 0) % 6 >= 3;
    const stream = input.subarray(1);
    const whole = hear(version, isConnected, [stream]);
    const pieces = Array.from(stream, (byte) => Uint8Array.of(byte));
    assertEquals(hear(version, isConnected, pieces), whole);
  },
};

/** What an engine with everything under way makes of what it is told. */
function hear(version: ProtocolVersion, isConnected: boolean, chunks: readonly Uint8Array[]) {
  const peer = new ClientPeer();
  const { engine, sink, now } = peer;
  const parts = { protocolVersion: version, clientId: "c" };
  if (isConnected) {
    peer.connect(parts);
    engine.publish("a", bytesOf("1"), { qos: 1 }, now);
    engine.publish("a", bytesOf("2"), { qos: 2 }, now);
    engine.subscribe([request("a")]);
    engine.unsubscribe(["a"]);
  } else peer.open(parts);
  for (const chunk of chunks) {
    const lent = chunk.slice();
    engine.receive(lent, now);
    lent.fill(0xee);
  }
  const packets = peer.sent();
  return { told: sink.take(), packets, phase: engine.phase, inflight: engine.inflightCount };
}
