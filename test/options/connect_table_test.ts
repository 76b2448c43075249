// What each version is answered to a CONNECT, case by case and byte by byte, by a broker as a
// process: once with nothing but defaults, and once with everything forbidden that can be.
//
// Two cases are elsewhere: who sends no CONNECT at all is left waiting for half a minute (B-07),
// and methods of enhanced authentication need a plugin.

import { assertEquals } from "@std/assert";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { binaryHeader } from "../support/proxy_headers.ts";
import { connectPacket, packet, type RawConnect, text, VERSIONS } from "../support/raw_packet.ts";
import { WireClient } from "../support/wire_client.ts";
import { exchangeRaw, type RawExchange } from "./raw_exchange.ts";

/**
 * What a version is answered: the code of the CONNACK before the end of the connection, `"close"`
 * for the end alone, `"ok"` for a CONNACK of success, `"-"` where the case does not exist.
 */
type Answer = number | "close" | "ok" | "-" | RawExchange;

interface Case {
  readonly name: string;
  /** Which of the ports; the first unless given. */
  readonly port?: number;
  readonly connect: RawConnect | ((version: ProtocolVersion) => RawConnect);
  /** For 3.1, 3.1.1 and 5. */
  readonly answers: readonly [Answer, Answer, Answer];
  /** Bytes before the CONNECT, and packets behind it. */
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
}

const WILL_FLAG = 0x04;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USERNAME = 0x80;
const CLEAN = 0x02;

const SUCCESS = {
  3: "20 02 00 00",
  4: "20 02 00 00",
  // Topic Alias Maximum 10, Maximum Packet Size 2000000, Receive Maximum 20.
  5: "20 0e 00 00 0b 22 00 0a 27 00 1e 84 80 21 00 14",
} as const;

function expected(version: ProtocolVersion, answer: Exclude<Answer, "-">): RawExchange {
  if (answer === "close") return { answer: "", isClosed: true };
  if (answer === "ok") return { answer: SUCCESS[version], isClosed: false };
  if (typeof answer === "object") return answer;
  const code = answer.toString(16).padStart(2, "0");
  // The form of the code tells that of the packet: an old one is answered in its own.
  const bytes = code >= "80" ? `20 03 00 ${code} 00` : `20 02 00 ${code}`;
  return { answer: bytes, isClosed: true };
}

async function tryCases(midge: MidgeProcess, cases: readonly Case[]): Promise<void> {
  const found: unknown[] = [];
  const wanted: unknown[] = [];
  for (const { name, port = 1, connect, answers, before, after } of cases) {
    for (const [i, version] of VERSIONS.entries()) {
      const answer = answers[i]!;
      if (answer === "-") continue;
      const bytes = connectPacket(
        version,
        typeof connect === "function" ? connect(version) : connect,
      );
      const chunks = [before, bytes, after].filter((chunk) => chunk !== undefined);
      const got = await exchangeRaw(midge.ports[port - 1]!, ...chunks);
      found.push({ name, version, ...got });
      wanted.push({ name, version, ...expected(version, answer) });
    }
  }
  assertEquals(found, wanted);
}

const payload = (
  version: ProtocolVersion,
  ...parts: readonly (string | Uint8Array)[]
): RawConnect => ({
  flags: CLEAN | WILL_FLAG,
  payload: ["c", ...version === 5 ? [Uint8Array.of(0)] : [], ...parts],
});

/** A CONNECT with a Will. */
function will(parts: { topic?: string; message?: string; flags?: number } = {}) {
  return (version: ProtocolVersion): RawConnect => {
    const { topic = "w", message = "m", flags = 0 } = parts;
    const made = payload(version, topic, message);
    return { ...made, flags: made.flags! | flags };
  };
}

const DEFAULTS: readonly Case[] = [
  { name: "all is well", connect: {}, answers: ["ok", "ok", "ok"] },
  { name: "MQIsdp with level 4", connect: { name: "MQIsdp", level: 4 }, answers: [1, "-", "-"] },
  { name: "MQTT with level 3", connect: { name: "MQTT", level: 3 }, answers: ["-", 1, "-"] },
  { name: "MQTT with level 0", connect: { level: 0 }, answers: ["-", "-", 0x84] },
  { name: "MQTT with level 6", connect: { level: 6 }, answers: ["-", "-", 0x84] },
  { name: "another name", connect: { name: "MQTTT" }, answers: ["close", "close", "close"] },
  { name: "an old name", connect: { name: "MQIsdP" }, answers: ["close", "close", "close"] },
  { name: "no name", connect: { name: "" }, answers: ["close", "close", "close"] },
  {
    name: "a level that the listener does not accept",
    port: 2,
    connect: {},
    answers: [1, "ok", 0x84],
  },
  {
    name: "another level that the listener does not accept",
    port: 3,
    connect: {},
    answers: ["ok", 1, "ok"],
  },
  {
    name: "flags in the fixed header",
    connect: { firstByte: 0x11 },
    answers: ["ok", "close", "close"],
  },
  { name: "the reserved flag", connect: { flags: 0x03 }, answers: ["ok", "close", "close"] },
  { name: "a bridge's level 0x83", connect: { level: 0x83 }, answers: ["ok", "-", "-"] },
  { name: "a bridge's level 0x84", connect: { level: 0x84 }, answers: ["-", "ok", "-"] },
  { name: "a level 0x85", connect: { level: 0x85 }, answers: ["-", "-", 0x84] },
  {
    name: "no identifier, of a session that stays",
    connect: { payload: [""], flags: 0 },
    answers: [2, 2, "-"],
  },
  { name: "no identifier", connect: { payload: [""] }, answers: [2, "ok", "-"] },
  {
    name: "an identifier of 24 characters",
    connect: { payload: ["x".repeat(24)] },
    answers: ["ok", "ok", "ok"],
  },
  {
    name: "an identifier of 65535 bytes",
    connect: { payload: ["x".repeat(65_535)] },
    answers: ["ok", "ok", "ok"],
  },
  {
    name: "an identifier that is not UTF-8",
    connect: { payload: [text([0xc0, 0x80])] },
    answers: ["close", "close", 0x85],
  },
  {
    name: "a password without a user name",
    connect: { flags: CLEAN | PASSWORD, payload: ["c", "secret"] },
    answers: ["close", "close", "ok"],
  },
  {
    name: "a user name announced and left out",
    connect: { flags: CLEAN | USERNAME, payload: ["c"] },
    answers: ["ok", "close", "close"],
  },
  {
    name: "a password announced and left out",
    connect: { flags: CLEAN | USERNAME | PASSWORD, payload: ["c", "u"] },
    answers: ["ok", "close", "close"],
  },
  { name: "a Will", connect: will(), answers: ["ok", "ok", "ok"] },
  { name: "a Will of QoS 3", connect: will({ flags: 0x18 }), answers: ["close", "close", "close"] },
  { name: "QoS without a Will", connect: { flags: 0x0a }, answers: ["ok", "close", "close"] },
  { name: "retain without a Will", connect: { flags: 0x22 }, answers: ["ok", "close", "close"] },
  { name: "a Will without topic", connect: will({ topic: "" }), answers: ["close", "close", 0x82] },
  { name: "a Will to a/+", connect: will({ topic: "a/+" }), answers: ["close", "close", "close"] },
  { name: "a Will to #", connect: will({ topic: "#" }), answers: ["close", "close", "close"] },
  {
    name: "a Will above max_qos",
    port: 4,
    connect: will({ flags: 0x10 }),
    answers: ["close", "close", { answer: "20 05 00 9b 02 24 01", isClosed: true }],
  },
  {
    name: "bytes behind the end",
    connect: { payload: ["c", "x"] },
    answers: ["close", "close", 0x81],
  },
  { name: "no user name where one is wanted", port: 5, connect: {}, answers: [5, 5, 0x87] },
  { name: "no user name to take as identifier", port: 6, connect: {}, answers: [5, 5, 0x87] },
  {
    name: "no identity where one is wanted",
    port: 7,
    before: binaryHeader(),
    connect: {},
    answers: [4, 4, 0x86],
  },
  {
    name: "an authentication method that nobody knows",
    connect: { properties: [0x15, "GS2"] },
    answers: ["-", "-", 0x8c],
  },
  {
    name: "authentication data without a method",
    connect: { properties: [0x16, "data"] },
    answers: ["-", "-", 0x82],
  },
  { name: "Receive Maximum 0", connect: { properties: [0x21, 0, 0] }, answers: ["-", "-", 0x82] },
  {
    name: "Maximum Packet Size 0",
    connect: { properties: [0x27, 0, 0, 0, 0] },
    answers: ["-", "-", 0x82],
  },
  { name: "an unknown property", connect: { properties: [0x7f, 0] }, answers: ["-", "-", 0x81] },
  {
    name: "a property of another packet",
    connect: { properties: [0x23, 0, 1] },
    answers: ["-", "-", 0x82],
  },
  {
    name: "a property twice",
    connect: { properties: [0x21, 0, 1, 0x21, 0, 2] },
    answers: ["-", "-", 0x82],
  },
];

const FIRST = [
  "allow_anonymous true",
  "sys_interval 0",
  "listener $PORT1 127.0.0.1",
  "listener $PORT2 127.0.0.1",
  "accept_protocol_versions 4",
  "listener $PORT3 127.0.0.1",
  "accept_protocol_versions 3 5",
  "listener $PORT4 127.0.0.1",
  "max_qos 1",
  "listener $PORT5 127.0.0.1",
  "listener_allow_anonymous false",
  "listener $PORT6 127.0.0.1",
  "use_username_as_clientid true",
  "listener $PORT7 127.0.0.1",
  "enable_proxy_protocol 2",
  "use_identity_as_username true",
].join("\n");

test(
  "CONNECT is answered as each version can be, with defaults",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: FIRST }, async (midge) => {
      await tryCases(midge, DEFAULTS);

      // A Will where no client may write ends the connection; version 5 can be told why.
      for (const [version, answer] of [[3, "close"], [4, "close"], [5, 0x90]] as const) {
        const bytes = connectPacket(version, will({ topic: "$CONTROL/x" })(version));
        assertEquals(await exchangeRaw(midge.port, bytes), expected(version, answer));
      }

      // What is generated differs each time.
      const assigned = new Set<string>();
      for (let i = 0; i < 2; i++) {
        const client = await WireClient.open(midge.port, 5);
        const { properties } = await client.handshake({ clientId: "" });
        const id = properties.assignedClientId ?? "";
        assertEquals(id.replaceAll(/[0-9A-F]/g, "0"), "auto-00000000-0000-0000-0000-000000000000");
        assigned.add(id);
        client.leave();
      }
      assertEquals(assigned.size, 2);

      for (const version of VERSIONS) {
        const connect = connectPacket(version);
        const twice = await exchangeRaw(midge.port, connect, connect);
        assertEquals(twice, { answer: SUCCESS[version], isClosed: true });
        const none = await exchangeRaw(midge.port, packet(0x30, "t", "m"), connect);
        assertEquals(none, { answer: "", isClosed: true });
      }
      await midge.logged(/^Bad client 127\.0\.0\.1:\d+ sending multiple CONNECT messages\.$/, 3);

      const hello = Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3, 3);
      assertEquals(await exchangeRaw(midge.port, hello), { answer: "", isClosed: true });
      await midge.logged(
        /^Client from 127\.0\.0\.1:\d+ appears to be using TLS to connect to a non-TLS listener\.$/,
      );

      // The session that is there: 3.1 has no way to say so.
      for (const [version, present] of [[3, 0], [4, 1], [5, 1]] as const) {
        const connect = connectPacket(version, {
          flags: 0,
          properties: [0x11, 0, 0, 0, 100],
          payload: [`stays ${version}`],
        });
        const found = [];
        for (let i = 0; i < 2; i++) found.push((await exchangeRaw(midge.port, connect)).answer);
        const again = SUCCESS[version].replace(/^(20 ..) 00/, `$1 0${present}`);
        assertEquals(found, [SUCCESS[version], again]);
      }
    }),
);

/** Server Keep Alive 60 before, and Retain Available 0 among, what is told in any case. */
const LOWERED: RawExchange = {
  answer: "20 13 00 00 10 13 00 3c 22 00 0a 25 00 27 00 1e 84 80 21 00 14",
  isClosed: false,
};

const FORBIDDEN: readonly Case[] = [
  { name: "no identifier", connect: { payload: [""], keepAlive: 60 }, answers: [2, 2, 0x80] },
  {
    name: "another prefix",
    connect: { payload: ["no-ok-"], keepAlive: 60 },
    answers: [5, 5, 0x87],
  },
  {
    name: "a retained Will",
    connect: (version) => ({ ...will({ flags: WILL_RETAIN })(version), keepAlive: 60 }),
    answers: ["close", "close", 0x9a],
  },
  {
    name: "a Will that is too large",
    connect: (version) => ({ ...will({ message: "fives" })(version), keepAlive: 60 }),
    answers: [5, 5, 0x95],
  },
  {
    name: "a keep alive that is too long",
    connect: { payload: ["ok-"], keepAlive: 61 },
    answers: [2, 2, LOWERED],
  },
  {
    name: "no keep alive",
    connect: { payload: ["ok-"], keepAlive: 0 },
    answers: [2, 2, LOWERED],
  },
];

const SECOND = [
  "allow_anonymous true",
  "sys_interval 0",
  "allow_zero_length_clientid false",
  "clientid_prefixes ok-",
  "retain_available false",
  "message_size_limit 4",
  "max_keepalive 60",
  "global_max_clients 2",
  "listener $PORT1 127.0.0.1",
].join("\n");

test(
  "CONNECT is answered as each version can be, with what options forbid",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: SECOND }, async (midge) => {
      await tryCases(midge, FORBIDDEN);
      // Those who were let in are gone, and their sessions with them.
      await midge.logged(/^Client ok- \[.*\] disconnected/, 2);
      for (const clientId of ["ok-1", "ok-2"]) {
        await WireClient.connect(midge.port, 5, { clientId, keepAlive: 60 });
      }
      await tryCases(midge, [{
        name: "one client too many",
        connect: { payload: ["ok-3"], keepAlive: 60 },
        answers: ["close", "close", 0x89],
      }]);
    }),
);
