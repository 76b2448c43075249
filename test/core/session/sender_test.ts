// The sender against the plainest model: a list of what is in flight, in the order of sending.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { AwaitedPacket, type InflightEntry, Sender } from "../../../src/core/session/sender.ts";
import type { Delivery } from "../../../src/core/session/delivery.ts";
import { Message } from "../../../src/core/session/message.ts";
import { StoredMessages } from "../../../src/core/session/stored_messages.ts";
import { test } from "../../harness.ts";

const { PUBACK, PUBREC, PUBCOMP } = AwaitedPacket;

function delivery(sequence: number): Delivery {
  return {
    message: new Message().own(),
    qos: 1,
    retain: false,
    subscriptionId: 0,
    sequence,
    recordedAt: 0,
  };
}

interface ModelEntry {
  readonly packetId: number;
  readonly sequence: number;
  awaits: AwaitedPacket;
  isSent: boolean;
}

/** The same as a list; slow, and plain to see. */
class Model {
  entries: ModelEntry[] = [];
  window = 0;

  get hasUnsent(): boolean {
    return this.entries.some((entry) => !entry.isSent);
  }

  get quota(): number {
    return this.window - this.entries.filter((entry) => entry.isSent).length;
  }

  start(window: number): void {
    this.window = window;
    for (const entry of this.entries) entry.isSent = false;
  }

  resend(): ModelEntry | undefined {
    const entry = this.entries.find((entry) => !entry.isSent);
    if (entry === undefined || (this.quota <= 0 && entry.awaits !== PUBCOMP)) return undefined;
    entry.isSent = true;
    return entry;
  }
}

function seen(entry: InflightEntry | undefined): unknown {
  return entry && [entry.packetId, entry.awaits, entry.delivery?.sequence];
}

test("Sender keeps window, identifiers and order, whatever is sent, acknowledged and resumed [MQTT-2.2.1-3] [MQTT-4.9.0-1] [MQTT-4.4.0-1]", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ begin: fc.constantFrom(PUBACK, PUBREC) }) },
    { weight: 3, arbitrary: fc.record({ acknowledge: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.record({ window: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 2, arbitrary: fc.record({ resend: fc.nat(10) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const sender = new Sender();
      const model = new Model();
      let sequence = 0;
      sender.start(20);
      model.start(20);
      for (const step of steps) {
        if ("begin" in step) {
          if (sender.sendQuota <= 0) continue;
          sequence++;
          const packetId = sender.begin(step.begin, delivery(sequence));
          assertEquals(packetId >= 1 && packetId <= 65_535, true);
          assertEquals(model.entries.some((entry) => entry.packetId === packetId), false);
          model.entries.push({ packetId, sequence, awaits: step.begin, isSent: true });
        } else if ("acknowledge" in step) {
          if (model.entries.length === 0) continue;
          const index = step.acknowledge % model.entries.length;
          const expected = model.entries[index]!;
          const entry = sender.find(expected.packetId)!;
          if (expected.awaits === PUBREC) {
            entry.awaits = expected.awaits = PUBCOMP;
          } else {
            sender.release(entry);
            model.entries.splice(index, 1);
            assertEquals(sender.find(expected.packetId), undefined);
          }
        } else if ("window" in step) {
          sender.start(step.window);
          model.start(step.window);
        } else {
          for (let i = 0; i < step.resend; i++) {
            const expected = model.resend();
            const entry = sender.nextUnsent();
            assertEquals(
              seen(entry),
              expected && [expected.packetId, expected.awaits, expected.sequence],
            );
          }
        }
        assertEquals(sender.inflightCount, model.entries.length);
        // It may believe in unsent ones until it has looked, and then sends nothing new.
        if (!sender.hasUnsent) {
          assertEquals([model.hasUnsent, sender.sendQuota], [false, model.quota]);
        } else assertEquals(sender.sendQuota, 0);
        assertEquals(
          sender.entriesInOrder().map(seen),
          model.entries.map((entry) => [entry.packetId, entry.awaits, entry.sequence]),
        );
      }
    }),
    { numRuns: 200 },
  );
});

test("Sender.begin() goes round all identifiers and never to 0", () => {
  const sender = new Sender();
  sender.start(65_535);
  const ids = Array.from({ length: 65_535 }, () => sender.begin(PUBACK, undefined));
  assertEquals([new Set(ids).size, Math.min(...ids), Math.max(...ids)], [65_535, 1, 65_535]);
  assertEquals(sender.sendQuota, 0);
  assertThrows(() => sender.begin(PUBACK, undefined), AssertionError);
  sender.release(sender.find(4711)!);
  assertEquals(sender.begin(PUBREC, undefined), 4711);
});

test("Sender.release() is for once", () => {
  const sender = new Sender();
  sender.start(1);
  const entry = sender.find(sender.begin(PUBACK, undefined))!;
  sender.release(entry);
  assertThrows(() => sender.release(entry), AssertionError);
});

test("Sender.find() tells identifiers apart that share a place", () => {
  const sender = new Sender();
  sender.start(10);
  const packetId = sender.begin(PUBACK, undefined);
  assertEquals(sender.find(packetId + 65_536 / 2), undefined);
  assertEquals(sender.find(packetId)?.packetId, packetId);
});

test("Sender.restore() puts back any identifiers, in that order, and new ones follow the last", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 40 }),
      (packetIds) => {
        const sender = new Sender();
        packetIds.forEach((packetId, i) => sender.restore(packetId, PUBREC, delivery(i)));
        sender.start(100);
        assertEquals(sender.entriesInOrder().map((entry) => entry.packetId), packetIds);
        const resent = packetIds.map(() => sender.nextUnsent()?.packetId);
        assertEquals(resent, packetIds);
        assertEquals(sender.nextUnsent(), undefined);
        assertEquals(packetIds.includes(sender.begin(PUBACK, undefined)), false);
      },
    ),
  );
});

test("Sender.nextUnsent() sends PUBRELs beyond the window, and messages within it [MQTT-4.9.0-3]", () => {
  const sender = new Sender();
  sender.restore(1, PUBCOMP, undefined);
  sender.restore(2, PUBCOMP, undefined);
  sender.restore(3, PUBACK, delivery(3));
  sender.start(1);
  assertEquals(sender.nextUnsent()?.packetId, 1);
  assertEquals(sender.nextUnsent()?.packetId, 2);
  assertEquals(sender.nextUnsent(), undefined);
  sender.release(sender.find(1)!);
  assertEquals(sender.nextUnsent(), undefined);
  sender.release(sender.find(2)!);
  assertEquals(sender.nextUnsent()?.packetId, 3);
});

test("Sender has no quota while so many payload bytes are in flight", () => {
  const sender = new Sender();
  sender.start(10, 100);
  const first = sender.begin(PUBACK, undefined, 99);
  assertEquals(sender.sendQuota, 9);
  const second = sender.begin(PUBREC, undefined, 1);
  assertEquals(sender.sendQuota, 0);
  sender.received(sender.find(second)!);
  assertEquals(sender.sendQuota, 0);
  sender.release(sender.find(second)!);
  assertEquals(sender.sendQuota, 9);
  sender.release(sender.find(first)!);
  assertEquals(sender.sendQuota, 10);
});

test("Sender holds what it may have to send again until it need not", () => {
  const stored = new StoredMessages();
  const sender = new Sender(stored);
  sender.start(10);
  const ids = [1, 2, 3].map((sequence) => sender.begin(PUBREC, delivery(sequence)));
  sender.restore(9, PUBACK, delivery(4));
  assertEquals(stored.count, 4);
  sender.received(sender.find(ids[0]!)!);
  assertEquals([stored.count, sender.find(ids[0]!)?.awaits], [3, PUBCOMP]);
  sender.release(sender.find(ids[0]!)!);
  sender.release(sender.find(ids[1]!)!);
  assertEquals(stored.count, 2);
  sender.clear();
  assertEquals([stored.count, sender.inflightCount, sender.sendQuota], [0, 0, 10]);
});
