// A connection that rests while very many small chunks come.

import { assertEquals } from "@std/assert";
import { withPacedReading } from "../../../src/cli/client/paced_reading.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { test } from "../../harness.ts";
import { FakeTimers } from "../../support/fake_timers.ts";
import { ScriptedTransport } from "../../support/scripted_transport.ts";

/** A paced connection with clock and timers in the test's hands. */
async function paced(
  body: (parts: {
    timers: FakeTimers;
    outer: ScriptedTransport;
    inner: () => Transport;
    received: string[];
    stream: (count: number) => void;
  }) => void,
): Promise<void> {
  const timers = new FakeTimers();
  await timers.run(() => {
    const received: string[] = [];
    let inner: Transport | undefined;
    const outer = new ScriptedTransport().accept(withPacedReading((transport) => {
      inner = transport;
      return {
        onBytes: (chunk) => void received.push(String.fromCharCode(...chunk)),
        onWritable: () => void received.push("writable"),
        onClose: (error) => void received.push(`closed ${error}`),
      };
    }, () => timers.now));
    const stream = (count: number): void => {
      for (let i = 0; i < count; i++) outer.receive("x");
    };
    body({ timers, outer, inner: () => inner!, received, stream });
  });
}

test("withPacedReading() rests after many chunks in a row, and goes on while they come", async () => {
  await paced(({ timers, outer, received, stream }) => {
    stream(50);
    assertEquals([received.length, outer.calls], [50, []]);
    stream(1);
    // What was under way still comes.
    stream(1);
    assertEquals([received.length, outer.calls, timers.pending], [52, ["pause"], [2]]);
    timers.advance(2);
    assertEquals(outer.calls, ["pause", "resume"]);
    stream(1);
    assertEquals([outer.calls, timers.pending], [["pause", "resume", "pause"], [4]]);
    timers.advance(2);
    // A gap, and all begins anew.
    timers.advance(2);
    stream(50);
    assertEquals([outer.calls.length, timers.pending], [4, []]);
  });
});

test("withPacedReading() never holds up what comes slowly or in large chunks", async () => {
  await paced(({ timers, outer, received, stream }) => {
    for (let i = 0; i < 200; i++) {
      stream(1);
      timers.advance(1.5);
    }
    for (let i = 0; i < 200; i++) outer.receive(new Uint8Array(16_384));
    assertEquals([received.length, outer.calls, timers.pending], [400, [], []]);
  });
});

test("withPacedReading() keeps to the pauses of its handler, and hands on all else", async () => {
  await paced(({ timers, outer, inner, received, stream }) => {
    stream(51);
    inner().pause();
    timers.advance(2);
    assertEquals(outer.calls, ["pause"]);
    inner().resume();
    inner().pause();
    inner().resume();
    stream(1);
    inner().pause();
    inner().resume();
    assertEquals(outer.calls, ["pause", "resume", "pause", "resume", "pause"]);
    assertEquals([inner().write(Uint8Array.of(65, 66), 1), outer.takeText()], [true, "A"]);
    outer.drain();
    inner().close();
    inner().abort();
    outer.end("broken");
    assertEquals([received.slice(-2), timers.pending], [["writable", "closed broken"], []]);
    assertEquals(outer.calls.slice(-2), ["close", "abort"]);
    assertEquals(
      [inner().remoteAddress, inner().remotePort, inner().localPort, inner().tls],
      [outer.remoteAddress, outer.remotePort, outer.localPort, outer.tls],
    );
  });
});
