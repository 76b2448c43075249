// Midge inside another program, with MQTT.js as the client: over a duplex of Web Streams, over a pipe
// in memory, and beside the network; the host publishes, and sends clients away.

import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { Broker } from "../../mod.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Transport, TransportHandler } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import { fillPattern, PatternCheck } from "../support/byte_pattern.ts";
import { until } from "../support/wait.ts";
import { endAll, JS_VERSION_NAMES, JS_VERSIONS, JsClient, texts } from "./js_client.ts";

/** A way to a broker in the same program, as a stream that MQTT.js takes. */
type Way = (broker: Broker) => Duplex;

/** By `serve()`, through two streams that hold a few chunks each. */
function overStreams(broker: Broker): Duplex {
  const up = new TransformStream<Uint8Array, Uint8Array>();
  const down = new TransformStream<Uint8Array, Uint8Array>();
  broker.serve({ readable: up.readable, writable: down.writable });
  const reader = down.readable.getReader();
  const writer = up.writable.getWriter();
  return new Duplex({
    allowHalfOpen: false,
    read() {
      reader.read().then(
        ({ done, value }) => void this.push(done ? null : Buffer.from(value)),
        (error) => void this.destroy(error),
      );
    },
    write(chunk, _encoding, done) {
      writer.write(new Uint8Array(chunk)).then(() => done(), done);
    },
    final(done) {
      writer.close().then(() => done(), done);
    },
    destroy(error, done) {
      // A stream that is done or broken already refuses both.
      Promise.allSettled([writer.abort(error), reader.cancel(error)]).then(() => done(error));
    },
  });
}

/** By `accept()`, through a pipe in memory. */
function overPipe(broker: Broker): Duplex {
  let transport: Transport | undefined;
  let onWritten: (() => void) | undefined;
  const duplex: Duplex = new Duplex({
    allowHalfOpen: false,
    read: () => transport!.resume(),
    write(chunk: Uint8Array, _encoding, done) {
      if (transport!.write(chunk, chunk.length)) done();
      else onWritten = done;
    },
    final(done) {
      transport!.close();
      done();
    },
    destroy(error, done) {
      transport!.abort();
      done(error);
    },
  });
  const handler: TransportHandler = {
    onBytes(chunk) {
      if (!duplex.push(Buffer.from(chunk))) transport!.pause();
    },
    onWritable: () => onWritten?.(),
    onClose(error) {
      if (error === undefined) duplex.push(null);
      else duplex.destroy(error as Error);
    },
  };
  openMemoryPipe((near) => broker.accept(near), (far) => {
    transport = far;
    return handler;
  });
  return duplex;
}

const WAYS: readonly (readonly [string, Way])[] = [
  ["Broker.serve()", overStreams],
  ["openMemoryPipe()", overPipe],
];

for (const [name, way] of WAYS) {
  test(`${name} serves MQTT.js in all versions, every QoS in order`, () =>
    withBroker(async (broker) => {
      for (const version of JS_VERSION_NAMES) {
        const client = await JsClient.connectOver(() => way(broker), JS_VERSIONS[version]);
        for (const qos of [0, 1, 2] as const) {
          await client.client.subscribeAsync(`own/${qos}`, { qos });
          await client.publishAll(`own/${qos}`, texts(300), { qos });
        }
        await client.receives(900);
        await client.end();
        assertEquals(client.texts, [0, 1, 2].flatMap(() => texts(300)));
      }
    }));

  test(`${name} carries payloads larger than any buffer on the way`, () =>
    withBroker(async (broker) => {
      const client = await JsClient.connectOver(() => way(broker));
      const payload = new Uint8Array(1_500_000);
      fillPattern(payload, 0);
      await client.client.subscribeAsync("large", { qos: 1 });
      await client.publish("large", payload, { qos: 1 });
      await client.receives(1);
      await client.end();
      const check = new PatternCheck();
      check.add(client.packets[0]!.payload as Uint8Array);
      assertEquals([check.count, check.firstWrong], [1_500_000, -1]);
    }));

  test(`${name} publishes the Will of a client that vanishes`, () =>
    withBroker(async (broker) => {
      const will = { topic: "will", payload: Buffer.from("gone"), qos: 1, retain: false } as const;
      const witness = await JsClient.connectOver(() => way(broker));
      await witness.client.subscribeAsync("will", { qos: 1 });
      const willing = await JsClient.connectOver(() => way(broker), { will });
      willing.vanish();
      await witness.receives(1);
      await witness.end();
      assertEquals(witness.texts, ["gone"]);
    }));
}

test("Broker.publish() reaches clients on the network, on streams and on pipes alike", () =>
  withBroker(async (broker) => {
    const { port } = await broker.listen({ port: 0 });
    const clients = await Promise.all([
      JsClient.connect({ port }),
      ...WAYS.map(([, way]) => JsClient.connectOver(() => way(broker))),
    ]);
    await Promise.all(clients.map(({ client }) => client.subscribeAsync("news/+", { qos: 2 })));
    const payload = new TextEncoder().encode("from the host");
    const matched = [0, 1, 2].map((qos) =>
      broker.publish({ topic: `news/${qos}`, payload, qos: qos as 0 | 1 | 2, retain: true })
    );
    await Promise.all(clients.map((client) => client.receives(3)));
    const late = await JsClient.connect({ port });
    await late.client.subscribeAsync("news/#", { qos: 2 });
    await late.receives(3);
    endAll(...clients, late);
    const seen = ({ received }: JsClient): string[] =>
      received.map(({ topic, text, qos, retain }) => `${topic} ${text} ${qos} ${retain}`).sort();
    const expected = (retain: boolean): string[] =>
      [0, 1, 2].map((qos) => `news/${qos} from the host ${qos} ${retain}`);
    assertEquals(matched, [3, 3, 3]);
    assertEquals(clients.map(seen), clients.map(() => expected(false)));
    assertEquals(seen(late), expected(true));
    assertThrows(() => broker.publish({ topic: "news/#", payload }), TypeError);
  }));

test("Broker.disconnect() tells MQTT.js that an administrator did it [MQTT-3.14.4-3]", () =>
  withBroker(async (broker) => {
    const client = await JsClient.connectOver(() => overStreams(broker), { clientId: "unwelcome" });
    assertEquals(broker.disconnect("unwelcome"), true);
    await client.closes();
    assertEquals(client.disconnects, [0x98]);
    await until(() => broker.gauges.connections === 0, "the broker has forgotten the client");
    assertEquals(broker.disconnect("unwelcome"), false);
  }));

test("Broker.close() ends clients on every way, and refuses to serve again", async () => {
  const broker = new Broker();
  const { port } = await broker.listen({ port: 0 });
  const clients = await Promise.all([
    JsClient.connect({ port }),
    ...WAYS.map(([, way]) => JsClient.connectOver(() => way(broker))),
  ]);
  await broker.close();
  await Promise.all(clients.map((client) => client.closes()));
  assertEquals(broker.gauges.connections, 0);
  assertThrows(() => overStreams(broker), OperationError, "The broker is closed");
});

test("Broker leaves two brokers of one program to themselves", () =>
  withBroker((first) =>
    withBroker(async (second) => {
      const clients = await Promise.all(
        [first, second].map((broker) =>
          JsClient.connectOver(() => overPipe(broker), { clientId: "same" })
        ),
      );
      await Promise.all(clients.map(({ client }) => client.subscribeAsync("#", { qos: 1 })));
      await Promise.all(clients.map((client, i) => client.publish("t", `${i}`, { qos: 1 })));
      await Promise.all(clients.map((client) => client.receives(1)));
      endAll(...clients);
      assertEquals(clients.map((client) => client.texts), [["0"], ["1"]]);
    })
  ));

async function withBroker(body: (broker: Broker) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  const broker = new Broker({ onError: (_stage, error) => errors.push(error) });
  try {
    await body(broker);
  } finally {
    await broker.close();
  }
  assertEquals(errors, []);
}
