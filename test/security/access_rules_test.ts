// Every rule of an access file, tried over the wire: what each client may publish by any version
// and quality of service, and what reaches it by any way. Debian's Mosquitto reads the same file and
// has to come to the same conclusions, except where a row says why not.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { skipWithout } from "../support/foreign.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { withMosquitto } from "../support/mosquitto_process.ts";
import { type Row, survey } from "./access_survey.ts";

const ACCESS_FILE = `# Before any user: for clients without a name.
topic read nameless/in
topic write nameless/out
topic nameless/both

pattern read pattern/user/%u
pattern write pattern/client/%c/#
pattern readwrite pattern/both/%u/%c

user root
topic readwrite #
topic $other/#
topic read $SYS/#

user alice
topic read a/in
topic write a/out
topic readwrite a/readwrite
topic a/plain
topic read a/twice
topic write a/twice
topic a/+/plus/x
topic a/hash/#
topic readwrite two words/in a topic
topic read

user bob
topic deny b/early/not
topic b/early/#
topic b/late/#
topic deny b/late/not
topic deny b/late/not/either/#
topic deny b/wild/+/secret
topic b/wild/#
topic deny pattern/granted/bob
topic own/granted

user   two words${"  "}
topic spaced

user alice
topic a/continued

# Patterns are for everybody, wherever they stand.
pattern readwrite pattern/granted/%u
pattern deny pattern/denied/%u/secret
pattern readwrite pattern/denied/%u/#
pattern deny own/granted
pattern readwrite for/everybody
pattern readwrite half/x%c
pattern readwrite %u

user dollar
topic readwrite #
topic +/x
user dollar2
topic $other/x
topic $SYS/#
topic $share/#
topic readwrite $share_x/y

user #
topic own/of/hash
user +
topic own/of/plus
`;

const OLD_NAMES = "2.0 puts the name into the filter as text, so that its slashes become levels";
const OLD_HALF = "2.0 replaces %c and %u inside of levels too";
const OLD_EMPTY = "2.0 takes an empty name for none";

const ROWS: readonly Row[] = [
  { topic: "nameless/in", rights: "r", about: "entries before any user" },
  { topic: "nameless/out", rights: "w", about: "entries before any user" },
  { topic: "nameless/both", rights: "rw", about: "entries before any user" },
  { topic: "nameless/other", rights: "-", about: "no entry" },
  { username: "alice", topic: "nameless/both", rights: "-", about: "not for users" },
  {
    username: "",
    topic: "nameless/both",
    rights: "-",
    about: "an empty name is one",
    mosquitto: { rights: "rw", because: OLD_EMPTY },
  },
  { username: "stranger", topic: "a/plain", rights: "-", about: "a user without entries" },
  { username: "Alice", topic: "a/plain", rights: "-", about: "letters count" },

  { username: "alice", topic: "a/in", rights: "r", about: "read" },
  { username: "alice", topic: "a/out", rights: "w", about: "write" },
  { username: "alice", topic: "a/readwrite", rights: "rw", about: "readwrite" },
  { username: "alice", topic: "a/plain", rights: "rw", about: "readwrite unless told" },
  { username: "alice", topic: "a/twice", rights: "rw", about: "entries add up" },
  { username: "alice", topic: "a/one/plus/x", rights: "rw", about: "+ is one level" },
  { username: "alice", topic: "a/one/more/plus/x", rights: "-", about: "+ is one level" },
  { username: "alice", topic: "a/hash", rights: "rw", about: "# is the parent as well" },
  { username: "alice", topic: "a/hash/x/y", rights: "rw", about: "# is everything below" },
  { username: "alice", topic: "a/hashes", rights: "-", about: "# begins at a level" },
  { username: "alice", topic: "two words/in a topic", rights: "rw", about: "spaces" },
  { username: "alice", topic: "read", rights: "rw", about: "a single word is a filter" },
  { username: "alice", topic: "a/continued", rights: "rw", about: "a user goes on" },
  { username: "alice", topic: "A/plain", rights: "-", about: "letters count" },
  { username: "two words", topic: "spaced", rights: "rw", about: "blanks around a name" },

  { username: "bob", topic: "b/early/not", rights: "-", about: "denied before it is granted" },
  { username: "bob", topic: "b/early/yes", rights: "rw", about: "beside what is denied" },
  { username: "bob", topic: "b/late/not", rights: "-", about: "denied after it was granted" },
  { username: "bob", topic: "b/late/not/either/x", rights: "-", about: "denied by a wildcard" },
  { username: "bob", topic: "b/late/yes", rights: "rw", about: "beside what is denied" },
  { username: "bob", topic: "b/wild/1/secret", rights: "-", about: "denied by a wildcard" },
  { username: "bob", topic: "b/wild/1/other", rights: "rw", about: "beside what is denied" },

  { username: "alice", topic: "pattern/user/alice", rights: "r", about: "%u" },
  { username: "alice", topic: "pattern/user/bob", rights: "-", about: "%u of another" },
  { topic: "pattern/user/%u", rights: "-", about: "%u without a name" },
  { clientId: "c1", topic: "pattern/client/c1/x", rights: "w", about: "%c without a name" },
  { username: "bob", clientId: "c1", topic: "pattern/client/c1", rights: "w", about: "%c" },
  { clientId: "c1", topic: "pattern/client/c2/x", rights: "-", about: "%c of another" },
  { username: "bob", clientId: "c1", topic: "pattern/both/bob/c1", rights: "rw", about: "both" },
  { username: "bob", clientId: "c1", topic: "pattern/both/c1/bob", rights: "-", about: "both" },
  { username: "bob", topic: "pattern/granted/bob", rights: "-", about: "a user's denial wins" },
  { username: "bob", topic: "own/granted", rights: "rw", about: "a user's grant wins" },
  { username: "alice", topic: "own/granted", rights: "-", about: "a pattern denies" },
  { username: "bob", topic: "pattern/denied/bob/x", rights: "rw", about: "a pattern grants" },
  { username: "bob", topic: "pattern/denied/bob/secret", rights: "-", about: "a pattern denies" },
  { topic: "for/everybody", rights: "rw", about: "a pattern without a name in it" },
  {
    clientId: "c1",
    topic: "half/xc1",
    rights: "-",
    about: "a name inside of a level",
    mosquitto: { rights: "rw", because: OLD_HALF },
  },
  {
    clientId: "c1",
    topic: "half/x%c",
    rights: "rw",
    about: "a name inside of a level",
    mosquitto: { rights: "-", because: OLD_HALF },
  },

  { clientId: "+", topic: "pattern/client/c1/x", rights: "-", about: "B-41 %c is +" },
  { clientId: "#", topic: "pattern/client/c1/x", rights: "-", about: "B-41 %c is #" },
  { clientId: "c1/#", topic: "pattern/client/c1/x", rights: "-", about: "B-41 %c ends in #" },
  { clientId: "+/x", topic: "pattern/client/c1/x/x", rights: "-", about: "B-41 %c begins with +" },
  { clientId: "+", topic: "for/everybody", rights: "-", about: "B-41 no pattern for such a name" },
  {
    clientId: "c1/x",
    topic: "pattern/client/c1/x/y",
    rights: "-",
    about: "B-41 %c has a slash",
    mosquitto: { rights: "w", because: OLD_NAMES },
  },
  { username: "+", topic: "pattern/user/alice", rights: "-", about: "B-41 %u is +" },
  { username: "#", topic: "for/everybody", rights: "-", about: "B-41 %u is #" },
  { username: "#", topic: "own/of/hash", rights: "rw", about: "B-41 entries of a user named #" },
  { username: "+", topic: "own/of/plus", rights: "rw", about: "B-41 entries of a user named +" },
  { username: "+", topic: "own/of/hash", rights: "-", about: "B-41 entries of another" },
  { username: "%c", clientId: "c1", topic: "pattern/user/c1", rights: "-", about: "B-41 %u is %c" },
  { username: "%c", topic: "pattern/user/%c", rights: "r", about: "B-41 %u is %c" },
  { clientId: "%u", topic: "pattern/client/%u/x", rights: "w", about: "B-41 %c is %u" },
  {
    username: "alice",
    clientId: "%u",
    topic: "pattern/client/alice/x",
    rights: "-",
    about: "B-41 %c is %u",
  },
  { username: "zoe", topic: "zoe", rights: "rw", about: "%u alone" },
  {
    username: "$other/x",
    topic: "$other/x",
    rights: "-",
    about: "B-41 %u leads below $",
    mosquitto: { rights: "rw", because: OLD_NAMES },
  },

  { username: "dollar", topic: "$other/x", rights: "-", about: "wildcards do not mean $" },
  { username: "dollar", topic: "other/x", rights: "rw", about: "wildcards mean the rest" },
  { username: "dollar2", topic: "$other/x", rights: "rw", about: "entries that name it" },
  { username: "root", topic: "$SYS/broker/x", rights: "-", about: "B-47 nobody writes there" },
  { username: "dollar2", topic: "$SYS/broker/x", rights: "-", about: "B-47 nobody writes there" },
  {
    username: "dollar2",
    topic: "$SYS/broker/connection/b/state",
    rights: "w",
    about: "B-47 bridges write there",
  },
  {
    username: "dollar",
    topic: "$SYS/broker/connection/b/state",
    rights: "-",
    about: "B-47 bridges write there, if they may",
  },
  {
    username: "dollar2",
    topic: "$share/group/x",
    rights: "-",
    about: "B-47 nobody publishes there",
  },
  { username: "dollar2", topic: "$share_x/y", rights: "-", about: "B-47 nobody publishes there" },
];

const OPTIONS = {
  config: "listener $PORT1 127.0.0.1\nallow_anonymous true\nacl_file $DIR/acl\n",
  files: { acl: ACCESS_FILE },
};

test(
  "B-41 B-43 An access file grants to the letter, by every way to a client",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(
      { ...OPTIONS, config: `${OPTIONS.config}log_type all\n` },
      async (midge) => {
        const found = await survey(midge.port, ROWS);
        assertEquals(ROWS.map((row, i) => ({ ...row, rights: found[i] })), ROWS);
        await midge.logged('ACL denying access to client with dangerous client id "c1/#"');
        await midge.logged('ACL denying access to client with dangerous username "#"');
        await midge.logged(/^Denied PUBLISH from client0 \(d0, q1, r0, m1, 'nameless\/in', .*\)$/);
      },
    ),
);

test("Mosquitto reads the same access file alike, except where a row says why not", {
  ...PROCESS_TEST,
  skip: skipWithout("mosquitto"),
}, () =>
  withMosquitto(OPTIONS, async (port) => {
    const found = await survey(port, ROWS, {
      // What begins with "$" never reaches its shared groups.
      skips: ({ topic }, way) => way === "shared" && topic.startsWith("$"),
    });
    const expected = ROWS.map((row) => ({ ...row, rights: row.mosquitto?.rights ?? row.rights }));
    assertEquals(ROWS.map((row, i) => ({ ...row, rights: found[i] })), expected);
  }));
