// Entries by their levels, against the slow and obvious matcher.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "../harness.ts";
import { isFilter, matches } from "../../src/core/topic/filter.ts";
import { RuleTree } from "../../src/auth/rule_tree.ts";

const NOBODY = { clientId: "c", username: undefined };
const levels = (...choices: string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...choices), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));

test("RuleTree.bitsOf() joins the bits of all filters that match, as the plain matcher has it", () => {
  const filters = levels("a", "b", "", "$x", "+", "#").filter(isFilter);
  fc.assert(fc.property(
    fc.array(filters, { maxLength: 12 }),
    levels("a", "b", "", "$x", "c"),
    (entries, topic) => {
      const tree = new RuleTree();
      entries.forEach((filter, i) => tree.add(filter, 1 << i, false));
      const expected = entries.reduce(
        (bits, filter, i) => matches(filter, topic) ? bits | 1 << i : bits,
        0,
      );
      assertEquals(tree.bitsOf(topic, NOBODY), expected);
    },
  ));
});

test("RuleTree.bitsOf() puts whole client identifiers and user names in the place of %c and %u [B-41]", () => {
  const names = levels("a", "b", "", "$x", "+", "#", "a+");
  fc.assert(fc.property(
    levels("a", "%c", "%u", "+", "#", "x%c").filter(isFilter),
    names,
    fc.option(names, { nil: undefined }),
    levels("a", "b", "", "$x", "%c"),
    (filter, clientId, username, topic) => {
      const tree = new RuleTree();
      tree.add(filter, 1, true);
      const values = filter.split("/").map((level) =>
        level === "%c" ? clientId : level === "%u" ? username : level
      );
      // A value that is no level can be none of the topic's.
      const isLevel = values.every((value, i) =>
        value === filter.split("/")[i] || (value !== undefined && !/[+#/]/.test(value))
      );
      const isBarred = topic.startsWith("$") && !filter.startsWith("$");
      const expected = isLevel && !isBarred && matches(values.join("/"), topic) ? 1 : 0;
      assertEquals(tree.bitsOf(topic, { clientId, username }), expected);
    },
  ));
});

test("RuleTree.add() takes %c and %u as ordinary levels unless it is told of a pattern", () => {
  const tree = new RuleTree();
  tree.add("%c/%u", 1, false);
  const subject = { clientId: "c", username: "u" };
  assertEquals([tree.bitsOf("c/u", subject), tree.bitsOf("%c/%u", subject)], [0, 1]);
});
