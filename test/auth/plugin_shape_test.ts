// What is taken for a plugin, and what is said of the rest.

import { assertEquals, assertThrows } from "@std/assert";
import { asPlugin, factoryOf, messageOf } from "../../src/auth/plugin_shape.ts";
import { test } from "../harness.ts";

const NO = (): number => 0x87;
const AUTHENTICATOR = { name: "p", authenticate: NO };

test("asPlugin() takes plain objects and instances of classes", () => {
  class Own {
    readonly name = "own";
    readonly pool = [1, 2, 3];
    readonly observer = { name: "own", message: NO };
  }
  const plugins = [
    { name: "a", authenticator: AUTHENTICATOR },
    { name: "a", version: "1", authorizer: { deliver: NO }, reload: NO, close: NO },
    { name: "a", authenticator: { ...AUTHENTICATOR, methods: ["M"], exchange: NO } },
    new Own(),
  ];
  for (const plugin of plugins) assertEquals(asPlugin(plugin), plugin as unknown);
});

test("asPlugin() says what is wrong with anything else", () => {
  const wrong: [value: unknown, message: string][] = [
    [undefined, "The plugin is no object but undefined"],
    [null, "The plugin is no object but null"],
    [NO, "The plugin is no object but function"],
    [{ authenticator: AUTHENTICATOR }, "The name of the plugin is no text"],
    [{ name: "a\nb", authenticator: AUTHENTICATOR }, "The name of the plugin is no text"],
    [{ name: "a", version: 1 }, "The version of the plugin is no text"],
    [{ name: "a" }, "The plugin has no authenticator, no authorizer and no observer"],
    [
      { name: "a", authoriser: {} },
      'The plugin has "authoriser", where only name, version, authenticator, authorizer, ' +
      "observer, reload, close are known",
    ],
    [
      { name: "a", authenticator: AUTHENTICATOR, close: true },
      'The plugin has "close" that is no function but boolean',
    ],
    [{ name: "a", authorizer: true }, "Its authorizer is no object but boolean"],
    [
      { name: "a", authorizer: { name: "a" } },
      "Its authorizer has none of the functions publish, subscribe, unsubscribe, deliver, " +
      "rulesFor, hasRetained",
    ],
    [
      { name: "a", authorizer: { publish: NO, subscibe: NO } },
      'Its authorizer has "subscibe", where only publish, subscribe, unsubscribe, deliver, ' +
      "rulesFor, hasRetained, name are known",
    ],
    [
      { name: "a", authorizer: { publish: 0 } },
      'Its authorizer has "publish" that is no function but number',
    ],
    [
      { name: "a", authenticator: { credentialOf: NO } },
      'Its authenticator lacks "authenticate"',
    ],
    [
      { name: "a", authenticator: { ...AUTHENTICATOR, methods: "M", exchange: NO } },
      'Its authenticator has "methods" that are no list of names',
    ],
    [
      { name: "a", authenticator: { ...AUTHENTICATOR, methods: ["M"] } },
      'Its authenticator needs both "methods" and "exchange", or none',
    ],
  ];
  for (const [value, message] of wrong) {
    assertEquals(assertThrows(() => asPlugin(value), TypeError).message, message);
  }
});

test("factoryOf() takes the default export, or the one named plugin", () => {
  assertEquals(factoryOf({ default: NO }), NO as unknown);
  assertEquals(factoryOf({ plugin: NO }), NO as unknown);
  for (const module of [undefined, {}, { default: {} }, { default: 7, plugin: NO }]) {
    assertThrows(() => factoryOf(module), TypeError, "It exports no function");
  }
});

test("messageOf() makes one line of bounded length of any error", () => {
  assertEquals(messageOf(new Error("one\ntwo\r\n\tthree")), "one two three");
  assertEquals(messageOf(new RangeError()), "RangeError");
  assertEquals(messageOf("x".repeat(1000)), "x".repeat(300));
  assertEquals(messageOf(Object.create(null)), "an error that cannot be shown");
});
