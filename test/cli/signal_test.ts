// `signal`: whom it tells what, on a machine in memory, where nobody is hurt; and one real broker.

import { assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import process from "node:process";
import { signal } from "../../src/cli/signal.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import { test } from "../harness.ts";
import { FakeMachine } from "../support/fake_machine.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { runMidge } from "../support/tool_process.ts";
import { until } from "../support/wait.ts";

async function runOn(machine: FakeMachine, args: readonly string[]): Promise<unknown[]> {
  const status = await signal({ runtime: machine.runtime, args, name: "tool" });
  return [status, machine.stdout, machine.stderr];
}

test("signal sends each command's signal to the process that is named", async () => {
  const machine = new FakeMachine();
  for (const command of ["config-reload", "log-rotate", "shutdown", "tree-print"]) {
    assertEquals(await runOn(machine, ["-p", "12", command]), [0, "", ""]);
  }
  assertEquals(machine.signalled, [
    [12, "SIGHUP"],
    [12, "SIGHUP"],
    [12, "SIGINT"],
    [12, "SIGUSR2"],
  ]);
});

test("signal -a tells every broker, and no other program", async () => {
  const machine = new FakeMachine();
  const brokers = [
    ["mosquitto"],
    ["/usr/sbin/mosquitto", "-c", "/etc/mosquitto/mosquitto.conf"],
    ["/opt/midge", "-v"],
    ["./midge", "-c", "signal"],
    ["node", "--max-old-space-size=1000", "/opt/midge/midge.js", "-c", "midge.conf"],
    ["/usr/bin/deno", "run", "-A", "midge.js"],
    ["bun", "/usr/local/bin/mosquitto.js"],
  ];
  const others = [
    ["/usr/bin/mosquitto_sub", "-t", "a"],
    ["midge", "passwd", "pw", "u"],
    ["midge", "mosquitto_signal", "-a", "shutdown"],
    ["node", "/opt/midge/midge.js", "signal", "-a", "shutdown"],
    ["vi", "midge.js"],
    ["deno", "run", "server.js"],
    ["grep", "mosquitto"],
    ["(midge)"],
    [""],
    [],
  ];
  for (const [index, words] of [...others, ...brokers].entries()) {
    machine.processes.set(100 + index, words);
  }
  // Whoever asks is called the same.
  machine.processes.set(machine.host.processId, ["mosquitto", "-c", "x"]);
  const ids = brokers.map((_, index) => 100 + others.length + index);
  machine.unreachable.set(ids[0]!, "permission-denied");
  machine.unreachable.set(ids[1]!, "not-found");
  assertEquals(await runOn(machine, ["-a", "shutdown"]), [
    0,
    "",
    `Unable to signal process ${ids[0]}: Operation not permitted\n` +
    `Unable to signal process ${ids[1]}: No such process\n`,
  ]);
  assertEquals(machine.signalled, ids.slice(2).map((id) => [id, "SIGINT"]));
  machine.processes.clear();
  machine.takeLines();
  assertEquals(await runOn(machine, ["-a", "shutdown"]), [0, "", ""]);
});

test("signal tells in one line what is wrong with its words, and signals nobody", async () => {
  const faults: [args: string[], message: string][] = [
    [["shutdown"], "One of -a or -p must be used."],
    [["bogus"], "One of -a or -p must be used."],
    [["-p"], "-p argument given but process ID missing."],
    [["-p", "0", "shutdown"], "Process ID must be >0."],
    [["-p", "-1", "shutdown"], "Process ID must be >0."],
    [["-p", "12x", "shutdown"], "Process ID must be >0."],
    [["-p", "shutdown"], "Process ID must be >0."],
    [["-p", "99999999999", "shutdown"], "Process ID must be >0."],
    [["-a"], "No signal given."],
    [["-p", "12"], "No signal given."],
    [["-a", "SIGTERM"], "Unknown signal 'SIGTERM'."],
    [["-a", "toString"], "Unknown signal 'toString'."],
    [["-a", "-x"], "Unknown signal '-x'."],
    [["-a", "-p", "12", "shutdown"], "-a and -p cannot be used together."],
    [["-a", "xtreport"], "'xtreport' is only for profiling Mosquitto."],
  ];
  for (const [args, message] of faults) {
    const machine = new FakeMachine();
    machine.processes.set(12, ["mosquitto"]);
    assertEquals(
      [await runOn(machine, args), machine.signalled],
      [[1, "", `Error: ${message}\n`], []],
      args.join(" "),
    );
  }
  for (const args of [[], ["--help"], ["-a", "--help"], ["-a", "shutdown", "more"]]) {
    const [status, stdout, stderr] = await runOn(new FakeMachine(), args);
    assertEquals([status, (stdout as string).split("\n").slice(0, 3), stderr], [1, [
      "tool tells running brokers to do something.",
      "",
      "Usage: tool {-a | -p processid} command",
    ], ""]);
  }
});

test("signal steers a running broker", PROCESS_TEST, async () => {
  await MidgeProcess.with({ config: "listener $PORT1\n" }, async (midge) => {
    const tell = async (command: string) => {
      const outcome = await runMidge(["signal", "-p", `${midge.processId}`, command]);
      assertEquals(outcome, { status: 0, stdout: "", stderr: "" });
    };
    await tell("config-reload");
    await midge.logged("Reloading config.");
    await tell("log-rotate");
    await midge.logged("Reloading config.", 2);
    await tell("shutdown");
    assertEquals(await midge.ended, 0);
    const late = await runMidge(["signal", "-p", `${midge.processId}`, "shutdown"]);
    assertEquals(late, {
      status: 0,
      stdout: "",
      stderr: `Unable to signal process ${midge.processId}: No such process\n`,
    });
  });
});

test("Host.processes() gives the words of each process", {
  skip: process.platform === "linux" ? false : "there is no /proc",
}, async () => {
  const host = await (await currentRuntime()).host();
  const child = spawn("sleep", ["30.5"], { stdio: "ignore" });
  try {
    let words: readonly string[] | undefined;
    // Until it is started it may be shown as its parent.
    const look = async () => words = (await host.processes()).get(child.pid!);
    const looking = setInterval(look, 20);
    await until(() => words?.[0]?.endsWith("sleep") === true, "the process is shown").finally(
      () => {
        clearInterval(looking);
      },
    );
    assertEquals(words!.slice(1), ["30.5"]);
    assertEquals((await host.processes()).has(host.processId), true);
  } finally {
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
  }
});
