// `pub` as a process: arguments and input that are no text, signals, closed pipes.

import { assertEquals } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Packet } from "../../../src/core/codec/packet.ts";
import { test } from "../../harness.ts";
import { midgeCommand } from "../../runtime/programs.ts";
import { ClientTool, type ToolOutcome } from "../../support/client_tool.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import { connack } from "../../support/packets.ts";
import { type Play, PortBroker } from "../../support/port_broker.ts";
import { inFolder, type Outcome, runProcess } from "../../support/tool_process.ts";
import { until } from "../../support/wait.ts";

const SILENT: ToolOutcome = { status: 0, stdout: "", stderr: "" };

/** Accepts, and hangs up when the client says good-bye. */
const accepting: Play = (packet, connection) => {
  if (packet.type === "connect") connection.send(connack(0));
  if (packet.type === "disconnect") connection.socket.end();
};

function payloads(heard: readonly Packet[]): Uint8Array[] {
  return heard.flatMap((packet) => packet.type === "publish" ? [packet.payload] : []);
}

/** Runs `pub` by a shell, which can say what no text can, in `$0` and `$@`. */
function runByShell(script: string, port: number): Promise<Outcome> {
  const words = ["pub", "-h", "127.0.0.1", "-p", `${port}`, "-o", "/dev/null"];
  const { command, args } = midgeCommand(words);
  return runProcess({ command: "sh", args: ["-c", script, command, ...args] });
}

test(
  "pub takes arguments that are no text as they are, but not as a topic",
  PROCESS_TEST,
  async () => {
    await PortBroker.with(accepting, async ({ port, heard }) => {
      const byte = `"$(printf 'a\\377\\200b')"`;
      assertEquals(await runByShell(`exec "$0" "$@" -t t -m ${byte}`, port), SILENT);
      assertEquals(payloads(heard), [Uint8Array.of(0x61, 0xff, 0x80, 0x62)]);
      assertEquals(await runByShell(`exec "$0" "$@" -t ${byte} -m x`, port), {
        status: 1,
        stdout: "",
        stderr: "Error: Malformed UTF-8 in -t argument.\n\n" +
          "Use 'midge pub --help' to see usage.\n",
      });
    });
  },
);

test("pub -l reads files, pipes and what is written to it later", PROCESS_TEST, async () => {
  const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index}`);
  await inFolder(async (folder) => {
    const path = join(folder, "lines");
    await writeFile(path, `${lines.join("\n")}\n`);
    for (const input of [`< '${path}'`, `< /dev/null`]) {
      await PortBroker.with(accepting, async ({ port, heard }) => {
        assertEquals(await runByShell(`exec "$0" "$@" -t t -l ${input}`, port), SILENT);
        const text = new TextDecoder();
        const expected = input.includes("null") ? [] : lines;
        const sent = payloads(heard).map((payload) => text.decode(payload));
        assertEquals(sent.length, expected.length);
        assertEquals(sent.join() === expected.join(), true);
      });
    }
    await PortBroker.with(accepting, async ({ port, heard }) => {
      const script = `(echo one; cat '${path}'; printf last) | "$0" "$@" -t t -l`;
      assertEquals(await runByShell(script, port), SILENT);
      assertEquals(payloads(heard).length, lines.length + 2);
    });
    await PortBroker.with(accepting, async ({ port, heard }) => {
      const script = `cat '${path}' | "$0" "$@" -t t -s`;
      assertEquals(await runByShell(script, port), SILENT);
      assertEquals(payloads(heard).map((payload) => new TextDecoder().decode(payload)), [
        `${lines.join("\n")}\n`,
      ]);
    });
  });
});

test(
  "pub says good-bye when it is interrupted, and ends at once before it is connected",
  PROCESS_TEST,
  async () => {
    await PortBroker.with(accepting, async ({ port, heard }) => {
      for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
        heard.length = 0;
        const words = ["-h", "127.0.0.1", "-p", `${port}`, "-t", "t", "-m", "m", "-V", "5"];
        const tool = new ClientTool("midge", "mosquitto_pub", [
          ...[...words, "--repeat", "2", "--repeat-delay", "3600"],
        ]);
        await until(() => payloads(heard).length === 1, "it has published once");
        process.kill(tool.processId, signal);
        assertEquals(await tool.ended, { ...SILENT, status });
        assertEquals(heard.at(-1), { type: "disconnect", reasonCode: 4, properties: {} });
      }
    });
    await PortBroker.with(() => {}, async ({ port, heard }) => {
      const tool = new ClientTool("midge", "mosquitto_pub", [
        ...["-h", "127.0.0.1", "-p", `${port}`, "-t", "t", "-m", "m"],
      ]);
      await until(() => heard.length === 1, "it asks to be connected");
      process.kill(tool.processId, "SIGINT");
      assertEquals(await tool.ended, { ...SILENT, status: 255 });
    });
  },
);

test("pub -d goes on when nobody reads its lines", PROCESS_TEST, async () => {
  await PortBroker.with(accepting, async ({ port, heard }) => {
    const tool = new ClientTool("midge", "mosquitto_pub", [
      ...["-h", "127.0.0.1", "-p", `${port}`, "-t", "t", "-m", "m", "-d"],
      ...["--repeat", "30", "--repeat-delay", "0.01"],
    ]);
    await tool.printed("CONNACK");
    tool.closeOutput();
    const { status, stderr } = await tool.ended;
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
    assertEquals(payloads(heard).length, 30);
  });
});
