/**
 * A database of Mosquitto without chunks of types that nobody knows, for those who print the
 * others; and how bytes are shown in text.
 *
 * @module
 */

import { decodeUtf8 } from "../../core/base/utf8.ts";
import type { MosquittoChunk } from "../../store/mosquitto_chunk.ts";
import { type MosquittoDb, unsupportedChunkText } from "../../store/mosquitto_db.ts";

export type KnownChunk = Exclude<MosquittoChunk, { readonly kind: "unknown" }>;

export type KnownKind = KnownChunk["kind"];

/** The chunks of a kind. */
export type ChunkOf<Kind extends KnownKind> = Extract<KnownChunk, { readonly kind: Kind }>;

export interface KnownDb extends Omit<MosquittoDb, "chunks"> {
  chunks(): Iterable<KnownChunk>;
}

/** Leaves out what is unknown, and tells of each such chunk once. */
export function withoutUnknown(db: MosquittoDb, tell: (text: string) => void): KnownDb {
  const told = new Set<number>();
  return {
    ...db,
    *chunks(): Iterable<KnownChunk> {
      for (const chunk of db.chunks()) {
        if (chunk.kind !== "unknown") yield chunk;
        else if (!told.has(chunk.offset)) {
          told.add(chunk.offset);
          tell(unsupportedChunkText(chunk.type));
        }
      }
    },
  };
}

/**
 * A text of the file, up to its end as the C language knows it: what Mosquitto by mistake writes
 * behind it is from its memory, and nobody's business. What is no UTF-8 is replaced.
 */
export function textOf(bytes: Uint8Array): string {
  // Nearly all are texts that MQTT allows, for which there is a shorter way.
  const text = decodeUtf8(bytes, 0, bytes.length);
  if (text !== null) return text;
  const end = bytes.indexOf(0);
  const beginning = end < 0 ? bytes : bytes.subarray(0, end);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(beginning);
}

/** Binary data in hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");
}
