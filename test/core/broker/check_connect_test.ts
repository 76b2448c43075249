// Who a CONNECT is taken to be before anybody is asked; what is refused is in the conformance tests.

import { assertEquals } from "@std/assert";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { type ConnectRequest, OPEN_POLICY } from "../../../src/core/broker/question.ts";
import type { ListenerSettings, TlsPeer } from "../../../src/core/session/peer.ts";
import { test } from "../../harness.ts";
import { bytesOf, connect } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const TLS: TlsPeer = {
  version: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  certificate: { commonName: "alice", subject: "CN=alice,O=Example" },
  pskIdentity: undefined,
};

/** What the policy is asked about a CONNECT with a user name and a password. */
function asked(settings: Partial<ListenerSettings>, tls: TlsPeer = TLS): ConnectRequest {
  const requests: ConnectRequest[] = [];
  const broker = new VirtualBroker({
    policy: {
      ...OPEN_POLICY,
      connect: (request) => {
        requests.push(request);
        return 0;
      },
    },
  });
  const listener = { ...DEFAULT_LISTENER, ...settings };
  broker.connect({ username: "user", password: bytesOf("secret") }, { tls, listener });
  return requests[0]!;
}

function told({ clientId, username, isIdentified, password }: ConnectRequest): unknown {
  return [clientId, username, isIdentified, password === undefined ? "none" : "password"];
}

test("checkConnect() takes the user name of the CONNECT, or the identity that TLS has proven", () => {
  const psk: TlsPeer = { ...TLS, certificate: undefined, pskIdentity: "device" };
  const { commonName: _, ...rest } = TLS.certificate!;
  const nameless: TlsPeer = { ...TLS, certificate: { ...rest, commonName: undefined } };
  assertEquals([
    told(asked({})),
    told(asked({ identitySource: "common-name" })),
    told(asked({ identitySource: "subject" })),
    told(asked({ identitySource: "common-name" }, psk)),
    told(asked({ identitySource: "subject" }, nameless)),
    told(asked({ usesUsernameAsClientId: true })),
    told(asked({ usesUsernameAsClientId: true, identitySource: "common-name" })),
  ], [
    ["client", "user", false, "password"],
    ["client", "alice", true, "none"],
    ["client", "CN=alice,O=Example", true, "none"],
    ["client", "device", true, "none"],
    ["client", "CN=alice,O=Example", true, "none"],
    ["user", "user", false, "password"],
    ["alice", "alice", true, "none"],
  ]);
});

test("checkConnect() tells a version 5 client of the user name that became its identifier", () => {
  const broker = new VirtualBroker({ listener: { usesUsernameAsClientId: true } });
  const client = broker.connect({ clientId: "", username: "user" });
  assertEquals(client.connack?.properties.assignedClientId, "user");
  const prefixed = { ...DEFAULT_LISTENER, usesUsernameAsClientId: true };
  const strict = new VirtualBroker({ limits: { clientIdPrefixes: ["u"] } });
  const named = strict.connect({ clientId: "x", username: "user" }, { listener: prefixed });
  const other = strict.connect({ clientId: "ux", username: "nobody" }, { listener: prefixed });
  assertEquals([named.isClosed, other.isClosed], [false, true]);
});

test("checkConnect() names what was wrong for the log, and gives nobody a session", () => {
  const cases: readonly [Partial<ListenerSettings>, Parameters<typeof connect>[0], string][] = [
    [{ protocolVersions: [4] }, {}, "unsupported protocol version"],
    [{ allowZeroLengthClientId: false }, { clientId: "" }, "client identifier not valid"],
    [{ identitySource: "common-name" }, {}, "bad username or password"],
    [{ usesUsernameAsClientId: true }, {}, "not authorised"],
  ];
  for (const [settings, parts, cause] of cases) {
    const broker = new VirtualBroker({ listener: settings });
    broker.open().send(connect(parts));
    const closed = broker.takeEvents().filter((event) => event.kind !== "opened");
    assertEquals(closed.map((event) => event.kind === "closed" && event.cause), [cause]);
    assertEquals([broker.core.sessionCount, broker.core.counters.connectsReceived], [0, 1]);
  }
});
