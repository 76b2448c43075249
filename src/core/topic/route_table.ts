/**
 * From the bytes of a topic to the subscribers that it reaches, the way every message takes. Topics
 * are interned: one that was seen before is found by its bytes, without a string and without
 * checks. Its subscribers are kept with it, until a filter changes that could match it.
 *
 * What is kept is bounded twice, by count and by bytes, in two generations: once the young one
 * holds half of the bound it becomes the old one, and what was in the old one is forgotten unless
 * it was used in the meantime. A forgotten topic stays usable by whoever holds it; it is only found
 * anew.
 *
 * @module
 */

import { decodeUtf8, encodeUtf8 } from "../base/utf8.ts";
import { ChangeSieve, NEVER } from "./change_sieve.ts";
import { FilterTrie, type FilterTrieStats } from "./filter_trie.ts";
import { hashBytes, HashIndex } from "./hash_index.ts";
import { isTopic } from "./topic.ts";

/** Bounds and settings of a {@linkcode RouteTable}. */
export interface RouteTableOptions {
  /** How many topics to keep at most. */
  readonly topicsMax: number;
  /** How many bytes the kept topics and their lists of subscribers may take. */
  readonly bytesMax: number;
  /** How many levels a topic may have. */
  readonly levelsMax: number;
  /** Chance, drawn by whoever assembles the broker, against names chosen to collide. */
  readonly seed?: number;
}

/** What a table holds at the moment. */
export interface RouteTableStats {
  readonly topics: number;
  readonly topicBytes: number;
  readonly filters: FilterTrieStats;
}

/** What a topic takes beside its bytes, its name and its list, roughly. */
const TOPIC_BYTES = 384;

const DOLLAR_SIGN = 0x24;

/** A Topic Name that was found valid. */
export class Topic<T> {
  /** Its bytes, never changed. */
  readonly bytes: Uint8Array;
  /** True for names that begin with "$", which belong to the server. */
  readonly isReserved: boolean;
  /** For the table that made this topic, and nobody else. */
  readonly hash: number;
  readonly places: readonly number[];
  values: readonly T[] = [];
  version: number = NEVER;
  /** The generation that holds it; 0 when none does. */
  generation = 0;
  #name: string | undefined;

  constructor(bytes: Uint8Array, hash: number, places: readonly number[]) {
    this.bytes = bytes;
    this.hash = hash;
    this.places = places;
    this.isReserved = bytes[0] === DOLLAR_SIGN;
  }

  /** The name as a string, made when first asked for. */
  get name(): string {
    return this.#name ??= decodeUtf8(this.bytes, 0, this.bytes.length)!;
  }

  /** Tells whether the bytes from `start` up to `end` spell this topic. */
  equals(bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.bytes;
    const length = own.length;
    if (end - start !== length) return false;
    for (let i = 0; i < length; i++) {
      if (own[i] !== bytes[start + i]) return false;
    }
    return true;
  }
}

/** Filters, and the topics that were looked up in them. */
export class RouteTable<T extends object> {
  readonly #trie: FilterTrie<T>;
  readonly #changes: ChangeSieve;
  readonly #seed: number;
  readonly #levelsMax: number;
  readonly #generationTopicsMax: number;
  readonly #generationBytesMax: number;
  #young: Generation<T> = new Generation(2);
  #old: Generation<T> = new Generation(1);

  constructor(options: RouteTableOptions) {
    this.#seed = options.seed ?? 0;
    this.#trie = new FilterTrie({ seed: this.#seed });
    this.#changes = new ChangeSieve(this.#seed);
    this.#levelsMax = options.levelsMax;
    this.#generationTopicsMax = Math.max(1, options.topicsMax >> 1);
    this.#generationBytesMax = options.bytesMax / 2;
  }

  /** How many values are stored under filters. */
  get size(): number {
    return this.#trie.size;
  }

  stats(): RouteTableStats {
    return {
      topics: this.#young.topics.length + this.#old.topics.length,
      topicBytes: this.#young.bytes + this.#old.bytes,
      filters: this.#trie.stats(),
    };
  }

  /** Stores a value under a valid filter, once more if it is there already; its slot. */
  add(filter: string, value: T): number {
    const slot = this.#trie.add(filter, value);
    this.#changes.append(filter);
    return slot;
  }

  /** Removes what {@linkcode add} stored in a slot. */
  remove(slot: number): void {
    this.#changes.append(this.#trie.filter(slot));
    this.#trie.remove(slot);
  }

  /** The value in a slot. */
  value(slot: number): T {
    return this.#trie.value(slot);
  }

  /** Tells whether any filter could match a topic that begins with these levels and goes on. */
  reaches(prefix: string): boolean {
    return this.#trie.reaches(prefix);
  }

  /** Calls `visitor` with every filter and value, in no particular order. */
  visit(visitor: (filter: string, value: T) => void): void {
    this.#trie.visit(visitor);
  }

  /** Finds the topic that the bytes from `start` up to `end` spell; `null` when they spell none. */
  find(bytes: Uint8Array, start: number, end: number): Topic<T> | null {
    const hash = hashBytes(bytes, start, end, this.#seed);
    return this.#young.find(bytes, start, end, hash) ??
      this.#findElsewhere(bytes, start, end, hash);
  }

  /** Finds the topic of that name; `null` when no topic can have it. */
  findName(name: string): Topic<T> | null {
    const bytes = encodeUtf8(name);
    return bytes === null ? null : this.find(bytes, 0, bytes.length);
  }

  /**
   * The values of all filters that match a topic: as of now, and never changed afterwards, so a
   * caller may go through it while filters come and go.
   */
  values(topic: Topic<T>): readonly T[] {
    if (topic.version !== this.#changes.version) this.#refresh(topic);
    return topic.values;
  }

  #findElsewhere(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
  ): Topic<T> | null {
    let topic = this.#old.find(bytes, start, end, hash);
    if (topic === null) {
      if (!isTopic(bytes, start, end, this.#levelsMax)) return null;
      topic = this.#newTopic(bytes.slice(start, end), hash);
    }
    this.#rejuvenate(topic);
    return topic;
  }

  #newTopic(bytes: Uint8Array, hash: number): Topic<T> {
    return new Topic(bytes, hash, this.#changes.places(bytes));
  }

  #refresh(topic: Topic<T>): void {
    // Whoever keeps values is counted, even when held by a connection and forgotten here.
    if (topic.generation !== this.#young.number) this.#rejuvenate(topic);
    if (this.#changes.mayConcern(topic.places, topic.version)) {
      const values: T[] = [];
      this.#trie.match(topic.bytes, 0, topic.bytes.length, values);
      this.#young.bytes += (values.length - topic.values.length) * 8;
      topic.values = values;
    }
    topic.version = this.#changes.version;
    if (this.#young.bytes > this.#generationBytesMax) this.#rotate();
  }

  #rejuvenate(topic: Topic<T>): void {
    if (topic.generation === 0) this.#changes.count(topic.places, 1);
    // In no generation for the moment, so that it is not forgotten with an old one.
    topic.generation = 0;
    if (
      this.#young.topics.length >= this.#generationTopicsMax ||
      this.#young.bytes > this.#generationBytesMax
    ) {
      this.#rotate();
    }
    this.#young.add(topic);
  }

  #rotate(): void {
    const forgotten = this.#old;
    this.#old = this.#young;
    this.#young = new Generation(this.#old.number + 1);
    forgotten.forget(this.#changes);
  }
}

/** The topics of one generation. */
class Generation<T> {
  readonly number: number;
  readonly topics: Topic<T>[] = [];
  bytes = 0;
  /** Positions in `topics`, counted from 1. */
  readonly #index: HashIndex = new HashIndex();

  constructor(number: number) {
    this.number = number;
  }

  find(bytes: Uint8Array, start: number, end: number, hash: number): Topic<T> | null {
    const index = this.#index;
    const entries = index.entries;
    for (let i = index.first(hash); entries[i] !== 0; i = index.next(i)) {
      if (entries[i + 1] !== hash) continue;
      const topic = this.topics[entries[i]! - 1]!;
      if (topic.equals(bytes, start, end)) return topic;
    }
    return null;
  }

  add(topic: Topic<T>): void {
    topic.generation = this.number;
    this.topics.push(topic);
    this.bytes += TOPIC_BYTES + topic.bytes.length * 3 + topic.values.length * 8;
    this.#index.insert(this.topics.length, topic.hash);
  }

  /** Drops the lists of those topics that nobody asked for since the generation grew old. */
  forget(changes: ChangeSieve): void {
    for (const topic of this.topics) {
      if (topic.generation !== this.number) continue;
      topic.values = [];
      topic.version = NEVER;
      topic.generation = 0;
      changes.count(topic.places, -1);
    }
  }
}
