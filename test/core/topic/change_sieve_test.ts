// Which look-ups a changed filter concerns: never too few, and not many too many.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChangeSieve, NEVER } from "../../../src/core/topic/change_sieve.ts";
import { matches } from "../../../src/core/topic/filter.ts";
import { test } from "../../harness.ts";
import { anyFilter, anyTopic } from "./arbitraries.ts";

const encoder = new TextEncoder();

function placesOf(sieve: ChangeSieve, topic: string): readonly number[] {
  return sieve.places(encoder.encode(topic));
}

test("ChangeSieve.mayConcern() is true for every topic that a changed filter matches", () => {
  const topics = fc.array(anyTopic, { minLength: 1, maxLength: 10 });
  fc.assert(fc.property(topics, fc.array(anyFilter, { maxLength: 10 }), (topics, filters) => {
    const sieve = new ChangeSieve(0);
    for (const topic of topics) sieve.count(placesOf(sieve, topic), 1);
    for (const filter of filters) {
      const before = sieve.version;
      sieve.append(filter);
      for (const topic of topics.filter((topic) => matches(filter, topic))) {
        assertEquals(sieve.mayConcern(placesOf(sieve, topic), before), true);
      }
    }
    for (const topic of topics) {
      assertEquals(sieve.mayConcern(placesOf(sieve, topic), sieve.version), false);
      assertEquals(sieve.mayConcern(placesOf(sieve, topic), NEVER), true);
    }
  }));
});

test("ChangeSieve.append() notes a filter where the fewest topics ask", () => {
  const sieve = new ChangeSieve(1);
  const topics = Array.from({ length: 50 }, (_, i) => placesOf(sieve, `fleet/device-${i}/value`));
  for (const places of topics) sieve.count(places, 1);
  sieve.append("fleet/device-7/value");
  sieve.append("+/device-8/#");
  sieve.append("fleet/somebody-else/+");
  const concerned = topics.flatMap((places, i) => sieve.mayConcern(places, 0) ? [i] : []);
  assertEquals(concerned, [7, 8]);
});

test("ChangeSieve.append() follows topics that are not kept any more", () => {
  const sieve = new ChangeSieve(0);
  const near = placesOf(sieve, "a/near");
  const others = ["a/b", "a/c", "d/near", "e/near", "f/near"].map((name) => placesOf(sieve, name));
  for (const places of others) sieve.count(places, 1);
  for (const places of others.slice(0, 2)) sieve.count(places, -1);
  sieve.append("a/near");
  assertEquals([near, ...others].map((places) => sieve.mayConcern(places, 0)), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("ChangeSieve.append() lets a filter of wildcards concern all topics", () => {
  const sieve = new ChangeSieve(0);
  for (const filter of ["#", "+", "+/+", "+/#", "+/".repeat(20) + "a"]) {
    const before = sieve.version;
    sieve.append(filter);
    assertEquals(sieve.mayConcern(placesOf(sieve, "some/topic"), before), true);
  }
});
