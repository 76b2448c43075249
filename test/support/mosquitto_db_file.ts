// Writes database files of Mosquitto of every version, as its own programs would have done.

import { Writer } from "../../src/core/codec/writer.ts";

/** The chunks by what differs from the plainest; texts are written as UTF-8. */
export type ChunkParts =
  | { readonly kind: "configuration"; readonly lastStoreId?: bigint; readonly idBytes?: number }
  | {
    readonly kind: "base-message";
    readonly storeId: bigint;
    readonly topic: string | Uint8Array;
    readonly payload?: string | Uint8Array;
    readonly qos?: number;
    readonly retain?: number;
    readonly expiryTime?: number;
    readonly sourceClientId?: string;
    readonly sourceUsername?: string;
    readonly sourcePacketId?: number;
    readonly sourcePort?: number;
    /** With the length before them. */
    readonly properties?: Uint8Array;
  }
  | {
    readonly kind: "client-message";
    readonly clientId: string;
    readonly storeId: bigint;
    readonly packetId?: number;
    readonly qos?: number;
    readonly state?: number;
    readonly retain?: number;
    readonly dup?: number;
    readonly direction?: number;
    readonly subscriptionId?: number;
  }
  | { readonly kind: "retained"; readonly storeId: bigint }
  | {
    readonly kind: "subscription";
    readonly clientId: string;
    readonly filter: string;
    readonly qos?: number;
    readonly options?: number;
    readonly subscriptionId?: number;
  }
  | {
    readonly kind: "client";
    readonly clientId: string | Uint8Array;
    readonly username?: string;
    readonly expiryTime?: number;
    readonly expiryInterval?: number;
    readonly lastPacketId?: number;
    readonly listenerPort?: number;
  }
  | { readonly kind: "raw"; readonly type: number; readonly data: Uint8Array };

const TYPES = {
  "configuration": 1,
  "base-message": 2,
  "client-message": 3,
  "retained": 4,
  "subscription": 5,
  "client": 6,
} as const;

const NEVER = 0xffffffff;

/** A file of this version. */
export function mosquittoDb(version: number, chunks: readonly ChunkParts[]): Uint8Array {
  const file = new Output();
  file.raw(Uint8Array.of(0, 0xb5, 0)).raw(bytesOf("mosquitto db")).u32(0).u32(version);
  for (const chunk of chunks) {
    const data = dataOf(version, chunk);
    const type = chunk.kind === "raw" ? chunk.type : TYPES[chunk.kind];
    if (version >= 5) file.u32(type);
    else file.u16(type);
    file.u32(data.length).raw(data);
  }
  return file.bytes;
}

/** A file with something of everything that its version can hold. */
export function fullMosquittoDb(version: number): Uint8Array {
  return mosquittoDb(version, [
    { kind: "configuration", lastStoreId: 0xfedc_ba98_7654_3210n },
    {
      kind: "base-message",
      storeId: 0xfedc_ba98_7654_3210n,
      topic: "a/é",
      payload: "hello",
      qos: 2,
      retain: 1,
      expiryTime: 2_000_000_000,
      sourceClientId: "pub",
      sourceUsername: "alice",
      sourcePacketId: 7,
      sourcePort: 1883,
      properties: PROPERTIES,
    },
    { kind: "base-message", storeId: 2n, topic: "b", payload: Uint8Array.of(0, 255, 1) },
    {
      kind: "client",
      clientId: "c1",
      username: "bob",
      expiryTime: 2_000_000_001,
      expiryInterval: 3600,
      lastPacketId: 9,
      listenerPort: 8883,
    },
    {
      kind: "client-message",
      clientId: "c1",
      storeId: 2n,
      packetId: 8,
      qos: 1,
      state: 3,
      retain: 1,
      dup: 1,
      direction: 1,
      subscriptionId: 300,
    },
    {
      kind: "subscription",
      clientId: "c1",
      filter: "a/#",
      qos: 2,
      options: 0x2c,
      subscriptionId: 300,
    },
    { kind: "retained", storeId: 0xfedc_ba98_7654_3210n },
  ]);
}

/** All that a stored PUBLISH can have, the user property twice. */
export const PROPERTIES: Uint8Array = propertyBlock(
  [0x01, 1],
  [0x03, ...sized("text")],
  [0x08, ...sized("re/ply")],
  [0x09, 0, 2, 0xca, 0x0e],
  [0x26, ...sized("k"), ...sized("v")],
  [0x26, ...sized("k"), ...sized("w")],
);

/** Properties behind their length. */
export function propertyBlock(...properties: readonly (readonly number[])[]): Uint8Array {
  const bytes = properties.flat();
  return Uint8Array.of(bytes.length, ...bytes);
}

function sized(text: string): number[] {
  return [0, text.length, ...bytesOf(text)];
}

function dataOf(version: number, chunk: ChunkParts): Uint8Array {
  return version >= 5 ? fixedData(version, chunk) : packedData(version, chunk);
}

function fixedData(version: number, chunk: ChunkParts): Uint8Array {
  const out = new Output();
  switch (chunk.kind) {
    case "configuration":
      return out.u64(chunk.lastStoreId ?? 0n).u8(1).u8(chunk.idBytes ?? 8).raw(ZEROS).bytes;
    case "base-message": {
      const [clientId, username] = [bytesOf(chunk.sourceClientId), bytesOf(chunk.sourceUsername)];
      const [topic, payload] = [bytesOf(chunk.topic), bytesOf(chunk.payload)];
      out.u64(chunk.storeId).u64(BigInt(chunk.expiryTime ?? 0)).u32(payload.length);
      out.u16(chunk.sourcePacketId ?? 0).u16(clientId.length).u16(username.length);
      out.u16(topic.length).u16(chunk.sourcePort ?? 0).u8(chunk.qos ?? 0).u8(chunk.retain ?? 0);
      return out.raw(clientId).raw(username).raw(topic).raw(payload)
        .raw(chunk.properties ?? NOTHING).bytes;
    }
    case "client-message": {
      const clientId = bytesOf(chunk.clientId);
      out.u64(chunk.storeId).u16(chunk.packetId ?? 0).u16(clientId.length).u8(chunk.qos ?? 0);
      out.u8(chunk.state ?? 11).u8((chunk.retain ?? 0) << 4 | (chunk.dup ?? 0));
      out.u8(chunk.direction ?? 1).raw(clientId);
      if (chunk.subscriptionId === undefined) return out.bytes;
      const writer = new Writer(new Uint8Array(8));
      writer.u8(0x0b);
      writer.varint(chunk.subscriptionId);
      return out.raw(propertyBlock([...writer.bytes.subarray(0, writer.length)])).bytes;
    }
    case "retained":
      return out.u64(chunk.storeId).bytes;
    case "subscription": {
      const [clientId, filter] = [bytesOf(chunk.clientId), bytesOf(chunk.filter)];
      out.u32(chunk.subscriptionId ?? 0).u16(clientId.length).u16(filter.length);
      return out.u8(chunk.qos ?? 0).u8(chunk.options ?? 0).u16(0).raw(clientId).raw(filter).bytes;
    }
    case "client": {
      const [clientId, username] = [bytesOf(chunk.clientId), bytesOf(chunk.username)];
      out.u64(BigInt(chunk.expiryTime ?? 0)).u32(chunk.expiryInterval ?? NEVER);
      out.u16(chunk.lastPacketId ?? 0).u16(clientId.length);
      if (version === 5) return out.raw(clientId).bytes;
      out.u16(chunk.listenerPort ?? 0).u16(username.length).u32(0);
      return out.raw(clientId).raw(username).bytes;
    }
    case "raw":
      return chunk.data;
  }
}

function packedData(version: number, chunk: ChunkParts): Uint8Array {
  const out = new Output();
  switch (chunk.kind) {
    case "configuration":
      return out.u8(1).u8(chunk.idBytes ?? 8).u64(chunk.lastStoreId ?? 0n).bytes;
    case "base-message": {
      const payload = bytesOf(chunk.payload);
      out.u64(chunk.storeId).text(chunk.sourceClientId);
      if (version === 4) out.text(chunk.sourceUsername).u16(chunk.sourcePort ?? 0);
      out.u16(chunk.sourcePacketId ?? 0).u16(0).text(chunk.topic).u8(chunk.qos ?? 0);
      return out.u8(chunk.retain ?? 0).u32(payload.length).raw(payload).bytes;
    }
    case "client-message":
      out.text(chunk.clientId).u64(chunk.storeId).u16(chunk.packetId ?? 0).u8(chunk.qos ?? 0);
      out.u8(chunk.retain ?? 0).u8(chunk.direction ?? 1).u8(chunk.state ?? 11);
      return out.u8(chunk.dup ?? 0).bytes;
    case "retained":
      return out.u64(chunk.storeId).bytes;
    case "subscription":
      return out.text(chunk.clientId).text(chunk.filter).u8(chunk.qos ?? 0).bytes;
    case "client":
      out.text(chunk.clientId).u16(chunk.lastPacketId ?? 0);
      return version === 2 ? out.bytes : out.u64(1_600_000_000n).bytes;
    case "raw":
      return chunk.data;
  }
}

const NOTHING = new Uint8Array(0);
const ZEROS = new Uint8Array(6);

function bytesOf(text: string | Uint8Array = NOTHING): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}

/** Big-endian, but for what has 64 bits. */
class Output {
  readonly #bytes: number[] = [];

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  u8(value: number): this {
    this.#bytes.push(value);
    return this;
  }

  u16(value: number): this {
    return this.u8(value >> 8).u8(value & 0xff);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value & 0xffff);
  }

  u64(value: bigint): this {
    for (let i = 0n; i < 8n; i++) this.u8(Number(value >> 8n * i & 0xffn));
    return this;
  }

  raw(bytes: Uint8Array): this {
    for (const byte of bytes) this.u8(byte);
    return this;
  }

  text(text?: string | Uint8Array): this {
    const bytes = bytesOf(text);
    return this.u16(bytes.length).raw(bytes);
  }
}
