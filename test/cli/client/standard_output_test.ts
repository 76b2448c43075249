// Standard output as a tool writes it: what is written together, in which order, and what happens
// when nobody takes it. The system is the test's.

import { assertEquals } from "@std/assert";
import { StandardOutput } from "../../../src/cli/client/standard_output.ts";
import { OperationError } from "../../../src/core/base/operation_error.ts";
import { test } from "../../harness.ts";

/** A system that takes one write at a time, when the test says so. */
class Pipe {
  readonly writes: string[] = [];
  readonly told: string[] = [];
  readonly output: StandardOutput;
  #end: { resolve: (hasReader: boolean) => void; reject: (error: unknown) => void } | undefined;
  #turnEnd: (() => void) | undefined;

  constructor() {
    this.output = new StandardOutput({
      writeOutput: (bytes) => {
        this.writes.push(new TextDecoder().decode(bytes));
        return new Promise((resolve, reject) => this.#end = { resolve, reject });
      },
      defer: (flush) => void (this.#turnEnd = flush),
    });
    this.output.owner = {
      onFull: () => void this.told.push("full"),
      onRoom: () => void this.told.push("room"),
      onGone: (error) => void this.told.push(`gone: ${error?.code}`),
    };
  }

  /** Ends the turn of the event loop. */
  turn(): void {
    this.#turnEnd?.();
    this.#turnEnd = undefined;
  }

  /** What is on its way has left, or never will. */
  async take(hasReader: boolean | OperationError = true): Promise<void> {
    if (typeof hasReader === "boolean") this.#end!.resolve(hasReader);
    else this.#end!.reject(hasReader);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

test("StandardOutput writes what one turn prints in one piece, in order", async () => {
  const pipe = new Pipe();
  pipe.output.print("one\n");
  pipe.output.print("two\n");
  assertEquals(pipe.writes, []);
  pipe.turn();
  pipe.output.print("three\n");
  pipe.output.print("four\n");
  assertEquals(pipe.writes, ["one\ntwo\n"]);
  await pipe.take();
  assertEquals(pipe.writes, ["one\ntwo\n", "three\nfour\n"]);
  await pipe.take();
  pipe.output.print("five\n");
  pipe.turn();
  await pipe.take();
  assertEquals(pipe.writes, ["one\ntwo\n", "three\nfour\n", "five\n"]);
  assertEquals(pipe.told, []);
});

test("StandardOutput.flushed() waits for what is on its way and for what is not yet", async () => {
  const pipe = new Pipe();
  await pipe.output.flushed();
  pipe.output.print("one\n");
  let isFlushed = false;
  const flushed = pipe.output.flushed().then(() => isFlushed = true);
  pipe.turn();
  pipe.output.print("two\n");
  await pipe.take();
  assertEquals(isFlushed, false);
  await pipe.take();
  await flushed;
  assertEquals(pipe.writes, ["one\n", "two\n"]);
});

test("StandardOutput asks its owner to stop when much waits, and to go on afterwards", async () => {
  const pipe = new Pipe();
  const line = "x".repeat(99_999) + "\n";
  for (let i = 0; i < 5; i++) pipe.output.print(line);
  // All of one turn's, however much it is: nothing is on its way.
  assertEquals(pipe.told, []);
  pipe.turn();
  for (let i = 0; i < 3; i++) pipe.output.print(line);
  assertEquals(pipe.told, ["full"]);
  // What is read from another connection meanwhile is too much as well.
  pipe.output.print(line);
  assertEquals(pipe.told, ["full", "full"]);
  await pipe.take();
  assertEquals(pipe.told, ["full", "full", "room"]);
  await pipe.take();
  assertEquals(pipe.writes.map((text) => text.length), [500_000, 400_000]);
});

test("StandardOutput says once that nobody reads, and takes the rest to nowhere", async () => {
  const pipe = new Pipe();
  pipe.output.print("one\n");
  pipe.turn();
  pipe.output.print("two\n");
  const flushed = pipe.output.flushed();
  await pipe.take(false);
  await flushed;
  pipe.output.print("three\n");
  pipe.turn();
  await pipe.output.flushed();
  assertEquals({ told: pipe.told, writes: pipe.writes }, {
    told: ["gone: undefined"],
    writes: ["one\n"],
  });
});

test("StandardOutput says why nothing can be written", async () => {
  const pipe = new Pipe();
  pipe.output.print("one\n");
  pipe.turn();
  await pipe.take(new OperationError("disk-full", "Cannot write"));
  assertEquals(pipe.told, ["gone: disk-full"]);
});
