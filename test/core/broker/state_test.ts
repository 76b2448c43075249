// How long packets may be, by type and by who is asking.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { connect } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const LIMITS = { requestPacketBytesMax: 300, controlPacketBytesMax: 200, maximumPacketSize: 1000 };

/** The largest remaining length of a packet type that is not refused at once. */
function longest(firstByte: number, connection: (broker: VirtualBroker) => VirtualClient): number {
  const isTaken = (length: number): boolean => {
    const client = connection(new VirtualBroker({ limits: LIMITS }));
    const header = length < 128 ? [length] : [length & 0x7f | 0x80, length >> 7];
    client.sendBytes(Uint8Array.of(firstByte, ...header));
    return !client.isClosed;
  };
  let [taken, refused] = [-1, 16_384];
  while (refused - taken > 1) {
    const middle = (taken + refused) >> 1;
    if (isTaken(middle)) taken = middle;
    else refused = middle;
  }
  return taken;
}

test("Before CONNECT nothing but a CONNECT may have a length", () => {
  const opened = (broker: VirtualBroker) => broker.open();
  const lengths = [0x10, 0x30, 0x82, 0xf0].map((firstByte) => longest(firstByte, opened));
  assertEquals(lengths, [300, 0, 0, 0].map((length) => length === 0 ? -1 : length));
});

test("A connected client may send PUBLISH of the maximum packet size, and less of all else", () => {
  const connected = (broker: VirtualBroker) => broker.connect();
  const lengths = [0x30, 0x82, 0xa2, 0x40, 0xe0, 0xf0]
    .map((firstByte) => longest(firstByte, connected));
  assertEquals(lengths, [1000 - 3, 300, 300, 200, 200, 300]);
});

test("Identifiers that the broker makes up are drawn from its own chance", () => {
  const id = (seed: number): string | undefined => {
    const client = new VirtualBroker({ seed }).open();
    client.send(connect({ clientId: "" }));
    client.readConnack();
    return client.connack?.properties.assignedClientId;
  };
  assertEquals([id(1) === id(1), id(1) === id(2)], [true, false]);
});
