// A store for those who embed a broker: what one broker has kept, the next one has.

import { assertEquals } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker, MemoryStore, openStore, type Store } from "../../mod.ts";
import { test } from "../harness.ts";

async function keepsRetained(open: () => Promise<Store>): Promise<void> {
  const first = await open();
  const broker = new Broker({ store: first });
  broker.publish({ topic: "t", payload: new Uint8Array(3), qos: 1, retain: true });
  await broker.close();
  await first.close();
  const second = await open();
  const next = new Broker({ store: second });
  assertEquals([next.gauges.retained, next.gauges.storedBytes], [1, 3]);
  await next.close();
  await second.close();
}

test("openStore() keeps in a file what the next broker brings back", async () => {
  const folder = mkdtempSync(join(tmpdir(), "midge-open-store-"));
  try {
    for (const sync of ["full", "later", "normal"] as const) {
      await keepsRetained(() => openStore(join(folder, `${sync}.midge`), sync));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("Broker takes a store in memory, for as long as the process lives", async () => {
  const store = new MemoryStore();
  await keepsRetained(() => Promise.resolve(store));
});
