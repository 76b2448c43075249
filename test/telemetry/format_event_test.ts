// Each line of the log, to the letter.

import { assertEquals } from "@std/assert";
import type { BrokerEvent, CloseCause, PacketEvent } from "../../src/core/broker/event.ts";
import { formatEvent } from "../../src/telemetry/format_event.ts";
import { test } from "../harness.ts";

const peer = { remoteAddress: "127.0.0.1", remotePort: 4711, localPort: 1883 };

function lines(event: BrokerEvent): string[] {
  return formatEvent(event).map(({ type, text }) => `${type}|${text}`);
}

/** Fields of a packet, without those that all have. */
type PacketFields = Omit<PacketEvent, "kind" | "clientId">;

function packetLines(fields: PacketFields): string[] {
  return lines({ kind: "packet", clientId: "c1", ...fields });
}

test("formatEvent() tells of a connection and the port it came to", () => {
  assertEquals(lines({ kind: "opened", peer }), [
    "notice|New connection from 127.0.0.1:4711 on port 1883.",
  ]);
});

test("formatEvent() calls a Unix socket by its path", () => {
  const unix = { remoteAddress: "/run/midge.sock", remotePort: 0, localPort: 0 };
  assertEquals(lines({ kind: "opened", peer: unix }), [
    "notice|New connection from /run/midge.sock:0 on port 0.",
  ]);
});

test("formatEvent() says nothing of a connection that a proxy has made", () => {
  assertEquals(lines({ kind: "opened", peer: { ...peer, isProxied: true } }), []);
});

test("formatEvent() tells of connections that become none", () => {
  assertEquals(lines({ kind: "denied-connection", peer }), [
    "notice|Client connection from 127.0.0.1 denied: max_connections exceeded.",
  ]);
  assertEquals(lines({ kind: "tls-on-plain", peer }), [
    "notice|Client from 127.0.0.1:4711 appears to be using TLS to connect to a non-TLS listener.",
  ]);
});

test("formatEvent() tells of a refused login, the address before what the client says", () => {
  const refused = { kind: "login-refused", peer, clientId: "c1" } as const;
  assertEquals(lines({ ...refused, username: "joe", reasonCode: 0x86 }), [
    "notice|Login refused from 127.0.0.1:4711: bad username or password (c1, u'joe').",
  ]);
  assertEquals(lines({ ...refused, username: undefined, reasonCode: 0x87 }), [
    "notice|Login refused from 127.0.0.1:4711: not authorised (c1).",
  ]);
});

test("formatEvent() tells of a session that belonged to somebody else", () => {
  const event = { kind: "session-discarded", peer, clientId: "c1" } as const;
  assertEquals(lines({ ...event, username: "joe", ownerUsername: undefined }), [
    "warning|Session of client c1 belonged to no user and was discarded: " +
    "the client identifier is now used by user 'joe' from 127.0.0.1:4711.",
  ]);
});

test("formatEvent() tells of a Will that may not be and of a client that is too fast", () => {
  assertEquals(lines({ kind: "will-not-permitted", clientId: "c1", topic: "a/b" }), [
    "notice|Client c1 may not publish its will message to 'a/b'.",
  ]);
  assertEquals(lines({ kind: "publish-rate-exceeded", clientId: "c1" }), [
    "notice|Client c1 has exceeded its publish rate and is being slowed down.",
  ]);
});

test("formatEvent() tells when the store begins to fail, when it has recovered, and what it lost", () => {
  assertEquals(lines({ kind: "store-failing", detail: "database or disk is full" }), [
    "error|Error: The database does not save: database or disk is full. " +
    "Nothing that depends on it is acknowledged until it does.",
  ]);
  assertEquals(lines({ kind: "store-recovered" }), ["notice|The database saves again."]);
  assertEquals(lines({ kind: "deliveries-lost", clientId: "c1", count: 3 }), [
    "error|Error: 3 messages for client c1 are lost from the database.",
  ]);
});

const connected = {
  kind: "connected",
  peer,
  clientId: "c1",
  protocolVersion: 5,
  cleanStart: true,
  keepAlive: 60,
  username: undefined,
  isBridge: false,
  will: undefined,
} as const;

test("formatEvent() tells of a client and that it has no Will", () => {
  assertEquals(lines(connected), [
    "notice|New client connected from 127.0.0.1:4711 as c1 (p5, c1, k60).",
    "debug|No will message specified.",
  ]);
});

test("formatEvent() tells of a client's user name and Will", () => {
  const will = { topic: "last/words", payloadBytes: 4, qos: 1, retain: true } as const;
  assertEquals(
    lines({ ...connected, protocolVersion: 4, cleanStart: false, username: "joe", will }),
    [
      "notice|New client connected from 127.0.0.1:4711 as c1 (p4, c0, k60, u'joe').",
      "debug|Will message specified (4 bytes) (r1, q1).",
      "debug|\tlast/words",
    ],
  );
});

test("formatEvent() tells of a bridge", () => {
  assertEquals(lines({ ...connected, isBridge: true }), [
    "notice|New bridge connected from 127.0.0.1:4711 as c1 (p5, c1, k60).",
    "debug|No will message specified.",
  ]);
});

test("formatEvent() tells how a connection is secured", () => {
  const tls = {
    version: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
    certificate: undefined,
    pskIdentity: undefined,
  };
  assertEquals(lines({ ...connected, peer: { ...peer, tls } }), [
    "notice|New client connected from 127.0.0.1:4711 as c1 (p5, c1, k60).",
    "notice|Client c1 negotiated TLSv1.3 cipher TLS_AES_256_GCM_SHA384",
    "debug|No will message specified.",
  ]);
  assertEquals(lines({ ...connected, peer: { ...peer, tls: { ...tls, version: "" } } }), [
    "notice|New client connected from 127.0.0.1:4711 as c1 (p5, c1, k60).",
    "debug|No will message specified.",
  ]);
});

test("formatEvent() makes only lines that are wished for", () => {
  const tls = { version: "TLSv1.2", cipher: "X", certificate: undefined, pskIdentity: undefined };
  const closed = {
    kind: "closed",
    peer,
    clientId: "c1",
    cause: "protocol error",
    detail: "No filter",
  } as const;
  const quiet = { wantsDebug: true, wantsConnections: false };
  const coming: readonly BrokerEvent[] = [
    { kind: "opened", peer },
    { kind: "denied-connection", peer },
    { kind: "tls-on-plain", peer },
    { kind: "second-connect", peer, clientId: "c1" },
    { kind: "session-expired", clientId: "c1" },
    { ...connected, peer: { ...peer, tls } },
    closed,
  ];
  assertEquals(coming.flatMap((event) => formatEvent(event, quiet)), [
    { type: "notice", text: "Client c1 negotiated TLSv1.2 cipher X" },
    { type: "information", text: "Protocol error from c1: No filter." },
  ]);
  assertEquals(formatEvent(connected, { wantsDebug: false, wantsConnections: true }), [
    { type: "notice", text: "New client connected from 127.0.0.1:4711 as c1 (p5, c1, k60)." },
  ]);
});

const REASONS: Readonly<Record<CloseCause, string | undefined>> = {
  "client disconnected": ".",
  "client disconnected with will": ".",
  "connection closed by client": ": connection closed by client.",
  "connection lost": ": bad socket read/write: The connection was lost.",
  "malformed packet": ": malformed packet.",
  "protocol error": ": protocol error.",
  "oversize packet": ": oversize packet.",
  "not authorised": ": not authorised.",
  "exceeded timeout": ": exceeded timeout.",
  "session taken over": ": session taken over.",
  "administrative action": ": administrative action.",
  "broker stopped": undefined,
  "receive maximum exceeded": ": receive maximum exceeded.",
  "topic alias invalid": ": topic alias invalid.",
  "used disallowed feature": ": used disallowed feature.",
  "client identifier not valid": ": client identifier not valid.",
  "bad username or password": ": bad username or password.",
  "bad authentication method": ": bad authentication method.",
  "client banned": ": client banned.",
  "connection rate exceeded": ": connection rate exceeded.",
  "server unavailable": ": server unavailable.",
  "unsupported protocol version": ": protocol error.",
  "server busy": ": server busy.",
  "quota exceeded": ": quota exceeded.",
  "internal error": ": implementation specific error.",
};

for (const [cause, tail] of Object.entries(REASONS)) {
  test(`formatEvent() tells of an end by "${cause}"`, () => {
    const event = { kind: "closed", peer, clientId: "c1", detail: undefined } as const;
    assertEquals(
      // `Object.entries` forgets the type of the keys.
      lines({ ...event, cause: cause as CloseCause }),
      tail === undefined ? [] : [`notice|Client c1 [127.0.0.1:4711] disconnected${tail}`],
    );
  });
}

test("formatEvent() calls a client without an identifier by its address", () => {
  assertEquals(
    lines({
      kind: "closed",
      peer,
      clientId: undefined,
      cause: "malformed packet",
      detail: "Remaining length of five bytes",
    }),
    [
      "information|Protocol error from 127.0.0.1:4711: Remaining length of five bytes.",
      "notice|Client 127.0.0.1 [127.0.0.1:4711] disconnected: malformed packet.",
    ],
  );
});

test("formatEvent() says what was wrong before it says that a client was sent away", () => {
  assertEquals(
    lines({ kind: "closed", peer, clientId: "c1", cause: "protocol error", detail: "No filter" }),
    [
      "information|Protocol error from c1: No filter.",
      "notice|Client c1 [127.0.0.1:4711] disconnected: protocol error.",
    ],
  );
});

test("formatEvent() gives the system's words for a lost connection", () => {
  assertEquals(
    lines({
      kind: "closed",
      peer,
      clientId: "c1",
      cause: "connection lost",
      detail: "Connection reset by peer",
    }),
    ["notice|Client c1 [127.0.0.1:4711] disconnected: Connection reset by peer."],
  );
});

test("formatEvent() tells of a second CONNECT", () => {
  assertEquals(lines({ kind: "second-connect", peer, clientId: "c1" }), [
    "notice|Bad client 127.0.0.1:4711 sending multiple CONNECT messages.",
  ]);
});

test("formatEvent() lists subscriptions under types of their own", () => {
  assertEquals(lines({ kind: "subscribed", clientId: "c1", filter: "a/#", qos: 2 }), [
    "subscribe|c1 2 a/#",
  ]);
  assertEquals(lines({ kind: "unsubscribed", clientId: "c1", filter: "a/#" }), [
    "unsubscribe|c1 a/#",
  ]);
});

test("formatEvent() tells of what happens to a session", () => {
  assertEquals(lines({ kind: "session-expired", clientId: "c1" }), [
    "notice|Expiring client c1 due to timeout.",
  ]);
  assertEquals(lines({ kind: "dropping", clientId: "c1" }), [
    "notice|Outgoing messages are being dropped for client c1.",
  ]);
  assertEquals(lines({ kind: "oversize-delivery", clientId: "c1", packetBytes: 900 }), [
    "debug|Dropping too large outgoing PUBLISH for c1 (900 bytes)",
  ]);
  assertEquals(lines({ kind: "receive-maximum-exceeded", clientId: "c1" }), [
    "warning|Client c1 has exceeded its receive-maximum quota. " +
    "This behaviour must be fixed on the client.",
  ]);
});

const publish = {
  type: "publish",
  dup: true,
  qos: 2,
  retain: false,
  packetId: 7,
  topic: "a/b",
  payloadBytes: 2,
} as const;

const PACKETS: readonly (readonly [PacketFields, ...string[]])[] = [
  [
    { action: "sending", type: "connack", sessionPresent: true, reasonCode: 0 },
    "Sending CONNACK to c1 (1, 0)",
  ],
  [
    { action: "sending", type: "connack", sessionPresent: false, reasonCode: 135 },
    "Sending CONNACK to c1 (0, 135)",
  ],
  [
    { action: "received", ...publish },
    "Received PUBLISH from c1 (d1, q2, r0, m7, 'a/b', ... (2 bytes))",
  ],
  [
    { action: "received", type: "publish", qos: 0, retain: true, topic: "a", payloadBytes: 0 },
    "Received PUBLISH from c1 (d0, q0, r1, m0, 'a', ... (0 bytes))",
  ],
  [
    { action: "sending", ...publish },
    "Sending PUBLISH to c1 (d1, q2, r0, m7, 'a/b', ... (2 bytes))",
  ],
  [
    { action: "denied", ...publish },
    "Denied PUBLISH from c1 (d1, q2, r0, m7, 'a/b', ... (2 bytes))",
  ],
  [{ action: "over-quota", ...publish }, "Rejected PUBLISH from c1, quota exceeded."],
  [
    { action: "dropped-too-large", ...publish },
    "Dropped too large PUBLISH from c1 (d1, q2, r0, m7, 'a/b', ... (2 bytes))",
  ],
  [
    { action: "denied-delivery", ...publish },
    "Denied PUBLISH to c1 (q2, r0, 'a/b', ... (2 bytes))",
  ],
  [
    { action: "received", type: "puback", packetId: 7, reasonCode: 16 },
    "Received PUBACK from c1 (Mid: 7, RC:16)",
  ],
  [{ action: "received", type: "pubrec", packetId: 7 }, "Received PUBREC from c1 (Mid: 7)"],
  [{ action: "received", type: "pubrel", packetId: 7 }, "Received PUBREL from c1 (Mid: 7)"],
  [
    { action: "received", type: "pubcomp", packetId: 7, reasonCode: 0 },
    "Received PUBCOMP from c1 (Mid: 7, RC:0)",
  ],
  [
    { action: "sending", type: "puback", packetId: 7, reasonCode: 135 },
    "Sending PUBACK to c1 (m7, rc135)",
  ],
  [
    { action: "sending", type: "pubrec", packetId: 7, reasonCode: 0 },
    "Sending PUBREC to c1 (m7, rc0)",
  ],
  [{ action: "sending", type: "pubrel", packetId: 7 }, "Sending PUBREL to c1 (m7)"],
  [{ action: "sending", type: "pubcomp", packetId: 7 }, "Sending PUBCOMP to c1 (m7)"],
  [
    {
      action: "received",
      type: "subscribe",
      filters: [{ filter: "a/#", reasonCode: 1 }, { filter: "b", reasonCode: 135 }],
    },
    "Received SUBSCRIBE from c1",
    "\ta/# (QoS 1)",
    "\tb (denied)",
  ],
  [{ action: "sending", type: "suback" }, "Sending SUBACK to c1"],
  [
    { action: "received", type: "unsubscribe", filters: [{ filter: "a/#", reasonCode: 17 }] },
    "Received UNSUBSCRIBE from c1",
    "\ta/#",
  ],
  [{ action: "sending", type: "unsuback" }, "Sending UNSUBACK to c1"],
  [{ action: "received", type: "pingreq" }, "Received PINGREQ from c1"],
  [{ action: "sending", type: "pingresp" }, "Sending PINGRESP to c1"],
  [{ action: "received", type: "disconnect" }, "Received DISCONNECT from c1"],
  [
    { action: "sending", type: "disconnect", reasonCode: 142 },
    "Sending DISCONNECT to c1 (rc142)",
  ],
  [{ action: "received", type: "auth", reasonCode: 25 }, "Received AUTH from c1 (rc25)"],
  [{ action: "sending", type: "auth", reasonCode: 24 }, "Sending AUTH to c1 (rc24)"],
];

for (const [fields, ...expected] of PACKETS) {
  test(`formatEvent() says "${expected[0]}"`, () => {
    assertEquals(packetLines(fields), expected.map((text) => `debug|${text}`));
  });
}
