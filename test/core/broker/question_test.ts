// The policy of a broker that was given none.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY } from "../../../src/core/broker/question.ts";
import type { ListenerSettings } from "../../../src/core/session/peer.ts";
import { test } from "../../harness.ts";

const LISTENER: ListenerSettings = {
  name: "",
  protocolVersions: [3, 4, 5],
  maximumQos: 2,
  topicAliasMaximum: 10,
  topicAliasMaximumBroker: 10,
  allowZeroLengthClientId: true,
  autoIdPrefix: "auto-",
  connectionsMax: Infinity,
  mountPoint: "",
  usesUsernameAsClientId: false,
  identitySource: "none",
};

test("OPEN_POLICY lets everybody do everything, and knows no method of authentication", () => {
  const client = {
    clientId: "c",
    username: undefined,
    listener: undefined,
    policyNotes: undefined,
  };
  const peer = { remoteAddress: "", remotePort: 0, localPort: 0 };
  const request = {
    peer,
    clientId: "c",
    username: undefined,
    listener: LISTENER,
    isIdentified: false,
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
    OPEN_POLICY.hasRetained(client, "a"),
    OPEN_POLICY.hasAuthenticationMethod("PLAIN"),
  ], [0, 0, 0, 0, true, true, false]);
});
