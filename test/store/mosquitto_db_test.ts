// Mosquitto's database of every version, whole, cut off, and with bytes that are not what they were.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MosquittoDbError } from "../../src/store/mosquitto_chunk.ts";
import { openMosquittoDb, unsupportedChunkText } from "../../src/store/mosquitto_db.ts";
import { test } from "../harness.ts";
import {
  fullMosquittoDb,
  mosquittoDb,
  PROPERTIES,
  propertyBlock,
} from "../support/mosquitto_db_file.ts";

const VERSIONS = [2, 3, 4, 5, 6] as const;
const HEAD_BYTES = 23;

const text = (bytes: unknown): unknown =>
  bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : bytes;

/** The chunks with their texts and payloads as text, without their places. */
function chunksOf(bytes: Uint8Array): unknown[] {
  return [...openMosquittoDb(bytes).chunks()].map((chunk) => {
    const { offset: _offset, length: _length, ...content } = chunk;
    return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, text(value)]));
  });
}

/** What is thrown when all chunks are read: its fault and its message. */
function faultOf(bytes: Uint8Array): [string, string] | undefined {
  try {
    chunksOf(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof MosquittoDbError)) throw error;
    return [error.fault, error.message];
  }
}

test("openMosquittoDb() reads each chunk of each version", () => {
  for (const version of VERSIONS) {
    const hasProperties = version >= 5;
    const hasSource = version >= 4;
    const bytes = fullMosquittoDb(version);
    const { crc, version: read } = openMosquittoDb(bytes);
    assertEquals([crc, read], [0, version]);
    assertEquals(chunksOf(bytes), [
      { kind: "configuration", shutdown: 1, idBytes: 8, lastStoreId: 0xfedc_ba98_7654_3210n },
      {
        kind: "base-message",
        storeId: 0xfedc_ba98_7654_3210n,
        expiryTime: hasProperties ? 2_000_000_000 : 0,
        sourcePacketId: 7,
        sourcePort: hasSource ? 1883 : 0,
        sourceClientId: "pub",
        sourceUsername: hasSource ? "alice" : "",
        topic: "a/é",
        qos: 2,
        retain: 1,
        payload: "hello",
        properties: !hasProperties ? {} : {
          payloadFormatIndicator: 1,
          contentType: "text",
          responseTopic: "re/ply",
          correlationData: Uint8Array.of(0xca, 0x0e),
          userProperties: [["k", "v"], ["k", "w"]],
        },
      },
      {
        kind: "base-message",
        storeId: 2n,
        expiryTime: 0,
        sourcePacketId: 0,
        sourcePort: 0,
        sourceClientId: "",
        sourceUsername: "",
        topic: "b",
        qos: 0,
        retain: 0,
        payload: text(Uint8Array.of(0, 255, 1)),
        properties: {},
      },
      {
        kind: "client",
        clientId: "c1",
        username: version === 6 ? "bob" : undefined,
        sessionExpiryTime: hasProperties ? 2_000_000_001 : undefined,
        sessionExpiryInterval: hasProperties ? 3600 : undefined,
        lastPacketId: 9,
        listenerPort: version === 6 ? 8883 : 0,
      },
      {
        kind: "client-message",
        clientId: "c1",
        storeId: 2n,
        packetId: 8,
        qos: 1,
        retain: 1,
        dup: 1,
        direction: 1,
        state: 3,
        subscriptionId: hasProperties ? 300 : 0,
      },
      {
        kind: "subscription",
        clientId: "c1",
        filter: "a/#",
        qos: 2,
        options: hasProperties ? 0x2c : 0,
        subscriptionId: hasProperties ? 300 : 0,
      },
      { kind: "retained", storeId: 0xfedc_ba98_7654_3210n },
    ], `version ${version}`);
  }
});

test("openMosquittoDb() tells where each chunk stands, and begins anew when asked again", () => {
  const data = Uint8Array.of(1, 2, 3);
  for (const version of VERSIONS) {
    const headerBytes = version >= 5 ? 8 : 6;
    const db = openMosquittoDb(mosquittoDb(version, [
      { kind: "retained", storeId: 1n },
      { kind: "raw", type: 77, data },
      { kind: "retained", storeId: 2n },
    ]));
    const expected = [
      { kind: "retained", storeId: 1n, offset: HEAD_BYTES, length: 8 },
      { kind: "unknown", type: 77, offset: HEAD_BYTES + headerBytes + 8, length: 3 },
      { kind: "retained", storeId: 2n, offset: HEAD_BYTES + 2 * headerBytes + 11, length: 8 },
    ];
    assertEquals([...db.chunks()], expected as unknown);
    assertEquals([...db.chunks()], expected as unknown);
  }
  assertEquals(
    unsupportedChunkText(77),
    'Warning: Unsupported chunk "77" in persistent database file. Ignoring.',
  );
});

test("openMosquittoDb() reads a file that lies within a larger array", () => {
  const bytes = fullMosquittoDb(6);
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 10);
  assertEquals(chunksOf(larger.subarray(10, 10 + bytes.length)), chunksOf(bytes));
});

test("openMosquittoDb() refuses what is no database, or one of another version", () => {
  const bytes = fullMosquittoDb(6);
  const other = bytes.slice();
  other[14] = 0x41;
  for (const no of [new Uint8Array(0), bytes.subarray(0, 14), other, new Uint8Array(4096)]) {
    assertEquals(faultOf(no), ["unrecognised-format", "Unrecognised file format"]);
  }
  for (const version of [0, 1, 7, 0xffffffff]) {
    assertEquals(faultOf(mosquittoDb(version, [])), [
      "unsupported-version",
      `Unsupported persistent database format version ${version} (need version 6)`,
    ]);
  }
  assertEquals(faultOf(bytes.subarray(0, 22)), [
    "corrupt",
    "The file ends within its head, at byte 22",
  ]);
});

test("openMosquittoDb() tells which chunk is damaged", () => {
  const client = { kind: "client", clientId: "c" } as const;
  const faultOfSecond = (data: Uint8Array, type: number, version: number) =>
    faultOf(mosquittoDb(version, [client, { kind: "raw", type, data }]));
  const base = { kind: "base-message", storeId: 1n, topic: "t", payload: "p" } as const;
  // Where the second chunk stands.
  const at = (version: number): number => mosquittoDb(version, [client]).length;
  for (const version of VERSIONS) {
    for (let type = 1; type <= 6; type++) {
      assertEquals(faultOfSecond(new Uint8Array(1), type, version), [
        "corrupt",
        `The chunk at byte ${at(version)} ends before what it must hold`,
      ]);
    }
    assertEquals(faultOfSecond(new Uint8Array(9), 4, version), [
      "corrupt",
      `The chunk at byte ${at(version)} goes on after what it must hold`,
    ]);
    assertEquals(faultOf(mosquittoDb(version, [client, { kind: "configuration", idBytes: 4 }])), [
      "corrupt",
      `The chunk at byte ${at(version)} tells of identifiers of 4 bytes and not of 8`,
    ]);
  }
  for (const version of [5, 6]) {
    const properties = [
      propertyBlock([0x02, 0, 0, 0]),
      propertyBlock([0x11, 0, 0, 0, 1]),
      Uint8Array.of(9, 0x01, 1),
      Uint8Array.of(0, 0x01),
      Uint8Array.of(...PROPERTIES, 0),
    ];
    for (const each of properties) {
      assertEquals(faultOf(mosquittoDb(version, [client, { ...base, properties: each }])), [
        "corrupt",
        `The chunk at byte ${at(version)} holds properties that make no sense`,
      ]);
    }
  }
});

test("openMosquittoDb() reads a file that is cut off up to the cut, and then says so", () => {
  for (const version of VERSIONS) {
    const bytes = fullMosquittoDb(version);
    const whole = [...openMosquittoDb(bytes).chunks()];
    const headerBytes = version >= 5 ? 8 : 6;
    for (let length = HEAD_BYTES; length < bytes.length; length++) {
      const chunks = openMosquittoDb(bytes.subarray(0, length)).chunks();
      for (const chunk of whole) {
        if (chunk.offset + headerBytes + chunk.length <= length) {
          assertEquals(chunks.next().value, chunk);
          continue;
        }
        // Not even a header is left: the end, as it is for Mosquitto.
        if (chunk.offset + headerBytes > length) {
          assertEquals(chunks.next().done, true);
          break;
        }
        const error = assertThrows(() => chunks.next(), MosquittoDbError);
        assertEquals(error.message, `The chunk at byte ${chunk.offset} ends beyond the file`);
        break;
      }
    }
  }
});

test("openMosquittoDb() throws nothing but its error for any bytes, and gives only views", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...VERSIONS), flips, fc.nat(), (version, changes, cut) => {
      const whole = fullMosquittoDb(version);
      for (const [at, value] of changes) whole[at % whole.length] = value;
      const bytes = whole.subarray(0, cut % 3 === 0 ? cut % whole.length : whole.length);
      try {
        for (const chunk of openMosquittoDb(bytes).chunks()) {
          for (const [name, value] of Object.entries(chunk)) {
            if (!(value instanceof Uint8Array)) continue;
            // Nothing was allocated, whatever length was claimed.
            if (value.length > 0) assertEquals([name, value.buffer === bytes.buffer], [name, true]);
          }
        }
      } catch (error) {
        if (!(error instanceof MosquittoDbError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...VERSIONS),
      (tail, version) => {
        const head = mosquittoDb(version, []);
        const bytes = new Uint8Array(head.length + tail.length);
        bytes.set(head);
        bytes.set(tail, head.length);
        faultOf(bytes);
      },
    ),
    { numRuns: 2000 },
  );
});
