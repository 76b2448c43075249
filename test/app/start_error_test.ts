// The error that ends a start.

import { assertEquals } from "@std/assert";
import { ExitStatus, StartError } from "../../src/app/start_error.ts";
import { test } from "../harness.ts";

test("StartError has a status that scripts know, lines for the log, and what caused it", () => {
  const cause = new Error("the cause");
  const error = new StartError(ExitStatus.UNREADABLE, ["One.", "Two."], { cause });
  assertEquals([error.name, error.message, error.status, error.lines, error.cause], [
    "StartError",
    "One.\nTwo.",
    13,
    ["One.", "Two."],
    cause,
  ]);
});

test("ExitStatus has the numbers of Mosquitto", () => {
  assertEquals({ ...ExitStatus }, { OK: 0, FAILED: 1, INVALID: 3, UNREADABLE: 13, SYSTEM: 14 });
});
