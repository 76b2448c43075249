// One direction of a relayed connection: order, back-pressure, what waits, and its bound.

import { assertEquals } from "@std/assert";
import { OneWay } from "../../../src/cli/relay/one_way.ts";
import { BufferPool } from "../../../src/core/base/buffer_pool.ts";
import { test } from "../../harness.ts";
import { encode, ScriptedTransport } from "../../support/scripted_transport.ts";

const MEGABYTE = 1_048_576;

function open() {
  const source = new ScriptedTransport();
  const sink = new ScriptedTransport();
  const pool = new BufferPool(4 * MEGABYTE);
  return { source, sink, pool, way: new OneWay(source, pool) };
}

test("OneWay holds what comes before it has a sink, and gives it over in one piece", () => {
  const { source, sink, pool, way } = open();
  way.pass(encode("one,"));
  way.pass(encode("two,"));
  way.pause();
  assertEquals(String.fromCharCode(...way.held), "one,two,");
  way.connect(sink);
  way.pass(encode("three"));
  assertEquals({ text: sink.takeText(), calls: source.calls, held: way.held.length }, {
    text: "one,two,three",
    calls: ["pause", "resume"],
    held: 0,
  });
  // One buffer was enough for all of it.
  assertEquals(pool.idleBytes, 2048);
});

test("OneWay keeps no chunk that it was lent, and pauses the source while the sink is busy", () => {
  const { source, sink, way } = open();
  way.connect(sink);
  sink.isFast = false;
  const chunk = encode("one,");
  way.pass(chunk);
  chunk.fill(0);
  way.pass(encode("two,"));
  way.pass(encode("three,"));
  assertEquals([sink.takeText(), source.calls], ["one,", ["pause"]]);
  way.drained();
  assertEquals([sink.takeText(), source.calls], ["two,three,", ["pause"]]);
  way.drained();
  assertEquals([sink.takeText(), source.calls], ["", ["pause", "resume"]]);
});

test("OneWay closes the sink behind what waits", () => {
  const { sink, way } = open();
  way.connect(sink);
  sink.isFast = false;
  way.pass(encode("one,"));
  way.pass(encode("two"));
  way.end();
  assertEquals([sink.takeText(), sink.calls], ["one,", []]);
  way.drained();
  assertEquals([sink.takeText(), sink.calls], ["two", ["close"]]);
});

test("OneWay closes an idle sink at once", () => {
  const { sink, way } = open();
  way.connect(sink);
  way.pass(encode("one"));
  way.end();
  assertEquals([sink.takeText(), sink.calls], ["one", ["close"]]);
});

test("OneWay holds a megabyte and no more, in buffers that it gives back", () => {
  const { sink, pool, way } = open();
  way.connect(sink);
  sink.isFast = false;
  way.pass(encode("x"));
  const piece = new Uint8Array(MEGABYTE / 16).fill(7);
  const taken = Array.from({ length: 17 }, () => way.pass(piece));
  assertEquals(taken, [...new Array<boolean>(16).fill(true), false]);
  assertEquals(way.held, new Uint8Array(MEGABYTE).fill(7));
  way.drop();
  // That of the write, and each in which what waited has grown: 64 KiB to a megabyte.
  assertEquals([way.held.length, pool.idleBytes], [0, 2048 + 2 * MEGABYTE - MEGABYTE / 16]);
});
