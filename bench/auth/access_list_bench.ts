/**
 * What the gate costs per delivery with an access file of 1,000 entries: a topic that is remembered,
 * beside the one look-up in a `Map` that it cannot do without, and one that is not, beside reading
 * the entries one after the other.
 *
 * Run with `deno run -A bench/auth/access_list_bench.ts`.
 *
 * @module
 */

import { AccessList } from "../../src/auth/access_list.ts";
import { type AclEntry, parseAclFile } from "../../src/auth/acl_file.ts";
import { Gatekeeper } from "../../src/auth/gatekeeper.ts";
import type { Client } from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { matches } from "../../src/core/topic/filter.ts";
import { compare } from "../harness.ts";

const ENTRIES = 1000;
const KNOWN_TOPICS = 64;
const UNKNOWN_TOPICS = 1 << 16;

const lines = ["pattern readwrite clients/%c/#", "user u"];
for (let i = 0; i < ENTRIES - 1; i++) {
  lines.push(`topic ${i % 10 === 0 ? "deny" : "read"} site/${i % 50}/device/${i}/+`);
}
const entries = parseAclFile(lines.join("\n"), "acl").value!;
const list = new AccessList(entries, { onNotice: () => {} });
const gatekeeper = new Gatekeeper({
  chains: {
    general: { allowAnonymous: true, authenticators: [], authorizers: [list], observers: [] },
    byListener: new Map(),
  },
  onFailure: (_, error) => {
    throw error;
  },
});
const client: Client = {
  clientId: "c",
  username: "u",
  listener: undefined,
  policyNotes: undefined,
};
const own = entries.users.get("u")!;

function topicsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const device = (i * 7919) % ENTRIES;
    return `site/${device % 50}/device/${device}/value${i}`;
  });
}

/** The rules as they are written down. */
function readRules(rules: readonly AclEntry[], topic: string): boolean {
  for (const { access, filter } of rules) {
    if (access === "deny" && matches(filter, topic)) return false;
  }
  return rules.some(({ access, filter }) => access !== "deny" && matches(filter, topic));
}

const known = topicsOf(KNOWN_TOPICS);
const unknown = topicsOf(UNKNOWN_TOPICS);
const map = new Map(known.map((topic) => [topic, readRules(own, topic)]));
const rules = list.rulesFor(client);
for (const topic of [...known, ...unknown.slice(0, 1000)]) {
  const expected = readRules(own, topic);
  const isGranted = rules.deliver(topic) === ReasonCode.SUCCESS;
  if (isGranted !== expected || gatekeeper.deliver(client, topic) !== expected) {
    throw new Error("The rows disagree");
  }
}

/** Counts how many of `iterations` topics are granted. */
function count(iterations: number, topics: readonly string[], may: (topic: string) => boolean) {
  const mask = topics.length - 1;
  let granted = 0;
  for (let i = 0; i < iterations; i++) if (may(topics[i & mask]!)) granted++;
  return granted;
}

compare(`a delivery of a topic that is remembered, ${ENTRIES} entries`, [
  {
    name: "Gatekeeper.deliver()",
    run: (iterations) => count(iterations, known, (topic) => gatekeeper.deliver(client, topic)),
  },
  {
    name: "AccessList's rules of the client",
    run: (iterations) =>
      count(iterations, known, (topic) => rules.deliver(topic) === ReasonCode.SUCCESS),
  },
  {
    name: "Map.get()",
    run: (iterations) => count(iterations, known, (topic) => map.get(topic) === true),
  },
], { control: "Map.get()" });

compare(`a delivery of a topic that is not remembered, ${ENTRIES} entries`, [
  {
    name: "Gatekeeper.deliver()",
    run: (iterations) => count(iterations, unknown, (topic) => gatekeeper.deliver(client, topic)),
  },
  {
    name: "the entries one after the other",
    run: (iterations) => count(iterations, unknown, (topic) => readRules(own, topic)),
  },
], { control: "the entries one after the other" });
