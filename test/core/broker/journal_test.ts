// Changes between the broker and its store: their numbers, what may be taken back, and their bound.

import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../../src/core/base/assert.ts";
import type { Change } from "../../../src/core/broker/change.ts";
import { Journal } from "../../../src/core/broker/journal.ts";
import { test } from "../../harness.ts";

function change(clientId: string): Change {
  return { kind: "session-removed", clientId };
}

test("Journal gives everything to the store in order, and knows what is durable", () => {
  const journal = new Journal(1_000_000);
  const [a, b, c] = [change("a"), change("b"), change("c")];
  assertEquals([journal.record(a), journal.record(b), journal.urge()], [1, 2, 2]);
  assertEquals(journal.take(), { changes: [a, b], upTo: 2 });
  assertEquals([journal.record(c), journal.urge(), journal.committed], [3, 3, 0]);
  assertThrows(() => journal.take(), AssertionError);
  journal.settle();
  assertEquals([journal.committed, journal.isDue, journal.hasPending], [2, true, true]);
  assertEquals(journal.take(), { changes: [c], upTo: 3 });
  assertEquals([journal.isDue, journal.hasPending], [false, false]);
});

test("Journal.withdraw() takes back what the store was not given, and nothing else", () => {
  const journal = new Journal(1_000_000);
  const [a, b, c] = [change("a"), change("b"), change("c")];
  journal.record(a);
  journal.take();
  journal.settle();
  journal.record(b);
  journal.record(c);
  assertEquals([0, 1].map((number) => journal.withdraw(number)), [undefined, undefined]);
  assertEquals(journal.withdraw(2), b);
  assertThrows(() => journal.withdraw(2), AssertionError);
  assertEquals(journal.take(), { changes: [c], upTo: 3 });
  journal.settle();
  journal.withdraw(journal.record(a));
  journal.urge();
  // Whoever waits for its number has nothing to wait for any more.
  assertEquals([journal.isDue, journal.take()], [true, { changes: [], upTo: 4 }]);
});

test("Journal is due when somebody waits, for all that there is", () => {
  const journal = new Journal(1_000_000);
  journal.record(change("a"));
  assertEquals([journal.isDue, journal.hasPending], [false, true]);
  assertEquals([journal.urge(), journal.isDue], [1, true]);
  journal.take();
  journal.settle();
  journal.record(change("b"));
  assertEquals(journal.isDue, false);
  journal.urge();
  journal.record(change("c"));
  assertEquals([journal.isDue, journal.take().changes.length], [true, 2]);
});

test("Journal is full by what is recorded and not durable, taken or not", () => {
  const journal = new Journal(300);
  const fullness: boolean[] = [];
  const note = () => fullness.push(journal.isFull);
  journal.record(change("a"));
  journal.record(change("b"));
  note();
  journal.record(change("c"));
  note();
  journal.withdraw(3);
  note();
  journal.record(change("d"));
  // Then it is due whatever it is.
  assertEquals(journal.isDue, true);
  journal.take();
  note();
  journal.settle();
  note();
  journal.record(change("e"));
  journal.bytesMax = 10;
  note();
  assertEquals(fullness, [false, true, false, true, false, true]);
});
