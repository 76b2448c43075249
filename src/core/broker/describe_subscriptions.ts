/**
 * Who subscribes to what, as operators know it from Mosquitto's answer to SIGUSR2: the tree of
 * ordinary subscriptions and then that of shared ones, a line for each level.
 *
 * @module
 */

import type { QoS } from "../codec/protocol.ts";
import type { BrokerState } from "./state.ts";

/** One filter, and who subscribes to it. */
interface Entry {
  readonly levels: readonly string[];
  readonly subscribers: { readonly clientId: string; readonly qos: QoS }[];
}

/** The lines of both trees, in the order of their levels. */
export function describeSubscriptions(state: BrokerState): string[] {
  const ordinary = new Map<string, Entry>();
  for (const { clientId, subscriptions } of state.sessions.values()) {
    for (const { filter, shareName, qos } of subscriptions.values()) {
      if (shareName !== undefined) continue;
      let entry = ordinary.get(filter);
      if (entry === undefined) {
        entry = { levels: filter.split("/"), subscribers: [] };
        ordinary.set(filter, entry);
      }
      entry.subscribers.push({ clientId, qos });
    }
  }
  // The members of a shared group are not listed.
  const shared = [...state.groups.values()].map(({ filter }): Entry => ({
    levels: filter.split("/"),
    subscribers: [],
  }));
  return [...treeOf([...ordinary.values()]), ...treeOf(shared)];
}

function treeOf(entries: Entry[]): string[] {
  entries.sort((a, b) => compareLevels(a.levels, b.levels));
  const lines: string[] = [];
  let above: readonly string[] = [];
  for (const { levels, subscribers } of entries) {
    let depth = 0;
    // The levels that the filter above has printed already.
    while (depth < above.length && depth < levels.length && above[depth] === levels[depth]) depth++;
    if (depth === levels.length && depth === above.length && depth > 0) continue;
    for (; depth < levels.length; depth++) {
      const isLast = depth === levels.length - 1;
      const names = isLast ? subscribers.map(({ clientId, qos }) => ` (${clientId}, ${qos})`) : [];
      lines.push(" ".repeat(4 + 2 * depth) + levels[depth] + names.join(""));
    }
    above = levels;
  }
  return lines;
}

/** A level before those below it. */
function compareLevels(a: readonly string[], b: readonly string[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i]! < b[i]!) return -1;
    if (a[i]! > b[i]!) return 1;
  }
  return a.length - b.length;
}
