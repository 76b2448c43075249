// What signals do, when they come early, late and all at once.

import { assertEquals } from "@std/assert";
import { Signals } from "../../src/app/signals.ts";
import { test } from "../harness.ts";
import { FakeMachine, ProcessExit } from "../support/fake_machine.ts";

/** Actions that write down what was asked for; a reload lasts until it is let go. */
class Actions {
  readonly done: string[] = [];
  #letGo: () => void = () => {};

  readonly onReload = async (): Promise<void> => {
    this.done.push("reload");
    await new Promise<void>((resolve) => this.#letGo = resolve);
    this.done.push("reloaded");
  };

  readonly onSave = (): void => void this.done.push("save");
  readonly onPrintTree = (): void => void this.done.push("print");

  async finishReload(): Promise<void> {
    this.#letGo();
    await turns();
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`Signals.serve() ends at ${signal}, also at one that came before`, async () => {
    const [early, late] = [new FakeMachine(), new FakeMachine()];
    const [first, second] = [new Signals(early.runtime), new Signals(late.runtime)];
    early.raise(signal);
    const actions = new Actions();
    await first.serve(actions);
    const served = second.serve(actions);
    late.raise(signal);
    await served;
    assertEquals(actions.done, []);
  });
}

test("Signals ends the process at the second signal to stop", async () => {
  const machine = new FakeMachine();
  const served = new Signals(machine.runtime).serve(new Actions());
  machine.raise("SIGINT");
  let status: unknown;
  try {
    machine.raise("SIGTERM");
  } catch (error) {
    status = error instanceof ProcessExit ? error.status : error;
  }
  await served;
  assertEquals(status, 1);
});

test("Signals.serve() reloads once more for whatever was asked for during a reload", async () => {
  const machine = new FakeMachine();
  const signals = new Signals(machine.runtime);
  const actions = new Actions();
  const served = signals.serve(actions);
  for (let i = 0; i < 4; i++) machine.raise("SIGHUP");
  assertEquals(actions.done, ["reload"]);
  await actions.finishReload();
  assertEquals(actions.done, ["reload", "reloaded", "reload"]);
  await actions.finishReload();
  assertEquals(actions.done, ["reload", "reloaded", "reload", "reloaded"]);
  machine.raise("SIGTERM");
  await served;
});

test("Signals.serve() does at once what was asked for before it served", async () => {
  const machine = new FakeMachine();
  const signals = new Signals(machine.runtime);
  const actions = new Actions();
  // There is nothing yet that could be saved or printed.
  for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) machine.raise(signal);
  const served = signals.serve(actions);
  machine.raise("SIGUSR2");
  machine.raise("SIGUSR1");
  assertEquals(actions.done, ["reload", "print", "save"]);
  await actions.finishReload();
  machine.raise("SIGTERM");
  await served;
});

test("Signals.serve() waits for the reload that is under way, and begins no other", async () => {
  const machine = new FakeMachine();
  const signals = new Signals(machine.runtime);
  const actions = new Actions();
  let isServed = false;
  const served = signals.serve(actions).then(() => isServed = true);
  machine.raise("SIGHUP");
  machine.raise("SIGHUP");
  machine.raise("SIGTERM");
  await turns();
  assertEquals([isServed, actions.done], [false, ["reload"]]);
  await actions.finishReload();
  await served;
  machine.raise("SIGHUP");
  machine.raise("SIGUSR2");
  assertEquals(actions.done, ["reload", "reloaded"]);
});
