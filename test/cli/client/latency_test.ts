// How long a response took, in each unit.

import { assertEquals } from "@std/assert";
import { latencyText } from "../../../src/cli/client/latency.ts";
import { test } from "../../harness.ts";

test("latencyText() takes the largest unit of which there is one", () => {
  const texts: readonly (readonly [number, string])[] = [
    [0, "Latency: 0ns"],
    [999, "Latency: 999ns"],
    [1000, "Latency: 1.000000\xb5s"],
    [123_456, "Latency: 123.456000\xb5s"],
    [999_999, "Latency: 999.999000\xb5s"],
    [1_000_000, "Latency: 1.000000ms"],
    [12_345_678, "Latency: 12.345678ms"],
    [1_000_000_000, "Latency: 1.000000000"],
    [61_000_000_042, "Latency: 61.000000042"],
  ];
  for (const [nanoseconds, text] of texts) assertEquals(latencyText(nanoseconds), text);
});
