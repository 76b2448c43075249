// A clock of two: one is right, the other is fine.

import { assertEquals } from "@std/assert";
import { WallClock } from "../../../src/cli/client/wall_clock.ts";
import { test } from "../../harness.ts";

test("WallClock.read() goes on finely from where the coarse clock stood", () => {
  let coarse = 1_700_000_000_123;
  let fine = 50.25;
  const clock = new WallClock(() => coarse, () => fine);
  assertEquals(clock.read(), { seconds: 1_700_000_000, nanoseconds: 123_000_000 });
  fine += 0.5;
  assertEquals(clock.read(), { seconds: 1_700_000_000, nanoseconds: 123_500_000 });
  coarse += 1;
  fine += 1;
  assertEquals(clock.read(), { seconds: 1_700_000_000, nanoseconds: 124_500_000 });
});

test("WallClock.read() follows a clock that was set", () => {
  let coarse = 1_700_000_000_000;
  let fine = 0;
  const clock = new WallClock(() => coarse, () => fine);
  for (const jump of [3_600_000, -7_200_000, 3]) {
    coarse += jump;
    fine += 0.125;
    assertEquals(clock.read(), {
      seconds: Math.floor(coarse / 1000),
      nanoseconds: coarse % 1000 * 1_000_000,
    });
  }
});
