// What is said of the differences between our codec and mqtt-packet is true, entry by entry, and
// whatever we write the other one understands as it is meant.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { anyPacket } from "../core/codec/arbitrary.ts";
import { fromHex } from "../core/codec/fixture.ts";
import { test } from "../harness.ts";
import { encoded } from "../support/raw_packet.ts";
import { CODEC_DIFFERENCES } from "./codec_differences.ts";
import { differenceOn } from "./foreign_codec.ts";

const KNOWN = new Set(CODEC_DIFFERENCES.map(({ difference }) => difference));
const RUNS = 500;

for (const { difference, version, hex, why } of CODEC_DIFFERENCES) {
  test(`Our codec and mqtt-packet differ in "${difference}": ${why}`, () => {
    assertEquals(differenceOn(fromHex(hex), version), difference);
  });
}

for (const version of [3, 4, 5] as const) {
  test(`mqtt-packet understands what we write in version ${version}, but for what is known`, () => {
    fc.assert(
      fc.property(anyPacket(version), (packet) => {
        const difference = differenceOn(encoded(version, packet), version);
        if (difference === undefined) return;
        assertEquals(KNOWN.has(difference) && !difference.startsWith("only theirs"), true);
      }),
      { numRuns: RUNS },
    );
  });
}
