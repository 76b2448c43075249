// What the operator is told when a listener cannot be opened.

import { assertEquals } from "@std/assert";
import { listenError } from "../../src/transport/listen_error.ts";
import { test } from "../harness.ts";

const CASES: readonly (readonly [unknown, string, string])[] = [
  [{ code: "EADDRINUSE" }, "address-in-use", "the address is already in use"],
  [
    { code: "EADDRNOTAVAIL" },
    "address-not-available",
    "the address is not available on this machine",
  ],
  [
    { code: "EAFNOSUPPORT" },
    "address-not-available",
    "the address is not available on this machine",
  ],
  [{ code: "ENOTFOUND" }, "address-not-available", "the address is not available on this machine"],
  [{ code: "EAI_AGAIN" }, "address-not-available", "the address is not available on this machine"],
  [{ code: "EACCES" }, "permission-denied", "permission is denied"],
  [{ code: "EPERM" }, "permission-denied", "permission is denied"],
  [{ code: "EWHATEVER" }, "listen-failed", "the system refuses"],
  [new Error("No code"), "listen-failed", "the system refuses"],
  [undefined, "listen-failed", "the system refuses"],
];

for (const [cause, code, words] of CASES) {
  test(`listenError() says "${code}" for ${JSON.stringify(cause)}`, () => {
    const error = listenError("127.0.0.1", 1883, cause);
    assertEquals(
      { code: error.code, message: error.message, cause: error.cause },
      {
        code: code as typeof error.code,
        message: `Cannot listen on 127.0.0.1:1883: ${words}`,
        cause,
      },
    );
  });
}

test("listenError() puts brackets around an IPv6 address", () => {
  assertEquals(
    listenError("::1", 1883, { code: "EADDRINUSE" }).message,
    "Cannot listen on [::1]:1883: the address is already in use",
  );
});
