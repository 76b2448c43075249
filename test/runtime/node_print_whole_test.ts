// Printing to a stream that takes little at a time, is full, or has lost its reader.

import { assertEquals, assertThrows } from "@std/assert";
import { printWhole } from "../../src/runtime/node/print_whole.ts";
import { test } from "../harness.ts";

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test("printWhole() goes on until everything is out, and waits for a full pipe", () => {
  let out = "";
  let calls = 0;
  printWhole((bytes) => {
    if (++calls % 2 === 0) throw failure("EAGAIN");
    out += new TextDecoder().decode(bytes.subarray(0, 2));
    return Math.min(2, bytes.length);
  }, "midge\n");
  assertEquals({ out, calls }, { out: "midge\n", calls: 5 });
});

test("printWhole() gives up without an error when the reader has gone", () => {
  let calls = 0;
  printWhole(() => {
    calls++;
    throw failure("EPIPE");
  }, "midge\n");
  assertEquals(calls, 1);
});

test("printWhole() passes on any other failure", () => {
  const error = assertThrows(() => {
    printWhole(() => {
      throw failure("EIO");
    }, "midge\n");
  }, Error);
  assertEquals(error.message, "EIO");
});
