/**
 * The entries of an access file by their levels, so that a topic finds all that match it in one
 * walk, however many there are. What an entry means is a few bits; what the bits of several entries
 * mean together is decided in `access_list.ts`.
 *
 * `%c` and `%u` are levels of their own kind: they match a level that equals the whole client
 * identifier or user name. A value with a slash therefore matches nothing, and never reaches a
 * level that belongs to somebody else.
 *
 * @module
 */

/** Who asks: what `%c` and `%u` stand for. */
export interface Subject {
  readonly clientId: string;
  readonly username: string | undefined;
}

class Node {
  children: Map<string, Node> | undefined = undefined;
  /** Behind `+`, `%c` and `%u`. */
  anything: Node | undefined = undefined;
  clientId: Node | undefined = undefined;
  username: Node | undefined = undefined;
  /** Of entries that end here, and of those that end in `#` here. */
  bits = 0;
  bitsBelow = 0;
}

export class RuleTree {
  readonly #root: Node = new Node();

  /** Adds an entry; `%c` and `%u` are ordinary levels unless it is a pattern. */
  add(filter: string, bits: number, isPattern: boolean): void {
    let node = this.#root;
    for (const level of filter.split("/")) {
      // The last level of the filter, if it is a filter.
      if (level === "#") {
        node.bitsBelow |= bits;
        return;
      }
      node = step(node, level, isPattern);
    }
    node.bits |= bits;
  }

  /** The bits of all entries that match the topic. */
  bitsOf(topic: string, subject: Subject): number {
    const levels = topic.split("/");
    if (!topic.startsWith("$")) return collect(this.#root, levels, 0, subject);
    // What begins with "$" is for entries that name it [MQTT-4.7.2-1].
    const node = this.#root.children?.get(levels[0]!);
    return node === undefined ? 0 : collect(node, levels, 1, subject);
  }
}

/** The node behind a level, made when there is none yet. */
function step(node: Node, level: string, isPattern: boolean): Node {
  if (level === "+") return node.anything ??= new Node();
  if (isPattern && level === "%c") return node.clientId ??= new Node();
  if (isPattern && level === "%u") return node.username ??= new Node();
  node.children ??= new Map();
  let child = node.children.get(level);
  if (child === undefined) node.children.set(level, child = new Node());
  return child;
}

function collect(node: Node, levels: readonly string[], index: number, subject: Subject): number {
  let bits = node.bitsBelow;
  const level = levels[index];
  if (level === undefined) return bits | node.bits;
  const { children, anything, clientId, username } = node;
  const child = children?.get(level);
  if (child !== undefined) bits |= collect(child, levels, index + 1, subject);
  if (anything !== undefined) bits |= collect(anything, levels, index + 1, subject);
  if (clientId !== undefined && level === subject.clientId) {
    bits |= collect(clientId, levels, index + 1, subject);
  }
  if (username !== undefined && level === subject.username) {
    bits |= collect(username, levels, index + 1, subject);
  }
  return bits;
}
