/**
 * What it costs to read and to write packets. The control is mqtt-packet, the codec of MQTT.js and
 * aedes. Both sides start from a chunk of the stream that holds ten packets, as a busy turn brings
 * it, and find the packets in it; both write into a buffer that is ready. The rows of the view are
 * the broker's own path.
 *
 * Run with `deno run -A bench/core/codec_bench.ts`.
 *
 * @module
 */

import mqttPacket from "mqtt-packet";
import { Buffer } from "node:buffer";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { PublishView } from "../../src/core/codec/publish_view.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { compare, type Row } from "../harness.ts";

/** Packets in one chunk. */
const PER_CHUNK = 10;

const PAYLOAD = new Uint8Array(64).fill(0x2a);

const PUBLISH: Packet = {
  type: "publish",
  topic: "site/7/line/3/state",
  payload: PAYLOAD,
  qos: 1,
  retain: false,
  dup: false,
  packetId: 4711,
  properties: {},
};

const PUBLISH_5: Packet = {
  ...PUBLISH,
  properties: {
    payloadFormatIndicator: 1,
    contentType: "application/json",
    responseTopic: "site/7/answers",
    correlationData: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
  },
};

const CONNECT: Packet = {
  type: "connect",
  protocolVersion: 4,
  isBridge: false,
  clientId: "device-00004711",
  cleanStart: false,
  keepAlive: 60,
  username: "device",
  password: new Uint8Array([0x73, 0x65, 0x63, 0x72, 0x65, 0x74]),
  properties: {},
};

benchPublish("PUBLISH of 64 bytes in 3.1.1", PUBLISH, 4);
benchPublish("PUBLISH of 64 bytes and four properties in 5.0", PUBLISH_5, 5);
const connects = repeat(encode(CONNECT, 4));
compare("read: CONNECT in 3.1.1", [foreignReader(connects, 4), ownReader(connects, 4)], {
  control: "mqtt-packet",
});
benchWriting("CONNECT in 3.1.1", CONNECT, 4);

function benchPublish(title: string, packet: Packet, version: ProtocolVersion): void {
  const chunk = repeat(encode(packet, version));
  compare(
    `read: ${title}`,
    [foreignReader(chunk, version), ownReader(chunk, version), viewer(chunk, version)],
    { control: "mqtt-packet" },
  );
  benchWriting(title, packet, version);
}

function foreignReader(chunk: Uint8Array, version: ProtocolVersion): Row {
  const parser = mqttPacket.parser({ protocolVersion: version });
  let seen = 0;
  parser.on("packet", () => seen++);
  parser.on("error", (error: Error) => {
    throw error;
  });
  const buffer = Buffer.from(chunk);
  return {
    name: "mqtt-packet",
    run: (iterations) => {
      for (let i = 0; i < iterations; i += PER_CHUNK) parser.parse(buffer);
      return seen;
    },
  };
}

function ownReader(chunk: Uint8Array, version: ProtocolVersion): Row {
  const framer = new Framer();
  let last: Packet | undefined;
  return {
    name: "Framer and decodePacket",
    run: (iterations) => {
      for (let i = 0; i < iterations; i += PER_CHUNK) {
        framer.feed(chunk);
        while (framer.next()) {
          const { firstByte, bytes, bodyStart, end } = framer;
          last = decodePacket(firstByte, bytes, bodyStart, end, version);
        }
        framer.keepRest();
      }
      return last;
    },
  };
}

function viewer(chunk: Uint8Array, version: ProtocolVersion): Row {
  const framer = new Framer();
  const view = new PublishView();
  let sum = 0;
  return {
    name: "Framer and PublishView",
    run: (iterations) => {
      for (let i = 0; i < iterations; i += PER_CHUNK) {
        framer.feed(chunk);
        while (framer.next()) {
          view.read(framer.firstByte, framer.bytes, framer.bodyStart, framer.end, version);
          sum += view.packetId + view.payloadStart;
        }
        framer.keepRest();
      }
      return sum;
    },
  };
}

function benchWriting(title: string, packet: Packet, version: ProtocolVersion): void {
  const theirs = toForeign(packet);
  const options = { protocolVersion: version };
  const writer = new Writer(new Uint8Array(1024));
  const bytes = encode(packet, version);
  compare(`write: ${title}`, [
    {
      name: "mqtt-packet",
      run: (iterations) => {
        let made = 0;
        for (let i = 0; i < iterations; i++) made += mqttPacket.generate(theirs, options).length;
        return made;
      },
    },
    {
      name: "encodePacket",
      run: (iterations) => {
        let made = 0;
        for (let i = 0; i < iterations; i++) {
          writer.length = 0;
          encodePacket(writer, packet, version);
          made += writer.length;
        }
        return made;
      },
    },
    {
      name: "Writer.raw of bytes that were encoded before",
      run: (iterations) => {
        let made = 0;
        for (let i = 0; i < iterations; i++) {
          writer.length = 0;
          writer.raw(bytes, 0, bytes.length);
          made += writer.length;
        }
        return made;
      },
    },
  ], { control: "mqtt-packet" });
}

/** The same packet as mqtt-packet wants it. */
function toForeign(packet: Packet): mqttPacket.Packet {
  if (packet.type === "connect") {
    return {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clientId: packet.clientId,
      clean: packet.cleanStart,
      keepalive: packet.keepAlive,
      username: packet.username!,
      password: Buffer.from(packet.password!),
    };
  }
  if (packet.type !== "publish") throw new Error("Only CONNECT and PUBLISH are compared");
  const { responseTopic, correlationData, contentType } = packet.properties;
  return {
    cmd: "publish",
    topic: packet.topic,
    payload: Buffer.from(packet.payload),
    qos: packet.qos,
    retain: packet.retain,
    dup: packet.dup,
    messageId: packet.packetId,
    ...(contentType === undefined ? {} : {
      properties: {
        payloadFormatIndicator: true,
        contentType,
        responseTopic: responseTopic!,
        correlationData: Buffer.from(correlationData!),
      },
    }),
  };
}

function encode(packet: Packet, version: ProtocolVersion): Uint8Array {
  const writer = new Writer(new Uint8Array(256));
  encodePacket(writer, packet, version);
  const bytes = writer.bytes.slice(0, writer.length);
  const theirs = mqttPacket.generate(toForeign(packet), { protocolVersion: version });
  if (theirs.length !== bytes.length) throw new Error("The two sides write different packets");
  return bytes;
}

function repeat(bytes: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(bytes.length * PER_CHUNK);
  for (let i = 0; i < PER_CHUNK; i++) chunk.set(bytes, i * bytes.length);
  return chunk;
}
