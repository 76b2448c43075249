// Where a broker listens to which nobody said where.

import { assertEquals } from "@std/assert";
import { withLocalListeners } from "../../src/app/local_listeners.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";

async function places(config: string, ports: readonly number[]): Promise<unknown[]> {
  return withLocalListeners(await configOf(config), ports).listeners.map((listener) => [
    listener.host,
    listener.port,
    listener.allowAnonymous,
  ]);
}

test("withLocalListeners() listens on both loopbacks, on 1883 or every port that is given", async () => {
  assertEquals(await places("", []), [["127.0.0.1", 1883, true], ["::1", 1883, true]]);
  assertEquals(await places("", [1, 2]), [
    ["127.0.0.1", 1, true],
    ["::1", 1, true],
    ["127.0.0.1", 2, true],
    ["::1", 2, true],
  ]);
});

test("withLocalListeners() gives them the settings of the default listener", async () => {
  assertEquals(await places("allow_anonymous false\n", [1]), [
    ["127.0.0.1", 1, false],
    ["::1", 1, false],
  ]);
  const config = await configOf("max_qos 1\n");
  assertEquals(
    withLocalListeners(config, []).listeners.map(({ maxQos }) => maxQos),
    [1, 1],
  );
});

test("withLocalListeners() adds nothing to a configuration that says where", async () => {
  for (const line of ["listener 5", "port 5"]) {
    assertEquals(await places(line, [1, 2]), [[undefined, 5, false]]);
  }
  assertEquals(await places("bind_address 192.0.2.1\n", [1]), [["192.0.2.1", 1883, false]]);
});
