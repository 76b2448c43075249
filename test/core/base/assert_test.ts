// What an assertion about ourselves throws.

import { assertEquals, assertThrows } from "@std/assert";
import { assert, AssertionError, unreachable } from "../../../src/core/base/assert.ts";
import { test } from "../../harness.ts";

test("assert() lets the truth pass and throws an AssertionError otherwise", () => {
  assert(1, "One is not nothing");
  const error = assertThrows(() => assert(0, "Nothing is not one"), AssertionError);
  assertEquals([error.name, error.message], ["AssertionError", "Nothing is not one"]);
});

test("unreachable() names what came there all the same", () => {
  const error = assertThrows(() => unreachable("x" as never), AssertionError);
  assertEquals(error.message, 'Reached a place that cannot be reached: "x"');
});
