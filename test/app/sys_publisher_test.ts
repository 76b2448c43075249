// The `$SYS` topics of a broker: its own numbers, the timer, and that settings change both.

import { assertEquals } from "@std/assert";
import { Broker } from "../../src/app/broker.ts";
import { SysPublisher } from "../../src/app/sys_publisher.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";
import { FakeMachine } from "../support/fake_machine.ts";
import { FakeTimers } from "../support/fake_timers.ts";

async function publisherOf(config: string): Promise<{ broker: Broker; sys: SysPublisher }> {
  const { runtime, host } = new FakeMachine();
  const broker = new Broker({ runtime });
  return {
    broker,
    sys: new SysPublisher({ runtime, host, broker, config: await configOf(config) }),
  };
}

test("SysPublisher tells the broker's own numbers, with the memory of the process", async () => {
  const { broker, sys } = await publisherOf("");
  const tree = Object.fromEntries(sys.systree());
  assertEquals(
    ["uptime", "clients/total", "retained messages/count", "heap/current", "heap/maximum"]
      .map((topic) => tree[`$SYS/broker/${topic}`]),
    [0, 0, 0, 1_000_000, 1_000_000],
  );
  assertEquals(Object.keys(tree).length, 25);
  await broker.close();
});

test("SysPublisher publishes nothing before somebody looks, and then all of it", async () => {
  const { broker, sys } = await publisherOf("");
  assertEquals(broker.gauges.retained, 0);
  sys.refresh();
  // 24 metrics, 3 other names for them, the version, the uptime and 27 loads.
  assertEquals(broker.gauges.retained, 56);
  await broker.close();
});

test("SysPublisher.configure() follows sys_interval and retain_available", async () => {
  const { broker, sys } = await publisherOf("");
  const off = await configOf("sys_interval 0\n");
  const unretained = await configOf("retain_available false\n");
  const usual = await configOf("");
  const timers = new FakeTimers();
  await timers.run(() => {
    const pending: number[] = [];
    sys.start();
    pending.push(timers.pending.length);
    sys.configure(off);
    pending.push(timers.pending.length);
    sys.refresh();
    pending.push(broker.gauges.retained);
    sys.configure(unretained);
    pending.push(timers.pending.length);
    sys.refresh();
    pending.push(broker.gauges.retained);
    sys.configure(usual);
    sys.refresh();
    pending.push(timers.pending.length, broker.gauges.retained);
    sys.stop();
    pending.push(timers.pending.length);
    assertEquals(pending, [1, 0, 0, 1, 0, 1, 56, 0]);
  });
  await broker.close();
});
