// What `deno task sim` understands, and that what it prints for a failure is understood again.

import { assertEquals, assertThrows } from "@std/assert";
import { test } from "../harness.ts";
import { parseWish } from "./command_line.ts";
import { commandOf, type Plan, planOf } from "./plan.ts";

test("parseWish() takes seeds to search through", () => {
  assertEquals(parseWish(["--seeds", "500", "--from", "7", "--workers", "2"]), {
    kind: "seeds",
    from: 7,
    count: 500,
    workers: 2,
  });
});

test("commandOf() prints what parseWish() makes the same plan of", () => {
  const whole = planOf(12);
  const plans: Plan[] = [
    whole,
    { ...whole, clients: whole.clients.slice(1), safetyMs: 300 },
    { ...whole, faults: [], clients: [1] },
  ];
  for (const plan of plans) {
    assertEquals(parseWish(commandOf(plan).split(" ").slice(3)), { kind: "plan", plan });
  }
});

test("parseWish() says what it does not understand", () => {
  assertThrows(() => parseWish(["--sed", "1"]), SyntaxError, 'Cannot understand "--sed"');
  assertThrows(() => parseWish(["--seed"]), SyntaxError, 'Cannot understand "--seed"');
  assertThrows(() => parseWish(["--seed", "x"]), SyntaxError, 'Cannot use "x" as a number');
  assertThrows(
    () => parseWish(["--seed", "1", "--faults", "rain"]),
    SyntaxError,
    'Cannot find the fault "rain"',
  );
});
