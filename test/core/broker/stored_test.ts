// What $SYS tells of messages that are kept and of who reads: counted, never searched for.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { BrokerCore } from "../../../src/core/broker/broker_core.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import { test } from "../../harness.ts";
import { ack, publish, request, suback, subscribe, unsubscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

function stored({ core }: VirtualBroker): [number, number] {
  return [core.storedCount, core.storedBytes];
}

test("BrokerCore counts a message once, whether retained, queued or in flight", () => {
  const broker = new VirtualBroker();
  const clients = ["one", "two", "away"].map((clientId) => {
    const client = broker.connect({ ...LASTING, clientId });
    client.exchange(subscribe(1, [request("a", { qos: 2 })]));
    return client;
  });
  const brief = broker.connect({ clientId: "brief" });
  brief.exchange(subscribe(1, [request("a", { qos: 2 })]));
  const [one, two, away] = clients;
  away!.drop();
  broker.publish("a", { payload: "0" });
  assertEquals(stored(broker), [0, 0]);
  broker.publish("a", { qos: 2, payload: "123" });
  one!.send(ack("pubrec", 1));
  assertEquals(broker.core.storedBytes % 3, 0);
  two!.send(ack("pubrec", 1));
  // It waits for the third, who has not been there.
  assertEquals(stored(broker), [1, 3]);
  broker.publish("r", { retain: true, payload: "12345" });
  assertEquals(stored(broker), [2, 8]);
  broker.publish("r", { retain: true, payload: "1" });
  assertEquals(stored(broker), [2, 4]);
  const back = broker.connect({ ...LASTING, clientId: "away" });
  assertEquals(stored(broker), [2, 4]);
  back.settle();
  assertEquals(stored(broker), [1, 1]);
  broker.publish("r", { retain: true });
  assertEquals(stored(broker), [0, 0]);
});

test("BrokerCore counts nothing any more once everybody and everything has gone", () => {
  const step = fc.oneof(
    fc.record({ publish: fc.constantFrom<QoS>(0, 1, 2), retain: fc.boolean(), size: fc.nat(3) }),
    fc.record({ settle: fc.nat(2) }),
    fc.record({ drop: fc.nat(2) }),
    fc.record({ connect: fc.nat(2), cleanStart: fc.boolean() }),
    fc.record({ restart: fc.constant(true) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const options = {
      keepsJournal: true,
      limits: { queuedMessagesMax: 5, inflightMessagesMax: 2 },
    };
    let broker = new VirtualBroker(options);
    const clients = ["0", "1", "2"].map(() => broker.open());
    const changes = () => broker.takeChanges();
    const journal = [...changes()];
    for (const step of steps) {
      if ("publish" in step) {
        const payload = "x".repeat(step.size);
        broker.publish("a", { qos: step.publish, retain: step.retain, payload });
      } else if ("settle" in step) clients[step.settle]!.settle();
      else if ("drop" in step) clients[step.drop]!.drop();
      else if ("connect" in step) {
        const clientId = `${step.connect}`;
        // The last one does not outlive its connection.
        const lasts = step.connect < 2 ? LASTING : {};
        const client = broker.connect({ ...lasts, clientId, cleanStart: step.cleanStart });
        clients[step.connect] = client;
        client.send(subscribe(1, [request("#", { qos: 2 }), request("a", { qos: 1 })]));
      } else {
        journal.push(...changes());
        const now = broker.now;
        broker = new VirtualBroker({ ...options, now });
        broker.core.restore(journal, now);
        clients.fill(broker.open());
      }
      journal.push(...changes());
    }
    for (const client of clients) client.drop();
    broker.publish("a", { retain: true });
    for (const clientId of ["0", "1", "2"]) broker.connect({ clientId }).drop();
    assertEquals([broker.core.sessionCount, ...stored(broker)], [0, 0, 0]);
  }));
});

test("BrokerCore tells how many packets wait, near enough", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.exchange(subscribe(1, [request("a")]));
  assertEquals(broker.core.backlogPackets, 0);
  for (let i = 0; i < 1000; i++) broker.publish("a", { payload: "x".repeat(100) });
  assertEquals(broker.core.backlogPackets, 0);
  client.freeze();
  for (let i = 0; i < 100; i++) broker.publish("a", { payload: "x".repeat(100) });
  const waiting = broker.core.backlogPackets;
  assertEquals([waiting >= 98, waiting <= 102], [true, true]);
  client.thaw();
  assertEquals(broker.core.backlogPackets, 0);
});

test("BrokerCore.hasReaders() knows whether anybody could read what begins so", () => {
  const broker = new VirtualBroker();
  const answers: boolean[] = [];
  const note = () => answers.push(broker.core.hasReaders("$SYS/"));
  const client = broker.connect(LASTING);
  client.send(subscribe(1, [request("#"), request("+/+")]));
  note();
  client.send(subscribe(2, [request("$SYS/#")]));
  note();
  // Who is away reads later.
  client.drop();
  note();
  const back = broker.connect(LASTING);
  back.send(unsubscribe(3, ["$SYS/#"]), subscribe(4, [request("$share/g/$SYS/broker/+")]));
  note();
  back.send(unsubscribe(5, ["$share/g/$SYS/broker/+"]));
  note();
  assertEquals(answers, [false, true, true, true, false]);
});

test("BrokerCore has $SYS made before somebody reads it, and gives it once", () => {
  const read: string[] = [];
  const core: { of?: BrokerCore } = {};
  const broker = new VirtualBroker({
    beforeRead: (filter) => {
      read.push(filter);
      core.of?.publish(publish("$SYS/a", { retain: true, payload: `${read.length}` }), 0);
    },
  });
  core.of = broker.core;
  const client = broker.connect();
  const filters = ["a", "#", "$SYS/#"].map((filter) => request(filter));
  assertEquals(client.exchange(subscribe(1, filters)), [
    suback(1, [0, 0, 0]),
    publish("$SYS/a", { retain: true, payload: "1" }),
  ]);
  assertEquals(read, ["$SYS/#"]);
});
