// What clients may publish and receive by an access file, rule by rule.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "../harness.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { isFilter, matches } from "../../src/core/topic/filter.ts";
import { AccessList } from "../../src/auth/access_list.ts";
import { type AclEntry, parseAclFile } from "../../src/auth/acl_file.ts";

function fixture(text: string) {
  const notices: string[] = [];
  const { value } = parseAclFile(text, "acl");
  const list = new AccessList(value!, { onNotice: (notice) => notices.push(notice) });
  /** `r`, `w`, both or `-`. */
  const access = (topic: string, username?: string, clientId = "c"): string => {
    const rules = list.rulesFor({ clientId, username });
    const letters = (rules.deliver(topic) === ReasonCode.SUCCESS ? "r" : "") +
      (rules.publish(topic) === ReasonCode.SUCCESS ? "w" : "");
    return letters || "-";
  };
  return { list, notices, access };
}

test("AccessList grants what an entry names and nothing besides", () => {
  const { access } = fixture("topic read r\ntopic write w\ntopic readwrite rw\ntopic default\n");
  const topics = ["r", "w", "rw", "default", "other", "r/x"];
  assertEquals(topics.map((topic) => access(topic)), ["r", "w", "rw", "rw", "-", "-"]);
});

test("AccessList gives entries before the first user to clients without user name only", () => {
  const { access } = fixture(
    "topic a\nuser alice\ntopic b\nuser bob\ntopic c\nuser alice\ntopic d",
  );
  const rows = [undefined, "alice", "bob", "carol", ""].map((username) =>
    ["a", "b", "c", "d"].map((topic) => access(topic, username)).join(" ")
  );
  assertEquals(rows, ["rw - - -", "- rw - rw", "- - rw -", "- - - -", "- - - -"]);
});

test("AccessList has a denial win within its group, wherever it stands", () => {
  const { access } = fixture("topic a/#\ntopic deny a/b\ntopic a/b\ntopic deny +/c/#\n");
  const topics = ["a", "a/b", "a/b/c", "a/c", "a/c/d", "x/c"];
  assertEquals(topics.map((topic) => access(topic)), ["rw", "-", "rw", "-", "-", "-"]);
});

test("AccessList asks patterns after entries, and each in its place", () => {
  const { access } = fixture([
    "pattern deny %u/private/#",
    "pattern read %u/#",
    "user alice",
    "topic write alice/private/drop",
    "topic deny alice/none",
  ].join("\n"));
  const topics = ["alice/a", "alice/private/x", "alice/private/drop", "alice/none", "bob/a"];
  assertEquals(topics.map((topic) => access(topic, "alice")), ["r", "-", "w", "-", "-"]);
  assertEquals(access("bob/a", "bob"), "r");
});

test("AccessList grants what entries leave open by a pattern", () => {
  const { access } = fixture("pattern write %c/x\ntopic read +/x\n");
  assertEquals([access("c/x"), access("d/x")], ["rw", "r"]);
});

test("AccessList skips patterns with %u for clients without user name", () => {
  const { access } = fixture("pattern read u/%u\npattern read c/%c\n");
  assertEquals([access("u/"), access("u/%u"), access("c/c"), access("u/a", "a")], [
    "-",
    "-",
    "r",
    "r",
  ]);
});

test("AccessList denies by patterns who has a wildcard in a name, and says so once [B-41]", () => {
  const { access, notices } = fixture(
    "pattern %c/#\npattern u/%u\ntopic own\nuser +\ntopic mine\n",
  );
  assertEquals([access("a/b", undefined, "#"), access("own", undefined, "+")], ["-", "rw"]);
  assertEquals([access("u/a", "+"), access("mine", "+"), access("u/+x", "+x")], ["-", "rw", "-"]);
  assertEquals(notices, [
    'ACL denying access to client with dangerous client id "#"',
    'ACL denying access to client with dangerous username "+"',
    'ACL denying access to client with dangerous username "+x"',
  ]);
  const { list, notices: later } = fixture("pattern %c/#\n");
  const rules = list.rulesFor({ clientId: "+", username: undefined });
  for (const topic of ["a", "b", "+/x"]) rules.deliver(topic);
  assertEquals(later.length, 1);
});

test("AccessList denies dangerous client ids also where patterns name the user only [B-41]", () => {
  const { access } = fixture("pattern u/%u\n");
  assertEquals([access("u/a", "a", "c"), access("u/a", "a", "c#"), access("u/a", "a", "d")], [
    "rw",
    "-",
    "rw",
  ]);
});

test("AccessList never lets a name with a slash reach levels of others [B-41]", () => {
  const { access } = fixture("pattern dev/%c/#\npattern usr/%u/#\n");
  assertEquals([access("dev/a/b/x", undefined, "a/b"), access("dev/a/x", undefined, "a")], [
    "-",
    "rw",
  ]);
  assertEquals([access("usr/a/b", "a/b"), access("usr/a/b", "a")], ["-", "rw"]);
});

test("AccessList shows what begins with $ to entries that begin with it [MQTT-4.7.2-1]", () => {
  const { access } = fixture("topic #\ntopic +/x\ntopic read $SYS/#\ntopic $own/+\npattern %c/#\n");
  const topics = ["a", "b/x", "$SYS/broker/uptime", "$own/x", "$other/x", "$c"];
  assertEquals(topics.map((topic) => access(topic)), ["rw", "rw", "r", "rw", "-", "-"]);
  assertEquals(access("$own2/x", undefined, "$own2"), "-");
});

test("AccessList lets nobody publish to $SYS but connections' states, and to $share [B-47]", () => {
  const { access } = fixture("topic $SYS/#\ntopic $share/#\ntopic $SYSx\ntopic $shared/x\n");
  const topics = [
    "$SYS",
    "$SYS/broker/x",
    "$SYSx",
    "$SYS/broker/connection/b/state",
    "$SYS/broker/connection/b/c/state",
    "$share/g/x",
    "$shared/x",
  ];
  assertEquals(topics.map((topic) => access(topic)), ["r", "r", "r", "rw", "r", "r", "r"]);
});

test("AccessList denies everything by an empty file [B-51]", () => {
  const { access } = fixture("# nothing\n");
  assertEquals([access("a"), access("a", "alice"), access("$SYS/x")], ["-", "-", "-"]);
});

test("AccessList.hasRetained() asks whether the publisher may still publish", () => {
  const { list } = fixture("pattern write dev/%c\nuser alice\ntopic read a\n");
  const may = (topic: string, clientId: string, username?: string) =>
    list.hasRetained({ clientId, username }, topic);
  assertEquals([may("dev/x", "x"), may("dev/x", "y"), may("a", "x", "alice")], [
    ReasonCode.SUCCESS,
    ReasonCode.NOT_AUTHORIZED,
    ReasonCode.NOT_AUTHORIZED,
  ]);
});

test("AccessList keeps one set of rules per user, or per client where patterns name clients", () => {
  const shared = fixture("user a\ntopic x\npattern %u\n").list;
  const own = fixture("user a\ntopic x\npattern %c\n").list;
  const sameRules = (list: AccessList): boolean =>
    list.rulesFor({ clientId: "1", username: "a" }) ===
      list.rulesFor({ clientId: "2", username: "a" });
  assertEquals([sameRules(shared), sameRules(own)], [true, false]);
});

test("AccessList remembers no more than so much, and decides the same without it", () => {
  const { list } = fixture("topic read t/+\ntopic deny t/7\n");
  const rules = list.rulesFor({ clientId: "c", username: undefined });
  const decide = (): number[] =>
    Array.from({ length: 2000 }, (_, i) => Number(rules.deliver(`t/${i}`)));
  const first = decide();
  assertEquals(first.map((code, i) => code === 0 ? -1 : i).filter((i) => i >= 0), [7]);
  assertEquals(decide(), first);
  assertEquals(rules.deliver(`t/${"x".repeat(1000)}`), ReasonCode.SUCCESS);
});

test("AccessList agrees with the rules read one after the other", () => {
  const level = fc.constantFrom("a", "b", "+", "#", "%c", "%u", "$s");
  const filter = fc.array(level, { minLength: 1, maxLength: 3 })
    .map((levels) => levels.join("/")).filter(isFilter);
  const line = fc.tuple(
    fc.constantFrom("topic", "pattern"),
    fc.constantFrom("read", "write", "readwrite", "deny"),
    filter,
  ).map((words) => words.join(" "));
  const topic = fc.array(fc.constantFrom("a", "b", "$s", "u"), { minLength: 1, maxLength: 3 })
    .map((levels) => levels.join("/"));
  fc.assert(fc.property(
    fc.array(line, { maxLength: 6 }),
    fc.array(line, { maxLength: 6 }),
    topic,
    fc.constantFrom(undefined, "u"),
    (before, after, topic, username) => {
      const text = [...before, "user u", ...after].join("\n");
      const { access } = fixture(text);
      const entries = parseAclFile(text, "acl").value!;
      const own = username === undefined ? entries.anonymous : entries.users.get("u")!;
      const may = (kind: "read" | "write"): boolean =>
        readRules(own, topic, kind, (filter) => filter) ??
          readRules(entries.patterns, topic, kind, (filter) => substitute(filter, "a", username)) ??
          false;
      const expected = (may("read") ? "r" : "") + (may("write") ? "w" : "");
      assertEquals(access(topic, username, "a"), expected || "-");
    },
  ));
});

/** The rules as they are written down: denials, the latest first, then grants in order. */
function readRules(
  entries: readonly AclEntry[],
  topic: string,
  kind: "read" | "write",
  resolve: (filter: string) => string | undefined,
): boolean | undefined {
  const denials = entries.filter(({ access }) => access === "deny").reverse();
  const grants = entries.filter(({ access }) => access !== "deny");
  for (const { access, filter } of [...denials, ...grants]) {
    const resolved = resolve(filter);
    if (resolved === undefined || topic.startsWith("$") !== filter.startsWith("$")) continue;
    if (!matches(resolved, topic)) continue;
    if (access === "deny") return false;
    if (access === "readwrite" || access === kind) return true;
  }
  return undefined;
}

function substitute(filter: string, clientId: string, username?: string): string | undefined {
  const levels = filter.split("/");
  if (username === undefined && levels.includes("%u")) return undefined;
  return levels.map((level) => level === "%c" ? clientId : level === "%u" ? username : level)
    .join("/");
}
