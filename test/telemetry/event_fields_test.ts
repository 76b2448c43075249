// What events say to machines.

import { assertEquals } from "@std/assert";
import { eventFields } from "../../src/telemetry/event_fields.ts";
import { test } from "../harness.ts";

const peer = { remoteAddress: "10.0.0.1", remotePort: 4711, localPort: 8883 };

test("eventFields() names the peer, the reason and who it was", () => {
  assertEquals(
    eventFields({
      kind: "closed",
      peer,
      clientId: "c",
      cause: "protocol error",
      detail: undefined,
    }),
    {
      event: "closed",
      address: "10.0.0.1",
      port: 4711,
      localPort: 8883,
      clientId: "c",
      reason: "protocol error",
    },
  );
});

test("eventFields() says how a connection is secured, but not by which certificate", () => {
  const certificate = { commonName: "joe", subject: "CN=joe" };
  const tls = { version: "TLSv1.3", cipher: "X", certificate, pskIdentity: "secret" };
  assertEquals(eventFields({ kind: "opened", peer: { ...peer, tls } }), {
    event: "opened",
    address: "10.0.0.1",
    port: 4711,
    localPort: 8883,
    tls: "TLSv1.3",
    cipher: "X",
  });
});

test("eventFields() names no more filters than a line can hold", () => {
  const filters = Array.from(
    { length: 50 },
    (_, index) => ({ filter: `f${index}`, reasonCode: 0 }),
  );
  assertEquals(
    eventFields({ kind: "packet", action: "received", type: "subscribe", clientId: "c", filters }),
    {
      event: "packet",
      action: "received",
      type: "subscribe",
      clientId: "c",
      filters: filters.slice(0, 20),
    },
  );
});
