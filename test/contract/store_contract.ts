// What every store promises, run on each implementation: `storeSuite` registers the tests, given a
// way to open a new store and to open the same one again as after a restart.

import { assertEquals } from "@std/assert";
import type { Change } from "../../src/core/broker/change.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import type { Message } from "../../src/core/session/message.ts";
import type { Store } from "../../src/store/store.ts";
import { test } from "../harness.ts";
import { messageOf } from "../support/random_changes.ts";
import { contentsOfStore } from "../support/store_contents.ts";

/** One implementation under test. */
export interface StoreFixture {
  readonly name: string;
  /** An empty one. */
  open(): Promise<Store>;
  /** Closes it and opens what it has left. */
  reopen(store: Store): Promise<Store>;
  /** Called after each test. */
  release(): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function session(clientId: string): Change {
  return {
    kind: "session-set",
    clientId,
    username: undefined,
    isIdentified: false,
    protocolVersion: 5,
    listenerName: "1883",
    expiryInterval: 3600,
    endsAt: Infinity,
  };
}

export function queued(
  clientId: string,
  sequence: number,
  message: Message,
  qos: QoS = 1,
): Change & { kind: "delivery-queued" } {
  const delivery = { message, qos, retain: false, subscriptionId: 0, sequence, recordedAt: 0 };
  return { kind: "delivery-queued", clientId, delivery };
}

export function storeSuite(fixture: StoreFixture): void {
  const suiteTest = (name: string, body: (store: Store) => Promise<void>): void => {
    test(`${fixture.name} ${name}`, { timeout: 20_000 }, async () => {
      try {
        await body(await fixture.open());
      } finally {
        await fixture.release();
      }
    });
  };

  suiteTest("gives nothing when nothing was committed", async (store) => {
    assertEquals(await contentsOfStore(store), {});
    assertEquals(await contentsOfStore(await fixture.reopen(store)), {});
  });

  suiteTest(
    "tells how many messages it has, each once, when some are left in it",
    async (store) => {
      const totals = (): unknown[] =>
        [...store.load()].filter(({ kind }) => kind === "messages-stored");
      const [shared, single, retained] = [messageOf("s", text("12")), messageOf("t", text("345"))]
        .concat(messageOf("r", text("6789"), { retain: true }));
      retained!.retainedSequence = 1;
      store.commit([session("a"), session("b"), { kind: "retained-set", message: retained! }]);
      assertEquals(totals(), []);
      store.commit([queued("a", 1, shared!), queued("b", 1, shared!), queued("b", 2, single!)]);
      store = await fixture.reopen(store);
      assertEquals(totals(), [{ kind: "messages-stored", count: 3, payloadBytes: 9 }]);
      const { delivery } = queued("c", 1, messageOf("i", text("x")), 2);
      const sent = { kind: "delivery-sent", clientId: "a", packetId: 7, wasQueued: false } as const;
      store.commit([{ ...sent, delivery }, {
        kind: "delivery-dropped",
        clientId: "b",
        sequence: 2,
      }]);
      store = await fixture.reopen(store);
      assertEquals(totals(), [{ kind: "messages-stored", count: 3, payloadBytes: 7 }]);
    },
  );

  suiteTest("brings everything back that a session has", async (store) => {
    const message = messageOf("größe/1", text("42"), {
      qos: 2,
      retain: true,
      expiresAt: 5000,
      publisherId: "publisher",
      publisherUsername: "somebody",
      properties: Uint8Array.of(1, 1),
    });
    const value = {
      topic: "größe/1",
      properties: Uint8Array.of(1, 1),
      payload: text("42"),
      qos: 2,
      retain: true,
      expiresAt: 5000,
      publisherId: "publisher",
      publisherUsername: "somebody",
    };
    const set: Change = {
      kind: "session-set",
      clientId: "c",
      username: "user",
      isIdentified: true,
      protocolVersion: 4,
      listenerName: "/run/mqtt",
      expiryInterval: 0xffffffff,
      endsAt: 700,
    };
    const subscription: Change = {
      kind: "subscription-set",
      clientId: "c",
      filter: "$share/s/größe/#",
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      subscriptionId: 268_435_455,
    };
    const owed: Change = {
      kind: "retained-owed",
      clientId: "c",
      filter: subscription.filter,
      after: 1,
      upTo: 7,
    };
    const held: Change = { kind: "packet-id-held", clientId: "c", packetId: 65_535 };
    const delivery = { message, qos: 2, retain: true, subscriptionId: 3, recordedAt: 0 } as const;
    const will = { message, messageExpiryInterval: 9, delay: 5 };
    await store.commit([
      session("c"),
      set,
      subscription,
      owed,
      { kind: "delivery-queued", clientId: "c", delivery: { ...delivery, sequence: 1 } },
      {
        kind: "delivery-sent",
        clientId: "c",
        delivery: { ...delivery, qos: 1, sequence: 1 },
        packetId: 9,
        wasQueued: true,
      },
      {
        kind: "delivery-sent",
        clientId: "c",
        delivery: { ...delivery, sequence: 2 },
        packetId: 8,
        wasQueued: false,
      },
      { kind: "delivery-received", clientId: "c", packetId: 8 },
      { kind: "delivery-queued", clientId: "c", delivery: { ...delivery, sequence: 3 } },
      held,
      { kind: "will-set", clientId: "c", will, dueAt: 800 },
    ]);
    const rest = { retain: true, subscriptionId: 3 };
    assertEquals(await contentsOfStore(await fixture.reopen(store)), {
      "c: session": [set],
      "c: subscription": [subscription],
      "c: owed": [owed],
      "c: inflight": [
        { packetId: 9, message: value, qos: 1, ...rest, sequence: 1 },
        { packetId: 8, message: "received", qos: 2, ...rest, sequence: 2 },
      ],
      "c: held": [held],
      "c: will": [{ message: value, messageExpiryInterval: 9, delay: 5, dueAt: 800 }],
      "c: left": [{
        kind: "deliveries-left",
        clientId: "c",
        count: 1,
        bytes: message.keptBytes,
        qos0Count: 0,
        lastSequence: 3,
      }],
      "c: queued": [{ message: value, qos: 2, ...rest, sequence: 3 }],
    });
  });

  suiteTest("forgets what is over", async (store) => {
    const message = messageOf("t", text("x"));
    const subscription: Change = {
      kind: "subscription-set",
      clientId: "c",
      filter: "t",
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      subscriptionId: 0,
    };
    message.retainedSequence = 1;
    await store.commit([
      session("c"),
      subscription,
      { kind: "retained-owed", clientId: "c", filter: "t", after: 0, upTo: 1 },
      { kind: "retained-set", message },
      queued("c", 1, message),
      queued("c", 2, message),
      { kind: "packet-id-held", clientId: "c", packetId: 1 },
      {
        kind: "will-set",
        clientId: "c",
        will: { message, messageExpiryInterval: undefined, delay: 0 },
        dueAt: Infinity,
      },
    ]);
    const { delivery } = queued("c", 1, message);
    await store.commit([
      { kind: "delivery-sent", clientId: "c", delivery, packetId: 1, wasQueued: true },
      { kind: "delivery-finished", clientId: "c", packetId: 1 },
      { kind: "delivery-dropped", clientId: "c", sequence: 2 },
      { kind: "packet-id-released", clientId: "c", packetId: 1 },
      { kind: "will-removed", clientId: "c" },
      { kind: "subscription-removed", clientId: "c", filter: "t" },
      { kind: "retained-removed", topic: "t" },
    ]);
    assertEquals(await contentsOfStore(await fixture.reopen(store)), {
      "c: session": [session("c")],
    });
  });

  suiteTest(
    "removes a session with all that it has, and begins another one anew",
    async (store) => {
      const message = messageOf("t", text("x"));
      const { delivery } = queued("c", 1, message);
      await store.commit([
        session("c"),
        session("d"),
        { kind: "delivery-sent", clientId: "c", delivery, packetId: 1, wasQueued: false },
        queued("c", 2, message),
        { kind: "packet-id-held", clientId: "c", packetId: 1 },
      ]);
      await store.commit([{ kind: "session-removed", clientId: "c" }]);
      // Nobody is there to have it.
      await store.commit([queued("c", 3, message)]);
      await store.commit([
        { kind: "session-removed", clientId: "d" },
        session("d"),
        session("c"),
      ]);
      assertEquals(await contentsOfStore(await fixture.reopen(store)), {
        "c: session": [session("c")],
        "d: session": [session("d")],
      });
    },
  );

  suiteTest("keeps the latest retained message of a topic, in their order", async (store) => {
    const retain = (topic: string, payload: string, sequence: number): Change => {
      const message = messageOf(topic, text(payload));
      message.retainedSequence = sequence;
      return { kind: "retained-set", message };
    };
    await store.commit([retain("a", "1", 1), retain("b", "2", 2), retain("c", "3", 3)]);
    await store.commit([retain("a", "4", 4), { kind: "retained-removed", topic: "b" }]);
    const again = await fixture.reopen(store);
    const kept = [...again.load()].map((record) =>
      record.kind === "retained-set"
        ? [
          record.message.topic,
          record.message.payloadBytes.at(record.message.payloadStart),
          record.message.retainedSequence,
        ]
        : record
    );
    assertEquals(kept, [["c", "3".charCodeAt(0), 3], ["a", "4".charCodeAt(0), 4]]);
  });

  suiteTest("loadDeliveries() gives a queue in pieces, in order", async (store) => {
    const small = messageOf("t", new Uint8Array(9));
    const large = messageOf("t", new Uint8Array(4999));
    const sizes = [small, small, large, large, small];
    await store.commit([session("c"), session("d")]);
    await store.commit(
      sizes.flatMap((message, index) => [
        queued("c", 2 * index + 2, message, index === 0 ? 0 : 1),
        queued("d", index + 1, message),
      ]),
    );
    const again = await fixture.reopen(store);
    const load = async (
      clientId: string,
      after: number,
      countMax: number,
      bytesMax = Infinity,
    ): Promise<number[]> =>
      (await again.loadDeliveries(clientId, after, { countMax, bytesMax }))
        .map(({ sequence }) => sequence);
    assertEquals(await load("c", 0, 2), [2, 4]);
    assertEquals(await load("c", 4, 2), [6, 8]);
    assertEquals(await load("c", 5, 10), [6, 8, 10]);
    assertEquals(await load("c", 10, 10), []);
    assertEquals(await load("c", 0, 10, 20), [2, 4]);
    // One that is larger than all of it comes alone.
    assertEquals(await load("c", 4, 10, 20), [6]);
    assertEquals(await load("c", 0, 10, 5020), [2, 4, 6]);
    assertEquals(await load("nobody", 0, 10), []);
    const left = [...again.load()].filter(({ kind }) => kind === "deliveries-left");
    const rest = { kind: "deliveries-left", count: 5, bytes: 10_030 } as const;
    assertEquals(left, [
      { ...rest, clientId: "c", qos0Count: 1, lastSequence: 10 },
      { ...rest, clientId: "d", qos0Count: 0, lastSequence: 5 },
    ]);
  });
}
