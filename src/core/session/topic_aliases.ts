/**
 * Topic Aliases, one table per direction and connection: those that the peer sets, and those that
 * are given out to the first topics that are sent. Neither outlives its connection.
 * [MQTT-3.3.2-7]
 *
 * @module
 */

/** Aliases that the peer set. */
export class InboundAliases<T> {
  readonly #targets: (T | undefined)[] = [];

  /** What all aliases stand for, the first one in place 1. */
  get targets(): readonly (T | undefined)[] {
    return this.#targets;
  }

  /** What the alias stands for, `undefined` when the peer never set it. */
  get(alias: number): T | undefined {
    return this.#targets[alias];
  }

  /** Sets or resets an alias; the caller has checked it against the Topic Alias Maximum. */
  set(alias: number, target: T): void {
    while (this.#targets.length <= alias) this.#targets.push(undefined);
    this.#targets[alias] = target;
  }
}

/** Aliases that we give out. Once given, an alias keeps its topic. */
export class OutboundAliases {
  readonly #aliases = new Map<string, number>();
  readonly #maximum: number;

  /** How many may be given. */
  get maximum(): number {
    return this.#maximum;
  }

  /** How many have been given. */
  get size(): number {
    return this.#aliases.size;
  }

  /** Those that have one, in the order of their aliases. */
  get topics(): Iterable<string> {
    return this.#aliases.keys();
  }

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias of a topic, 0 when it has none. */
  get(topic: string): number {
    return this.#aliases.get(topic) ?? 0;
  }

  /** The alias that `assign` would give, 0 when all are given. [MQTT-3.1.2-26] */
  get next(): number {
    return this.#aliases.size < this.#maximum ? this.#aliases.size + 1 : 0;
  }

  /** Gives the next alias to a topic that has none. */
  assign(topic: string): void {
    this.#aliases.set(topic, this.#aliases.size + 1);
  }
}
