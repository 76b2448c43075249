// One relayed connection on a clock and between transports that the test has in its hands: how it
// begins, how it ends from either side, and the one line that tells of it.

import { assertEquals } from "@std/assert";
import {
  type BrokerRequest,
  RelayedConnection,
} from "../../../src/cli/relay/relayed_connection.ts";
import { BufferPool } from "../../../src/core/base/buffer_pool.ts";
import { OperationError } from "../../../src/core/base/operation_error.ts";
import type { Accept } from "../../../src/transport/transport.ts";
import { test } from "../../harness.ts";
import { FakeTimers } from "../../support/fake_timers.ts";
import { ScriptedTransport } from "../../support/scripted_transport.ts";
import { turns } from "../../support/turns.ts";

const CONNECT_5 = "\x10\x10\0\x04MQTT\x05\x02\0\0\0\0\x03abc";
const CONNECT_311 = "\x10\x0f\0\x04MQTT\x04\x02\0\0\0\x03abc";
const CONNECT_31 = "\x10\x11\0\x06MQIsdp\x03\x02\0\0\0\x03abc";
const NAME = "192.0.2.1:4711";

/** A device, and a broker that answers when the test says so. */
class Stage {
  readonly device: ScriptedTransport = new ScriptedTransport();
  readonly broker: ScriptedTransport = new ScriptedTransport();
  readonly lines: string[] = [];
  request: BrokerRequest | undefined;
  endedCount = 0;
  connection: RelayedConnection | undefined;
  #answer: ((error?: unknown) => void) | undefined;

  start(): this {
    const { device } = this;
    device.accept((transport) =>
      this.connection = new RelayedConnection(transport, {
        openBroker: (request, accept) => this.#open(request, accept),
        pool: new BufferPool(1_000_000),
        log: (type, text) => void this.lines.push(`${type}: ${text}`),
        timeoutMs: 20_000,
        onEnded: () => void this.endedCount++,
      })
    );
    return this;
  }

  /** The broker accepts, or does not. */
  async answer(error?: unknown): Promise<void> {
    this.#answer!(error);
    await turns();
  }

  #open(request: BrokerRequest, accept: Accept): Promise<void> {
    this.request = request;
    return new Promise((resolve, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
      this.#answer = (error) => {
        if (error !== undefined) return reject(error);
        this.broker.accept(accept);
        resolve();
      };
    });
  }
}

/** Runs the body on a clock of its own, with a device that has begun like this. */
async function staged(
  start: string,
  body: (stage: Stage, timers: FakeTimers) => void | Promise<void>,
): Promise<void> {
  const timers = new FakeTimers();
  await timers.run(async () => {
    const stage = new Stage().start();
    if (start !== "") stage.device.receive(start);
    await turns();
    await body(stage, timers);
    await turns();
    assertEquals(timers.pending, []);
  });
}

test("RelayedConnection asks the broker for a WebSocket by the version [MQTT-6.0.0-3]", async () => {
  for (
    const [connect, subprotocol] of [
      [CONNECT_5, "mqtt"],
      [CONNECT_311, "mqtt"],
      [CONNECT_31, "mqttv3.1"],
    ] as const
  ) {
    await staged("", async (stage) => {
      const { device, broker } = stage;
      device.receive(connect.slice(0, 5));
      assertEquals(stage.request, undefined);
      device.receive(connect.slice(5));
      assertEquals([stage.request!.clientAddress, stage.request!.subprotocol, device.calls], [
        "192.0.2.1",
        subprotocol,
        ["pause"],
      ]);
      // It had more under way.
      device.receive("\xc0\0");
      await stage.answer();
      assertEquals([broker.takeText(), device.calls], [`${connect}\xc0\0`, ["pause", "resume"]]);
      broker.receive("\x20\x02\0\0");
      assertEquals(device.takeText(), "\x20\x02\0\0");
      device.end();
      assertEquals([broker.calls, stage.endedCount], [["close"], 0]);
      broker.end();
      assertEquals(stage.lines, [`notice: Client ${NAME} closed its connection.`]);
      assertEquals(stage.endedCount, 1);
    });
  }
});

test("RelayedConnection answers a device whose broker cannot be had, in its version", async () => {
  for (
    const [connect, connack] of [
      [CONNECT_5, "\x20\x03\0\x88\0"],
      [CONNECT_311, "\x20\x02\0\x03"],
      [CONNECT_31, "\x20\x02\0\x03"],
    ] as const
  ) {
    await staged(connect, async (stage) => {
      const message = `Cannot connect to "broker.example:443": Connection refused`;
      await stage.answer(new OperationError("connect-failed", message));
      assertEquals([stage.device.takeText(), stage.device.calls], [connack, ["pause", "close"]]);
      assertEquals(stage.lines, [`notice: Client ${NAME} disconnected: ${message}.`]);
      stage.device.end();
      assertEquals(stage.endedCount, 1);
    });
  }
});

test("RelayedConnection has no broker asked for what is no CONNECT", async () => {
  const wrong = `notice: Client ${NAME} disconnected: protocol error.`;
  const tls =
    `notice: Client from ${NAME} appears to be using TLS to connect to a non-TLS listener.`;
  for (const [start, lines] of [["GET /", [wrong]], ["\x16\x03\x01", [tls, wrong]]] as const) {
    await staged(start, (stage) => {
      assertEquals([stage.lines, stage.device.calls], [[...lines], ["abort"]] as unknown);
      stage.device.end();
      assertEquals([stage.request, stage.endedCount], [undefined, 1]);
    });
  }
});

test("RelayedConnection gives a device so long to begin", async () => {
  await staged(CONNECT_5.slice(0, 3), (stage, timers) => {
    timers.advance(19_999);
    assertEquals(stage.lines, []);
    timers.advance(1);
    assertEquals(stage.lines, [
      `notice: Client ${NAME} disconnected: no CONNECT within 20 seconds.`,
    ]);
    assertEquals(stage.device.calls, ["abort"]);
    stage.device.end();
    assertEquals(stage.endedCount, 1);
  });
});

test("RelayedConnection gives up the broker of a device that has left meanwhile", async () => {
  await staged(CONNECT_5, async (stage) => {
    stage.device.end(new Error("Connection reset by peer"));
    assertEquals(stage.request!.signal.aborted, true);
    await turns();
    assertEquals(stage.lines, [
      `notice: Client ${NAME} disconnected: Connection reset by peer.`,
    ]);
    assertEquals(stage.endedCount, 1);
  });
});

test("RelayedConnection brings what the broker had sent to the device, then ends it", async () => {
  await staged(CONNECT_5, async (stage) => {
    const { device, broker } = stage;
    await stage.answer();
    device.isFast = false;
    broker.receive("one,");
    broker.receive("two");
    broker.end();
    assertEquals([device.takeText(), device.calls], ["one,", ["pause", "resume"]]);
    device.drain();
    assertEquals([device.takeText(), device.calls], ["two", ["pause", "resume", "close"]]);
    device.end();
    assertEquals([stage.lines, stage.endedCount], [[`notice: Client ${NAME} disconnected.`], 1]);
  });
});

test("RelayedConnection says why it lost the broker", async () => {
  await staged(CONNECT_5, async (stage) => {
    await stage.answer();
    stage.broker.end(new Error("Connection reset by peer"));
    stage.device.end();
    assertEquals([stage.lines, stage.endedCount], [[
      `notice: Client ${NAME} disconnected: lost the broker: Connection reset by peer.`,
    ], 1]);
  });
});

test("RelayedConnection does not hold for ever what a side does not take", async () => {
  await staged(CONNECT_5, async (stage, timers) => {
    const { device, broker } = stage;
    await stage.answer();
    broker.isFast = false;
    device.receive("one");
    device.receive("two");
    device.end();
    assertEquals(broker.calls, []);
    timers.advance(5000);
    assertEquals([broker.calls, stage.endedCount], [["abort"], 0]);
    broker.end();
    assertEquals(stage.endedCount, 1);
  });
});

test("RelayedConnection cuts off a side that goes on while it is paused", async () => {
  await staged(CONNECT_5, async (stage) => {
    const { device, broker } = stage;
    await stage.answer();
    device.isFast = false;
    broker.receive("x");
    for (let i = 0; i < 2; i++) broker.receive(new Uint8Array(1_048_576));
    assertEquals([broker.calls, device.calls.at(-1)], [["pause", "abort"], "abort"]);
    assertEquals(stage.lines, [`notice: Client ${NAME} disconnected: too much at once.`]);
    broker.end();
    device.end();
    assertEquals(stage.endedCount, 1);
  });
});

test("RelayedConnection.close() ends both sides in order, whatever they are doing", async () => {
  const line = `notice: Client ${NAME} disconnected: the relay ends.`;
  await staged(CONNECT_5, async (stage) => {
    await stage.answer();
    stage.connection!.close();
    stage.connection!.close();
    assertEquals([stage.device.calls.at(-1), stage.broker.calls], ["close", ["close"]]);
    stage.broker.end();
    stage.device.end();
    assertEquals([stage.lines, stage.endedCount], [[line], 1]);
  });
  await staged(CONNECT_5, async (stage) => {
    stage.connection!.close();
    await turns();
    stage.device.end();
    assertEquals([stage.lines, stage.endedCount], [[line], 1]);
  });
});
