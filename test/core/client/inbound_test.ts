// The receiving half of a client by itself: what is shown, what is acknowledged, and when.

import { assertEquals, assertThrows } from "@std/assert";
import { Inbound } from "../../../src/core/client/inbound.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import { ProtocolError } from "../../../src/core/codec/error.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import type { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import { publish } from "../../support/packets.ts";

class Bench {
  readonly outbox = new Writer(new Uint8Array(64));
  readonly inbound = new Inbound(this.outbox);

  constructor(receiveMaximum = 10) {
    this.inbound.receiveMaximum = receiveMaximum;
  }

  receive(qos: QoS, packetId: number, dup = false): boolean {
    const writer = new Writer(new Uint8Array(64));
    encodePacket(writer, publish("a", { qos, packetId, dup }), 5);
    const framer = new Framer();
    framer.feed(writer.bytes.subarray(0, writer.length));
    framer.next();
    return this.inbound.receive(framer);
  }

  /** First bytes and identifiers of what was sent, for packets of four or five bytes. */
  sent(): string[] {
    const { bytes, length } = this.outbox;
    const found: string[] = [];
    for (let at = 0; at < length; at += 2 + bytes[at + 1]!) {
      const code = bytes[at + 1] === 3 ? ` ${bytes[at + 4]!.toString(16)}` : "";
      found.push(`${bytes[at]!.toString(16)} ${bytes[at + 3]}${code}`);
    }
    this.outbox.length = 0;
    return found;
  }
}

test("Inbound.receive() shows a QoS 2 message once until it is released", () => {
  const bench = new Bench();
  assertEquals(bench.receive(2, 1), true);
  bench.inbound.finish(2, 1, 0 as ReasonCode);
  assertEquals(bench.receive(2, 1, true), false);
  bench.inbound.release(1);
  assertEquals(bench.receive(2, 1), true);
  assertEquals(bench.sent(), ["50 1", "50 1", "70 1"]);
});

test("Inbound.acknowledge() leaves a repeated message to the application [MQTT-4.3.3-10]", () => {
  const bench = new Bench();
  bench.receive(2, 1);
  bench.inbound.wait();
  assertEquals(bench.receive(2, 1, true), false);
  assertEquals(bench.sent(), []);
  assertEquals(bench.inbound.acknowledge(1, 0 as ReasonCode), true);
  assertEquals(bench.sent(), ["50 1"]);
});

test("Inbound.acknowledge() of a refusal ends the exchange", () => {
  const bench = new Bench();
  bench.receive(2, 1);
  bench.inbound.wait();
  bench.inbound.acknowledge(1, 0x87 as ReasonCode);
  bench.inbound.release(1);
  assertEquals(bench.sent(), ["50 1 87", "70 1 92"]);
});

test("Inbound.receive() counts both QoS against the Receive Maximum [MQTT-3.3.4-9]", () => {
  const bench = new Bench(2);
  bench.receive(1, 1);
  bench.inbound.wait();
  bench.receive(2, 2);
  bench.inbound.wait();
  assertThrows(() => bench.receive(2, 3), ProtocolError);
  assertThrows(() => bench.receive(1, 3), ProtocolError);
  assertEquals(bench.receive(0, 0), true);
  bench.inbound.acknowledge(1, 0 as ReasonCode);
  assertEquals(bench.receive(1, 3), true);
});

test("Inbound.stop() forgets what waits, and not what is held", () => {
  const bench = new Bench();
  bench.receive(2, 1);
  bench.inbound.wait();
  bench.inbound.stop();
  bench.inbound.start();
  assertEquals(bench.inbound.acknowledge(1, 0 as ReasonCode), false);
  // Shown already: it is only acknowledged.
  assertEquals(bench.receive(2, 1, true), false);
  assertEquals(bench.sent(), ["50 1"]);
  bench.inbound.forget();
  assertEquals(bench.receive(2, 1, true), true);
});

test("Inbound.receive() counts against the window of a connection only what came by it [MQTT-3.3.4-9]", () => {
  const bench = new Bench(2);
  bench.receive(2, 1);
  bench.receive(2, 2);
  bench.inbound.stop();
  bench.inbound.start();
  assertEquals([bench.receive(2, 3), bench.receive(2, 4)], [true, true]);
  assertThrows(() => bench.receive(1, 5), ProtocolError);
  // One that is sent again is one of this connection.
  bench.inbound.release(3);
  bench.receive(2, 1, true);
  assertThrows(() => bench.receive(2, 5), ProtocolError);
  bench.inbound.release(2);
  assertThrows(() => bench.receive(2, 5), ProtocolError);
  bench.inbound.release(1);
  assertEquals(bench.receive(2, 5), true);
});

test("Inbound.receive() ends a repetition without an end", () => {
  const bench = new Bench();
  bench.receive(2, 1);
  bench.receive(2, 1, true);
  bench.receive(2, 1, true);
  assertThrows(() => bench.receive(2, 1, true), ProtocolError);
});
