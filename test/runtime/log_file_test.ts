// The log on the real files and the real system log of the machine.

import { assertEquals } from "@std/assert";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Logger } from "../../src/telemetry/log.ts";
import { DEFAULT_LOG_SETTINGS, type LogSettings } from "../../src/telemetry/log_line.ts";
import { test } from "../harness.ts";
import { runtime } from "../support/current_runtime.ts";

const files = await runtime.files();

/** A log to one file, and what it writes on the standard streams. */
function open(path: string): { logger: Logger; printed: string[]; settings: LogSettings } {
  const printed: string[] = [];
  const settings: LogSettings = {
    ...DEFAULT_LOG_SETTINGS,
    hasTimestamp: false,
    destinations: [{ kind: "file", path }],
  };
  const logger = new Logger({
    print: (stream, text) => void printed.push(`${stream}|${text}`),
    wallClock: () => Date.now(),
    openFile: (name) => files.openAppended(name),
  }, settings);
  return { logger, printed, settings };
}

async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-log-"));
  try {
    await action(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test("Logger writes line by line to a file that only its user can read, and on to a new one", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "midge.log");
    const { logger, printed } = open(path);
    logger.log("notice", "one");
    assertEquals([fs.readFileSync(path, "utf8"), fs.statSync(path).mode & 0o777], ["one\n", 0o600]);
    fs.renameSync(path, `${path}.1`);
    logger.log("notice", "two");
    logger.reopen();
    logger.log("notice", "three");
    await logger.close();
    assertEquals(
      [fs.readFileSync(`${path}.1`, "utf8"), fs.readFileSync(path, "utf8"), printed],
      ["one\ntwo\n", "three\n", []],
    );
  });
});

test("Logger lives on when the disk is full, and says so once", async () => {
  const { logger, printed } = open("/dev/full");
  for (let i = 0; i < 3; i++) logger.log("notice", "lost");
  assertEquals([printed, logger.linesLost], [[
    'stderr|Error: Unable to write to log file /dev/full: Cannot write "/dev/full": the disk is full.\n',
  ], 3]);
  await logger.close();
});

test("Logger writes through no link that a stranger could have made [B-54]", async () => {
  await inFolder(async (folder) => {
    fs.chmodSync(folder, 0o1777);
    const path = join(folder, "midge.log");
    fs.symlinkSync(join(folder, "victim"), path);
    const { logger, printed } = open(path);
    logger.log("notice", "not written");
    logger.log("error", "Error: on standard error");
    await logger.close();
    assertEquals([fs.existsSync(join(folder, "victim")), printed], [false, [
      `stderr|Error: Unable to open log file ${path} for writing.\n`,
      `stderr|Error: Cannot write "${path}": "${path}" is a symbolic link in a directory that ` +
      "others can write to.\n",
      "stderr|Error: on standard error\n",
    ]]);
  });
});
