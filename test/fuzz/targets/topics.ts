/**
 * Topics and filters: what is one, against a reading of the standard in the plainest code, and what
 * matches what, in the tries and the table of routes, against the obvious matcher. An input is a
 * list of commands, one a line, and the first character of a line says what to do with the rest.
 *
 *     + store a filter    - remove it    = retain a topic    ! forget it    anything else: look up
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { decodeUtf8, encodeUtf8, isUtf8 } from "../../../src/core/base/utf8.ts";
import { isFilter, matches, parseFilter } from "../../../src/core/topic/filter.ts";
import { FilterTrie } from "../../../src/core/topic/filter_trie.ts";
import { RouteTable } from "../../../src/core/topic/route_table.ts";
import { isTopic } from "../../../src/core/topic/topic.ts";
import { TopicTrie } from "../../../src/core/topic/topic_trie.ts";
import { bytesOf, type FuzzTarget, inAnySurroundings } from "../target.ts";

const LEVELS_MAX = 201;
const LINES_MAX = 200;

interface Named {
  readonly name: string;
}

interface Stored {
  readonly trie: number;
  readonly route: number;
}

export const topics: FuzzTarget = {
  name: "topics",
  tokens: [
    "\n",
    "+",
    "-",
    "=",
    "!",
    "/",
    "#",
    "+/",
    "/#",
    "$SYS",
    "$share/g/",
    "a",
    "é",
    "😀",
    "\ufeff",
  ],
  seeds: () =>
    [
      "+a/+/b\n+a/#\na/x/b\n-a/#\na/x/b",
      "+#\n+$SYS/#\n$SYS/a\na\n+/+\n/a",
      "=a/b\n=a\n=$SYS/a\n=a/b/c\n+a/#\n!a/b\n-a/#\n+#",
      "+$share/g/a/+\n$share/g/a\n+$share//a\n+$share/+/a",
      "=é/😀\n+é/+\né/x",
      "a/+\n#a\na\x7f\n\ufffe\n\ufeffa",
    ].map(bytesOf),
  run(input) {
    const world = new World();
    let left = LINES_MAX;
    for (let start = 0; start < input.length && left-- > 0;) {
      const feed = input.indexOf(0x0a, start);
      const end = feed < 0 ? input.length : feed;
      world.take(input[start]!, input.subarray(Math.min(end, start + 1), end));
      start = end + 1;
    }
    world.end();
  },
};

class World {
  readonly #trie: FilterTrie<Named> = new FilterTrie();
  readonly #routes: RouteTable<Named> = new RouteTable({
    topicsMax: 4,
    bytesMax: 4096,
    levelsMax: LEVELS_MAX,
  });
  readonly #retained: TopicTrie<Named> = new TopicTrie();
  readonly #filters: Map<string, Stored> = new Map();
  readonly #topics: Map<string, Named> = new Map();

  take(command: number, bytes: Uint8Array): void {
    const text = checkText(bytes);
    if (text === undefined) return;
    const filter = checkFilter(text);
    const isName = checkTopic(bytes, text);
    switch (String.fromCharCode(command)) {
      case "+":
        if (filter !== undefined) this.#store(filter);
        return;
      case "-":
        if (filter !== undefined) this.#remove(filter);
        return;
      case "=":
        if (isName) this.#retain(text);
        return;
      case "!":
        if (isName) {
          assertEquals(this.#retained.delete(text), this.#topics.get(text));
          this.#topics.delete(text);
        }
        return;
    }
    if (isName) this.#lookUp(text, bytes);
    else assertEquals(this.#routes.find(bytes, 0, bytes.length), null);
  }

  /** Takes everything out again; nothing may be left. */
  end(): void {
    for (const filter of [...this.#filters.keys()]) this.#remove(filter);
    for (const topic of this.#topics.keys()) this.#retained.delete(topic);
    const { values, nodes, levels } = this.#trie.stats();
    assertEquals({ values, nodes, levels }, { values: 0, nodes: 1, levels: 0 });
    assertEquals([this.#routes.size, this.#retained.size, this.#retained.stats().nodes], [0, 0, 1]);
  }

  #store(filter: string): void {
    const expected = [...this.#topics.keys()].filter((topic) => matches(filter, topic)).sort();
    const found: Named[] = [];
    this.#retained.match(filter, found);
    assertEquals(found.map(({ name }) => name).sort(), expected);
    if (this.#filters.has(filter)) return;
    const value = { name: filter };
    this.#filters.set(filter, {
      trie: this.#trie.add(filter, value),
      route: this.#routes.add(filter, value),
    });
  }

  #remove(filter: string): void {
    const stored = this.#filters.get(filter);
    if (stored === undefined) return;
    assertEquals(this.#trie.filter(stored.trie), filter);
    this.#trie.remove(stored.trie);
    this.#routes.remove(stored.route);
    this.#filters.delete(filter);
  }

  #retain(topic: string): void {
    const value = { name: topic };
    assertEquals(this.#retained.set(topic, value), this.#topics.get(topic));
    this.#topics.set(topic, value);
    assertEquals(this.#retained.get(topic), value);
  }

  #lookUp(topic: string, bytes: Uint8Array): void {
    const expected = [...this.#filters.keys()].filter((filter) => matches(filter, topic)).sort();
    const found: Named[] = [];
    inAnySurroundings(bytes, (around, start, end) => {
      found.length = 0;
      this.#trie.match(around, start, end, found);
    });
    assertEquals(found.map(({ name }) => name).sort(), expected);
    const route = this.#routes.find(bytes, 0, bytes.length)!;
    assertEquals(route.name, topic);
    assertEquals(this.#routes.values(route).map(({ name }) => name).sort(), expected);
  }
}

/** The text of bytes that MQTT allows, checked against the platform's own decoder. */
function checkText(bytes: Uint8Array): string | undefined {
  const text = inAnySurroundings(bytes, decodeUtf8);
  assertEquals(inAnySurroundings(bytes, isUtf8), text !== null);
  assertEquals(text ?? undefined, plainText(bytes));
  if (text !== null) assertEquals(encodeUtf8(text), bytes.slice());
  return text ?? undefined;
}

function plainText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function checkTopic(bytes: Uint8Array, text: string): boolean {
  const isName = inAnySurroundings(
    bytes,
    (around, start, end) => isTopic(around, start, end, LEVELS_MAX),
  );
  const expected = text !== "" && !/[+#]/.test(text) && bytes.length <= 0xffff &&
    text.split("/").length <= LEVELS_MAX;
  assertEquals(isName, expected);
  return isName;
}

/** The filter to store for what a client named, if it is one. */
function checkFilter(text: string): string | undefined {
  const levels = text.split("/");
  const isExpected = text !== "" &&
    levels.every((level, at) =>
      !/[+#]/.test(level) || level === "+" || (level === "#" && at === levels.length - 1)
    );
  assertEquals(isFilter(text), isExpected);
  const parsed = parseFilter(text);
  if (typeof parsed === "string") return undefined;
  const { filter, shareName } = parsed;
  assertEquals(shareName === undefined ? filter : `$share/${shareName}/${filter}`, text);
  assertEquals([isFilter(filter), /[+#/]/.test(shareName ?? "")], [true, false]);
  return filter;
}
