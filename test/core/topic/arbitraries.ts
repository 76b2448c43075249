// Topics and filters for property tests: few distinct levels, so that things match and collide, and
// among them the ones that are special.

import fc from "fast-check";

const LEVELS = ["", "a", "b", "$a", "é", "a-longer-level"] as const;

/** Valid topics of a few levels. */
export const anyTopic: fc.Arbitrary<string> = fc.array(fc.constantFrom(...LEVELS), {
  minLength: 1,
  maxLength: 5,
}).map((levels) => levels.join("/")).filter((topic) => topic !== "");

/** Valid filters of a few levels, about half of them with wildcards. */
export const anyFilter: fc.Arbitrary<string> = fc.tuple(
  fc.array(fc.constantFrom("+", "+", "+", ...LEVELS), { maxLength: 5 }),
  fc.constantFrom([], [], ["#"]),
).map(([levels, end]) => [...levels, ...end].join("/")).filter((filter) => filter !== "");
