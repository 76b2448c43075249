// The parts of the runtime contract that need no network.

import { assertEquals } from "@std/assert";
import process from "node:process";
import { currentRuntime } from "../../src/runtime/current.ts";
import { test } from "../harness.ts";
import { runtime, runtimeName } from "../support/current_runtime.ts";
import { until } from "../support/wait.ts";

test("currentRuntime() is the one that runs this test, each time the same", async () => {
  assertEquals(await currentRuntime(), runtime);
  assertEquals(runtime.name, runtimeName);
  assertEquals(/^\d+\.\d+\.\d+/.test(runtime.version), true);
});

test("Runtime.now() never goes back", () => {
  let last = runtime.now();
  for (let i = 0; i < 1000; i++) {
    const now = runtime.now();
    assertEquals(now >= last, true);
    last = now;
  }
});

test("Runtime.defer() runs later, in order", async () => {
  const order: string[] = [];
  runtime.defer(() => order.push("first"));
  runtime.defer(() => order.push("second"));
  order.push("now");
  await until(() => order.length === 3, "both have run");
  assertEquals(order, ["now", "first", "second"]);
});

test("Runtime.onSignal() calls its handler until it is undone", async () => {
  let count = 0;
  const undo = runtime.onSignal("SIGHUP", () => count++);
  process.kill(process.pid, "SIGHUP");
  await until(() => count === 1, "the signal is handled");
  const keep = runtime.onSignal("SIGHUP", () => {});
  undo();
  let others = 0;
  const undoOther = runtime.onSignal("SIGHUP", () => others++);
  process.kill(process.pid, "SIGHUP");
  await until(() => others === 1, "the signal is handled");
  assertEquals(count, 1);
  keep();
  undoOther();
});

test("Runtime.hasFile() tells of whatever is there, and of nothing else", async () => {
  assertEquals(await runtime.hasFile("/dev/null"), true);
  assertEquals(await runtime.hasFile("/"), true);
  assertEquals(await runtime.hasFile("/dev/null/below"), false);
  assertEquals(await runtime.hasFile("/not/there"), false);
});

test("Runtime knows its process and its environment without a host", async () => {
  const host = await runtime.host();
  assertEquals(runtime.processId, host.processId);
  assertEquals(runtime.environment(), host.environment());
  const words = runtime.argumentBytes()!.map((word) => new TextDecoder().decode(word));
  assertEquals(words.slice(words.length - runtime.args.length), [...runtime.args]);
});
