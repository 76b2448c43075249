// Plugins between hostile clients and the broker: what is reserved never reaches them, what they
// make of a message is judged like any other, and what they do wrong harms nobody else.

import { assertEquals } from "@std/assert";
import type { BrokerOptions, Plugin, ProtocolVersion, Verdict } from "../../mod.ts";
import { Gatekeeper } from "../../src/auth/gatekeeper.ts";
import { adoptPlugin } from "../../src/auth/load_plugins.ts";
import { everyWay } from "../support/arena.ts";
import { describe } from "../support/wire_client.ts";

/** A broker whose only decider is this plugin; who has no user name is not its business. */
function guardedBy(plugin: Plugin, lines: string[] = []): BrokerOptions {
  const { authenticator, authorizer, observer } = adoptPlugin(
    plugin,
    (_type, text) => void lines.push(text),
  );
  const gatekeeper = new Gatekeeper({
    chains: {
      general: {
        allowAnonymous: true,
        authenticators: authenticator === undefined ? [] : [authenticator],
        authorizers: authorizer === undefined ? [] : [authorizer],
        observers: observer === undefined ? [] : [observer],
      },
      byListener: new Map(),
    },
    onFailure: (_decider, error) => {
      throw error;
    },
  });
  return { policy: gatekeeper, ask: (question) => gatekeeper.ask(question) };
}

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];

everyWay("B-47 What is reserved for the broker is refused before a plugin sees it", (enter) => {
  const seen: string[] = [];
  const note = (topic: string): void => {
    if (!topic.startsWith("canary/")) seen.push(topic);
  };
  const plugin: Plugin = {
    name: "curious",
    authorizer: {
      name: "curious",
      publish: (_client, topic) => {
        note(topic);
        return 0;
      },
    },
    observer: {
      name: "curious",
      message: (_client, message) => {
        note(message.topic);
        return message;
      },
    },
  };
  return enter(guardedBy(plugin), async (arena) => {
    for (const version of VERSIONS) {
      const subscriber = await arena.connect(version, { clientId: "subscriber" });
      await subscriber.subscribe(["$SYS/#", "$CONTROL/#", "allowed"]);
      const client = await arena.connect(version, { clientId: "intruder" });
      const topics = ["$SYS/broker/uptime", "$SYS/x", "$CONTROL/broker/v1", "$share/g/a"];
      for (const qos of [0, 1] as const) {
        for (const topic of topics) client.publish(topic, "mine", { qos, retain: true });
      }
      client.publish("allowed", "ours", { qos: 1 });
      const refusals = (await client.ping()).map(describe);
      const heard = (await subscriber.ping()).map(describe);
      const code = version === 5 ? "0x87" : "0x00";
      assertEquals({ version, refusals, heard, seen }, {
        version,
        refusals: [...[1, 2, 3, 4].map((id) => `puback ${id} ${code}`), "puback 5 0x00"],
        heard: ["publish allowed ours"],
        // By the authorizer and by the observer.
        seen: ["allowed", "allowed"],
      });
      seen.length = 0;
      client.leave();
      subscriber.leave();
    }
  });
});

everyWay("B-44 A topic that a hook puts in the place of another is judged as such", (enter) => {
  const plugin: Plugin = {
    name: "redirecting",
    authorizer: {
      name: "redirecting",
      publish: (_client, topic) => topic.startsWith("secret/") ? 0x87 : 0,
      deliver: (_client, topic) => topic.startsWith("hidden/") ? 0x87 : 0,
    },
    observer: {
      name: "redirecting",
      message: (_client, message) => {
        const { topic, payload } = message;
        if (!topic.startsWith("to")) return message;
        return { ...message, topic: new TextDecoder().decode(payload) };
      },
    },
  };
  return enter(guardedBy(plugin), async (arena) => {
    const subscriber = await arena.connect(5);
    await subscriber.subscribe(["#", "$SYS/#"]);
    const client = await arena.connect(5);
    const targets = ["open/a", "secret/a", "hidden/a", "$SYS/a", "$share/g/a", "a/#", "", "a\0b"];
    for (const target of targets) client.publish("to", target, { qos: 1 });
    const answers = (await client.ping()).map((packet) => describe(packet).split(" ").at(-1));
    const heard = (await subscriber.ping()).flatMap((packet) =>
      packet.type === "publish" && !packet.topic.startsWith("canary/") ? [packet.topic] : []
    );
    assertEquals({ answers, heard }, {
      answers: ["0x00", "0x87", "0x00", "0x87", "0x87", "0x90", "0x90", "0x90"],
      heard: ["open/a"],
    });
  });
});

everyWay("B-49 Hooks that fail refuse their client, and nobody else notices", (enter) => {
  const lines: string[] = [];
  const broken = (): never => {
    throw new Error("Out of order");
  };
  const plugin: Plugin = {
    name: "broken",
    authenticator: {
      name: "broken",
      authenticate: ({ username }) => {
        if (username === undefined) return "ignore";
        return username === "now" ? broken() : Promise.reject(new Error("Out of order"));
      },
    },
    authorizer: {
      name: "broken",
      publish: (_client, topic) => topic === "fails" ? Promise.reject(new Error("No")) : 0,
      subscribe: (_client, filter) => filter === "fails" ? broken() : 0,
    },
    observer: {
      name: "broken",
      message: (_client, message) => message.topic === "lost" ? broken() : message,
      connected: broken,
    },
  };
  return enter(guardedBy(plugin, lines), async (arena) => {
    for (const username of ["now", "later"]) {
      const refused = await arena.open(5);
      const { reasonCode } = await refused.handshake({ username });
      assertEquals({ username, reasonCode }, { username, reasonCode: 0x87 });
    }
    const client = await arena.connect(5);
    assertEquals(await client.subscribe(["fails", "lost", "kept"]), [0x87, 0, 0]);
    for (const topic of ["fails", "lost", "kept"]) client.publish(topic, "x", { qos: 1 });
    const packets = await client.ping();
    assertEquals(
      packets.map(describe).sort(),
      ["puback 2 0x87", "puback 3 0x00", "puback 4 0x00", "publish kept x"],
    );
    const failures = lines.filter((line) => !line.includes("'connect'"));
    assertEquals(failures, [
      "Error: Plugin broken failed in 'basic-auth': Out of order",
      "Error: Plugin broken failed in 'basic-auth' (2 times): Out of order",
      "Error: Plugin broken failed in 'acl-check': Out of order",
      "Error: Plugin broken failed in 'acl-check' (2 times): No",
      "Error: Plugin broken failed in 'message-in': Out of order",
    ]);
  });
});

everyWay("B-49 A plugin that does not answer holds up its own clients only", (enter) => {
  const owed: ((verdict: Verdict) => void)[] = [];
  const plugin: Plugin = {
    name: "silent",
    authenticator: {
      name: "silent",
      authenticate: ({ username }) => {
        if (username === undefined) return "ignore";
        return new Promise((resolve) => void owed.push(resolve));
      },
    },
  };
  return enter(guardedBy(plugin), async (arena) => {
    const waiting = await Promise.all(Array.from({ length: 20 }, () => arena.open(5)));
    for (const [index, client] of waiting.entries()) {
      client.handshake({ username: "u", clientId: `waiting-${index}` }).catch(() => {});
    }
    const other = await arena.connect(5);
    assertEquals((await other.ping()).map(describe), []);
    assertEquals(owed.length, 20);
    // Nobody is listened to while he waits, so that nobody's leaving would be noticed.
    for (const answer of owed) answer(0x87);
  });
});
