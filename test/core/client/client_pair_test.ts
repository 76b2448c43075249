// Two client engines with a broker core between them, in memory: every byte stream is cut at random,
// and connections break at random. What the standard promises must hold all the same.

import { assertEquals } from "@std/assert";
import { prng, type Random } from "../../../src/core/base/prng.ts";
import { ClientEngine } from "../../../src/core/client/client_engine.ts";
import type { ProtocolVersion, QoS } from "../../../src/core/codec/protocol.ts";
import { test } from "../../harness.ts";
import { bytesOf, connect, request } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";
import { RecordingSink } from "./recording_sink.ts";

/** One engine, its connection to the broker, and a wire that cuts what it carries. */
class WiredClient {
  readonly sink = new RecordingSink();
  readonly engine: ClientEngine;
  readonly #broker: VirtualBroker;
  readonly #random: Random;
  #far: VirtualClient | undefined;

  constructor(broker: VirtualBroker, random: Random) {
    this.#broker = broker;
    this.#random = random;
    this.engine = new ClientEngine(this.sink, { inflightMax: 5 });
  }

  connect(clientId: string, protocolVersion: ProtocolVersion): void {
    this.#far = this.#broker.open(protocolVersion);
    this.engine.connect(
      connect({
        clientId,
        protocolVersion,
        cleanStart: false,
        properties: { sessionExpiryInterval: 3600, receiveMaximum: 4, topicAliasMaximum: 3 },
      }),
      this.#broker.now,
    );
  }

  /** Carries what there is in both directions; says whether there was anything. */
  carry(): boolean {
    const far = this.#far;
    if (far === undefined) return false;
    const { outbox } = this.engine;
    const outgoing = outbox.bytes.slice(0, outbox.length);
    this.engine.sent(this.#broker.now);
    this.#inPieces(outgoing, (piece) => far.sendBytes(piece));
    const incoming = far.takeBytes();
    this.#inPieces(incoming, (piece) => {
      this.engine.receive(piece, this.#broker.now);
      piece.fill(0xa5);
    });
    return outgoing.length + incoming.length > 0;
  }

  /** The network breaks; what was on its way may be lost. */
  break(): void {
    this.#far?.drop();
    this.#far = undefined;
    this.engine.connectionLost();
  }

  #inPieces(bytes: Uint8Array, give: (piece: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + this.#random() % 40);
      give(bytes.slice(at, end));
      at = end;
    }
  }

  messages(): string[] {
    return this.sink.told.flatMap((told) => told.type === "message" ? [told.payload] : []);
  }
}

function settle(...clients: readonly WiredClient[]): void {
  for (let isBusy = true; isBusy;) {
    isBusy = false;
    for (const client of clients) if (client.carry()) isBusy = true;
  }
}

const TOTAL = 60;

/** Publishes numbered messages, through breaks, until all are acknowledged; what arrived. */
function run(seed: number, version: ProtocolVersion, qos: QoS, breaks: boolean): string[] {
  const random = prng(seed);
  const broker = new VirtualBroker({ seed });
  const publisher = new WiredClient(broker, random);
  const subscriber = new WiredClient(broker, random);
  publisher.connect("publisher", version);
  subscriber.connect("subscriber", version);
  settle(publisher, subscriber);
  subscriber.engine.subscribe([request("a/+", { qos })]);
  settle(publisher, subscriber);
  for (let next = 0; next < TOTAL || publisher.engine.inflightCount > 0;) {
    for (let count = random() % 6; count > 0 && next < TOTAL; count--) {
      const payload = bytesOf(`${next}`);
      if (publisher.engine.publish("a/b", payload, { qos }, broker.now) < 0) break;
      next++;
    }
    for (let count = random() % 3; count > 0; count--) {
      publisher.carry();
      subscriber.carry();
    }
    for (const [client, name] of [[publisher, "publisher"], [subscriber, "subscriber"]] as const) {
      if (!breaks || random() % 10 > 0) continue;
      client.break();
      broker.advance(10);
      client.connect(name, version);
    }
    settle(publisher);
    broker.advance(1);
  }
  settle(publisher, subscriber);
  assertEquals(
    [publisher.sink, subscriber.sink].flatMap(({ told }) =>
      told.filter(({ type }) => type === "error" || type === "lost")
    ),
    [],
  );
  return subscriber.messages();
}

const ALL = Array.from({ length: TOTAL }, (_, index) => `${index}`);

for (const version of [3, 4, 5] as const) {
  for (const qos of [0, 1, 2] as const) {
    test(`ClientEngine and BrokerCore exchange QoS ${qos} in version ${version} however bytes are cut`, () => {
      for (let seed = 1; seed <= 5; seed++) assertEquals(run(seed, version, qos, false), ALL);
    });
  }

  test(`ClientEngine delivers QoS 2 once and in order through breaks in version ${version} [MQTT-4.3.3-10]`, () => {
    for (let seed = 1; seed <= 20; seed++) assertEquals(run(seed, version, 2, true), ALL);
  });

  test(`ClientEngine delivers QoS 1 at least once through breaks in version ${version} [MQTT-4.3.2-1]`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const firsts = [...new Set(run(seed, version, 1, true))];
      assertEquals(firsts, ALL);
    }
  });
}
