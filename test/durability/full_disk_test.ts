// The program when the system lets it write no more: a limit on the size of its files comes while
// it runs and goes again, as a full disk does.

import { assertEquals } from "@std/assert";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { SteadyPublisher, SteadySubscriber } from "../support/steady_clients.ts";
import { until } from "../support/wait.ts";
import { WireClient } from "../support/wire_client.ts";

const CONFIG = `listener $PORT1 127.0.0.1
allow_anonymous true
max_queued_messages 0
persistence true
persistence_location $DIR
`;

/** What is written beyond the limit fails, and does not end the program by a signal. */
const UNSIGNALLED = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"];
/** How much more may be written to the log when the limit comes. */
const ROOM_BYTES = 64 * 1024;

const FAILING =
  /^Error: The database does not save: Cannot use database "\$DIR\/mosquitto\.midge": the disk (?:is full|failed)\. Nothing that depends on it is acknowledged until it does\.$/;
const SAVING = "The database saves again.";

/** Why a limit cannot be set here; `false` when it can. */
const noLimits = ((): string | false => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return "there is no prlimit to limit the size of files with";
  }
})();

function limitFiles({ processId }: MidgeProcess, bytes: string): void {
  execFileSync("prlimit", [`--pid=${processId}`, `--fsize=${bytes}:`]);
}

for (const inThread of [false, true]) {
  const name = `a broker${inThread ? " with persistence_thread" : ""} that may write no more ` +
    "acknowledges nothing, says so once, and goes on when it may";

  test(name, { ...PROCESS_TEST, skip: noLimits }, async () => {
    const config = `${CONFIG}persistence_thread ${inThread}\n`;
    await MidgeProcess.with({ config, through: UNSIGNALLED }, async (midge) => {
      const { port } = midge;
      const absent = new SteadySubscriber("absent");
      await absent.subscribe(port, "load/#");
      const publishers = [1, 2].map((qos) => new SteadyPublisher(`load/${qos}`, qos as 1 | 2));
      const free = await WireClient.connect(port, 5);
      await free.subscribe(["free"]);
      for (const publisher of publishers) await publisher.start(port);
      const acknowledged = (): number =>
        publishers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
      await until(() => acknowledged() > 50, "there are acknowledgements");

      const log = join(midge.folder, "mosquitto.midge-wal");
      limitFiles(midge, String(statSync(log).size + ROOM_BYTES));
      await midge.logged(FAILING);
      const before: number[] = [];
      // A retry or two happens meanwhile.
      for (let count = 0; count < 200; count++) {
        free.publish("free", String(count));
        assertEquals((await free.next("a message of QoS 0")).type, "publish");
        if (count === 20 || count === 199) before.push(acknowledged());
      }
      assertEquals(before[1], before[0]);
      limitFiles(midge, "unlimited");
      await midge.logged(SAVING);
      await until(() => acknowledged() > before[1]! + 50, "there are more acknowledgements");
      assertEquals(midge.lines.filter((line) => FAILING.test(line) || line === SAVING).length, 2);

      await midge.kill();
      for (const publisher of publishers) publisher.disconnect();
      free.destroy();
      const again = midge.again();
      try {
        await again.running();
        for (const publisher of publishers) {
          await publisher.start(port);
          await publisher.finish();
        }
        await absent.start(port);
        for (const { topic, qos, acknowledged } of publishers) {
          const values = absent.valuesOf(topic);
          await until(() => acknowledged.every((value) => values.has(value)), `all of ${topic}`);
          if (qos === 2) assertEquals([...absent.repeatedOf(topic)], []);
        }
        absent.disconnect();
        for (const publisher of publishers) publisher.disconnect();
      } finally {
        await again.kill();
      }
    });
  });
}
