/**
 * The trie that one writes first: a node is an object with a Map from level to child. It is a control
 * row of the benchmarks; removing is not implemented because no row removes from it.
 *
 * @module
 */

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  readonly values: T[];
}

/** Values under filters. */
export class MapTrie<T> {
  readonly #root: Node<T> = newNode();

  add(filter: string, value: T): void {
    let node = this.#root;
    for (const level of filter.split("/")) {
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, child = newNode());
      node = child;
    }
    node.values.push(value);
  }

  /** The values of all filters that match. */
  match(topic: string): T[] {
    const out: T[] = [];
    collect(this.#root, topic.split("/"), 0, out);
    return out;
  }
}

function newNode<T>(): Node<T> {
  return { children: new Map(), values: [] };
}

function collect<T>(node: Node<T>, levels: readonly string[], depth: number, out: T[]): void {
  const isHidden = depth === 0 && levels[0]!.startsWith("$");
  const below = isHidden ? undefined : node.children.get("#");
  if (below !== undefined) out.push(...below.values);
  if (depth === levels.length) {
    out.push(...node.values);
    return;
  }
  const child = node.children.get(levels[depth]!);
  if (child !== undefined) collect(child, levels, depth + 1, out);
  const plus = isHidden ? undefined : node.children.get("+");
  if (plus !== undefined) collect(plus, levels, depth + 1, out);
}
