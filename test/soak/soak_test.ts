// The soak in small: the broker as a process goes through every phase twice, everything that is
// counted is right, and nothing is left of anybody. How long it took decides nothing.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { MidgeProcess } from "../support/midge_process.ts";
import { soak } from "./soak.ts";

const SMALL = {
  stormClients: 200,
  readers: 40,
  listenMs: 300,
  fights: 120,
  fighters: 8,
  churnClients: 20,
  churnTimes: 5,
  retainedTopics: 300,
};

test(
  "A broker keeps nothing of a storm, a frozen reader, fights and churn",
  { timeout: 120_000 },
  async () => {
    const config = "listener $PORT1 127.0.0.1\nallow_anonymous true\nsys_interval 1\n";
    await MidgeProcess.with({ config }, async (midge) => {
      const { port, processId } = midge;
      const { baseline, rounds } = await soak({
        port,
        processId,
        size: SMALL,
        minutes: 0,
        idleMs: 0,
      });
      const [round] = rounds;
      const { takeOvers, churned, retained, leftovers } = round!;
      assertEquals([takeOvers, churned, retained], [112, 300, 300]);
      assertEquals(leftovers, baseline);
      assertEquals([baseline.clients, baseline.subscriptions], [1, 4]);
      midge.signal("SIGTERM");
      assertEquals(await midge.ended, 0);
    });
  },
);
