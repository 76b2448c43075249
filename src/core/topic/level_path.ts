/**
 * The way that the last topic took through a tree, so that its neighbour begins where the two part.
 * Topics that come one after another often have all but their last levels in common, and each level
 * costs two look-ups.
 *
 * @module
 */

const SLASH = 0x2f;

export class LevelPath {
  /** Where to go on with the topic that was asked about: a node, and the byte behind its level. */
  node = 0;
  end = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** For each level of the last topic, where it ends, counted from the start, and its node. */
  readonly #ends: number[] = [];
  readonly #nodes: number[] = [];

  /** Begins with a topic, whose bytes do not change any more; whether it shares a whole level. */
  begin(bytes: Uint8Array, start: number, end: number): boolean {
    const length = Math.min(end - start, this.#end - this.#start);
    let common = 0;
    while (common < length && bytes[start + common] === this.#bytes[this.#start + common]) common++;
    let levels = this.#ends.length;
    for (; levels > 0; levels--) {
      const at = start + this.#ends[levels - 1]!;
      const isWhole = at <= start + common && (at === end || bytes[at] === SLASH);
      if (isWhole) break;
    }
    this.#ends.length = this.#nodes.length = levels;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    if (levels === 0) return false;
    this.node = this.#nodes[levels - 1]!;
    this.end = start + this.#ends[levels - 1]!;
    return true;
  }

  /** The topic goes on to a node with a level that ends here. */
  push(node: number, end: number): void {
    this.#nodes.push(node);
    this.#ends.push(end - this.#start);
  }

  /** Nodes are not what they were. */
  clear(): void {
    this.#ends.length = this.#nodes.length = 0;
  }
}
