// The promise of the hot path: a QoS 0 message makes no object, neither on its way through the
// broker nor in a client. A million of them go that way, and the engine is asked how many bytes it
// has allocated meanwhile.
//
// A packet of more than about a hundred bytes takes a view for all of its subscribers together,
// which is an object: so it is less than a byte or so for each.

import { assert, assertEquals } from "@std/assert";
import { getHeapStatistics } from "node:v8";
import { ClientEngine } from "../../src/core/client/client_engine.ts";
import type { IncomingMessage } from "../../src/core/client/incoming_message.ts";
import { RecordingSink } from "../core/client/recording_sink.ts";
import { test } from "../harness.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { bytesOf, connect } from "../support/packets.ts";
import { MemoryBroker } from "./memory_broker.ts";

const MESSAGES = 1_000_000;
const MESSAGES_PER_TURN = 50;

/**
 * Rounds before anything counts: compiling the code allocates too, and so does the moment at which a
 * count of bytes outgrows 31 bits and its code is compiled anew.
 */
const WARM_UPS = 3;
const ALL = (WARM_UPS + 1) * MESSAGES;

/**
 * No object is as small as this. What a turn makes, such as its list of connections, is spread over
 * its messages and far below it.
 */
const BYTES_MAX = 8;

/** All bytes that were ever allocated on the heap; older engines do not count them. */
function allocatedBytes(): number | undefined {
  // Newer than the types of it.
  const statistics = getHeapStatistics() as { readonly total_allocated_bytes?: number };
  return statistics.total_allocated_bytes;
}

const skip = runtimeName === "bun"
  ? "JavaScriptCore does not count what it allocates"
  : allocatedBytes() === undefined
  ? "this version of V8 does not count what it allocates"
  : false;

/** Runs a million messages and asserts that they have allocated nothing each. */
function assertNoAllocation(messagesPerTurn: number, turn: () => void): void {
  const turns = MESSAGES / messagesPerTurn;
  for (let count = 0; count < WARM_UPS * turns; count++) turn();
  const before = allocatedBytes()!;
  for (let count = 0; count < turns; count++) turn();
  const bytes = (allocatedBytes()! - before) / MESSAGES;
  assert(bytes < BYTES_MAX, `Each message allocated ${bytes.toFixed(2)} bytes`);
}

for (const payloadBytes of [0, 16, 64, 1024]) {
  const name = `BrokerCore allocates nothing to route a QoS 0 message of ${payloadBytes} bytes`;
  test(name, { skip }, () => {
    const broker = new MemoryBroker({
      subscribers: 100,
      payloadBytes,
      messagesPerTurn: MESSAGES_PER_TURN,
    });
    assertNoAllocation(broker.deliveriesPerTurn, () => broker.turn());
    assertEquals(broker.bytesOut, broker.chunk.length * 100);
  });
}

test("ClientEngine.receive() allocates nothing for a QoS 0 message", { skip }, () => {
  const options = { subscribers: 0, payloadBytes: 64, messagesPerTurn: MESSAGES_PER_TURN };
  const { chunk } = new MemoryBroker(options);
  const sink = new CountingSink();
  const engine = connectedEngine(sink);
  assertNoAllocation(MESSAGES_PER_TURN, () => engine.receive(chunk, 0));
  assertEquals([sink.messages, sink.bytes], [ALL, ALL * 64]);
});

test("ClientEngine.publish() allocates nothing for a QoS 0 message", { skip }, () => {
  const engine = connectedEngine(new CountingSink());
  const topic = bytesOf("site/7/state");
  const payload = new Uint8Array(64);
  const options = { qos: 0 } as const;
  let sent = 0;
  assertNoAllocation(MESSAGES_PER_TURN, () => {
    for (let count = 0; count < MESSAGES_PER_TURN; count++) {
      engine.publish(topic, payload, options, 0);
    }
    sent += engine.outbox.length;
    engine.sent(0);
  });
  // Two bytes of header, two of the topic's length.
  assertEquals(sent, ALL * (2 + 2 + topic.length + payload.length));
});

function connectedEngine(sink: CountingSink): ClientEngine {
  const engine = new ClientEngine(sink);
  engine.connect(connect({ protocolVersion: 4 }), 0);
  engine.sent(0);
  engine.receive(new Uint8Array([0x20, 2, 0, 0]), 0);
  return engine;
}

class CountingSink extends RecordingSink {
  messages = 0;
  bytes = 0;

  override onMessage(message: IncomingMessage): void {
    this.messages++;
    this.bytes += message.payloadLength;
  }
}
