// Subscriptions in session, route table and groups, against a set of strings.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { matches, parseFilter } from "../../../src/core/topic/filter.ts";
import { test } from "../../harness.ts";
import { request, subscribe, unsubscribe } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const FILTERS = ["a", "a/b", "+", "a/+", "#", "a/#", "$share/g/a", "$share/g/#", "$share/h/a"];
const TOPICS = ["a", "a/b", "b"];

/** How many subscriptions and groups a topic reaches, found the plain way. */
function reached(held: readonly ReadonlySet<string>[], topic: string): number {
  const targets: string[] = [];
  for (const filters of held) {
    for (const text of filters) {
      const parsed = parseFilter(text);
      if (typeof parsed === "string" || !matches(parsed.filter, topic)) continue;
      if (parsed.shareName === undefined || !targets.includes(text)) targets.push(text);
    }
  }
  return targets.length;
}

test("subscribe() and unsubscribe() route as a plain set of filters would", () => {
  const step = fc.record({
    who: fc.nat(2),
    filter: fc.constantFrom(...FILTERS),
    does: fc.constantFrom("subscribe", "subscribe", "unsubscribe", "leave"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const broker = new VirtualBroker();
      const held = [0, 1, 2].map(() => new Set<string>());
      const clients: (VirtualClient | undefined)[] = [undefined, undefined, undefined];
      for (const { who, filter, does } of steps) {
        const client = clients[who] ??= broker.connect({ clientId: `${who}` });
        if (does === "subscribe") {
          client.send(subscribe(1, [request(filter)]));
          held[who]!.add(filter);
        } else if (does === "unsubscribe") {
          client.take();
          const [answer] = client.exchange(unsubscribe(1, [filter]));
          const isHeld = held[who]!.delete(filter);
          assertEquals(answer?.type === "unsuback" && answer.reasonCodes, [isHeld ? 0 : 0x11]);
        } else {
          client.drop();
          clients[who] = undefined;
          held[who]!.clear();
        }
        for (const topic of TOPICS) assertEquals(broker.publish(topic), reached(held, topic));
      }
      const groups = new Set(held.flatMap((each) => [...each].filter((text) => text[0] === "$")));
      const plain = held.flatMap((each) => [...each].filter((text) => text[0] !== "$"));
      assertEquals(broker.core.subscriptionCount, plain.length + groups.size);
    }),
    { numRuns: 60 },
  );
});

test("Groups whose names and filters look alike are kept apart", () => {
  const broker = new VirtualBroker();
  const filters = ["$share/g/a/b", "$share/g/a", "$share/a/b", "$share//a/b", "$share/g//a/b"];
  filters.forEach((filter, i) => {
    broker.connect({ clientId: `${i}` }).send(subscribe(1, [request(filter)]));
  });
  assertEquals([broker.core.subscriptionCount, broker.publish("a/b"), broker.publish("a")], [
    5,
    2,
    1,
  ]);
});
