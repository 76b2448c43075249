// The program around a broker that only notes what it is asked to do.

import { assertEquals } from "@std/assert";
import type { ProgramBroker } from "../../src/app/program.ts";
import { runBroker } from "../../src/cli/broker.ts";
import { VERSION } from "../../src/app/version.ts";
import { OperationError, type OperationErrorCode } from "../../src/core/base/operation_error.ts";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import type { Runtime, Signal } from "../../src/runtime/runtime.ts";
import { test } from "../harness.ts";
import { settle } from "../support/wait.ts";

class Exit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Exit ${status}`);
    this.status = status;
  }
}

interface Run {
  stdout: string;
  /** Without the time at the beginning of each line. */
  stderr: string[];
  asked: string[];
  tracesPackets: boolean | undefined;
  emit: (event: BrokerEvent) => void;
  fail: (stage: string, error: unknown) => void;
  signal: (signal: Signal) => void;
  /** The exit status, once there is one. */
  status: Promise<number>;
}

function start(
  line: string,
  failures: Readonly<Record<string, OperationErrorCode>> = {},
  closing: Promise<void> = Promise.resolve(),
): Run {
  const run: Run = {
    stdout: "",
    stderr: [],
    asked: [],
    tracesPackets: undefined,
    emit: () => {},
    fail: () => {},
    signal: (signal) => handlers.get(signal)!(),
    status: Promise.resolve(-1),
  };
  const handlers = new Map<Signal, () => void>();
  const runtime: Runtime = {
    name: "deno",
    version: "0.0.0",
    args: [],
    listenTcp: () => Promise.reject(new Error("Not used here")),
    listenUnix: () => Promise.reject(new Error("Not used here")),
    files: () => Promise.reject(new Error("Not used here")),
    host: () => Promise.reject(new Error("Not used here")),
    now: () => 0,
    defer: queueMicrotask,
    onSignal(signal, handler) {
      handlers.set(signal, handler);
      return () => void handlers.delete(signal);
    },
    print(stream, text) {
      if (stream === "stdout") run.stdout += text;
      else run.stderr.push(...text.trimEnd().split("\n").map((l) => l.replace(/^\d+: /, "")));
    },
    tuneProcess() {},
    exit(status): never {
      throw new Exit(status);
    },
  };
  const broker: ProgramBroker = {
    listen({ hostname, port }) {
      run.asked.push(`listen ${hostname} ${port}`);
      const code = failures[`${hostname} ${port}`];
      return code === undefined
        ? Promise.resolve()
        : Promise.reject(new OperationError(code, `Cannot listen on ${hostname}: ${code}`));
    },
    close() {
      run.asked.push("close");
      return closing;
    },
  };
  const args = line.split(" ").filter((word) => word !== "");
  run.status = runBroker(runtime, args, (options) => {
    run.tracesPackets = options.tracesPackets;
    run.emit = options.onEvent;
    run.fail = options.onError;
    return broker;
  }).then(() => -1, (error) => {
    if (error instanceof Exit) return error.status;
    throw error;
  });
  return run;
}

const STARTING = [
  `midge version ${VERSION} starting`,
  "Using default config.",
  "Starting in local only mode. Connections will only be possible from clients running on this " +
  "machine.",
  "To serve other machines, let a program of your own listen: " +
  'new Broker().listen({ hostname: "0.0.0.0" }).',
];

const OPENING = [
  "Opening ipv4 listen socket on port 1883.",
  "Opening ipv6 listen socket on port 1883.",
];

const RUNNING = `midge version ${VERSION} running`;
const TERMINATING = `midge version ${VERSION} terminating`;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`runBroker() listens on this machine only, and ends by ${signal} with status 0`, async () => {
    const run = start("");
    await settle();
    run.signal(signal);
    assertEquals(await run.status, 0);
    assertEquals(run.asked, ["listen 127.0.0.1 1883", "listen ::1 1883", "close"]);
    assertEquals(run.stderr, [...STARTING, ...OPENING, RUNNING, TERMINATING]);
    assertEquals(
      run.stdout,
      "Try it, each in a terminal of its own:\n" +
        "  mosquitto_sub -p 1883 -t 'greetings/#' -v\n" +
        "  mosquitto_pub -p 1883 -t greetings/first -m 'Hello'\n",
    );
  });
}

test("runBroker() listens on each port that it is given", async () => {
  const run = start("-p 1 -p 2");
  await settle();
  run.signal("SIGINT");
  assertEquals(await run.status, 0);
  assertEquals(run.asked, [
    "listen 127.0.0.1 1",
    "listen ::1 1",
    "listen 127.0.0.1 2",
    "listen ::1 2",
    "close",
  ]);
});

test("runBroker() does without one of the two addresses", async () => {
  const run = start("", { "::1 1883": "address-not-available" });
  await settle();
  run.signal("SIGINT");
  assertEquals(await run.status, 0);
  assertEquals(run.stderr, [
    ...STARTING,
    ...OPENING,
    "Warning: Cannot listen on ::1: address-not-available.",
    RUNNING,
    TERMINATING,
  ]);
});

test("runBroker() ends with status 1 when neither address can be had", async () => {
  const run = start("-q", {
    "127.0.0.1 1883": "permission-denied",
    "::1 1883": "address-not-available",
  });
  assertEquals(await run.status, 1);
  assertEquals(run.asked, ["listen 127.0.0.1 1883", "listen ::1 1883", "close"]);
  assertEquals(run.stderr, [
    "Error: Cannot listen on 127.0.0.1: permission-denied. Another port can be chosen with -p.",
  ]);
});

for (const address of ["127.0.0.1", "::1"]) {
  test(`runBroker() ends with status 1 when ${address} is in use`, async () => {
    const run = start("-q", { [`${address} 1883`]: "address-in-use" });
    assertEquals(await run.status, 1);
    assertEquals(run.asked.at(-1), "close");
    assertEquals(run.stderr, [
      `Error: Cannot listen on ${address}: address-in-use. Another port can be chosen with -p.`,
    ]);
  });
}

test("runBroker() logs events, packets only when it is told to be verbose", async () => {
  const stderr = [];
  for (const line of ["-q", "", "-v"]) {
    const run = start(line);
    await settle();
    const before = run.stderr.length;
    run.emit({ kind: "session-expired", clientId: "c" });
    run.emit({ kind: "subscribed", clientId: "c", filter: "a", qos: 0 });
    run.emit({ kind: "packet", action: "received", type: "pingreq", clientId: "c" });
    stderr.push([run.tracesPackets, ...run.stderr.slice(before)]);
    run.signal("SIGINT");
    await run.status;
  }
  assertEquals(stderr, [
    [false],
    [false, "Expiring client c due to timeout."],
    [true, "Expiring client c due to timeout.", "c 0 a", "Received PINGREQ from c"],
  ]);
});

test("runBroker() logs failures with where they happened", async () => {
  const run = start("");
  await settle();
  run.fail("receive", "no more");
  assertEquals(run.stderr.at(-1), "Error: receive failed: no more");
  run.signal("SIGINT");
  await run.status;
});

test("runBroker() says nothing when it is quiet", async () => {
  const run = start("-q -v");
  await settle();
  run.signal("SIGINT");
  assertEquals(await run.status, 0);
  assertEquals([run.stdout, run.stderr], ["", []]);
});

test("runBroker() does not wait for the rest at a second signal", async () => {
  const run = start("", {}, new Promise(() => {}));
  await settle();
  run.signal("SIGINT");
  let status: unknown;
  try {
    run.signal("SIGINT");
  } catch (error) {
    status = error instanceof Exit ? error.status : error;
  }
  assertEquals(status, 1);
});

test("runBroker() answers an option it does not know with one line and status 1", async () => {
  const run = start("--bogus");
  assertEquals(await run.status, 1);
  assertEquals([run.stdout, run.stderr, run.asked], [
    "",
    ["Error: Unknown option '--bogus'. See --help for what there is."],
    [],
  ]);
});

test("runBroker() prints its version on standard output with status 0", async () => {
  const run = start("--version");
  assertEquals(await run.status, 0);
  assertEquals([run.stdout.split("\n")[0], run.stderr, run.asked], [`midge ${VERSION}`, [], []]);
});
