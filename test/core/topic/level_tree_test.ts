// The nodes under both tries: made, found, removed, compacted.

import { assertEquals } from "@std/assert";
import { CHILDREN, LEVEL, LevelTree, PARENT } from "../../../src/core/topic/level_tree.ts";
import { test } from "../../harness.ts";

const encoder = new TextEncoder();
/** Offset of a word that holds the id of a node, in trees of this file. */
const LINK = 3;
/** Offset of a word that holds something else. */
const NOTE = 4;

function makeTree(): LevelTree {
  return new LevelTree(5, [LINK], 9);
}

function addChild(tree: LevelTree, parent: number, level: string): number {
  const bytes = encoder.encode(level);
  return tree.addChild(parent, bytes, 0, bytes.length);
}

function childAt(tree: LevelTree, parent: number, level: string): number {
  const bytes = encoder.encode(level);
  return tree.childAt(parent, bytes, 0, bytes.length);
}

test("LevelTree.childAt() finds children by parent and level", () => {
  const tree = makeTree();
  const a = addChild(tree, tree.root, "a");
  const b = addChild(tree, tree.root, "b");
  const ab = addChild(tree, a, "b");
  assertEquals(
    [childAt(tree, tree.root, "a"), childAt(tree, tree.root, "b"), childAt(tree, a, "b")],
    [a, b, ab],
  );
  assertEquals([childAt(tree, b, "a"), childAt(tree, a, "a"), childAt(tree, ab, "c")], [0, 0, 0]);
  assertEquals([tree.nodes[ab + PARENT], tree.nodes[tree.root + CHILDREN]], [a, 2]);
  assertEquals([tree.count, tree.levels.size], [4, 2]);
});

test("LevelTree.release() forgets a node and gives its place to a new one, with words of 0", () => {
  const tree = makeTree();
  const a = addChild(tree, tree.root, "a");
  tree.nodes[a + NOTE] = 17;
  tree.release(a);
  assertEquals([childAt(tree, tree.root, "a"), tree.count, tree.levels.size], [0, 1, 0]);
  const b = addChild(tree, tree.root, "b");
  assertEquals([b, tree.nodes[b + NOTE]], [a, 0]);
});

test("LevelTree.compact() moves nodes together, and tells where each one went", () => {
  const tree = makeTree();
  const all: number[] = [];
  for (let i = 0; i < 2_000; i++) all.push(addChild(tree, tree.root, `level-${i}`));
  const linked = tree.allocate(all[1_999]!, 0);
  tree.nodes[all[1_999]! + LINK] = linked;
  tree.nodes[linked + NOTE] = 42;
  const full = tree.capacityBytes;
  for (let i = 0; i < 1_990; i++) tree.release(all[i]!);
  assertEquals(tree.isSparse, true);

  const moved = tree.compact();

  assertEquals([tree.isSparse, tree.count, tree.levels.size], [false, 12, 10]);
  assertEquals(tree.capacityBytes * 10 < full, true);
  for (let i = 1_990; i < 2_000; i++) {
    const node = childAt(tree, tree.root, `level-${i}`);
    assertEquals([node, tree.levels.text(tree.nodes[node + LEVEL]!)], [
      moved[all[i]! / 5]!,
      `level-${i}`,
    ]);
  }
  const owner = moved[all[1_999]! / 5]!;
  const link = tree.nodes[owner + LINK]!;
  assertEquals([link, tree.nodes[link + NOTE], tree.nodes[link + PARENT]], [
    moved[linked / 5]!,
    42,
    owner,
  ]);
  assertEquals(moved[all[0]! / 5], 0);
  assertEquals(tree.nodes[tree.root + CHILDREN], 10);
});

test("LevelTree.isSparse is true when long levels leave, though nodes stay", () => {
  const tree = makeTree();
  for (let i = 0; i < 200; i++) addChild(tree, tree.root, `level-${i}`);
  const long = addChild(tree, tree.root, "x".repeat(65_535));
  assertEquals(tree.isSparse, false);
  tree.release(long);
  assertEquals(tree.isSparse, true);
  tree.compact();
  assertEquals(tree.isSparse, false);
});
