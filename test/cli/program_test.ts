// The broker as a process of its own: what it prints where, what it answers to signals, and with
// which status it ends.

import { assertEquals } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import process from "node:process";
import { VERSION } from "../../src/app/version.ts";
import { test } from "../harness.ts";
import { midgeCommand } from "../runtime/programs.ts";
import { connectPeer } from "../support/socket_peer.ts";
import { until } from "../support/wait.ts";

/** A start may have to wait for a busy machine. */
const OPTIONS = { timeout: 30_000 };

interface Program {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
  readonly ended: Promise<number | null>;
}

function launch(...args: string[]): Program {
  const { command, args: words } = midgeCommand(args);
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"] });
  const program: Program = {
    child,
    stdout: "",
    stderr: "",
    ended: new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    }),
  };
  child.stdout.on("data", (chunk: Uint8Array) => program.stdout += chunk.toString());
  child.stderr.on("data", (chunk: Uint8Array) => program.stderr += chunk.toString());
  return program;
}

async function withProgram(
  args: readonly string[],
  body: (program: Program) => Promise<void>,
): Promise<void> {
  const program = launch(...args);
  try {
    await until(() => program.stderr.includes(" running\n"), `it runs: ${program.stderr}`);
    await body(program);
  } finally {
    program.child.kill("SIGKILL");
    await program.ended;
  }
}

function unstamped(text: string): string[] {
  return text.trimEnd().split("\n").map((line) => line.replace(/^\d{10}: /, ""));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address!.port : 0));
    });
  });
}

// The client "t" of version 3.1.1, and what it is answered.
const CONNECT = [16, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 1, 116];
const CONNACK = [32, 2, 0, 0];

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`The program serves on both loopbacks, and ${signal} ends it well`, OPTIONS, async () => {
    const port = await freePort();
    await withProgram(["-p", String(port)], async (program) => {
      for (const hostname of ["127.0.0.1", "::1"]) {
        const peer = await connectPeer(hostname, port);
        const got: number[] = [];
        peer.onChunk = (chunk) => void got.push(...chunk);
        await peer.send(Uint8Array.from(CONNECT));
        await until(() => got.length >= CONNACK.length, "the client is answered");
        assertEquals(got, CONNACK);
        peer.abort();
      }
      // Not `child.kill`, after which Deno reports the signal in place of the exit status.
      process.kill(program.child.pid!, signal);
      assertEquals(await program.ended, 0);
      const lines = unstamped(program.stderr);
      assertEquals([lines[0], lines.at(-1)], [
        `midge version ${VERSION} starting`,
        `midge version ${VERSION} terminating`,
      ]);
      assertEquals(program.stdout.includes(`mosquitto_sub -p ${port} `), true);
    });
  });
}

test(
  "The program ends with status 1 and one clear line when its port is in use",
  OPTIONS,
  async () => {
    const port = await freePort();
    await withProgram(["-p", String(port)], async () => {
      const second = launch("-q", "-p", String(port));
      assertEquals([await second.ended, second.stdout, second.stderr], [
        1,
        "",
        `Error: Cannot listen on 127.0.0.1:${port}: the address is already in use. ` +
        "Another port can be chosen with -p.\n",
      ]);
    });
  },
);

test("The program ends with status 1 and one clear line at a bad option", OPTIONS, async () => {
  const program = launch("--bogus");
  assertEquals([await program.ended, program.stdout, program.stderr], [
    1,
    "",
    "Error: Unknown option '--bogus'. See --help for what there is.\n",
  ]);
});

test("The program prints its help and its version with status 0", OPTIONS, async () => {
  const [help, version] = [launch("--help"), launch("--version")];
  assertEquals([await help.ended, await version.ended], [0, 0]);
  assertEquals([help.stdout.split("\n")[0], version.stdout.split("\n")[0]], [
    `midge version ${VERSION}`,
    `midge ${VERSION}`,
  ]);
  assertEquals([help.stderr, version.stderr], ["", ""]);
});
