/**
 * Reads the database file of Mosquitto, `mosquitto.db`, of any version that there is. What the
 * contents mean to the broker is in import_mosquitto.ts, how they are printed in cli/db_dump.ts.
 *
 * The idea: chunks are read one at a time, each when it is asked for and as often as it is asked
 * for, so a large file costs no more than its bytes.
 *
 * @module
 */

import { ChunkReader } from "./chunk_reader.ts";
import { readFixedChunk } from "./fixed_chunks.ts";
import { type MosquittoChunk, MosquittoDbError } from "./mosquitto_chunk.ts";
import { readPackedChunk } from "./packed_chunks.ts";

/** A file whose head was understood. */
export interface MosquittoDb {
  readonly crc: number;
  readonly version: number;
  /**
   * The chunks in the order of the file, from the first one on whenever it is called.
   *
   * @throws {MosquittoDbError} with fault `"corrupt"`, at the chunk that is not as it should be.
   */
  chunks(): IterableIterator<MosquittoChunk>;
}

const VERSION_MIN = 2;
const VERSION_MAX = 6;
/** The first version with a fixed part in each chunk, and types of four bytes. */
const FIXED_VERSION = 5;

const ID_BYTES = 8;

// "mosquitto db" behind three bytes that no text begins with.
const MAGIC = Uint8Array.of(
  ...[0x00, 0xb5, 0x00],
  ...[..."mosquitto db"].map((character) => character.charCodeAt(0)),
);
const HEAD_BYTES = MAGIC.length + 8;

/**
 * Opens a file by its bytes, which must not change while chunks are read.
 *
 * @throws {MosquittoDbError}
 */
export function openMosquittoDb(bytes: Uint8Array): MosquittoDb {
  if (!MAGIC.every((byte, at) => byte === bytes[at])) {
    throw new MosquittoDbError("unrecognised-format", "Unrecognised file format");
  }
  if (bytes.length < HEAD_BYTES) {
    throw new MosquittoDbError("corrupt", `The file ends within its head, at byte ${bytes.length}`);
  }
  // A view of its own, whatever kind of array a runtime reads files into.
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const version = view.getUint32(MAGIC.length + 4);
  if (version < VERSION_MIN || version > VERSION_MAX) {
    throw new MosquittoDbError(
      "unsupported-version",
      `Unsupported persistent database format version ${version} (need version ${VERSION_MAX})`,
    );
  }
  return {
    crc: view.getUint32(MAGIC.length),
    version,
    chunks: () => readChunks(file, view, version),
  };
}

/** What an operator is told of a chunk that cannot be understood and is passed over. */
export function unsupportedChunkText(type: number): string {
  return `Warning: Unsupported chunk "${type}" in persistent database file. Ignoring.`;
}

function* readChunks(
  bytes: Uint8Array,
  view: DataView,
  version: number,
): IterableIterator<MosquittoChunk> {
  const isFixed = version >= FIXED_VERSION;
  const typeBytes = isFixed ? 4 : 2;
  const headerBytes = typeBytes + 4;
  const readChunk = isFixed ? readFixedChunk : readPackedChunk;
  const reader = new ChunkReader(bytes);
  // Less than a header is the end of the file, as it is for Mosquitto.
  for (let offset = HEAD_BYTES; offset + headerBytes <= bytes.length;) {
    const type = isFixed ? view.getUint32(offset) : view.getUint16(offset);
    const length = view.getUint32(offset + typeBytes);
    reader.turnTo(offset, headerBytes, length);
    const content = readChunk(type, reader, version);
    reader.expectEnd();
    if (content.kind === "configuration" && content.idBytes !== ID_BYTES) {
      reader.fail(`tells of identifiers of ${content.idBytes} bytes and not of ${ID_BYTES}`);
    }
    yield { ...content, offset, length };
    offset += headerBytes + length;
  }
}
