// Which lines are written, and in what shape.

import { assertEquals } from "@std/assert";
import { Logger } from "../../src/telemetry/log.ts";
import { ALL_LOG_TYPES, DEFAULT_LOG_TYPES, type LogType } from "../../src/telemetry/log_line.ts";
import { test } from "../harness.ts";

function open(types: readonly LogType[]): { logger: Logger; written: string[] } {
  const written: string[] = [];
  const logger = new Logger({
    types,
    write: (line) => void written.push(line),
    wallClock: () => 1_700_000_000_999,
  });
  return { logger, written };
}

test("Logger.log() stamps a line with whole seconds", () => {
  const { logger, written } = open(["notice"]);
  logger.log("notice", "Here we are.");
  assertEquals(written, ["1700000000: Here we are.\n"]);
});

test("Logger.log() writes the types that are wanted, by default not packets", () => {
  const { logger, written } = open(DEFAULT_LOG_TYPES);
  for (const type of ALL_LOG_TYPES) logger.log(type, type);
  assertEquals(
    written,
    ["error", "warning", "notice", "information"].map((type) => `1700000000: ${type}\n`),
  );
});

test("Logger.log() cuts a line to 999 bytes, between characters", () => {
  const { logger, written } = open(["notice"]);
  logger.log("notice", "x".repeat(2000));
  logger.log("notice", "é".repeat(2000));
  const stamp = "1700000000: ";
  assertEquals(written, [
    `${stamp}${"x".repeat(999 - stamp.length)}\n`,
    `${stamp}${"é".repeat((999 - stamp.length - 1) / 2)}\n`,
  ]);
});

test("Logger.logEvent() writes those lines of an event whose type is wanted", () => {
  const event = {
    kind: "connected",
    peer: { remoteAddress: "::1", remotePort: 1, localPort: 2 },
    clientId: "c",
    protocolVersion: 4,
    cleanStart: true,
    keepAlive: 0,
    username: undefined,
    isBridge: false,
    will: undefined,
  } as const;
  const notices = open(["notice"]);
  notices.logger.logEvent(event);
  const quiet = open([]);
  quiet.logger.logEvent(event);
  assertEquals([notices.written, quiet.written], [
    ["1700000000: New client connected from ::1:1 as c (p4, c1, k0).\n"],
    [],
  ]);
});
