// A session and its subscriptions as they are made.

import { assertEquals } from "@std/assert";
import { NEVER_EXPIRES, Session, Subscription } from "../../../src/core/session/session.ts";
import { test } from "../../harness.ts";

test("Session.isPersistent says whether it outlives its connection [MQTT-3.1.2-23]", () => {
  const session = new Session<never>("client");
  const persistent = [0, 1, NEVER_EXPIRES].map((seconds) => {
    session.expiryInterval = seconds;
    return session.isPersistent;
  });
  assertEquals(persistent, [false, true, true]);
});

test("A fresh Session waits for nothing", () => {
  const session = new Session<never>("client");
  const { clientId, at, endsAt, willDueAt, heapIndex, sequence } = session;
  assertEquals({ clientId, at, endsAt, willDueAt, heapIndex, sequence }, {
    clientId: "client",
    at: Infinity,
    endsAt: Infinity,
    willDueAt: Infinity,
    heapIndex: -1,
    sequence: 0,
  });
});

test("Subscription knows its filter with and without its share", () => {
  const session = new Session<never>("client");
  const parsed = { filter: "a/b", shareName: "g" };
  const { requestedFilter, filter, shareName } = new Subscription(session, "$share/g/a/b", parsed);
  assertEquals({ requestedFilter, filter, shareName }, {
    requestedFilter: "$share/g/a/b",
    filter: "a/b",
    shareName: "g",
  });
});
