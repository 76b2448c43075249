// LazyMap, against the Map that it stands for.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LazyMap } from "../../../src/core/base/lazy_map.ts";
import { test } from "../../harness.ts";

test("LazyMap does what a Map does, whatever comes and goes", () => {
  const step = fc.record({
    kind: fc.constantFrom("set", "delete", "clear"),
    key: fc.nat({ max: 5 }),
    value: fc.nat(),
  });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const lazy = new LazyMap<number, number>();
    const map = new Map<number, number>();
    for (const { kind, key, value } of steps) {
      if (kind === "set") {
        lazy.set(key, value);
        map.set(key, value);
      } else if (kind === "delete") {
        assertEquals(lazy.delete(key), map.delete(key));
      } else {
        lazy.clear();
        map.clear();
      }
      assertEquals(lazy.size, map.size);
      assertEquals(lazy.get(key), map.get(key));
      assertEquals([...lazy.keys()], [...map.keys()]);
      assertEquals([...lazy.values()], [...map.values()]);
    }
  }));
});

test("LazyMap.values() may be walked while what it gives is deleted", () => {
  const map = new LazyMap<string, number>();
  map.set("a", 1);
  map.set("b", 2);
  const seen: number[] = [];
  for (const value of map.values()) {
    seen.push(value);
    map.delete(value === 1 ? "a" : "b");
  }
  assertEquals(seen, [1, 2]);
  assertEquals(map.size, 0);
});
