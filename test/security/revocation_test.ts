// What becomes of those who are there when an operator takes something away and has the broker read
// its files again: nothing that was granted before survives, by whatever way it was about to come.

import { assertEquals } from "@std/assert";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { test } from "../harness.ts";
import { credentials, login } from "../support/login.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { type ConnectOptions, describe, WireClient } from "../support/wire_client.ts";
import { passwordLine } from "../support/password_lines.ts";
import { passwordOf, Reloading } from "./reloading.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } } as const;
const ACK = { reasonCode: 0, properties: {} } as const;

function will(topic: string): NonNullable<ConnectOptions["will"]> {
  return { topic, payload: Uint8Array.of(120), qos: 1, retain: false, properties: {} };
}

function topics(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => packet.type === "publish" ? packet.topic : []);
}

/** Publishes and waits until the broker has done so. */
async function publish(client: WireClient, topic: string, qos: 0 | 1 = 1): Promise<void> {
  client.publish(topic, "x", { qos });
  await client.ping();
}

/** A way of "secret" and "open" to the reader; the second half runs after the reload. */
type Way = (scene: {
  readonly at: Reloading;
  readonly root: WireClient;
  readonly version: ProtocolVersion;
  readonly clientId: string;
}) => Promise<() => Promise<string[]>>;

const WAYS: Readonly<Record<string, Way>> = {
  async live({ at, root, version, clientId }) {
    const reader = await at.connect(version, "reader", { clientId });
    await reader.subscribe(["#"], 1);
    return async () => {
      await publish(root, "secret");
      await publish(root, "secret", 0);
      await publish(root, "open");
      return topics(await reader.ping());
    };
  },
  async "queued while away"({ at, root, version, clientId }) {
    const options = { ...LASTING, clientId };
    const reader = await at.connect(version, "reader", options);
    await reader.subscribe(["#"], 1);
    reader.leave();
    await reader.untilClosed();
    await publish(root, "secret");
    await publish(root, "open");
    return async () => topics(await (await at.connect(version, "reader", options)).ping());
  },
  async "in flight and sent again"({ at, root, version, clientId }) {
    const options = { ...LASTING, clientId };
    const reader = await at.connect(version, "reader", options);
    await reader.subscribe(["#"], 2);
    for (const qos of [1, 2] as const) {
      root.publish("secret", "x", { qos });
      root.publish("open", "x", { qos });
    }
    await root.ping();
    assertEquals(topics(await reader.ping()), ["secret", "open", "secret", "open"]);
    reader.destroy();
    return async () => {
      const found = topics(await (await at.connect(version, "reader", options)).ping());
      assertEquals(found.length, 2, "Both kinds of open messages come again");
      return found.slice(1);
    };
  },
  async retained({ at, root, version, clientId }) {
    for (const topic of ["secret", "open"]) root.publish(topic, "x", { retain: true });
    await root.ping();
    const reader = await at.connect(version, "reader", { clientId });
    return async () => {
      await reader.subscribe(["#"], 1);
      return topics(await reader.ping());
    };
  },
  async "a shared group"({ at, root, version, clientId }) {
    const reader = await at.connect(version, "reader", { clientId });
    await reader.subscribe(["$share/group/#"], 1);
    return async () => {
      await publish(root, "secret");
      await publish(root, "open");
      return topics(await reader.ping());
    };
  },
  async "a Will of somebody else"({ at, version, clientId }) {
    const reader = await at.connect(version, "reader", { clientId });
    await reader.subscribe(["secret", "open"], 1);
    const dying: WireClient[] = [];
    for (const topic of ["secret", "open"]) {
      const options = { clientId: `dying ${topic}`, will: will(topic) };
      dying.push(await at.connect(version, "root", options));
    }
    return async () => {
      for (const each of dying) each.destroy();
      // Whoever takes over comes after the end of what was there.
      for (const topic of ["secret", "open"]) {
        (await at.connect(version, "root", { clientId: `dying ${topic}` })).leave();
      }
      return topics(await reader.ping());
    };
  },
};

const READER_BEFORE = "user reader\ntopic read #\ntopic write #\n";
const READER_AFTER = "user reader\ntopic read #\ntopic deny secret\n";
const ROOT = "user root\ntopic #\n";

for (const version of VERSIONS) {
  test(
    `B-42 What a reader may no longer read reaches it by no way, version ${version}`,
    PROCESS_TEST,
    () => {
      const options = { users: ["root", "reader"], access: ROOT + READER_BEFORE };
      return Reloading.with(options, async (at) => {
        const root = await at.connect(version, "root");
        const endings: Record<string, () => Promise<string[]>> = {};
        // One after the other, so that what one publishes is not for the next.
        const found: Record<string, string[]> = {};
        for (const [name, way] of Object.entries(WAYS)) {
          await at.reload({ access: ROOT + READER_BEFORE });
          endings[name] = await way({ at, root, version, clientId: name });
          await at.reload({ access: ROOT + READER_AFTER });
          found[name] = await endings[name]!();
          for (const topic of ["secret", "open"]) root.publish(topic, "", { retain: true });
        }
        const expected = Object.keys(WAYS).map((name) => [name, ["open"]]);
        assertEquals(found, Object.fromEntries(expected));
      });
    },
  );
}

test("B-42 What waits behind a window is judged when its turn comes", PROCESS_TEST, () => {
  const options = { users: ["root", "reader"], access: ROOT + READER_BEFORE };
  return Reloading.with(options, async (at) => {
    const root = await at.connect(5, "root");
    const reader = await at.connect(5, "reader", { properties: { receiveMaximum: 1 } });
    await reader.subscribe(["#"], 1);
    for (const topic of ["first", "secret", "open"]) await publish(root, topic);
    const [first] = await reader.ping();
    await at.reload({ access: ROOT + READER_AFTER });
    const packetId = first?.type === "publish" ? first.packetId : 0;
    reader.sendPacket({ ...ACK, type: "puback", packetId });
    assertEquals([first, ...await reader.ping()].flatMap((one) => topics([one!])), [
      "first",
      "open",
    ]);
  });
});

test("B-42 What an author may no longer write goes nowhere, begun or not", PROCESS_TEST, () => {
  const author = "user author\ntopic write #\n";
  const silenced = "user author\ntopic write other\n";
  const options = { users: ["root", "author"], access: ROOT + author };
  return Reloading.with(options, async (at) => {
    const root = await at.connect(5, "root");
    await root.subscribe(["#"], 0);
    const dying = await at.connect(5, "author", { clientId: "dying", will: will("will") });
    const delayed = await at.connect(5, "author", {
      clientId: "delayed",
      properties: { sessionExpiryInterval: 60 },
      will: { ...will("delayed will"), properties: { willDelayInterval: 60 } },
    });
    const writer = await at.connect(5, "author", { clientId: "writer" });
    const live = (packetId: number, isAgain: boolean): void =>
      writer.publish("begun", "x", { qos: 2, packetId, dup: isAgain });
    live(1, false);
    writer.publish("retained", "x", { retain: true });
    writer.publish("alias", "x", { properties: { topicAlias: 1 } });
    assertEquals((await writer.ping()).map(describe), ["pubrec 1 0x00"]);
    assertEquals(topics(await root.ping()), ["begun", "retained", "alias"]);
    delayed.destroy();

    await at.reload({ access: ROOT + silenced });

    // What was begun is brought to its end, and nobody gets it twice.
    live(1, true);
    writer.sendPacket({ ...ACK, type: "pubrel", packetId: 1 });
    live(2, false);
    writer.publish("retained", "", { qos: 1, packetId: 3, retain: true });
    writer.publish("", "x", { qos: 1, packetId: 4, properties: { topicAlias: 1 } });
    assertEquals((await writer.ping()).map(describe), [
      "pubrec 1 0x00",
      "pubcomp 1 0x00",
      "pubrec 2 0x87",
      "puback 3 0x87",
      "puback 4 0x87",
    ]);
    dying.destroy();
    (await at.connect(5, "author", { clientId: "dying" })).leave();
    // The end of its session is the end of a delay.
    (await at.connect(5, "author", { clientId: "delayed" })).leave();
    const newcomer = await at.connect(5, "root");
    await newcomer.subscribe(["#"], 0);
    assertEquals(topics(await root.ping()), []);
    assertEquals(topics(await newcomer.ping()), [], "check_retain_source is on unless told");

    await at.reload({ access: ROOT + silenced, config: "check_retain_source false\n" });
    await newcomer.subscribe(["#"], 0);
    assertEquals(topics(await newcomer.ping()), ["retained"]);
  });
});

test(
  "B-42 Users whose password has changed or gone are sent away, without a Will",
  PROCESS_TEST,
  () => {
    const users = ["root", "changed", "removed", "same"];
    const config = "listener $PORT2 127.0.0.1\nlistener_allow_anonymous true\n" +
      "listener $PORT3 127.0.0.1\nlistener_allow_anonymous true\n";
    return Reloading.with({ users, config }, async (at) => {
      const [, port2, port3] = at.midge.ports;
      const root = await at.connect(5, "root");
      await root.subscribe(["#"], 1);
      const clients: [string, WireClient][] = [];
      for (const version of VERSIONS) {
        for (const name of ["changed", "removed", "same"]) {
          const clientId = `${name} ${version}`;
          clients.push([
            clientId,
            await at.connect(version, name, { clientId, will: will("will") }),
          ]);
        }
        for (const [name, port] of [["forbidden", port2!], ["allowed", port3!]] as const) {
          const clientId = `${name} ${version}`;
          const options = { clientId, will: will("will") };
          clients.push([clientId, await WireClient.connect(port, version, options)]);
        }
      }
      at.changePassword("changed", "another");
      at.removeUser("removed");
      await at.reload({
        config: config.replace("listener_allow_anonymous true", "listener_allow_anonymous false"),
      });
      const found: Record<string, string> = {};
      for (const [name, client] of clients) {
        const packets = (await client.ping()).map(describe);
        found[name] = client.isClosed ? ["closed", ...packets].join(", ") : "stays";
      }
      const expected: Record<string, string> = {};
      for (const name of ["changed", "removed", "same", "forbidden", "allowed"]) {
        const isStaying = name === "same" || name === "allowed";
        for (const version of VERSIONS) {
          const goodbye = version === 5 ? "closed, disconnect 0x87" : "closed";
          expected[`${name} ${version}`] = isStaying ? "stays" : goodbye;
        }
      }
      assertEquals(found, expected);
      assertEquals(topics(await root.ping()), []);
      await at.midge.logged(
        /^Client removed 5 \[127\.0\.0\.1:\d+\] disconnected: not authorised\.$/,
      );
      assertEquals(await login(at.midge.port, 5, { username: "changed", password: "another" }), 0);
      const old = { username: "changed", password: passwordOf("changed") };
      assertEquals(await login(at.midge.port, 5, old), 0x87);
    });
  },
);

test(
  "B-42 A login that is under way is judged by the files that are in force at its end",
  PROCESS_TEST,
  () =>
    Reloading.with({ users: [] }, async (at) => {
      // Takes seconds to verify, and is right.
      at.setLine("slow", passwordLine("slow", "wols", { iterations: 3_000_000 }));
      await at.reload();
      const reload = await at.prepareReload();
      const client = await WireClient.open(at.midge.port, 5);
      client.send(client.connectBytes(credentials({ username: "slow", password: "wols" })));
      at.removeUser("slow");
      await reload();
      assertEquals((await client.untilClosed(40_000)).map(describe), ["connack 0x87"]);
    }),
);

test("B-52 A reload that fails takes nothing away from security", PROCESS_TEST, () => {
  const options = { users: ["root", "reader"], access: `${ROOT}user reader\ntopic read open\n` };
  return Reloading.with(options, async (at) => {
    const { midge } = at;
    const reader = await at.connect(5, "reader");
    await reader.subscribe(["#"], 1);
    const root = await at.connect(5, "root");
    const good = `listener $PORT1 127.0.0.1\npassword_file $DIR/passwd\nacl_file $DIR/acl\n`;
    const faults: readonly (readonly [config: string, access: string])[] = [
      [good, "topic #\nnonsense\n"],
      [good.replace("$DIR/acl", "$DIR/none"), "topic #\n"],
      [good.replace("$DIR/passwd", "$DIR/none") + "allow_anonymous true\n", "topic #\n"],
      [`${good}allow_anonymous true\nnonsense 1\n`, "topic #\n"],
      [`allow_anonymous true\n${good.replace("$PORT1", "$PORT2")}`, "topic #\n"],
      ["", ""],
    ];
    for (const [i, [config, access]] of faults.entries()) {
      await midge.write("midge.conf", config);
      await midge.write("acl", access);
      midge.signal("SIGHUP");
      await midge.logged("Error: The configuration in force stays as it was.", i + 1);
      for (const topic of ["secret", "open"]) await publish(root, topic);
      assertEquals(topics(await reader.ping()), ["open"]);
      assertEquals(await login(midge.port, 5), 0x87);
      assertEquals(await login(midge.port, 5, { username: "reader", password: "x" }), 0x87);
    }
  });
});

test("B-45 Nobody gets what waits for another user of his client identifier", PROCESS_TEST, () => {
  const config = "allow_anonymous true\n";
  return Reloading.with({ users: ["root", "alice", "mallory"], config }, async (at) => {
    const root = await at.connect(5, "root");
    const connects = {
      alice: (version: ProtocolVersion, options: ConnectOptions) =>
        at.connect(version, "alice", options),
      mallory: (version: ProtocolVersion, options: ConnectOptions) =>
        at.connect(version, "mallory", options),
      "nobody": (version: ProtocolVersion, options: ConnectOptions) =>
        WireClient.connect(at.midge.port, version, options),
    };
    for (const version of VERSIONS) {
      for (
        const [owner, thief] of [["alice", "mallory"], ["alice", "nobody"], [
          "nobody",
          "alice",
        ]] as const
      ) {
        const clientId = `meter of ${owner}, ${thief} and ${version}`;
        const options = { ...LASTING, clientId };
        const first = await connects[owner](version, options);
        await first.subscribe(["bill"], 1);
        await publish(root, "bill");
        first.destroy();
        await publish(root, "bill");
        const stranger = await connects[thief](version, options);
        await publish(root, "bill");
        assertEquals((await stranger.ping()).map(describe), [], clientId);
        stranger.destroy();
        // What was ended does not come back to its owner either, nor the thief's to him.
        const second = await connects[owner](version, options);
        await publish(root, "bill");
        assertEquals((await second.ping()).map(describe), [], clientId);
        second.destroy();
      }
    }
    await at.midge.logged(
      /^Session of client meter of alice, mallory and 5 belonged to user 'alice' and was discarded: the client identifier is now used by user 'mallory' from 127\.0\.0\.1:\d+\.$/,
    );
    // The same user gets everything.
    const options = { ...LASTING, clientId: "same" };
    const first = await at.connect(4, "alice", options);
    await first.subscribe(["bill"], 1);
    first.destroy();
    await publish(root, "bill");
    const again = await WireClient.open(at.midge.port, 5);
    const who = credentials({ username: "alice", password: passwordOf("alice") });
    assertEquals((await again.handshake({ ...options, ...who })).sessionPresent, true);
    assertEquals(topics(await again.ping()), ["bill"]);
  });
});
