// Numbers of a page, one by one.

import { assertEquals } from "@std/assert";
import { NumberList } from "../../src/store/number_list.ts";
import { test } from "../harness.ts";

test("NumberList gives the numbers of a text in their order, as far as a number goes", () => {
  for (const numbers of [[0], [7, 0, 12_345], [1, Number.MAX_SAFE_INTEGER, 3], []]) {
    const list = new NumberList(numbers.join(","));
    const found: number[] = [];
    while (!list.isOver) found.push(list.next());
    assertEquals(found, numbers);
  }
});
