// What the system says when a connection cannot be had, in the words of a C program.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { dialError } from "../../src/transport/dial_error.ts";
import { test } from "../harness.ts";

const coded = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

test("dialError() knows the code of the system by whatever error carries it", () => {
  const all = new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]);
  const told = [
    dialError("h:1", "connecting", coded("EHOSTUNREACH")),
    dialError("h:1", "connecting", all),
    dialError("h:1", "connecting", coded("ENOTFOUND")),
    dialError("h:1", "connecting", coded("EAI_AGAIN")),
    dialError("h:1", "securing", coded("ECONNRESET")),
    dialError("h:1", "securing", new Error("bad certificate; try another runtime")),
    dialError("h:1", "connecting", "odd"),
  ];
  assertEquals(told.map(({ code, message, reason }) => [code, message, reason]), [
    ["connect-failed", 'Cannot connect to "h:1": No route to host', "No route to host"],
    ["connect-failed", 'Cannot connect to "h:1": Connection refused', "Connection refused"],
    [
      "lookup-failed",
      'Cannot look up "h:1": Name or service not known',
      "Name or service not known",
    ],
    [
      "lookup-failed",
      'Cannot look up "h:1": Temporary failure in name resolution',
      "Temporary failure in name resolution",
    ],
    ["tls-failed", 'TLS with "h:1" failed: Connection reset by peer', "Connection reset by peer"],
    ["tls-failed", 'TLS with "h:1" failed: bad certificate', "bad certificate"],
    ["connect-failed", 'Cannot connect to "h:1": odd', "odd"],
  ]);
  assertStrictEquals(told[1]!.cause, all);
});

test("dialError() leaves an error alone that says already what it is", () => {
  const error = new OperationError("proxy-failed", "no");
  assertStrictEquals(dialError("h:1", "connecting", error), error);
});
