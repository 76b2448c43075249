// What pub is made of: words that are no text, files of options, properties, lines of a stream, and
// the lines of -d.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DebugLines } from "../../../src/cli/client/debug_lines.ts";
import { Draft } from "../../../src/cli/client/draft.ts";
import { LineBuffer } from "../../../src/cli/client/line_buffer.ts";
import { optionFilePath, readOptionFile } from "../../../src/cli/client/option_file.ts";
import { applyProperty } from "../../../src/cli/client/property_option.ts";
import { UsageError } from "../../../src/cli/client/usage_error.ts";
import { bytesOfText, commandWords, textOfBytes } from "../../../src/cli/client/words.ts";
import { OperationError } from "../../../src/core/base/operation_error.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import type { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { currentRuntime } from "../../../src/runtime/current.ts";
import { test } from "../../harness.ts";

const encoder = new TextEncoder();

test("textOfBytes() keeps every byte, and bytesOfText() gives it back", () => {
  for (
    const bytes of [
      [0x61, 0xff, 0x62],
      [0xc3, 0xa9, 0x0a, 0x09],
      [0xc3],
      [0xe2, 0x82, 0xac, 0xe2, 0x82],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x9f, 0x98, 0x80, 0x80],
      Array.from({ length: 255 }, (_, index) => index + 1),
    ]
  ) {
    assertEquals([...bytesOfText(textOfBytes(Uint8Array.from(bytes)))], bytes);
  }
  assertEquals(textOfBytes(Uint8Array.of(0x61, 0xff)), "a\udcff");
  assertEquals(textOfBytes(encoder.encode("é€😀")), "é€😀");
});

test("commandWords() asks the system for the words that the runtime could not read", async () => {
  const real = await currentRuntime();
  const raw = [["deno"], ["pub"], ["-m"], [0xff, 0x61]].map(([first, ...rest]) =>
    typeof first === "string" ? encoder.encode(first) : Uint8Array.of(first!, ...rest as number[])
  );
  const words = (args: readonly string[], bytes: readonly Uint8Array[] | undefined) =>
    commandWords({ ...real, argumentBytes: () => bytes }, args);
  assertEquals(words(["-m", "\ufffda"], raw), ["-m", "\udcffa"]);
  assertEquals(words(["-m", "\ufffda"], undefined), ["-m", "\ufffda"]);
  assertEquals(words(["-m", "a"], raw), ["-m", "a"]);
});

test("optionFilePath() looks where Mosquitto's tools look", () => {
  const environment = { XDG_CONFIG_HOME: "/xdg", HOME: "/home/me" };
  assertEquals(optionFilePath("pub", "mine", environment), "mine");
  assertEquals(optionFilePath("pub", undefined, environment), "/xdg/mosquitto_pub");
  assertEquals(optionFilePath("rr", undefined, { HOME: "/h" }), "/h/.config/mosquitto_rr");
  assertEquals(optionFilePath("sub", undefined, { XDG_CONFIG_HOME: "" }), undefined);
});

test("readOptionFile() reads one option a line, with the rest of the line as its argument", async () => {
  const real = await (await currentRuntime()).files();
  const read = (content: string | Uint8Array | OperationError) =>
    readOptionFile({
      ...real,
      readBytes: () =>
        content instanceof OperationError
          ? Promise.reject(content)
          : Promise.resolve(typeof content === "string" ? encoder.encode(content) : content),
    }, "/o");
  assertEquals(
    await read("# a comment\n\n-d\n-t a topic  with blanks \n  -m\n--pw #1\r\n-h end"),
    [["-d"], ["-t", "a topic  with blanks "], ["-m"], ["--pw", "#1"], ["-h", "end"]],
  );
  assertEquals(await read(`-m ${"x".repeat(1020)}`), [["-m", "x".repeat(1020)]]);
  assertEquals(await read(Uint8Array.of(0x2d, 0x6d, 0x20, 0xff)), [["-m", "\udcff"]]);
  assertEquals(await read(new OperationError("not-found", "none")), []);
  const complaint = async (content: Parameters<typeof read>[0]): Promise<string> =>
    (await assertRejects(() => read(content), UsageError)).message;
  assertEquals(
    await complaint(`-d\n-m ${"x".repeat(1021)}`),
    'Error: Line 2 of options file "/o" is longer than 1023 bytes.',
  );
  assertEquals(await complaint("-m a\0b"), 'Error: "/o" is not an options file.');
  assertEquals(
    await complaint(new OperationError("permission-denied", "no")),
    'Error: Unable to read options file "/o".',
  );
});

test("applyProperty() takes each property of each packet", () => {
  const draft = new Draft("pub");
  const apply = (text: string) => applyProperty(draft, [...text.split(" "), "-more"]);
  const counts = [
    "connect authentication-data data",
    "connect authentication-method method",
    "CONNECT Maximum-Packet-Size 4294967295",
    "connect receive-maximum 65535",
    "connect request-problem-information 0",
    "connect request-response-information 1",
    "connect session-expiry-interval 5",
    "connect topic-alias-maximum 0",
    "connect user-property k v",
    "connect user-property k w",
    "publish content-type text",
    "publish correlation-data d\udcff",
    "publish message-expiry-interval 0",
    "publish payload-format-indicator 1",
    "publish response-topic r/s",
    "publish topic-alias 1",
    "subscribe subscription-identifier 268435455",
    "unsubscribe user-property k v",
    "disconnect session-expiry-interval 9",
    "disconnect reason-string why",
    "disconnect server-reference there",
    "will will-delay-interval 7",
    "will content-type text",
  ].map(apply);
  assertEquals(counts.filter((count) => count === 4).length, 3);
  assertEquals(counts.filter((count) => count === 3).length, counts.length - 3);
  assertEquals(draft.properties, {
    connect: {
      authenticationData: encoder.encode("data"),
      authenticationMethod: "method",
      maximumPacketSize: 4294967295,
      receiveMaximum: 65535,
      requestProblemInformation: false,
      requestResponseInformation: true,
      sessionExpiryInterval: 5,
      topicAliasMaximum: 0,
      userProperties: [["k", "v"], ["k", "w"]],
    },
    publish: {
      contentType: "text",
      correlationData: Uint8Array.of(0x64, 0xff),
      messageExpiryInterval: 0,
      payloadFormatIndicator: 1,
      responseTopic: "r/s",
      topicAlias: 1,
    },
    subscribe: { subscriptionIds: [268435455] },
    unsubscribe: { userProperties: [["k", "v"]] },
    disconnect: { sessionExpiryInterval: 9, reasonString: "why", serverReference: "there" },
    will: { willDelayInterval: 7, contentType: "text" },
  });
});

test("applyProperty() refuses what is no property, or not of that packet", () => {
  const protocol = "A network protocol error occurred when communicating with the broker";
  const inArgument = "in --property argument.";
  const few = "Error: --property argument given but not enough arguments specified.";
  for (
    const [words, expected] of [
      ["connect", few],
      ["connect receive-maximum", few],
      ["connect user-property k", few],
      ["conect receive-maximum 1", `Error: Invalid command conect given ${inArgument}`],
      ["connect Receive 1", `Error: Invalid property name Receive given ${inArgument}`],
      ["will toString 1", `Error: Invalid property name toString given ${inArgument}`],
      [
        "puback reason-string x",
        `Error: reason-string property not supported for puback ${inArgument}`,
      ],
      [
        "Auth user-property x",
        `Error: user-property property not supported for Auth ${inArgument}`,
      ],
      [
        "publish subscription-identifier 1",
        `Error: subscription-identifier property not supported for publish ${inArgument}`,
      ],
      [
        "connect content-type x",
        `Error: content-type property not allowed for connect ${inArgument}`,
      ],
      [
        "connect server-keep-alive 1",
        `Error: server-keep-alive property not allowed for connect ${inArgument}`,
      ],
      ...[
        ["connect receive-maximum", "65536"],
        ["connect receive-maximum", "x"],
        ["publish message-expiry-interval", "-1"],
        ["will will-delay-interval", "4294967296"],
        ["publish payload-format-indicator", "256"],
        ["subscribe subscription-identifier", "268435456"],
      ].map(([property, value]) => [
        `${property} ${value}`,
        `Error: Property value (${value}) out of range for property ${property!.split(" ")[1]}.`,
      ]),
      ["connect receive-maximum 0", `Error in CONNECT properties: ${protocol}`],
      ["connect maximum-packet-size 0", `Error in CONNECT properties: ${protocol}`],
      ["connect request-problem-information 2", `Error in CONNECT properties: ${protocol}`],
      ["publish payload-format-indicator 2", `Error in PUBLISH properties: ${protocol}`],
      ["publish topic-alias 0", `Error in PUBLISH properties: ${protocol}`],
      ["publish response-topic a/#", `Error in PUBLISH properties: ${protocol}`],
      ["subscribe subscription-identifier 0", `Error in SUBSCRIBE properties: ${protocol}`],
      ["will content-type \udcff", "Error: Malformed UTF-8 in --property argument."],
      ["will user-property k \udcff", "Error: Malformed UTF-8 in --property argument."],
    ] as [string, string][]
  ) {
    const draft = new Draft("pub");
    const error = assertThrows(() => applyProperty(draft, words.split(" ")), UsageError);
    assertEquals([error.message, error.hint], [expected, "help"], words);
  }
  const twice = new Draft("pub");
  applyProperty(twice, ["will", "content-type", "a"]);
  const error = assertThrows(() => applyProperty(twice, ["will", "content-type", "a"]), UsageError);
  assertEquals(
    error.message,
    "Error in WILL properties: Duplicate property in property list",
  );
});

/** All lines of a text that arrives in pieces of this size. */
function linesOf(text: string, pieceBytes: number): string[] {
  const buffer = new LineBuffer();
  const bytes = encoder.encode(text);
  const lines: string[] = [];
  const takeAll = (): void => {
    while (buffer.find()) {
      lines.push(new TextDecoder().decode(buffer.bytes.subarray(buffer.start, buffer.end)));
      buffer.take();
    }
  };
  for (let at = 0; at < bytes.length;) {
    const room = buffer.room();
    const piece = bytes.subarray(at, at + Math.min(pieceBytes, room.length));
    room.set(piece);
    buffer.add(piece.length);
    at += piece.length;
    takeAll();
    assertEquals(buffer.isAtEnd, false);
  }
  buffer.add(undefined);
  takeAll();
  assertEquals(buffer.isAtEnd, true);
  return lines;
}

test("LineBuffer gives every line whole, however it arrives and however long it is", () => {
  const long = "y".repeat(700_000);
  const text = `one\n\nthree\r\n${long}\n${"ab\n".repeat(120_000)}last`;
  const expected = ["one", "", "three\r", long, ...Array(120_000).fill("ab"), "last"];
  for (const pieceBytes of [1000, 65_536, 1_000_000]) {
    assertEquals(linesOf(text, pieceBytes).join("|") === expected.join("|"), true);
  }
  for (const pieceBytes of [1, 2, 3]) {
    assertEquals(linesOf("a\n\nb", pieceBytes), ["a", "", "b"]);
    assertEquals(linesOf("a\nb\n", pieceBytes), ["a", "b"]);
    assertEquals(linesOf("\n", pieceBytes), [""]);
  }
  assertEquals(linesOf("", 1), []);
});

test("LineBuffer finds nothing that is not there while more is being read", () => {
  const buffer = new LineBuffer();
  // All but so little of it is taken that what is left has to move before more is read.
  const room = buffer.room();
  room.fill(0x0a);
  room.set(encoder.encode("end"), room.length - 3);
  buffer.add(room.length);
  while (buffer.find()) buffer.take();
  buffer.room();
  assertEquals([buffer.find(), buffer.waitingBytes, buffer.isAtEnd], [false, 3, false]);
  buffer.add(undefined);
  assertEquals([buffer.find(), buffer.start, buffer.end], [true, 0, 3]);
});

test("LineBuffer shows a line until it is taken", () => {
  const buffer = new LineBuffer();
  buffer.room().set(encoder.encode("ab\ncd"));
  buffer.add(5);
  for (let times = 0; times < 2; times++) {
    assertEquals([buffer.find(), buffer.start, buffer.end], [true, 0, 2]);
  }
  buffer.take();
  assertEquals([buffer.find(), buffer.waitingBytes], [false, 2]);
});

/** What -d prints of packets in both directions. */
function debugged(
  version: ProtocolVersion,
  packets: readonly (readonly ["sent" | "received", Packet])[],
): string[] {
  let printed = "";
  const lines = new DebugLines(version, (text) => printed += text);
  for (const [direction, packet] of packets) {
    const writer = new Writer(new Uint8Array(64));
    encodePacket(writer, packet, version);
    const framer = new Framer();
    framer.feed(writer.bytes.subarray(0, writer.length));
    while (framer.next()) lines[direction](framer);
  }
  return printed.trimEnd().split("\n");
}

test("DebugLines words each packet as Mosquitto's tools do", () => {
  const properties = {};
  const ok = 0 as ReasonCode;
  const message = {
    type: "publish",
    topic: "a/b",
    payload: encoder.encode("hello"),
    qos: 0,
    retain: true,
    dup: false,
    packetId: 0,
    properties,
  } as const;
  const options = { noLocal: false, retainAsPublished: true, retainHandling: 2 } as const;
  assertEquals(
    debugged(5, [
      ["sent", {
        type: "connect",
        protocolVersion: 5,
        isBridge: false,
        clientId: "",
        cleanStart: true,
        keepAlive: 60,
        properties,
      }],
      ["received", {
        type: "connack",
        sessionPresent: false,
        reasonCode: ok,
        properties: { assignedClientId: "auto-1" },
      }],
      ["sent", {
        type: "subscribe",
        packetId: 1,
        subscriptions: [
          { filter: "a/#", qos: 1, ...options },
          { filter: "b", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        ],
        properties,
      }],
      ["received", {
        type: "suback",
        packetId: 1,
        reasonCodes: [1, 135] as ReasonCode[],
        properties,
      }],
      ["sent", { type: "unsubscribe", packetId: 2, filters: ["c", "d"], properties }],
      ["received", { type: "unsuback", packetId: 2, reasonCodes: [ok, ok], properties }],
      ["sent", message],
      ["sent", { ...message, topic: "", properties: { topicAlias: 1 } }],
      ["sent", { ...message, qos: 2, dup: true, retain: false, packetId: 9 }],
      ["received", { type: "pubrec", packetId: 9, reasonCode: ok, properties }],
      ["sent", { type: "pubrel", packetId: 9, reasonCode: ok, properties }],
      ["received", { type: "pubcomp", packetId: 9, reasonCode: ok, properties }],
      ["received", { ...message, qos: 1, packetId: 7, payload: new Uint8Array(0) }],
      ["sent", { type: "puback", packetId: 7, reasonCode: ok, properties }],
      ["sent", { type: "pubrec", packetId: 8, reasonCode: ok, properties }],
      ["received", { type: "pubrel", packetId: 8, reasonCode: ok, properties }],
      ["sent", { type: "pubcomp", packetId: 8, reasonCode: ok, properties }],
      ["received", {
        type: "puback",
        packetId: 10,
        reasonCode: 16 as ReasonCode,
        properties,
      }],
      ["sent", { type: "pingreq" }],
      ["received", { type: "pingresp" }],
      ["received", {
        type: "auth",
        reasonCode: 24 as ReasonCode,
        properties: { authenticationMethod: "m" },
      }],
      ["sent", { type: "disconnect", reasonCode: ok, properties }],
      ["received", { type: "disconnect", reasonCode: 142 as ReasonCode, properties }],
    ]),
    [
      "Client (null) sending CONNECT",
      "Client auto-1 received CONNACK (0)",
      "Client auto-1 sending SUBSCRIBE (Mid: 1, Topic: a/#, QoS: 1, Options: 0x28)",
      "Client auto-1 sending SUBSCRIBE (Mid: 1, Topic: b, QoS: 0, Options: 0x00)",
      "Client auto-1 received SUBACK",
      "Client auto-1 sending UNSUBSCRIBE (Mid: 2, Topic: c)",
      "Client auto-1 sending UNSUBSCRIBE (Mid: 2, Topic: d)",
      "Client auto-1 received UNSUBACK",
      "Client auto-1 sending PUBLISH (d0, q0, r1, m3, 'a/b', ... (5 bytes))",
      "Client auto-1 sending PUBLISH (d0, q0, r1, m4, '(null)', ... (5 bytes))",
      "Client auto-1 sending PUBLISH (d1, q2, r0, m9, 'a/b', ... (5 bytes))",
      "Client auto-1 received PUBREC (Mid: 9)",
      "Client auto-1 sending PUBREL (m9)",
      "Client auto-1 received PUBCOMP (Mid: 9, RC:0)",
      "Client auto-1 received PUBLISH (d0, q1, r1, m7, 'a/b', ... (0 bytes))",
      "Client auto-1 sending PUBACK (m7, rc0)",
      "Client auto-1 sending PUBREC (m8, rc0)",
      "Client auto-1 received PUBREL (Mid: 8)",
      "Client auto-1 sending PUBCOMP (m8)",
      "Client auto-1 received PUBACK (Mid: 10, RC:16)",
      "Client auto-1 sending PINGREQ",
      "Client auto-1 received PINGRESP",
      "Client auto-1 received AUTH",
      "Client auto-1 sending DISCONNECT",
      "Received DISCONNECT (142)",
    ],
  );
  const refused = { type: "connack", sessionPresent: false, reasonCode: 135, properties } as const;
  assertEquals(debugged(4, [["received", refused]]), ["Client (null) received CONNACK (5)"]);
});
