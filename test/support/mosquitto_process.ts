// Debian's Mosquitto as a process with a configuration and files of its own, to hold Midge against.
// In every text `$DIR` is its folder and `$PORT1` a free port.

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ForeignProcess } from "./foreign_process.ts";
import { freePorts, type MidgeOptions } from "./midge_process.ts";
import { until } from "./wait.ts";

const LIMIT_MS = 60_000;

/** Runs the body with a Mosquitto that is up, then ends it. */
export async function withMosquitto(
  { config = "", files = {} }: Pick<MidgeOptions, "config" | "files">,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "midge-mosquitto-"));
  const [port] = await freePorts(1);
  const fill = (text: string): string =>
    text.replaceAll("$DIR", folder).replaceAll("$PORT1", String(port));
  try {
    const all = {
      ...files,
      "mosquitto.conf": `user root\nlog_timestamp false\nset_tcp_nodelay true\n${config}`,
    };
    for (const [name, content] of Object.entries(all)) {
      const path = join(folder, name);
      await writeFile(path, typeof content === "string" ? fill(content) : content);
      await chmod(path, 0o600);
    }
    let isRunning = false;
    const process = new ForeignProcess("mosquitto", ["-c", join(folder, "mosquitto.conf")], {
      limitMs: LIMIT_MS,
      onErrorLine: (line) => isRunning ||= /^mosquitto version \S+ running$/.test(line),
    });
    const early = process.ended.then(({ stderr }) => {
      throw new Error(`mosquitto has ended: ${stderr}`);
    });
    early.catch(() => {});
    try {
      await Promise.race([until(() => isRunning, "mosquitto runs"), early]);
      await body(port!);
    } finally {
      process.kill("SIGTERM");
      await process.ended;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
