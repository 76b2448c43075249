// What a simulated store keeps its changes in: the plainest store there is, or the real one over a
// real database, whose own memory is gone whenever the broker's process dies.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "../../src/store/memory_store.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import { runtime } from "../support/current_runtime.ts";
import type { Disk } from "./sim_store.ts";

export function memoryDisk(): Disk {
  const store = new MemoryStore();
  return { keepsTime: false, open: () => store, release() {} };
}

export async function sqliteDisk(): Promise<Disk> {
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-sim-"));
  const path = join(folder, "sim.midge");
  const database = await runtime.openDatabase({ path, sync: "normal" });
  return {
    keepsTime: true,
    open: (scheduler) => {
      const clocks = { now: () => scheduler.processNow, wallClock: () => scheduler.wallClock };
      return new SqliteStore({ database, path, clocks });
    },
    release: () => {
      database.close();
      fs.rmSync(folder, { recursive: true });
    },
  };
}
