// Plugins as a configuration names them, loaded by a real process: the examples do what they say,
// one that fails refuses, and one that cannot be loaded stops the start.

import { assertEquals } from "@std/assert";
import { createServer, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { test } from "../harness.ts";
import { credentials, login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile } from "../support/password_lines.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/plugins", import.meta.url));
const PASSWORD = "hunter2-is-secret";

interface Failure {
  readonly plugin: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly status: 1 | 3 | 13;
  /** The lines with "Error" in them. */
  readonly lines: readonly string[];
}

const NO_C = "Error: C plugins cannot be loaded: a plugin is a JavaScript or TypeScript module, " +
  "see docs/plugins.md.";

const FAILURES: Readonly<Record<string, Failure>> = {
  "is missing": {
    plugin: "plugin $DIR/none.ts",
    status: 13,
    lines: [
      'Error: Unable to load plugin "$DIR/none.ts".',
      'Error: Cannot load "$DIR/none.ts": there is no such file.',
    ],
  },
  "is a library": {
    plugin: "plugin /usr/lib/mosquitto_auth.so",
    status: 13,
    lines: ['Error: Unable to load plugin "/usr/lib/mosquitto_auth.so".', NO_C],
  },
  "is a library with a version, for all listeners": {
    plugin: "global_plugin /usr/lib/go-auth.so.1",
    status: 13,
    lines: ['Error: Unable to load plugin "/usr/lib/go-auth.so.1".', NO_C],
  },
  "throws when it is made": {
    plugin: "plugin $DIR/bad.mjs",
    files: { "bad.mjs": "export default () => { throw new Error('No licence'); };" },
    status: 1,
    lines: ['Error: Unable to start plugin "$DIR/bad.mjs".', "Error: No licence."],
  },
  "throws when it is read": {
    plugin: "plugin $DIR/bad.mjs",
    files: { "bad.mjs": "throw new Error('No licence');" },
    status: 13,
    lines: ['Error: Unable to load plugin "$DIR/bad.mjs".', "Error: No licence."],
  },
  "has hooks that nobody knows": {
    plugin: "plugin $DIR/bad.mjs",
    files: {
      "bad.mjs": "export default () => ({ name: 'bad', authorizer: " +
        "{ name: 'bad', mayPublish: () => 0 } });",
    },
    status: 1,
    lines: [
      'Error: Unable to start plugin "$DIR/bad.mjs".',
      'Error: Its authorizer has "mayPublish", where only publish, subscribe, unsubscribe, ' +
      "deliver, rulesFor, hasRetained, name are known.",
    ],
  },
  "makes nothing": {
    plugin: "plugin $DIR/bad.mjs",
    files: { "bad.mjs": "export default () => undefined;" },
    status: 1,
    lines: [
      'Error: Unable to start plugin "$DIR/bad.mjs".',
      "Error: The plugin is no object but undefined.",
    ],
  },
  "was never declared": {
    plugin: "plugin_use unknown",
    status: 3,
    lines: [
      "Error: Plugin 'unknown' not previously loaded.",
      "Error found at $DIR/midge.conf:3.",
    ],
  },
};

for (const [name, { plugin, files = {}, status, lines }] of Object.entries(FAILURES)) {
  test(`B-49 The program does not start with a plugin that ${name}`, PROCESS_TEST, async () => {
    const ended = await MidgeProcess.run({
      config: `allow_anonymous true\nlistener $PORT1 127.0.0.1\n${plugin}\n`,
      files,
    });
    const complaints = ended.lines.filter((line) => line.startsWith("Error"));
    assertEquals({ status: ended.status, complaints }, { status, complaints: lines });
  });
}

/** Answers logins by the user name, which says how. */
function answerLogin(username: string, response: ServerResponse): void {
  const json = (result: string): void => {
    response.writeHead(200, { "content-type": "application/json" }).end(`{"result":"${result}"}`);
  };
  switch (username) {
    case "allow":
    case "deny":
    case "ignore":
      return json(username);
    case "status":
      return void response.writeHead(500).end();
    case "redirect":
      return void response.writeHead(302, { location: "/allow" }).end();
    case "type":
      return void response.writeHead(200, { "content-type": "text/html" }).end(
        '{"result":"allow"}',
      );
    case "broken":
      return void response.writeHead(200, { "content-type": "application/json" }).end('{"result":');
    case "nonsense":
      return json("constructor");
    case "endless": {
      response.writeHead(200, { "content-type": "application/json" });
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      return more();
    }
    case "cut":
      return void response.destroy();
    case "silent":
      return;
    default:
      return json("deny");
  }
}

test(
  "B-49 A webhook that says anything but yes lets in nobody, and holds up nobody else",
  PROCESS_TEST,
  async () => {
    const asked: unknown[] = [];
    const backend = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => body += text).on("end", () => {
        const question = JSON.parse(body) as { username: string };
        asked.push(question);
        answerLogin(question.username, response);
      });
    });
    await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
    const address = backend.address();
    const port = typeof address === "object" ? address!.port : 0;
    try {
      await MidgeProcess.with({
        config: [
          "log_type all",
          `plugin ${EXAMPLES}/webhook_auth.ts`,
          `plugin_opt_url http://127.0.0.1:${port}/login`,
          "plugin_opt_timeout 1",
          "plugin_opt_max_pending 3",
          "listener $PORT1 127.0.0.1",
          "",
        ].join("\n"),
      }, async (midge) => {
        // Everybody is asked about, so that is how the bystander comes in.
        const bystander = await WireClient.connect(
          midge.port,
          5,
          credentials({ username: "allow" }),
        );
        await bystander.subscribe(["canary"], 0);
        const found: Record<string, number[]> = {};
        const modes = [
          "allow",
          "deny",
          "ignore",
          "status",
          "redirect",
          "type",
          "broken",
          "nonsense",
          "endless",
          "cut",
        ];
        for (const username of modes) {
          const who = { username, password: PASSWORD, clientId: "c" };
          found[username] = [];
          for (const version of VERSIONS) {
            found[username].push(await login(midge.port, version, who));
          }
        }
        const expected = modes.map((mode) => [mode, Array(3).fill(mode === "allow" ? 0 : 0x87)]);
        assertEquals(found, Object.fromEntries(expected));
        assertEquals(asked[1], {
          clientId: "c",
          username: "allow",
          password: PASSWORD,
          address: "127.0.0.1",
          protocolVersion: 3,
        });

        // As many as may wait do so; others are told at once, and deliveries go on meanwhile.
        const silent = await Promise.all([0, 1, 2].map(() => WireClient.open(midge.port, 5)));
        const refused = silent.map((client) =>
          client.handshake(credentials({ username: "silent", password: PASSWORD }))
        );
        const before = asked.length;
        while (asked.length < before + 3) {
          bystander.publish("canary", "x");
          assertEquals((await bystander.ping()).map(describe), ["publish canary x"]);
        }
        const fourth = await WireClient.open(midge.port, 5);
        const busy = await fourth.handshake(credentials({ username: "silent" }));
        assertEquals(busy.reasonCode, 0x89);
        const codes = (await Promise.all(refused)).map(({ reasonCode }) => reasonCode);
        assertEquals(codes, [0x87, 0x87, 0x87]);

        // And when nobody is there to answer.
        backend.closeAllConnections();
        await new Promise((resolve) => backend.close(resolve));
        for (const version of VERSIONS) {
          assertEquals(await login(midge.port, version, { username: "allow" }), 0x87);
        }
        bystander.publish("canary", "x");
        assertEquals((await bystander.ping()).map(describe), ["publish canary x"]);
        await midge.logged(
          /^Error: Plugin webhook-auth failed in 'basic-auth': The backend answered with status 500 /,
        );
        assertEquals(midge.stderr.includes(PASSWORD), false);
      });
    } finally {
      backend.closeAllConnections();
      backend.close();
    }
  },
);

test(
  "The example of topic rules judges, drops and stamps what clients publish",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: [
        "allow_anonymous true",
        "listener $PORT1 127.0.0.1",
        `plugin ${EXAMPLES}/topic_rules.ts`,
        "plugin_opt_prefix meters",
        "",
      ].join("\n"),
    }, async (midge) => {
      const meter = await WireClient.connect(midge.port, 5, { clientId: "m1" });
      const other = await WireClient.connect(midge.port, 5, { clientId: "m2" });
      for (const client of [meter, other]) await client.subscribe(["#"], 0);
      meter.publish("meters/m2/x", "{}", { qos: 1 });
      meter.publish("meters/m1/x", "no object", { qos: 1 });
      meter.publish("meters/m1/x", '{"value":1}', { qos: 1 });
      const [denied, dropped, ...rest] = await meter.ping();
      assertEquals([denied!, dropped!].map(describe), ["puback 2 0x87", "puback 3 0x00"]);
      const payload = rest.flatMap((packet) => packet.type === "publish" ? packet.payload : [])[0]!;
      const { at, ...stamped } = JSON.parse(new TextDecoder().decode(payload));
      assertEquals([stamped, new Date(at).toISOString()], [{ value: 1, from: "m1" }, at]);
      assertEquals(await other.ping(), []);
      await midge.logged("Client m1 published what is no JSON object; dropped.");
    }),
);

test(
  "The example for Sparkplug keeps the certificates of births",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config:
        `allow_anonymous true\nlistener $PORT1 127.0.0.1\nplugin ${EXAMPLES}/sparkplug_aware.ts\n`,
    }, async ({ port }) => {
      const node = await WireClient.connect(port, 5);
      for (const topic of ["spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "spBv1.0/g/DBIRTH/n/d"]) {
        node.publish(topic, "x", { qos: 1 });
      }
      await node.ping();
      const host = await WireClient.connect(port, 5);
      await host.subscribe(["$sparkplug/certificates/#"], 0);
      assertEquals((await host.ping()).map(describe).sort(), [
        "publish $sparkplug/certificates/spBv1.0/g/DBIRTH/n/d x",
        "publish $sparkplug/certificates/spBv1.0/g/NBIRTH/n x",
      ]);
    }),
);

/** In TypeScript, because every runtime has to take it as it is. */
const FAILING = `
export default function failing(context: { log(type: string, text: string): void }) {
  const fail = (what: string): never => {
    throw new Error(\`No \${what} today\`);
  };
  const isFor = (name: string, topic: string): boolean => topic.startsWith(name);
  return {
    name: "failing",
    authenticator: {
      name: "failing",
      authenticate({ username }: { username?: string }) {
        if (username === "throws") fail("login");
        if (username === "rejects") return Promise.reject(new Error("No login today"));
        return username === "lies" ? "yes" : "ignore";
      },
    },
    authorizer: {
      name: "failing",
      publish: (_client: unknown, topic: string) => isFor("publish", topic) ? fail("publish") : 0,
      subscribe: (_client: unknown, filter: string) =>
        isFor("subscribe", filter) ? fail("subscribe") : isFor("denied", filter) ? 0x87 : 0,
      unsubscribe: (_client: unknown, filter: string) => isFor("denied", filter) ? 0x87 : 0,
      deliver: (_client: unknown, topic: string) => isFor("deliver", topic) ? fail("deliver") : 0,
    },
    observer: {
      name: "failing",
      message: (_client: unknown, message: { topic: string }) =>
        isFor("message", message.topic) ? fail("message") : message,
      connected: () => fail("greeting"),
      disconnected: () => fail("farewell"),
    },
  };
}
`;

test(
  "B-48 B-49 Hooks that fail refuse, and a filter that is denied poisons no other",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "allow_anonymous true\nlistener $PORT1 127.0.0.1\nplugin $DIR/failing.ts\n",
      files: { "failing.ts": FAILING },
    }, async (midge) => {
      for (const version of VERSIONS) {
        for (const username of ["throws", "rejects", "lies"]) {
          assertEquals(await login(midge.port, version, { username }), 0x87);
        }
      }
      const writer = await WireClient.connect(midge.port, 5);
      for (const topic of ["denied/x", "subscribe/x", "deliver/x", "open/x"]) {
        writer.publish(topic, "retained", { retain: true });
      }
      await writer.ping();
      for (const version of VERSIONS) {
        const client = await WireClient.connect(midge.port, version);
        const filters = [
          "open/x",
          "denied/x",
          "subscribe/x",
          "deliver/x",
          "message/x",
          "publish/x",
        ];
        const codes = await client.subscribe(filters, 1);
        // Version 3.1 has no word for it, but nothing comes either.
        const denial = { 3: 1, 4: 0x80, 5: 0x87 }[version];
        assertEquals(codes, [1, denial, denial, 1, 1, 1]);
        assertEquals((await client.ping()).map(describe), ["publish open/x retained"]);
        for (const topic of [...filters, "open/x"]) writer.publish(topic, "live", { qos: 1 });
        const answers = (await writer.ping()).map((one) => "reasonCode" in one && one.reasonCode);
        // Where nobody subscribes it is 0x10; a message that a hook dropped counts as taken.
        assertEquals(answers, [0, 0x10, 0x10, 0, 0, 0x87, 0]);
        assertEquals((await client.ping()).map(describe), [
          "publish open/x live",
          "publish open/x live",
        ]);
        client.leave();
      }
      await midge.logged("Error: Plugin failing failed in 'basic-auth': No login today");
      for (const event of ["acl-check", "message-in", "connect", "disconnect"]) {
        await midge.logged(
          new RegExp(`^Error: Plugin failing failed in '${event}': No \\w+ today$`),
        );
      }
      assertEquals(await login(midge.port, 5), 0);
    }),
);

const GATE = `
export default ({ options }) => ({
  name: "gate",
  authenticator: {
    name: "gate",
    authenticate: ({ username }) =>
      username === options.get("open") ? 0 : username === options.get("shut") ? 0x8a : "defer",
  },
});
`;

test(
  "A plugin decides for the listeners that use it, before the files do",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: [
        "password_file $DIR/passwd",
        "plugin_load gate $DIR/gate.mjs",
        "plugin_opt_open friend",
        "plugin_opt_shut alice",
        "listener $PORT1 127.0.0.1",
        "listener $PORT2 127.0.0.1",
        "plugin_use gate",
        "listener $PORT3 127.0.0.1",
        "plugin_use gate",
        "listener_allow_anonymous true",
        "",
      ].join("\n"),
      files: { passwd: passwordFile({ alice: "a", bob: "b" }), "gate.mjs": GATE },
    }, async (midge) => {
      const found = [];
      for (const port of midge.ports.slice(0, 3)) {
        found.push({
          friend: await login(port, 5, { username: "friend" }),
          alice: await login(port, 5, { username: "alice", password: "a" }),
          aliceBefore5: await login(port, 4, { username: "alice", password: "a" }),
          bob: await login(port, 5, { username: "bob", password: "b" }),
          nobody: await login(port, 5),
        });
      }
      assertEquals(found, [
        { friend: 0x87, alice: 0, aliceBefore5: 0, bob: 0, nobody: 0x87 },
        { friend: 0, alice: 0x8a, aliceBefore5: 0x87, bob: 0, nobody: 0x87 },
        { friend: 0, alice: 0x8a, aliceBefore5: 0x87, bob: 0, nobody: 0 },
      ]);
      assertEquals(midge.lines.filter((line) => line.includes("lugin")), [
        "Loading plugin: $DIR/gate.mjs",
        "Plugin gate loaded.",
        "Plugin gate has registered to receive 'basic-auth' events.",
      ]);
    }),
);

test(
  "Mosquitto's plugins for files are the built-in ones, on the listener that names them",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: [
        "per_listener_settings true",
        "listener $PORT1 127.0.0.1",
        "plugin /usr/lib/x86_64-linux-gnu/mosquitto_password_file.so",
        "plugin_opt_password_file $DIR/passwd",
        "plugin /usr/lib/x86_64-linux-gnu/mosquitto_acl_file.so",
        "plugin_opt_acl_file $DIR/acl",
        "listener $PORT2 127.0.0.1",
        "allow_anonymous true",
        "",
      ].join("\n"),
      files: { passwd: passwordFile({ alice: "a" }), acl: "user alice\ntopic granted\n" },
    }, async (midge) => {
      const [files, open] = midge.ports;
      assertEquals(await login(files!, 5, { username: "alice", password: "b" }), 0x87);
      assertEquals(await login(files!, 5), 0x87);
      assertEquals(await login(open!, 5), 0);
      const who = credentials({ username: "alice", password: "a" });
      const alice = await WireClient.connect(files!, 5, who);
      const anybody = await WireClient.connect(open!, 5);
      for (const client of [alice, anybody]) {
        for (const topic of ["granted", "other"]) client.publish(topic, "x", { qos: 1 });
      }
      assertEquals((await alice.ping()).map(describe), ["puback 1 0x10", "puback 2 0x87"]);
      assertEquals((await anybody.ping()).map(describe), ["puback 1 0x10", "puback 2 0x10"]);
    }),
);
