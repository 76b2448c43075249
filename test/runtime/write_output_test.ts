// Standard output of a program of its own, read slowly, read by nobody, and full.

import { assertEquals } from "@std/assert";
import { runScript, sourceUrl } from "../support/child_script.ts";
import { test } from "../harness.ts";

const CURRENT = `
import { currentRuntime } from "${sourceUrl("src/runtime/current.ts")}";
const runtime = await currentRuntime();
const say = (text) => runtime.print("stderr", text + "\\n");
`;

/** Runs a script whose standard output goes to this command; its own words come out. */
async function runInto(command: string, script: string): Promise<string> {
  // What the reader finds is told behind what the writer says.
  const through = ["sh", "-c", `{ "$@" 2>&3 | { ${command}; } >&4; } 3>&1 4>&1`, "sh"];
  return await runScript(`${CURRENT}${script}`, { through });
}

test("Runtime.writeOutput() writes everything in order, and the program goes on meanwhile", async () => {
  const output = await runInto(
    'read -r first; echo start >&2; sleep 0.2; { echo "$first"; cat; } | cksum',
    `
    await runtime.writeOutput(new TextEncoder().encode("first\\n"));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const bytes = new Uint8Array(1_000_000);
    for (let i = 0; i < 3; i++) {
      bytes.fill(0x30 + i);
      if (!await runtime.writeOutput(bytes)) say("nobody reads");
    }
    say(ticks > 2 ? "went on" : "was held up");
    runtime.exit(0);
    `,
  );
  const expected = await runScript(
    `import { writeSync } from "node:fs";
    for (const [byte, count] of [["first\\n", 1], ["0", 1e6], ["1", 1e6], ["2", 1e6]]) {
      let rest = byte.repeat(count);
      while (rest !== "") rest = rest.slice(writeSync(1, rest));
    }`,
    { through: ["sh", "-c", '"$@" | cksum', "sh"] },
  );
  assertEquals(output.split("\n").sort(), ["", "start", "went on", expected.trim()].sort());
});

test("Runtime.writeOutput() says that nobody reads any more", async () => {
  const output = await runInto(
    "exec true",
    `
    const bytes = new Uint8Array(1_000_000);
    const answers = [];
    do answers.push(await runtime.writeOutput(bytes)); while (answers.at(-1));
    answers.push(await runtime.writeOutput(bytes));
    say(answers.slice(-2).join());
    runtime.exit(0);
    `,
  );
  assertEquals(output, "false,false\n");
});

test("Runtime.writeOutput() rejects when there is no room", async () => {
  const output = await runScript(
    `${CURRENT}
    try {
      await runtime.writeOutput(new Uint8Array(10));
    } catch (error) {
      say(error.name + " " + error.code + ": " + error.message);
    }
    runtime.exit(0);
    `,
    { through: ["sh", "-c", '"$@" > /dev/full', "sh"] },
  );
  assertEquals(
    output,
    "OperationError disk-full: Cannot write to standard output: the disk is full\n",
  );
});
