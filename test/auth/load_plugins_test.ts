// Plugins from path to first hook: the lines of the log, in order, and each way not to start.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Authenticator } from "../../src/auth/auth.ts";
import {
  adoptPlugin,
  type LoadedPlugin,
  loadPlugins,
  type PluginSource,
} from "../../src/auth/load_plugins.ts";
import type { Plugin, PluginContext } from "../../src/auth/plugin.ts";
import { PluginError } from "../../src/auth/plugin_error.ts";
import { test } from "../harness.ts";

const AUTHENTICATOR: Authenticator = { name: "p", authenticate: () => 0 };

/** The modules that there are, by path; and what the program was told and asked. */
class Fixture {
  readonly lines: string[] = [];
  readonly published: string[] = [];
  readonly opened: string[] = [];
  #modules: Readonly<Record<string, unknown>>;

  constructor(modules: Readonly<Record<string, unknown>> = {}) {
    this.#modules = modules;
  }

  load(...sources: (Partial<PluginSource> & { path: string })[]): Promise<readonly LoadedPlugin[]> {
    const whole = sources.map((source): PluginSource => ({
      name: undefined,
      options: new Map(),
      denySpecialChars: true,
      ...source,
    }));
    return loadPlugins(whole, {
      persistenceLocation: "state",
      importModule: (path) =>
        path in this.#modules
          ? Promise.resolve(this.#modules[path])
          : Promise.reject(new Error("There is no such file")),
      log: (type, text) => void this.lines.push(`${type}: ${text}`),
      publish: ({ topic }) => void this.published.push(topic),
      openBuiltIn: (kind, path) => {
        this.opened.push(`${kind} ${path}`);
        if (path === "broken") return Promise.reject(new RangeError("broken"));
        return Promise.resolve({
          name: kind,
          authorizer: { name: kind, publish: () => 0 },
          reload: () => Promise.reject(new RangeError("broken")),
        });
      },
    });
  }
}

test("loadPlugins() gives the parts of each plugin in order and says what they will be asked", async () => {
  const contexts: PluginContext[] = [];
  const fixture = new Fixture({
    "first.ts": {
      default: (context: PluginContext): Plugin => {
        contexts.push(context);
        return {
          name: "first",
          version: "1.2.3",
          authenticator: {
            ...AUTHENTICATOR,
            methods: ["M"],
            exchange: () => ({ reasonCode: 0 }),
          },
          authorizer: { name: "first", publish: () => "defer" },
          observer: {
            name: "first",
            message: (_, message) => message,
            connected: () => {},
            disconnected: () => {},
          },
          reload: () => {},
        };
      },
    },
    "second.js": {
      plugin: () => Promise.resolve({ name: "second", authenticator: AUTHENTICATOR }),
    },
  });
  const options = new Map([["greeting", "Hello"]]);
  const plugins = await fixture.load({ path: "first.ts", options }, { path: "second.js" });
  assertEquals(plugins.map(({ name, version }) => [name, version]), [
    ["first", "1.2.3"],
    ["second", undefined],
  ]);
  assertEquals(plugins.map((plugin) => plugin.observer !== undefined), [true, false]);
  assertEquals(fixture.lines, [
    "information: Loading plugin: first.ts",
    "information: Plugin first version 1.2.3 loaded.",
    ...[
      "reload",
      "acl-check",
      "basic-auth",
      "auth-start",
      "auth-continue",
      "message-in",
      "disconnect",
      "connect",
    ].map((event) => `information: Plugin first has registered to receive '${event}' events.`),
    "information: Loading plugin: second.js",
    "information: Plugin second loaded.",
    "information: Plugin second has registered to receive 'basic-auth' events.",
  ]);
  assertEquals([contexts[0]!.options, contexts[0]!.persistenceLocation], [options, "state"]);
});

test("loadPlugins() starts once what several listeners use by one name", async () => {
  let started = 0;
  const fixture = new Fixture({
    "p.ts": { default: () => ({ name: `p${++started}`, authenticator: AUTHENTICATOR }) },
  });
  const plugins = await fixture.load(
    { path: "p.ts", name: "shared" },
    { path: "p.ts" },
    { path: "p.ts", name: "shared" },
  );
  assertEquals(plugins.map(({ name }) => name), ["p1", "p2", "p1"]);
});

test("loadPlugins() stops the start for a plugin that cannot be used, and says why", async () => {
  const modules = {
    "empty.ts": {},
    "throws.ts": {
      default: () => {
        throw new Error("No database\nanywhere");
      },
    },
    "rejects.ts": { default: () => Promise.reject(new Error("No database.")) },
    "shape.ts": { default: () => ({ name: "shape", authorizer: { may: () => 0 } }) },
  };
  const cases: [path: string, status: 1 | 13, detail: string][] = [
    ["missing.ts", 13, "There is no such file."],
    ["empty.ts", 13, 'It exports no function, neither by default nor as "plugin".'],
    ["throws.ts", 1, "No database anywhere."],
    ["rejects.ts", 1, "No database."],
    [
      "shape.ts",
      1,
      'Its authorizer has "may", where only publish, subscribe, unsubscribe, deliver, rulesFor, ' +
      "hasRetained, name are known.",
    ],
    [
      "/usr/lib/some plugin.so.1",
      13,
      "C plugins cannot be loaded: a plugin is a JavaScript or TypeScript module, " +
      "see docs/plugins.md.",
    ],
    [
      "/usr/lib/mosquitto_dynamic_security.so",
      13,
      "Dynamic security is not part of this broker; use password_file and acl_file, or a plugin.",
    ],
    [
      "C:\\mosquitto\\mosquitto_persist_sqlite.dll",
      13,
      'This broker keeps its sessions in SQLite by itself: use "persistence true" instead.',
    ],
  ];
  for (const [path, status, detail] of cases) {
    const fixture = new Fixture(modules);
    const error = await assertRejects(() => fixture.load({ path }), PluginError);
    const verb = status === 13 ? "load" : "start";
    assertEquals([error.code, error.status, fixture.lines], ["plugin-failed", status, [
      `information: Loading plugin: ${path}`,
      `error: Error: Unable to ${verb} plugin "${path}".`,
      `error: Error: ${detail}`,
    ]]);
  }
});

test("loadPlugins() closes what has started when a later plugin does not", async () => {
  const closed: string[] = [];
  const make = (name: string) => ({
    default: ({ closing }: PluginContext) => ({
      name,
      authenticator: AUTHENTICATOR,
      close: () => void closed.push(`${name} ${closing.aborted}`),
    }),
  });
  const fixture = new Fixture({ "a.ts": make("a"), "b.ts": make("b") });
  await assertRejects(
    () => fixture.load({ path: "a.ts" }, { path: "b.ts" }, { path: "missing.ts" }),
    PluginError,
  );
  assertEquals(closed, ["b true", "a true"]);
});

test("loadPlugins() opens the broker's own password and access files for Mosquitto's plugins", async () => {
  const fixture = new Fixture();
  const plugins = await fixture.load(
    {
      path: "/usr/lib/mosquitto_password_file.so",
      options: new Map([["password_file", "users"]]),
    },
    { path: "mosquitto_acl_file.so", options: new Map([["acl_file", "acl"]]) },
  );
  assertEquals(fixture.opened, ["password-file users", "acl-file acl"]);
  const lines = (path: string, name: string): string[] => [
    `information: Loading plugin: ${path}`,
    `information: Plugin ${name} loaded.`,
    `information: Plugin ${name} has registered to receive 'reload' events.`,
    `information: Plugin ${name} has registered to receive 'acl-check' events.`,
  ];
  assertEquals(fixture.lines, [
    ...lines("/usr/lib/mosquitto_password_file.so", "password-file"),
    ...lines("mosquitto_acl_file.so", "acl-file"),
  ]);
  // Whether a broken file ends the broker is the program's decision.
  await assertRejects(() => plugins[1]!.reload(new Map()), RangeError);
  await assertRejects(
    () =>
      fixture.load({ path: "mosquitto_acl_file.so", options: new Map([["acl_file", "broken"]]) }),
    RangeError,
  );
});

test("loadPlugins() knows one option of a built-in plugin, and wants it", async () => {
  const cases: [options: [string, string][], detail: string][] = [
    [[], 'The plugin acl-file needs the option "plugin_opt_acl_file".'],
    [
      [["acl_file", "acl"], ["colour", "red"]],
      'Unknown option "plugin_opt_colour" for the plugin acl-file.',
    ],
  ];
  for (const [options, detail] of cases) {
    const fixture = new Fixture();
    const path = "mosquitto_acl_file.so";
    const error = await assertRejects(
      () => fixture.load({ path, options: new Map(options) }),
      PluginError,
    );
    assertEquals([error.status, fixture.lines.at(-1)], [1, `error: Error: ${detail}`]);
  }
});

test("A plugin's context publishes after the turn, and writes whole lines", async () => {
  const fixture = new Fixture({
    "p.ts": {
      default: ({ publish, log }: PluginContext) => {
        publish({ topic: "hello", payload: new Uint8Array(0) });
        log("notice", "one\r\ntwo");
        return { name: "p", authenticator: AUTHENTICATOR };
      },
    },
  });
  await fixture.load({ path: "p.ts" });
  assertEquals([fixture.published, fixture.lines[1]], [["hello"], "notice: one two"]);
});

test("LoadedPlugin.reload() and close() outlive a plugin that fails in them", async () => {
  let closed = 0;
  const seen: unknown[] = [];
  const fixture = new Fixture({
    "p.ts": {
      default: () => ({
        name: "p",
        authenticator: AUTHENTICATOR,
        reload: (options: ReadonlyMap<string, string>) => {
          seen.push(options);
          throw new Error("Not now");
        },
        close: () => {
          closed++;
          return Promise.reject(new Error("Not ever"));
        },
      }),
    },
  });
  const [plugin] = await fixture.load({ path: "p.ts" });
  const options = new Map([["a", "b"]]);
  await plugin!.reload(options);
  await Promise.all([plugin!.close(), plugin!.close()]);
  assertEquals([seen, closed, fixture.lines.slice(-2)], [[options], 1, [
    "error: Error: Plugin p failed in 'reload': Not now",
    "error: Error: Plugin p failed in 'close': Not ever",
  ]]);
});

test("adoptPlugin() guards a plugin that the program brings itself", () => {
  const lines: string[] = [];
  const plugin = adoptPlugin(
    {
      name: "own",
      authenticator: {
        name: "own",
        authenticate: () => {
          throw new Error("Out of order");
        },
      },
    },
    (type, text) => void lines.push(`${type}: ${text}`),
  );
  assertEquals(plugin.authenticator!.authenticate({} as never), 0x87);
  assertEquals(lines, ["error: Error: Plugin own failed in 'basic-auth': Out of order"]);
  assertThrows(() => adoptPlugin({ name: "own" }, () => {}), TypeError);
});
