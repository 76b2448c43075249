// Where a topic parts from the one before it: at whole levels only, whatever bytes they share.

import { assertEquals } from "@std/assert";
import { LevelPath } from "../../../src/core/topic/level_path.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

/** Walks a topic; how much of it was known, and to which node that led. */
function walk(path: LevelPath, topic: string, first: number): [known: string, node: number] {
  const bytes = bytesOf(`..${topic}`);
  const isShared = path.begin(bytes, 2, bytes.length);
  const known: [string, number] = isShared
    ? [new TextDecoder().decode(bytes.subarray(2, path.end)), path.node]
    : ["", 0];
  let node = first;
  for (let end = isShared ? path.end : 1; end < bytes.length;) {
    do end++; while (end < bytes.length && bytes[end] !== 0x2f);
    path.push(node++, end);
  }
  return known;
}

test("LevelPath.begin() tells the node of the last level that two topics share", () => {
  const path = new LevelPath();
  const topics = ["a/b/c", "a/b/cd", "a/b", "a/b/x/y", "a/bc", "ab", "", "/", "/x", "a//b", "a//c"];
  const known = topics.map((topic, index) => walk(path, topic, 10 * (index + 1)));
  assertEquals(known, [
    ["", 0],
    ["a/b", 11],
    ["a/b", 11],
    ["a/b", 11],
    ["a", 10],
    ["", 0],
    ["", 0],
    ["", 70],
    ["", 70],
    ["", 0],
    ["a/", 101],
  ]);
});

test("LevelPath.begin() finds all of a topic that comes again, and nothing after clear()", () => {
  const path = new LevelPath();
  walk(path, "a/b", 1);
  assertEquals([walk(path, "a/b", 9), walk(path, "a/b", 9)], [["a/b", 2], ["a/b", 2]]);
  path.clear();
  assertEquals(walk(path, "a/b", 9), ["", 0]);
});
