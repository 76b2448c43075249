// The policy of a broker that was given none.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY } from "../../../src/core/broker/question.ts";
import { test } from "../../harness.ts";

test("OPEN_POLICY lets everybody do everything, and knows no method of authentication", () => {
  const client = { clientId: "c", username: undefined };
  const peer = { remoteAddress: "", remotePort: 0, localPort: 0 };
  const request = {
    peer,
    ...client,
    protocolVersion: 5,
    password: undefined,
    isBridge: false,
  } as const;
  assertEquals([
    OPEN_POLICY.connect(request),
    OPEN_POLICY.publish(client, "a", 2, true),
    OPEN_POLICY.subscribe(client, "#", 2),
    OPEN_POLICY.unsubscribe(client, "#"),
    OPEN_POLICY.deliver(client, "a"),
    OPEN_POLICY.hasAuthenticationMethod("PLAIN"),
  ], [0, 0, 0, 0, true, false]);
});
