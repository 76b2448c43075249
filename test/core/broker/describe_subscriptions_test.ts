// The trees of subscriptions, as an operator sees them.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { request, subscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("describeSubscriptions() gives a line for each level, with who subscribes there", () => {
  const broker = new VirtualBroker();
  const [one, two] = [1, 2].map((n) => broker.connect({ clientId: `c${n}` }));
  one!.send(subscribe(1, [
    request("b", { qos: 1 }),
    request("a/b/c"),
    request("a", { qos: 2 }),
    request("$SYS/#"),
    request("/x/"),
  ]));
  two!.send(subscribe(1, [
    request("a/b/c", { qos: 1 }),
    request("a/+"),
    request("$share/g/a/b", { qos: 1 }),
    request("$share/h/a/b"),
    request("$share/g/a"),
  ]));
  assertEquals(broker.core.describeSubscriptions(), [
    "    ",
    "      x",
    "         (c1, 0)",
    "    $SYS",
    "      # (c1, 0)",
    "    a (c1, 2)",
    "      + (c2, 0)",
    "      b",
    "        c (c1, 0) (c2, 1)",
    "    b (c1, 1)",
    "    a",
    "      b",
  ]);
  assertEquals(
    [broker.core.ordinarySubscriptionCount, broker.core.sharedSubscriptionCount],
    [7, 3],
  );
});

test("describeSubscriptions() has nothing to tell of nobody", () => {
  assertEquals(new VirtualBroker().core.describeSubscriptions(), []);
});
