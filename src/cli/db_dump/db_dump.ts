/**
 * `db-dump`: prints what is in a database of Mosquitto, as `mosquitto_db_dump` does, and what is in
 * one of this broker in the same way. The ways to print are in the files beside; reading is the
 * store's.
 *
 * The idea: a way to print is a generator of text, so the first chunk is on its way before the last
 * one is looked at, and a damaged file is printed up to the damage.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { MosquittoDbError } from "../../store/mosquitto_chunk.ts";
import { openMosquittoDb } from "../../store/mosquitto_db.ts";
import { readStoreDb } from "../../store/store_chunks.ts";
import type { CommandCall } from "../command.ts";
import { formatManual, type Manual } from "../manual.ts";
import { dumpJson } from "./dump_json.ts";
import { dumpClientStats, dumpStats } from "./dump_stats.ts";
import { dumpText } from "./dump_text.ts";
import { type KnownDb, withoutUnknown } from "./known_db.ts";

type Dump = (db: KnownDb) => Iterable<string>;

const DUMPS: Readonly<Record<string, Dump>> = {
  "--stats": dumpStats,
  "--client-stats": dumpClientStats,
  "--json": dumpJson,
};

const USAGE = "Usage: db_dump [--stats | --client-stats | --json] <mosquitto db filename>";

/** What the files of this broker's own store are called; others are known by their first bytes. */
const STORE_ENDING = ".midge";
const SQLITE_MAGIC = "SQLite format 3\0";

/** Text is written in pieces of about this many characters. */
const PIECE_LENGTH = 65_536;

/** Runs the command; gives its exit status. */
export async function dbDump({ runtime, args, name }: CommandCall): Promise<number> {
  if (args.length === 1 && args[0] === "--help") {
    runtime.print("stdout", formatManual(dbDumpManual(name)));
    return 0;
  }
  const dump = args.length < 2 ? dumpText : findDump(args[0]!);
  const path = args.at(-1);
  const tell = (text: string): void => runtime.print("stderr", `${text}\n`);
  if (dump === undefined || path === undefined || args.length > 2) {
    tell(USAGE);
    return 1;
  }
  if (path.endsWith(STORE_ENDING)) return await dumpStore(runtime, path, dump);
  const bytes = await readFile(runtime, path);
  if (bytes === undefined) {
    tell(`Error: Unable to open ${path}`);
    return 1;
  }
  if (isSqlite(bytes)) return await dumpStore(runtime, path, dump);
  try {
    printPieces(runtime, dump(withoutUnknown(openMosquittoDb(bytes), tell)));
    return 0;
  } catch (error) {
    if (!(error instanceof MosquittoDbError)) throw error;
    if (error.fault === "corrupt") tell("Error: Corrupt persistent database.");
    tell(`Error: ${error.message}.`);
    return 1;
  }
}

/** Prints a store of this broker, which is opened for that alone. */
async function dumpStore(runtime: Runtime, path: string, dump: Dump): Promise<number> {
  try {
    if (await (await runtime.files()).info(path) === undefined) {
      runtime.print("stderr", `Error: Unable to open ${path}\n`);
      return 1;
    }
    const database = await runtime.openDatabase({ path, sync: "full" });
    try {
      printPieces(runtime, dump(readStoreDb(database, path, Date.now())));
      return 0;
    } finally {
      database.close();
    }
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    runtime.print("stderr", `Error: ${error.message}.\n`);
    return 1;
  }
}

function findDump(option: string): Dump | undefined {
  return Object.hasOwn(DUMPS, option) ? DUMPS[option] : undefined;
}

async function readFile(runtime: Runtime, path: string): Promise<Uint8Array | undefined> {
  try {
    return await (await runtime.files()).readBytes(path);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return undefined;
  }
}

function isSqlite(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, SQLITE_MAGIC.length)) === SQLITE_MAGIC;
}

function printPieces(runtime: Runtime, texts: Iterable<string>): void {
  let piece = "";
  try {
    for (const text of texts) {
      piece += text;
      if (piece.length < PIECE_LENGTH) continue;
      runtime.print("stdout", piece);
      piece = "";
    }
  } finally {
    // Also what was found before an error.
    runtime.print("stdout", piece);
  }
}

/** The help, by the name that the command was called by. */
export function dbDumpManual(name: string): Manual {
  return {
    name,
    about: [`${name} prints what is in a database, of Mosquitto or of this broker.`],
    usage: ["[--stats | --client-stats | --json] file"],
    sections: [{
      entries: [
        { names: ["--stats"], text: "Print only how many chunks of each kind there are." },
        {
          names: ["--client-stats"],
          text: "Print a line for each client: SC is the number of its subscriptions and SS " +
            "their bytes, MC the number of its messages and MS their bytes.",
        },
        { names: ["--json"], text: "Print everything as JSON." },
        { names: ["--help"], text: "Print this and exit." },
      ],
    }],
    notes: [
      "A database of this broker, mosquitto.midge, can be read while no broker has it open.",
      "Files of Mosquitto of versions 2 to 6 can be read, as by Mosquitto itself.",
      "Exit status: 0 when done, 1 for any error.",
    ],
    examples: [
      `${name} /var/lib/mosquitto/mosquitto.db`,
      `${name} --json mosquitto.db > mosquitto.json`,
    ],
    operands: ["files", []],
  };
}
