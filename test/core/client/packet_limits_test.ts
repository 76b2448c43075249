// The size of packets that a client accepts, as the framer is told of it.

import { assertEquals } from "@std/assert";
import { limitsFor } from "../../../src/core/client/packet_limits.ts";
import { test } from "../../harness.ts";

test("limitsFor() leaves room for the header, which grows with what it tells the length of", () => {
  const limitOf = (size: number | undefined): number[] => [...new Set(limitsFor(size))];
  assertEquals([1, 2, 129, 130, 131, 16_386, 16_387].map((size) => limitOf(size)), [
    [0],
    [0],
    [127],
    [127],
    [128],
    [16_383],
    [16_383],
  ]);
  assertEquals([limitOf(undefined), limitsFor(undefined).length], [[268_435_455], 16]);
});
