// Who may do what, when somebody tries more than that by every way to the broker: names that could
// widen a rule, permissions that are taken away, denied topics behind broad filters, sessions of
// others. The deciders are those of the product: a password file, an access file, the gatekeeper.

import { assertEquals } from "@std/assert";
import type { BrokerOptions } from "../../mod.ts";
import { AccessList } from "../../src/auth/access_list.ts";
import { parseAclFile } from "../../src/auth/acl_file.ts";
import { Gatekeeper } from "../../src/auth/gatekeeper.ts";
import { parsePasswordFile, PasswordFile } from "../../src/auth/password_file.ts";
import { WorkGate } from "../../src/auth/work_gate.ts";
import { OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import type { Will } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { PBKDF2_OF_SECRET } from "../auth/hashes.ts";
import { type Arena, everyWay } from "../support/arena.ts";
import { packet, properties, u16, VERSIONS } from "../support/raw_packet.ts";
import { until } from "../support/wait.ts";
import { type ConnectOptions, describe, type WireClient } from "../support/wire_client.ts";

const SECRET = new TextEncoder().encode("secret");
const WRONG = new TextEncoder().encode("wrong");
const [FAST, SLOW] = PBKDF2_OF_SECRET;
const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } } as const;

/** Whom everybody may hear. */
const CANARY = "topic readwrite canary/#\n";

interface Guard {
  readonly options: BrokerOptions;
  /** Puts other rules in force, and judges everybody again. */
  readonly replace: (acl: string) => void;
}

/** Anybody is let in by any name, unless there are passwords; then by these names also without. */
function guard(acl: string, passwords?: string): Guard {
  const chains = (rules: string) => ({
    general: {
      allowAnonymous: true,
      authenticators: passwords === undefined ? [] : [passwordFile(passwords)],
      authorizers: [
        new AccessList(parseAclFile(CANARY + rules, "acl").value!, {
          onNotice: () => {},
        }),
      ],
      observers: [],
    },
    byListener: new Map(),
  });
  const gatekeeper = new Gatekeeper({
    chains: chains(acl),
    onFailure: (_decider, error) => {
      throw error;
    },
  });
  return {
    options: { policy: gatekeeper, ask: (question) => gatekeeper.ask(question) },
    replace: (rules) => gatekeeper.setChains(chains(rules)),
  };
}

function passwordFile(text: string): PasswordFile {
  return new PasswordFile(parsePasswordFile(text, "passwords").value!, {
    argon2id: () => Promise.reject(new Error("There is no such hash here")),
    gate: new WorkGate({ runningMax: 2, waitingMax: 1000 }),
  });
}

function named(username: string, options: ConnectOptions = {}): ConnectOptions {
  return { username, password: SECRET, clientId: username, ...options };
}

function will(topic: string): Will {
  return { topic, payload: SECRET, qos: 1, retain: true, properties: NO_PROPERTIES };
}

/** What arrives up to an answer to a PINGREQ, acknowledged; the canary's song is left out. */
async function heard(client: WireClient): Promise<string[]> {
  const packets = await client.ping();
  for (let at = 0; at < packets.length; at++) {
    const each = packets[at]!;
    if (each.type !== "publish" || each.qos === 0) continue;
    client.send(packet(0x40, u16(each.packetId)));
    if (at === packets.length - 1) packets.push(...await client.ping());
  }
  return packets.map(describe).filter((line) => !line.startsWith("publish canary/"));
}

/** Leaves without a DISCONNECT, and is gone for the broker. */
async function lose(arena: Arena, client: WireClient): Promise<void> {
  const { localPort } = client;
  client.reset();
  await arena.closedAt(localPort);
}

everyWay(
  "B-41 A name with a wildcard or a slash in it widens no rule for whoever has it",
  (enter) =>
    enter(
      guard("pattern readwrite user/%u/#\npattern readwrite client/%c/#\n").options,
      async (arena) => {
        const victim = await arena.connect(5, named("victim"));
        await victim.subscribe(["user/victim/#", "client/victim/#"]);
        for (const name of ["+", "#", "victim/#", "+/x", "/", "victim/"]) {
          for (const [username, clientId] of [[name, "plain"], ["plain", name]] as const) {
            const client = await arena.connect(5, named(username, { clientId }));
            await client.subscribe(["user/victim/x", "client/victim/x", "#"]);
            victim.publish("user/victim/y", "m", { qos: 1 });
            victim.publish("client/victim/x", "m", { qos: 1 });
            assertEquals((await heard(victim)).length, 4);
            for (const topic of ["user/victim/x", "client/victim/x"]) {
              client.publish(topic, "m", { qos: 1, packetId: 7 });
            }
            const answers = await heard(client);
            assertEquals({ username, clientId, answers }, {
              username,
              clientId,
              answers: ["puback 7 0x87", "puback 7 0x87"],
            });
            client.leave();
            await client.untilClosed();
          }
        }
        assertEquals(await heard(victim), []);
        victim.publish("user/victim/x", "m");
        assertEquals(await heard(victim), ["publish user/victim/x m"]);
      },
    ),
);

everyWay(
  "B-42 What is taken away is gone for what is live, waits, is retained or is a Will",
  (enter) => {
    const open = "user author\ntopic write #\nuser reader\ntopic read #\n";
    const { options, replace } = guard(open);
    return enter(options, async (arena) => {
      const author = await arena.connect(5, named("author"));
      const dying = await arena.connect(
        5,
        named("author", { clientId: "d", will: will("gone/will") }),
      );
      const reader = await arena.connect(5, named("reader", LASTING));
      const away = await arena.connect(5, named("reader", { ...LASTING, clientId: "away" }));
      for (const client of [reader, away]) await client.subscribe(["gone/#", "kept/#"], 1);
      await lose(arena, away);
      for (const topic of ["gone/x", "kept/x"]) {
        author.publish(topic, "1", { qos: 1, retain: true });
      }
      assertEquals(await heard(author), ["puback 1 0x00", "puback 2 0x00"]);
      assertEquals(await heard(reader), ["publish gone/x 1", "publish kept/x 1"]);

      replace("user author\ntopic write kept/#\nuser reader\ntopic read kept/#\n");
      for (const topic of ["gone/x", "kept/x"]) {
        author.publish(topic, "2", { qos: 1 });
      }
      await lose(arena, dying);
      assertEquals(await heard(author), ["puback 3 0x87", "puback 4 0x00"]);
      assertEquals(await heard(reader), ["publish kept/x 2"]);
      const back = await arena.connect(5, named("reader", { ...LASTING, clientId: "away" }));
      assertEquals(await heard(back), ["publish kept/x 1", "publish kept/x 2"]);
      const late = await arena.connect(5, named("reader", { clientId: "late" }));
      await late.subscribe(["#"]);
      assertEquals(await heard(late), ["publish kept/x 1"]);
      // The author lost the right to what it has retained; once it is back nothing of that is there.
      replace(open);
      for (const topic of ["gone/x", "kept/x"]) author.publish(topic, "", { qos: 1, retain: true });
      assertEquals(await heard(author), ["puback 5 0x00", "puback 6 0x00"]);
      for (const client of [reader, back]) await end(arena, client);
    });
  },
);

/** Ends a session that is not to end with its connection. */
async function end(arena: Arena, client: WireClient): Promise<void> {
  const { localPort } = client;
  client.sendPacket({
    type: "disconnect",
    reasonCode: 0,
    properties: { sessionExpiryInterval: 0 },
  });
  await arena.closedAt(localPort);
}

everyWay(
  "B-43 What is denied below a broad filter stays denied by every path to a client",
  (enter) => {
    const acl = "user author\ntopic write #\nuser reader\ntopic read #\ntopic deny secret/#\n";
    return enter(guard(acl).options, async (arena) => {
      const author = await arena.connect(5, named("author"));
      const publishAll = async (payload: string, retain: boolean): Promise<void> => {
        for (const topic of ["open", "secret/x"]) {
          author.publish(topic, payload, { qos: 1, retain });
        }
        await author.ping();
      };
      await publishAll("retained", true);
      const reader = await arena.connect(5, named("reader", LASTING));
      await reader.subscribe(["#", "$share/g/#"], 1);
      assertEquals(await heard(reader), ["publish open retained"]);
      await publishAll("live", false);
      assertEquals(await heard(reader), ["publish open live", "publish open live"]);
      await lose(arena, reader);
      await publishAll("queued", false);
      const back = await arena.connect(5, named("reader", LASTING));
      assertEquals(await heard(back), ["publish open queued", "publish open queued"]);
      await end(arena, back);
      await publishAll("", true);
    });
  },
);

everyWay(
  "B-44 An alias and a mount point are judged by the whole name that they stand for",
  (enter) => {
    const acl = "topic readwrite m/canary/#\nuser alice\ntopic readwrite m/open\n" +
      "topic readwrite secret\n";
    const { options } = guard(acl);
    return enter({ ...options, listener: { mountPoint: "m/" } }, async (arena) => {
      const alice = await arena.connect(5, named("alice"));
      await alice.subscribe(["open", "secret", "m/open"]);
      const aliased = (topic: string, packetId: number): void =>
        alice.publish(topic, "m", { qos: 1, packetId, properties: { topicAlias: 1 } });
      aliased("secret", 1);
      aliased("", 2);
      aliased("open", 3);
      aliased("", 4);
      assertEquals((await heard(alice)).toSorted(), [
        "puback 1 0x87",
        "puback 2 0x87",
        "puback 3 0x00",
        "puback 4 0x00",
        "publish open m",
        "publish open m",
      ]);
    });
  },
);

everyWay(
  "B-45 Nobody comes back to the session of another user, or hears what waits in it",
  (enter) => {
    const users = `alice:${FAST}\nmallory:${FAST}\n`;
    return enter(guard("pattern readwrite #\n", users).options, async (arena) => {
      const session = { ...LASTING, clientId: "meter" };
      for (const version of VERSIONS) {
        const alice = await arena.connect(version, named("alice", session));
        await alice.subscribe(["private"], 1);
        await lose(arena, alice);
        const author = await arena.connect(5, named("alice", { clientId: "author" }));
        author.publish("private", "m", { qos: 1 });
        assertEquals(await heard(author), ["puback 1 0x00"]);
        author.leave();
        const mallory = await arena.open(version);
        const { sessionPresent } = await mallory.handshake(named("mallory", session));
        assertEquals({ version, sessionPresent, heard: await heard(mallory) }, {
          version,
          sessionPresent: false,
          heard: [],
        });
        const discarded = arena.events.filter((event) => event.kind === "session-discarded").length;
        assertEquals(discarded, VERSIONS.indexOf(version) + 1);
        mallory.leave();
        await mallory.untilClosed();
        const last = await arena.connect(version, named("mallory", { clientId: "meter" }));
        last.leave();
        await last.untilClosed();
      }
    });
  },
);

everyWay(
  "B-46 A Will that its client may not publish is told of, and reaches nobody",
  (enter) =>
    enter(
      guard("user alice\ntopic write open\nuser root\ntopic read #\n").options,
      async (arena) => {
        const root = await arena.connect(5, named("root"));
        await root.subscribe(["#"]);
        for (const version of VERSIONS) {
          for (const topic of ["closed", "open"]) {
            const clientId = `${topic}-${version}`;
            const dying = await arena.connect(
              version,
              named("alice", { clientId, will: will(topic) }),
            );
            await lose(arena, dying);
          }
        }
        await until(() => arena.broker.gauges.retained === 1, "a Will is retained");
        const told = arena.events.flatMap((event) =>
          event.kind === "will-not-permitted" ? [`${event.clientId} ${event.topic}`] : []
        );
        assertEquals(told, VERSIONS.map((version) => `closed-${version} closed`));
        assertEquals(await heard(root), VERSIONS.map(() => "publish open secret"));
        arena.broker.publish({ topic: "open", payload: new Uint8Array(0), retain: true });
      },
    ),
);

everyWay(
  "B-48 A filter that is denied gets nothing retained, and poisons none beside it",
  (enter) =>
    enter({ policy: CLOSED }, async (arena) => {
      for (const topic of ["open/a", "closed/a", "open/b"]) {
        arena.broker.publish({ topic, payload: SECRET, retain: true });
      }
      for (const version of VERSIONS) {
        const reader = await arena.connect(version, named("reader"));
        const none = properties(version);
        reader.send(packet(0x82, u16(3), none, "open/a", 0, "closed/a", 0, "open/b", 0));
        assertEquals(await heard(reader), [
          // Version 3.1 cannot be told.
          version === 3 ? "suback 0x00 0x00 0x00" : `suback 0x00 ${denied(version)} 0x00`,
          "publish open/a secret",
          "publish open/b secret",
        ]);
        reader.leave();
        await reader.untilClosed();
      }
      for (const topic of ["open/a", "closed/a", "open/b"]) {
        arena.broker.publish({ topic, payload: new Uint8Array(0), retain: true });
      }
    }),
);

/** An access file lets everybody subscribe to everything and have what is granted; others do not. */
const CLOSED: Policy = {
  ...OPEN_POLICY,
  subscribe: (_client, filter) => filter.startsWith("closed/") ? 0x87 : 0,
};

/** What a denied filter is answered. */
function denied(version: 4 | 5): string {
  return version === 5 ? "0x87" : "0x80";
}

everyWay(
  "B-50 A flood of bad logins is refused to the last one, known users and unknown alike",
  (enter) =>
    enter(guard("topic readwrite #\n", `alice:${SLOW}\n`).options, async (arena) => {
      const count = arena.share(200);
      const codes = await Promise.all(Array.from({ length: count }, async (_, n) => {
        const client = await arena.open(5);
        const username = n % 2 === 0 ? "alice" : "nobody";
        const { reasonCode } = await client.handshake({
          username,
          password: WRONG,
          clientId: `${n}`,
        });
        await client.untilClosed();
        return reasonCode;
      }));
      assertEquals(codes, Array(count).fill(0x87));
      assertEquals(arena.broker.counters.connectsRefused, count);
      const refused = arena.events.filter((event) => event.kind === "login-refused");
      assertEquals(refused.length, count);
      const alice = await arena.connect(5, named("alice"));
      assertEquals(await heard(alice), []);
    }),
);
