// The error for surroundings that failed carries its code and its cause.

import { assertEquals } from "@std/assert";
import { OperationError } from "../../../src/core/base/operation_error.ts";
import { test } from "../../harness.ts";

test("OperationError is recognised by its code and keeps its cause", () => {
  const cause = new Error("The disk is full");
  const error = new OperationError("listen-failed", "Cannot listen", { cause });
  assertEquals(
    [error.name, error.code, error.message, error.cause, error instanceof Error],
    ["OperationError", "listen-failed", "Cannot listen", cause, true],
  );
});
