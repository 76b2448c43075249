// One timer, set anew only for something earlier.

import { assertEquals } from "@std/assert";
import { Alarm } from "../../src/driver/alarm.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";

/** An alarm, its timers, and the instants at which it rang. */
function withAlarm(
  body: (alarm: Alarm, timers: FakeTimers, rang: number[]) => void,
): Promise<void> {
  const timers = new FakeTimers();
  const rang: number[] = [];
  const alarm = new Alarm(() => timers.now, () => rang.push(timers.now));
  return timers.run(() => body(alarm, timers, rang));
}

test("Alarm rings once, at the instant that was set", () =>
  withAlarm((alarm, timers, rang) => {
    alarm.set(100);
    timers.advance(99);
    assertEquals(rang, []);
    timers.advance(1);
    timers.advance(1000);
    assertEquals([rang, timers.pending], [[100], []]);
  }));

test("Alarm is set anew for something earlier, and left alone for anything later", () =>
  withAlarm((alarm, timers, rang) => {
    alarm.set(100);
    alarm.set(200);
    assertEquals(timers.pending, [100]);
    alarm.set(50);
    assertEquals(timers.pending, [50]);
    timers.advance(50);
    alarm.set(70);
    timers.advance(20);
    assertEquals(rang, [50, 70]);
  }));

test("Alarm rings soon for what is overdue, and in whole milliseconds", () =>
  withAlarm((alarm, timers, rang) => {
    timers.now = 10;
    alarm.set(3);
    timers.advance(0);
    alarm.set(20.2);
    timers.advance(11);
    assertEquals(rang, [10, 21]);
  }));

test("Alarm.cancel() and an instant that never comes leave no timer", () =>
  withAlarm((alarm, timers, rang) => {
    alarm.set(100);
    alarm.cancel();
    alarm.set(50);
    alarm.set(Infinity);
    timers.advance(1000);
    assertEquals([rang, timers.pending], [[], []]);
    alarm.set(1100);
    assertEquals(timers.pending, [1100]);
    alarm.cancel();
  }));

test("Alarm rings early, not at once, for what is farther than timers reach", () =>
  withAlarm((alarm, timers) => {
    alarm.set(2 ** 40);
    assertEquals(timers.pending, [2 ** 31 - 1]);
    alarm.cancel();
  }));
