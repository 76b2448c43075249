/**
 * A map that costs nothing until it is used: the table behind it is made with the first entry. Each
 * session has several, and most of them stay empty for ever.
 *
 * @module
 */

/** The part of `Map` that its users need. */
export class LazyMap<K, V> {
  #map: Map<K, V> | undefined = undefined;

  get size(): number {
    return this.#map === undefined ? 0 : this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map?.get(key);
  }

  set(key: K, value: V): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  /** Whether there was such an entry. */
  delete(key: K): boolean {
    return this.#map?.delete(key) ?? false;
  }

  clear(): void {
    this.#map = undefined;
  }

  /** The values in the order in which their keys were first set. */
  values(): Iterable<V> {
    return this.#map?.values() ?? [];
  }

  /** The keys in the order in which they were first set. */
  keys(): Iterable<K> {
    return this.#map?.keys() ?? [];
  }
}
