// The client library on connections that break: what must not be lost is not, what must not come
// twice does not, and what nobody can know is said.

import { assertEquals, assertRejects } from "@std/assert";
import { Broker } from "../../mod.ts";
import { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import type { ClientEvent, ClientOptions, Dial } from "../../src/client/client_options.ts";
import { OperationError, type OperationErrorCode } from "../../src/core/base/operation_error.ts";
import { prng, type Random } from "../../src/core/base/prng.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import { ack, bytesOf, connack, disconnect, publish, suback } from "../support/packets.ts";
import { ScriptedBroker } from "./scripted_broker.ts";

const TOTAL = 120;
const AT_ONCE = { initialMs: 1, maximumMs: 3, jitter: 1 };
const decoder = new TextDecoder();

/** A way to the broker that breaks after a random number of bytes in either direction. */
function breakingWay(broker: Broker, random: Random, breaksMax: number): Dial {
  let breaks = 0;
  return (accept) => {
    let left = breaks < breaksMax ? 60 + random() % 250 : Infinity;
    openMemoryPipe(
      (end) => {
        const spend = (count: number): void => {
          left -= count;
          if (left > 0 || left === -Infinity) return;
          left = -Infinity;
          breaks++;
          end.abort();
        };
        const transport: Transport = {
          remoteAddress: "",
          remotePort: 0,
          localPort: 0,
          write(bytes, length) {
            const fits = Math.min(length, Math.max(0, left));
            const isTaken = end.write(fits === length ? bytes : bytes.slice(0, fits), fits);
            spend(length);
            return isTaken;
          },
          pause: () => end.pause(),
          resume: () => end.resume(),
          close: () => end.close(),
          abort: () => end.abort(),
        };
        const handler = accept(transport);
        return {
          onBytes(chunk) {
            handler.onBytes(chunk);
            spend(chunk.length);
          },
          onWritable: () => handler.onWritable(),
          onClose: (error) => handler.onClose(error),
        };
      },
      (end) => broker.accept(end),
      { capacityBytes: 512 },
    );
    return Promise.resolve();
  };
}

async function exchange(seed: number, version: ProtocolVersion, qos: QoS): Promise<number[]> {
  const random = prng(seed);
  const broker = new Broker();
  let breaks = 0;
  const options: ClientOptions = {
    protocolVersion: version,
    onEvent: ({ kind }) => {
      if (kind === "disconnected") breaks++;
    },
    cleanStart: false,
    properties: { sessionExpiryInterval: 3600 },
    reconnect: { ...AT_ONCE, atFirst: true },
  };
  const subscriber = await Client.connect(breakingWay(broker, random, 20), {
    ...options,
    clientId: "subscriber",
  });
  const messages = subscriber.messages("a", { bufferMessagesMax: 5 });
  await subscriber.subscribe("a", { qos });
  const publisher = await Client.connect(breakingWay(broker, random, 20), {
    ...options,
    clientId: "publisher",
  });
  const sent: Promise<unknown>[] = [];
  for (let number = 0; number < TOTAL; number++) {
    sent.push(publisher.publish("a", String(number), { qos }));
    if (number % 7 === 0) await Promise.all(sent);
  }
  await Promise.all(sent);
  await publisher.publish("a", "end", { qos });
  const received: number[] = [];
  for await (const { payload } of messages) {
    const text = decoder.decode(payload);
    if (text === "end") break;
    received.push(Number(text));
  }
  assertEquals(breaks > 10, true);
  await Promise.all([publisher.disconnect(), subscriber.disconnect()]);
  await broker.close();
  return received;
}

const NUMBERS = Array.from({ length: TOTAL }, (_, number) => number);

for (const version of [4, 5] as const) {
  for (const seed of [1, 2, 3]) {
    test(`Client delivers QoS 2 exactly once through broken connections, version ${version}, seed ${seed} [MQTT-4.4.0-1]`, async () => {
      assertEquals(await exchange(seed, version, 2), NUMBERS);
    });

    test(`Client delivers QoS 1 at least once through broken connections, version ${version}, seed ${seed} [MQTT-4.4.0-1]`, async () => {
      const received = await exchange(seed, version, 1);
      assertEquals([...new Set(received)].sort((a, b) => a - b), NUMBERS);
    });
  }
}

test("Client goes on after a break: subscribes again, publishes QoS 1 again, and says what QoS 2 is lost", async () => {
  const broker = new ScriptedBroker();
  const events: ClientEvent["kind"][] = [];
  const client = new Client(broker.dial, {
    clientId: "c",
    reconnect: AT_ONCE,
    onEvent: ({ kind }) => events.push(kind),
  });
  const opened = client.open();
  await broker.hear();
  broker.say(connack(0));
  await opened;
  const subscribed = client.subscribe("a/+", { qos: 1 });
  const [subscribe] = await broker.hear();
  broker.say(suback(1, [1]));
  assertEquals((await subscribed).reasonCodes, [1]);
  const once = assertRejects(() => client.publish("x", "2", { qos: 2 }), ClientError);
  const received = client.publish("y", "2", { qos: 2 });
  const again = client.publish("z", "1", { qos: 1 });
  const first = await broker.hear(3);
  const ids = first.map((packet) => "packetId" in packet ? packet.packetId : 0);
  broker.say(ack("pubrec", ids[1]!));
  await broker.hear();
  broker.transport.end(new Error("cut"));
  const waiting = client.publish("w", "0");

  const [connect] = await broker.hear();
  assertEquals(connect!.type, "connect");
  assertEquals((await once).code, "session-lost");
  assertEquals((await received).reasonCode, 0);
  broker.say(connack(0));
  const [repeated, ...published] = await broker.hear(3);
  assertEquals(repeated, { ...subscribe!, packetId: 2 });
  assertEquals(published, [
    publish("z", { payload: "1", qos: 1, packetId: 1 }),
    publish("w", { payload: "0" }),
  ]);
  assertEquals((await waiting).reasonCode, 0);
  broker.say(ack("puback", 1, 0x10));
  assertEquals((await again).reasonCode, 0x10);
  const left = client.disconnect();
  assertEquals(await broker.hear(), [disconnect()]);
  broker.transport.end();
  await left;
  assertEquals(events, [
    "connected",
    "disconnected",
    "reconnecting",
    "connected",
    "disconnected",
    "closed",
  ]);
});

test("Client takes a message for delivered whose release the broker has done already", async () => {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, {
    clientId: "c",
    properties: { sessionExpiryInterval: 60 },
    reconnect: AT_ONCE,
  });
  const opened = client.open();
  await broker.hear();
  broker.say(connack(0));
  await opened;
  const sent = client.publish("a", "1", { qos: 2 });
  await broker.hear();
  broker.say(ack("pubrec", 1));
  assertEquals(await broker.hear(), [ack("pubrel", 1)]);
  // Its PUBCOMP is lost with the connection.
  broker.transport.end(new Error("cut"));
  await broker.hear();
  broker.say(connack(0, {}, true));
  assertEquals(await broker.hear(), [ack("pubrel", 1)]);
  broker.say(ack("pubcomp", 1, 0x92));
  assertEquals((await sent).reasonCode, 0);
  const left = client.disconnect();
  await broker.hear();
  broker.transport.end();
  await left;
});

test("Client does not come back when another has taken its session over", async () => {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, { reconnect: AT_ONCE });
  const opened = client.open();
  await broker.hear();
  broker.say(connack(0));
  await opened;
  const unanswered = assertRejects(() => client.subscribe("a"), ClientError);
  await broker.hear();
  broker.say(disconnect(0x8e));
  await broker.heard();
  broker.transport.end();
  const error = await client.closed as ClientError;
  assertEquals([error.code, error.reasonCode], ["disconnected", 0x8e]);
  assertEquals((await unanswered).code, "disconnected");
  assertEquals(broker.transports.length, 1);
  await assertRejects(() => client.publish("a", ""), ClientError, "The client is closed");
});

test("Client.open() rejects with what the broker refuses, and with nobody there", async () => {
  const broker = new ScriptedBroker();
  const opened = Client.connect(broker.dial);
  await broker.hear();
  broker.say(connack(0x87, { reasonString: "no", serverReference: "elsewhere" }));
  await broker.heard();
  broker.transport.end();
  const refused = await assertRejects(() => opened, ClientError);
  assertEquals([refused.code, refused.reasonCode, refused.properties], [
    "connection-refused",
    0x87,
    { reasonString: "no", serverReference: "elsewhere" },
  ]);
  const nobody = () => Client.connect(() => Promise.reject(new Error("nobody")));
  const lost = await assertRejects(nobody, ClientError);
  assertEquals([lost.code, lost.message], [
    "connect-failed",
    "Cannot connect to the broker: nobody",
  ]);
});

test("Client.open() says why it could not connect, in the words of whoever refused", async () => {
  const codes: OperationErrorCode[] = [
    "lookup-failed",
    "connect-failed",
    "proxy-failed",
    "tls-failed",
    "timed-out",
    "not-supported",
    "permission-denied",
  ];
  const told: unknown[] = [];
  for (const code of codes) {
    const cause = new OperationError(code, `It is ${code}`, { reason: "because" });
    const error = await assertRejects(
      () => Client.connect(() => Promise.reject(cause)),
      ClientError,
    );
    told.push([error.code, error.message, error.reason, error.cause === cause]);
  }
  assertEquals(
    told,
    codes.map((code) => [
      code === "permission-denied" ? "connect-failed" : code,
      `It is ${code}`,
      "because",
      true,
    ]),
  );
});

test("Client ends with what broke its connection, or with what the broker broke", async () => {
  const ends: [string, (broker: ScriptedBroker) => void][] = [
    ["connection-lost", (broker) => broker.transport.end(new Error("cut"))],
    ["connection-lost", (broker) => broker.transport.end()],
    ["protocol-error", (broker) => broker.say(connack(0))],
  ];
  for (const [code, end] of ends) {
    const broker = new ScriptedBroker();
    const client = new Client(broker.dial, { reconnect: false });
    const opened = client.open();
    await broker.hear();
    broker.say(connack(0));
    await opened;
    end(broker);
    await broker.heard();
    if (code === "protocol-error") broker.transport.end();
    assertEquals((await client.closed as ClientError).code, code);
  }
});

test("Client tries the first connection again only if it is told to, and no more often than that", async () => {
  let attempts = 0;
  const delays: number[] = [];
  const dial: Dial = () => Promise.reject(new Error(`attempt ${++attempts}`));
  const client = new Client(dial, {
    reconnect: { atFirst: true, attemptsMax: 3, initialMs: 1, factor: 2, jitter: 0 },
    onEvent: (event) => event.kind === "reconnecting" && delays.push(event.delayMs),
  });
  await assertRejects(() => client.open(), ClientError, "attempt 4");
  assertEquals([attempts, delays], [4, [1, 2, 4]]);
});

test("Client publishes what waited in order, and refuses what is above the bounds of its queue", async () => {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, { queueMessagesMax: 3, queueBytesMax: 10 });
  const sent = ["1", "2", "3"].map((text, qos) => client.publish(text, text, { qos: qos as QoS }));
  const full = await assertRejects(() => client.publish("4", ""), ClientError);
  assertEquals([full.code, client.queuedCount], ["queue-full", 3]);
  const opened = client.open();
  await broker.hear();
  broker.say(connack(0));
  await opened;
  assertEquals(await broker.hear(3), [
    publish("1", { payload: "1" }),
    publish("2", { payload: "2", qos: 1, packetId: 1 }),
    publish("3", { payload: "3", qos: 2, packetId: 2 }),
  ]);
  broker.say(ack("pubrec", 2), ack("puback", 1), ack("pubcomp", 2));
  await Promise.all(sent);
  broker.transport.end();
  const tooMany = await assertRejects(
    () => client.publish("a", bytesOf("01234567890")),
    ClientError,
  );
  assertEquals(tooMany.code, "queue-full");
  await client.disconnect();
});
