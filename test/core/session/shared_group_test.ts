// Whose turn it is in a shared subscription, against a list that is rotated.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { Session, Subscription } from "../../../src/core/session/session.ts";
import { SharedGroup } from "../../../src/core/session/shared_group.ts";
import { test } from "../../harness.ts";

function member(name: string): Subscription<never> {
  return new Subscription(new Session<never>(name), "$share/g/a", { filter: "a", shareName: "g" });
}

function turns(group: SharedGroup<never>, count: number): string {
  return Array.from({ length: count }, () => group.takeTurn().session.clientId).join("");
}

test("SharedGroup.takeTurn() goes round in the order of joining", () => {
  const group = new SharedGroup<never>("g", "a");
  for (const name of "abc") group.join(member(name));
  assertEquals(turns(group, 7), "abcabca");
  group.join(member("d"));
  assertEquals(turns(group, 5), "bcdab");
});

test("SharedGroup.leave() passes nobody over and repeats nobody", () => {
  const names = ["a", "b", "c", "d", "e"];
  const drawn = fc.record({ taken: fc.nat(7), leaver: fc.nat(4) });
  fc.assert(fc.property(drawn, ({ taken, leaver }) => {
    const group = new SharedGroup<never>("g", "a");
    const members = names.map(member);
    for (const each of members) group.join(each);
    turns(group, taken);
    group.leave(members[leaver]!);
    // Whose turn it was to be, in order, without the one who left.
    const rotated = [...names, ...names].slice(taken % 5, taken % 5 + 5);
    const expected = rotated.filter((name) => name !== names[leaver]).join("");
    assertEquals(turns(group, 4), expected);
  }));
});

test("SharedGroup knows its members", () => {
  const group = new SharedGroup<never>("g", "a");
  const only = member("a");
  group.join(only);
  group.leave(only);
  assertEquals(group.members, []);
  assertThrows(() => group.leave(only), AssertionError);
  assertThrows(() => group.takeTurn(), AssertionError);
});
