// The command that runs the broker: which words end where, and with which status.

import { assertEquals } from "@std/assert";
import { VERSION } from "../../src/app/version.ts";
import { runBroker } from "../../src/cli/broker.ts";
import { test } from "../harness.ts";
import { FakeMachine, ProcessExit } from "../support/fake_machine.ts";
import { until } from "../support/wait.ts";

/** The status with which the process would have ended. */
async function statusOf(machine: FakeMachine, ...args: string[]): Promise<unknown> {
  try {
    return await runBroker(machine.runtime, args);
  } catch (error) {
    if (error instanceof ProcessExit) return error.status;
    throw error;
  }
}

test("runBroker() prints help and version, and ends with 0", async () => {
  const machine = new FakeMachine();
  assertEquals(await statusOf(machine, "--version"), 0);
  assertEquals(
    machine.stdout,
    `midge ${VERSION}\nLicensed under the Apache License, version 2.0.\n`,
  );
  machine.stdout = "";
  assertEquals(await statusOf(machine, "-c", "/none", "-h"), 0);
  assertEquals(machine.stdout.split("\n")[0], `midge version ${VERSION}`);
  assertEquals([machine.stderr, machine.sockets, [...machine.disk.touched]], ["", [], []]);
});

test("runBroker() tells what is wrong with a word, shows the usage, and ends with 3", async () => {
  const machine = new FakeMachine();
  const said: unknown[] = [];
  for (const words of [["--bogus"], ["-p", "0"], ["-c"], ["-p", "1", "x"]]) {
    machine.stdout = machine.stderr = "";
    const status = await statusOf(machine, ...words);
    said.push([status, machine.stderr, machine.stdout.split("\n")[0]]);
  }
  const usage = `midge version ${VERSION}`;
  assertEquals(said, [
    [3, "Error: Unknown option '--bogus'.\n", usage],
    [3, "Error: Invalid port specified (0).\n", usage],
    [3, "Error: -c argument given, but no config file specified.\n", usage],
    [3, "Error: Unknown option 'x'.\n", usage],
  ]);
});

test("runBroker() exits with the status of the program", async () => {
  const machine = new FakeMachine();
  assertEquals(await statusOf(machine, "-c", "/none.conf"), 3);
  machine.refused.set("127.0.0.1:1883", "address-in-use");
  machine.refused.set("[::1]:1883", "address-in-use");
  assertEquals(await statusOf(machine), 1);
  machine.refused.clear();
  const ended = statusOf(machine, "-p", "1884");
  await until(() => machine.openPlaces().length === 2, "it listens");
  machine.raise("SIGINT");
  assertEquals(await ended, 0);
});
