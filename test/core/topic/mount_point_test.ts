// What stands before the topics of a client, and what comes of it.

import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { MountPoint } from "../../../src/core/topic/mount_point.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

test("MountPoint.filter() puts itself before a filter, and behind the share name", () => {
  const mount = new MountPoint("t/é/");
  const plain = (filter: string) => mount.filter({ filter, shareName: undefined });
  assertEquals(plain("a/+"), { filter: "t/é/a/+", shareName: undefined });
  assertEquals(plain("#"), { filter: "t/é/#", shareName: undefined });
  assertEquals(plain("$SYS/#"), { filter: "t/é/$SYS/#", shareName: undefined });
  assertEquals(mount.filter({ filter: "a", shareName: "g" }), { filter: "t/é/a", shareName: "g" });
});

test("MountPoint.filter() makes no filter that could not be subscribed to [MQTT-4.7.1-2] [MQTT-4.7.3-3]", () => {
  const mount = new MountPoint("t");
  const plain = (filter: string) => mount.filter({ filter, shareName: undefined })?.filter;
  assertEquals([plain("+/a"), plain("#"), plain("/#")], [undefined, undefined, "t/#"]);
  assertEquals(plain("x".repeat(65_534))?.length, 65_535);
  assertEquals(plain("x".repeat(65_535)), undefined);
  assertEquals(plain("é".repeat(32_768)), undefined);
});

test("MountPoint.holds() what begins with it and goes on", () => {
  const mount = new MountPoint("t/");
  const holds = (topic: string) => {
    const bytes = bytesOf(`..${topic}`);
    return mount.holds(bytes, 2, bytes.length);
  };
  assertEquals(["t/a", "t//", "t/", "t", "u/a", "T/a"].map(holds), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test("MountPoint.spells() compares what follows it", () => {
  const mount = new MountPoint("t/");
  const spells = (topic: string, spelled: string) => {
    const bytes = bytesOf(`.${spelled}`);
    return mount.spells(bytesOf(topic), bytes, 1, bytes.length);
  };
  assertEquals(
    [spells("t/ab", "ab"), spells("t/ab", "ac"), spells("t/ab", "a"), spells("t/ab", "abc")],
    [true, false, false, false],
  );
});

test("MountPoint is made of text that has a form in UTF-8", () => {
  assertThrows(() => new MountPoint("\ud800"), AssertionError);
});
