// A bounded number at once, a bounded number in line, nobody lost.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { WorkGate } from "../../src/auth/work_gate.ts";

interface Work {
  readonly promise: Promise<string | undefined>;
  finish(): void;
  fail(): void;
}

function fixture(runningMax: number, waitingMax: number) {
  const gate = new WorkGate({ runningMax, waitingMax });
  const started: string[] = [];
  const add = (name: string): Work => {
    const { promise: held, resolve, reject } = Promise.withResolvers<void>();
    const promise = gate.run(async () => {
      started.push(name);
      await held;
      return name;
    });
    return { promise, finish: resolve, fail: () => reject(new Error(name)) };
  };
  return { started, add };
}

test("WorkGate.run() starts so many at once and the others in order as places come free", async () => {
  const { started, add } = fixture(2, 2);
  const works = ["a", "b", "c", "d"].map(add);
  assertEquals(started, ["a", "b"]);
  works[1]!.finish();
  assertEquals(await works[1]!.promise, "b");
  works[0]!.finish();
  await works[0]!.promise;
  for (const work of works) work.finish();
  assertEquals(await Promise.all(works.map(({ promise }) => promise)), ["a", "b", "c", "d"]);
  assertEquals(started, ["a", "b", "c", "d"]);
});

test("WorkGate.run() turns away what finds the line full, and takes more when it is not", async () => {
  const { add } = fixture(1, 1);
  const [a, b, c] = [add("a"), add("b"), add("c")];
  assertEquals(await c.promise, undefined);
  a.finish();
  await a.promise;
  const d = add("d");
  b.finish();
  d.finish();
  assertEquals(await Promise.all([b.promise, d.promise]), ["b", "d"]);
});

test("WorkGate.run() gives the place of work that failed to the next", async () => {
  const { add } = fixture(1, 1);
  const [a, b] = [add("a"), add("b")];
  a.fail();
  b.finish();
  assertEquals(await a.promise.catch((error: Error) => error.message), "a");
  assertEquals(await b.promise, "b");
});

test("WorkGate.run() never has more running than there are places, whoever comes in between", async () => {
  const gate = new WorkGate({ runningMax: 2, waitingMax: 100 });
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    await Promise.resolve();
    running--;
  };
  const all: Promise<unknown>[] = [];
  for (let i = 0; i < 30; i++) {
    all.push(gate.run(work), gate.run(work));
    await Promise.resolve();
  }
  await Promise.all(all);
  assertEquals([most, running], [2, 0]);
});

test("WorkGate.run() does not do what has waited too long, and goes on with what has not", async () => {
  let now = 0;
  const gate = new WorkGate({ runningMax: 1, waitingMax: 10, waitMsMax: 100, now: () => now });
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const done: string[] = [];
  const add = (name: string) =>
    gate.run(async () => {
      await held;
      done.push(name);
      return name;
    });
  const all = [add("a"), add("late"), add("late too")];
  now = 50;
  all.push(add("b"));
  now = 101;
  resolve();
  assertEquals(await Promise.all(all), ["a", undefined, undefined, "b"]);
  assertEquals([await add("c"), done], ["c", ["a", "b", "c"]]);
});
