// What a connection is called before and after it says who it is.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { connect } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("Connection.label is the address until there is a client", () => {
  const client = new VirtualBroker().open();
  const { connection } = client;
  assertEquals([connection.label, connection.phase], ["192.0.2.1:50000", "opened"]);
  client.send(connect({ clientId: "me" }));
  assertEquals([connection.label, connection.phase], ["me", "connected"]);
  client.drop();
  assertEquals([connection.label, connection.phase], ["me", "ended"]);
});
