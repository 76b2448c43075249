/**
 * Decides by an access file what a client may publish and receive; subscribing is always allowed,
 * and whoever subscribes to what it may not read receives nothing.
 *
 * Entries of the client's user, or of nobody, come before patterns. Within each a matching denial
 * wins over everything, so the order of entries does not matter, and a decision is two walks over
 * trees. Decisions are remembered per user where no pattern depends on the client identifier, and
 * otherwise per client. Without a matching entry the answer is no.
 *
 * @module
 */

import type { Publisher } from "../core/broker/question.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { matches } from "../core/topic/filter.ts";
import type { AclAccess, AclEntries, AclEntry } from "./acl_file.ts";
import type { Authorizer, TopicRules, Verdict } from "./auth.ts";
import { RuleTree, type Subject } from "./rule_tree.ts";

const MAY_RECEIVE = 1;
const MAY_PUBLISH = 2;
const DENIED = 4;
const BITS: Readonly<Record<AclAccess, number>> = Object.freeze({
  read: MAY_RECEIVE,
  write: MAY_PUBLISH,
  readwrite: MAY_RECEIVE | MAY_PUBLISH,
  deny: DENIED,
});

/** Topics whose decisions are remembered, per user or client, and the longest of them. */
const REMEMBERED_MAX = 256;
const REMEMBERED_LENGTH_MAX = 256;
/** Users whose rules are kept, whether or not they are there. */
const RULES_MAX = 10_000;

/** The one thing under `$SYS` that clients, which then are bridges, may publish. */
const CONNECTION_STATE = "$SYS/broker/connection/+/state";

export interface AccessListOptions {
  /** Told what the operator should know: once per client, not once per message. */
  readonly onNotice: (text: string) => void;
}

export class AccessList implements Authorizer {
  readonly name = "acl-file";
  readonly #entries: AclEntries;
  readonly #options: AccessListOptions;
  readonly #patterns: RuleTree | undefined;
  /** A pattern depends on the client identifier, so two clients of one user may differ. */
  readonly #usesClientId: boolean;
  /** By user name; `undefined` is for clients without. */
  readonly #rules: Map<string | undefined, Rules> = new Map();
  readonly #trees: Map<string | undefined, RuleTree> = new Map();

  constructor(entries: AclEntries, options: AccessListOptions) {
    const { patterns } = entries;
    this.#entries = entries;
    this.#options = options;
    this.#patterns = patterns.length === 0 ? undefined : plant(patterns, true);
    this.#usesClientId = patterns.some(({ filter }) => filter.split("/").includes("%c"));
  }

  rulesFor(client: Publisher): TopicRules {
    return this.#rulesOf(client);
  }

  /** Whether the publisher may still publish what it once had retained. */
  hasRetained(publisher: Publisher, topic: string): Verdict {
    return this.#rulesOf(publisher).publish(topic);
  }

  #rulesOf({ clientId, username }: Publisher): Rules {
    const isOwn = this.#patterns !== undefined && (this.#usesClientId || isDangerous(clientId));
    if (isOwn) return this.#makeRules({ clientId, username });
    let rules = this.#rules.get(username);
    if (rules === undefined) {
      if (this.#rules.size >= RULES_MAX) this.#rules.clear();
      this.#rules.set(username, rules = this.#makeRules({ clientId, username }));
    }
    return rules;
  }

  #makeRules(subject: Subject): Rules {
    return new Rules(
      this.#treeOf(subject.username),
      this.#patterns,
      subject,
      this.#options.onNotice,
    );
  }

  /** Made when the first client of the user comes, since most users of a large file are away. */
  #treeOf(username: string | undefined): RuleTree | undefined {
    const { anonymous, users } = this.#entries;
    const entries = username === undefined ? anonymous : users.get(username);
    if (entries === undefined) return undefined;
    let tree = this.#trees.get(username);
    if (tree === undefined) this.#trees.set(username, tree = plant(entries, false));
    return tree;
  }
}

/** What one client may do, with the decisions of late. */
class Rules implements TopicRules {
  readonly #tree: RuleTree | undefined;
  readonly #patterns: RuleTree | undefined;
  readonly #subject: Subject;
  readonly #onNotice: (text: string) => void;
  readonly #remembered: Map<string, number> = new Map();
  #hasNotified = false;

  constructor(
    tree: RuleTree | undefined,
    patterns: RuleTree | undefined,
    subject: Subject,
    onNotice: (text: string) => void,
  ) {
    this.#tree = tree;
    this.#patterns = patterns;
    this.#subject = subject;
    this.#onNotice = onNotice;
  }

  publish(topic: string): Verdict {
    const bits = this.#remembered.get(topic) ?? this.#decide(topic);
    return (bits & MAY_PUBLISH) !== 0 ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
  }

  deliver(topic: string): Verdict {
    const bits = this.#remembered.get(topic) ?? this.#decide(topic);
    return (bits & MAY_RECEIVE) !== 0 ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
  }

  #decide(topic: string): number {
    let bits = this.#evaluate(topic);
    if (isBarred(topic)) bits &= ~MAY_PUBLISH;
    if (topic.length > REMEMBERED_LENGTH_MAX) return bits;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(topic, bits);
    return bits;
  }

  #evaluate(topic: string): number {
    const own = this.#tree?.bitsOf(topic, this.#subject) ?? 0;
    if ((own & DENIED) !== 0) return 0;
    const both = MAY_RECEIVE | MAY_PUBLISH;
    // What the user's entries grant, no pattern takes away.
    if (own === both || this.#patterns === undefined || this.#isDangerous()) return own;
    const general = this.#patterns.bitsOf(topic, this.#subject);
    return (general & DENIED) !== 0 ? own : own | general;
  }

  /** Whether a wildcard in a name would make patterns wider than they were meant. */
  #isDangerous(): boolean {
    const { clientId, username } = this.#subject;
    const isUsername = username !== undefined && isDangerous(username);
    if (!isUsername && !isDangerous(clientId)) return false;
    if (!this.#hasNotified) {
      this.#hasNotified = true;
      const what = isUsername ? `username "${username}"` : `client id "${clientId}"`;
      this.#onNotice(`ACL denying access to client with dangerous ${what}`);
    }
    return true;
  }
}

function isDangerous(value: string): boolean {
  return value.includes("+") || value.includes("#");
}

/** What no client may publish, whatever the file says. */
function isBarred(topic: string): boolean {
  if (!topic.startsWith("$")) return false;
  if (topic.startsWith("$SYS")) return !matches(CONNECTION_STATE, topic);
  return topic.startsWith("$share");
}

function plant(entries: readonly AclEntry[], isPattern: boolean): RuleTree {
  const tree = new RuleTree();
  for (const { access, filter } of entries) tree.add(filter, BITS[access], isPattern);
  return tree;
}
