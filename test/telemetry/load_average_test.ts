// The rates per minute against the formula, written out.

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { LOAD_PERIODS, LoadAverage } from "../../src/telemetry/load_average.ts";
import { test } from "../harness.ts";

function rates(load: LoadAverage): number[] {
  return LOAD_PERIODS.map((_, period) => load.perMinute(period));
}

test("LoadAverage.perMinute() is nothing before the first sample", () => {
  assertEquals(rates(new LoadAverage(5)), [0, 0, 0]);
});

test("LoadAverage.sample() weighs the new rate by the time that it stands for", () => {
  const load = new LoadAverage(100);
  load.sample(150, 10);
  assertEquals(rates(load).map((rate) => rate.toFixed(2)), ["46.06", "9.84", "3.31"]);
  load.sample(150, 10);
  assertEquals(rates(load).map((rate) => rate.toFixed(2)), ["38.99", "9.51", "3.28"]);
});

test("LoadAverage.sample() gives the same for one rate in few or many samples", () => {
  const often = new LoadAverage(0);
  const seldom = new LoadAverage(0);
  for (let second = 1; second <= 60; second++) often.sample(second * 7, 1);
  seldom.sample(420, 60);
  rates(often).forEach((rate, period) => assertAlmostEquals(rate, rates(seldom)[period]!, 1e-9));
});

test("LoadAverage.sample() leaves to the next sample what came in no time", () => {
  const load = new LoadAverage(0);
  load.sample(50, 0);
  assertEquals(rates(load), [0, 0, 0]);
  load.sample(50, 10);
  assertEquals(rates(load).map((rate) => rate.toFixed(2)), ["46.06", "9.84", "3.31"]);
});
