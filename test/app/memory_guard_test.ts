// What the memory limit makes of the numbers that it is shown.

import { assertEquals } from "@std/assert";
import { MemoryGuard } from "../../src/app/memory_guard.ts";
import { test } from "../harness.ts";
import { until } from "../support/wait.ts";

test("MemoryGuard tells when memory becomes short, and when there is room again", async () => {
  let heapBytes = 100;
  const said: (boolean | string)[] = [];
  const guard = new MemoryGuard({
    host: { memory: () => ({ heapBytes, residentBytes: 0 }) },
    log: (type, text) => said.push(`${type}: ${text}`),
    onChange: (isShort) => said.push(isShort),
  });
  try {
    guard.configure(Infinity);
    heapBytes = 1e9;
    guard.configure(Infinity);
    assertEquals(said, []);
    heapBytes = 1000;
    guard.configure(1000);
    assertEquals(said, []);
    heapBytes = 1001;
    await until(() => said.length > 0, "it looks");
    // A little less is not yet room.
    heapBytes = 999;
    guard.configure(1000);
    heapBytes = 949;
    guard.configure(1000);
    assertEquals(said, [
      "warning: Warning: Out of memory: new clients and messages are refused. " +
      "1001 bytes are in use, 1000 are allowed.",
      true,
      "notice: There is memory again: new clients and messages are accepted.",
      false,
    ]);
  } finally {
    guard.stop();
  }
});

test("MemoryGuard ends a shortage with the limit", () => {
  const said: boolean[] = [];
  const guard = new MemoryGuard({
    host: { memory: () => ({ heapBytes: 10, residentBytes: 0 }) },
    log: () => {},
    onChange: (isShort) => said.push(isShort),
  });
  guard.configure(5);
  guard.configure(Infinity);
  guard.stop();
  assertEquals(said, [true, false]);
});
