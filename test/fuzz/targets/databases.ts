/**
 * Mosquitto's database, of whatever version an input says it is: it is read within its bytes, it is
 * refused by the one documented error or not at all, and a broker can be started on what is left of
 * it, which then can be resumed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { importMosquittoDb, type MosquittoImport } from "../../../src/store/import_mosquitto.ts";
import { type MosquittoChunk, MosquittoDbError } from "../../../src/store/mosquitto_chunk.ts";
import { openMosquittoDb } from "../../../src/store/mosquitto_db.ts";
import { fullMosquittoDb } from "../../support/mosquitto_db_file.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";
import { type FuzzTarget, inAnySurroundings, outcomeOf } from "../target.ts";

const NOW = 5_000;
const CLOCK = { now: NOW, epochMs: 1_700_000_000_000 };
/** Each has a header of its own, so there are no more than this. */
const HEADER_BYTES = 6;

export const mosquittoDatabase: FuzzTarget = {
  name: "mosquitto_database",
  tokens: ["\0\0\0\x02", "\0\0\0\x06", "\0\x05", "a/#", "\x01\0\0\0\0\0\0\0"],
  seeds: () => [2, 3, 4, 5, 6].map(fullMosquittoDb),
  run(input) {
    const chunks = inAnySurroundings(input, (bytes, start, end) => {
      const found: unknown[] = [];
      const outcome = outcomeOf(() => {
        for (const chunk of openMosquittoDb(bytes.subarray(start, end)).chunks()) {
          found.push(owned(chunk));
        }
      }, MosquittoDbError);
      return { found, fault: "fault" in outcome ? outcome.fault : undefined };
    });
    assert(chunks.found.length <= input.length / HEADER_BYTES);
    const outcome = outcomeOf(() => importMosquittoDb(input, { clock: CLOCK }), MosquittoDbError);
    assertEquals("fault" in outcome, input.length > 0 && chunks.fault !== undefined);
    if ("value" in outcome) restore(outcome.value);
  },
};

function owned(chunk: MosquittoChunk): unknown {
  return Object.fromEntries(
    Object.entries(chunk).map((
      [key, value],
    ) => [key, value instanceof Uint8Array ? value.slice() : value]),
  );
}

function restore({ changes, unreleased }: MosquittoImport): void {
  const broker = new VirtualBroker({ now: NOW });
  broker.core.restore(changes, NOW);
  for (const message of unreleased) broker.core.publish(message, NOW);
  for (const change of changes) {
    if (change.kind !== "session-set") continue;
    const { clientId, username } = change;
    const who = username === undefined ? { clientId } : { clientId, username };
    broker.connect({ ...who, cleanStart: false });
  }
}
