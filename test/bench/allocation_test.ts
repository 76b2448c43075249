// The promise of the hot path: a QoS 0 message on its way to a subscriber makes no object. A million
// deliveries are routed, and the engine is asked how many bytes it has allocated meanwhile.
//
// The packets are as short as those that are copied byte by byte: a longer run takes a view of it,
// which is an object, because the platform copies faster than a loop from there on.

import { assert, assertEquals } from "@std/assert";
import { getHeapStatistics } from "node:v8";
import { test } from "../harness.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { MemoryBroker } from "./memory_broker.ts";

const DELIVERIES = 1_000_000;

/**
 * No object is as small as this. What a turn makes, such as its list of connections, is spread over
 * its deliveries and far below it.
 */
const BYTES_PER_DELIVERY_MAX = 8;

/** Rounds before anything counts: compiling the code allocates too. */
const WARM_UPS = 2;

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

for (const payloadBytes of [0, 16, 40]) {
  test(
    `BrokerCore routes a million QoS 0 messages of ${payloadBytes} bytes without an allocation each`,
    {
      skip,
    },
    () => {
      const broker = new MemoryBroker({ subscribers: 100, payloadBytes, messagesPerTurn: 50 });
      const turns = DELIVERIES / broker.deliveriesPerTurn;
      for (let turn = 0; turn < WARM_UPS * turns; turn++) broker.turn();
      const before = allocatedBytes()!;
      for (let turn = 0; turn < turns; turn++) broker.turn();
      const bytesPerDelivery = (allocatedBytes()! - before) / DELIVERIES;
      assertEquals(broker.bytesOut, broker.chunk.length * 100);
      assert(
        bytesPerDelivery < BYTES_PER_DELIVERY_MAX,
        `Each delivery allocated ${bytesPerDelivery.toFixed(2)} bytes`,
      );
    },
  );
}
