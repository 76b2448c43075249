// The judge over Mosquitto's side of an exchange: no difference goes unlisted, and none stays listed
// that has gone.

import { assertThrows } from "@std/assert";
import { test } from "../harness.ts";
import { judge } from "./exchange.ts";

const DIFFERENCE = { mosquitto: "that", because: "it is older" };

test("judge() accepts the same, and a difference that is listed", () => {
  judge("this", "this", undefined);
  judge("that", "this", DIFFERENCE);
});

test("judge() rejects a difference that is not listed", () => {
  assertThrows(() => judge("that", "this", undefined), Error, "list of differences");
});

test("judge() rejects a listed difference that has gone or is another one", () => {
  assertThrows(() => judge("this", "this", DIFFERENCE), Error, "as the list says");
  assertThrows(() => judge("other", "this", DIFFERENCE), Error, "as the list says");
});
