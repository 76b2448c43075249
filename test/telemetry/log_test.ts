// Which lines are written, where, and what happens when a place does not take them.

import { assertEquals } from "@std/assert";
import type { AppendedFile } from "../../src/runtime/files.ts";
import { Logger } from "../../src/telemetry/log.ts";
import {
  ALL_LOG_TYPES,
  DEFAULT_LOG_SETTINGS,
  DEFAULT_LOG_TYPES,
  type LogSettings,
} from "../../src/telemetry/log_line.ts";
import { test } from "../harness.ts";

/** Everything around a log, which writes down what reaches it, as `place|text`. */
class Surroundings {
  readonly written: string[] = [];
  now = 1_700_000_000_999;
  /** Paths that cannot be opened, and places that do not take lines. */
  readonly unopenable = new Set<string>();
  readonly full = new Set<string>();
  onPublish: () => void = () => {};

  readonly wallClock = (): number => this.now;

  readonly print = (stream: string, text: string): void => this.#take(stream, text);

  readonly openFile = (path: string): AppendedFile => {
    if (this.unopenable.has(path)) throw new Error(`Cannot open "${path}": permission is denied`);
    this.written.push(`${path}|(opened)`);
    return {
      append: (text) => this.#take(path, text),
      close: () => void this.written.push(`${path}|(closed)`),
    };
  };

  readonly openSystemLog = (ident: string, facility: number) => {
    if (this.unopenable.has("syslog")) throw new Error('There is no program "logger"');
    return {
      write: (priority: number, text: string) =>
        this.#take(`${ident}.${facility}.${priority}`, text),
      close: () => {
        this.written.push("syslog|(closed)");
        return Promise.resolve();
      },
    };
  };

  readonly publish = (topic: string, line: string): void => {
    this.#take(topic, line);
    this.onPublish();
  };

  /** What was written since the last time. */
  take(): string[] {
    return this.written.splice(0);
  }

  #take(place: string, text: string): void {
    if (this.full.has(place)) throw new Error("The disk is full");
    this.written.push(`${place}|${text}`);
  }
}

function open(settings: Partial<LogSettings> = {}): { logger: Logger; around: Surroundings } {
  const around = new Surroundings();
  return { logger: new Logger(around, { ...DEFAULT_LOG_SETTINGS, ...settings }), around };
}

const peer = { remoteAddress: "::1", remotePort: 1, localPort: 2 };

const connected = {
  kind: "connected",
  peer,
  clientId: "c",
  protocolVersion: 4,
  cleanStart: true,
  keepAlive: 0,
  username: "joe",
  isBridge: false,
  will: { topic: "w", payloadBytes: 3, qos: 1, retain: false },
} as const;

test("Logger.log() stamps a line with whole seconds and writes it to standard error", () => {
  const { logger, around } = open();
  logger.log("notice", "Here we are.");
  assertEquals(around.take(), ["stderr|1700000000: Here we are.\n"]);
});

test("Logger.log() writes the types that are wanted, by default not packets", () => {
  const { logger, around } = open();
  for (const type of ALL_LOG_TYPES) logger.log(type, type);
  assertEquals(
    around.take(),
    ["error", "warning", "notice", "information"].map((type) => `stderr|1700000000: ${type}\n`),
  );
  assertEquals(ALL_LOG_TYPES.filter((type) => logger.wants(type)), [...DEFAULT_LOG_TYPES]);
});

test("Logger.log() writes to every place, with the severities of each", () => {
  const { logger, around } = open({
    types: ALL_LOG_TYPES,
    hasTimestamp: false,
    facility: 2,
    destinations: [
      { kind: "stdout" },
      { kind: "stderr" },
      { kind: "file", path: "/log" },
      { kind: "syslog" },
      { kind: "topic" },
    ],
  });
  around.take();
  logger.log("error", "x");
  assertEquals(around.take(), [
    "stdout|x\n",
    "stderr|x\n",
    "/log|x\n",
    "mosquitto.18.3|x",
    "$SYS/broker/log/E|x",
  ]);
  for (const type of ALL_LOG_TYPES) logger.log(type, type);
  assertEquals(around.take().filter((line) => /^mosq|^\$/.test(line)), [
    "mosquitto.18.3|error",
    "$SYS/broker/log/E|error",
    "mosquitto.18.4|warning",
    "$SYS/broker/log/W|warning",
    "mosquitto.18.5|notice",
    "$SYS/broker/log/N|notice",
    "mosquitto.18.6|information",
    "$SYS/broker/log/I|information",
    "mosquitto.18.7|debug",
    "mosquitto.18.5|subscribe",
    "$SYS/broker/log/M/subscribe|subscribe",
    "mosquitto.18.5|unsubscribe",
    "$SYS/broker/log/M/unsubscribe|unsubscribe",
    "mosquitto.18.7|internal",
    "mosquitto.18.7|websockets",
  ]);
});

test("Logger.log() writes nowhere when there is no place, and to the daemon facility at first", () => {
  const { logger, around } = open({ destinations: [] });
  logger.log("error", "x");
  assertEquals(around.take(), []);
  logger.configure({ ...DEFAULT_LOG_SETTINGS, destinations: [{ kind: "syslog" }] });
  logger.log("error", "x");
  assertEquals(around.take(), ["mosquitto.3.3|1700000000: x"]);
});

test("Logger.wantsPackets is whether a packet's line would be anywhere", () => {
  assertEquals(open().logger.wantsPackets, false);
  assertEquals(open({ types: ["debug"] }).logger.wantsPackets, true);
  assertEquals(
    open({ types: ["debug"], destinations: [{ kind: "topic" }] }).logger.wantsPackets,
    false,
  );
  assertEquals(open({ types: ["debug"], destinations: [] }).logger.wantsPackets, false);
});

test("Logger.logEvent() writes those lines of an event whose type is wanted", () => {
  const { logger, around } = open({ types: ["notice"] });
  logger.logEvent(connected);
  assertEquals(around.take(), [
    "stderr|1700000000: New client connected from ::1:1 as c (p4, c1, k0, u'joe').\n",
  ]);
  const quiet = open({ types: [] });
  quiet.logger.logEvent(connected);
  assertEquals(quiet.around.take(), []);
});

test("Logger.logEvent() leaves out who comes and goes, if so configured", () => {
  const { logger, around } = open({ hasConnectionMessages: false, types: ALL_LOG_TYPES });
  logger.logEvent(connected);
  logger.logEvent({
    kind: "closed",
    peer,
    clientId: "c",
    cause: "not authorised",
    detail: undefined,
  });
  logger.logEvent({ kind: "dropping", clientId: "c" });
  assertEquals(around.take(), [
    "stderr|1700000000: Outgoing messages are being dropped for client c.\n",
  ]);
});

test("Logger.logEvent() writes one JSON object a line, with what the event is about", () => {
  const { logger, around } = open({ format: "json", types: ALL_LOG_TYPES });
  logger.logEvent(connected);
  logger.log("warning", "Careful", { option: "user", line: 3 });
  assertEquals(
    around.take().map((line) => JSON.parse(line.replace("stderr|", ""))),
    [
      {
        time: "2023-11-14T22:13:20.999Z",
        level: "notice",
        msg: "New client connected from ::1:1 as c (p4, c1, k0, u'joe').",
        event: "connected",
        address: "::1",
        port: 1,
        localPort: 2,
        clientId: "c",
        protocolVersion: 4,
        cleanStart: true,
        keepAlive: 0,
        username: "joe",
        isBridge: false,
        will: { topic: "w", payloadBytes: 3, qos: 1, retain: false },
      },
      {
        time: "2023-11-14T22:13:20.999Z",
        level: "debug",
        msg: "Will message specified (3 bytes) (r0, q1).",
        event: "connected",
        address: "::1",
        port: 1,
        localPort: 2,
        clientId: "c",
        protocolVersion: 4,
        cleanStart: true,
        keepAlive: 0,
        username: "joe",
        isBridge: false,
        will: { topic: "w", payloadBytes: 3, qos: 1, retain: false },
      },
      {
        time: "2023-11-14T22:13:20.999Z",
        level: "warning",
        msg: "Careful",
        option: "user",
        line: 3,
      },
    ],
  );
});

test("Logger leaves errors on standard error when its file cannot be opened", () => {
  const { logger, around } = open();
  around.unopenable.add("/log");
  logger.configure({
    ...DEFAULT_LOG_SETTINGS,
    destinations: [{ kind: "stdout" }, { kind: "file", path: "/log" }, { kind: "syslog" }],
  });
  logger.log("notice", "not written");
  logger.log("error", "written");
  assertEquals(around.take(), [
    "syslog|(closed)",
    "stderr|1700000000: Error: Unable to open log file /log for writing.\n",
    'stderr|1700000000: Error: Cannot open "/log": permission is denied.\n',
    "stderr|1700000000: written\n",
  ]);
});

test("Logger does without a system log that is not there", () => {
  const { logger, around } = open();
  around.unopenable.add("syslog");
  const settings = { ...DEFAULT_LOG_SETTINGS, destinations: [{ kind: "syslog" }] } as const;
  logger.configure({ ...settings, destinations: [{ kind: "syslog" }, { kind: "stdout" }] });
  logger.log("notice", "written");
  logger.configure(settings);
  logger.log("notice", "not written");
  const complaint = '1700000000: Error: Unable to open log syslog: There is no program "logger".\n';
  assertEquals(around.take(), [
    `stdout|${complaint}`,
    "stdout|1700000000: written\n",
    `stderr|${complaint}`,
  ]);
});

test("Logger.reopen() opens the file anew, and goes on with the old one if it must [B-52]", () => {
  const { logger, around } = open({ destinations: [{ kind: "file", path: "/log" }] });
  logger.reopen();
  assertEquals(around.take(), ["/log|(opened)", "/log|(opened)", "/log|(closed)"]);
  around.unopenable.add("/log");
  logger.reopen();
  logger.log("notice", "still here");
  assertEquals(around.take(), [
    "/log|1700000000: Error: Unable to open log file /log for writing.\n",
    '/log|1700000000: Error: Cannot open "/log": permission is denied.\n',
    "/log|1700000000: still here\n",
  ]);
});

test("Logger.configure() goes over to other places, types and shapes", () => {
  const { logger, around } = open({ destinations: [{ kind: "file", path: "/log" }] });
  logger.log("notice", "one");
  logger.configure({
    ...DEFAULT_LOG_SETTINGS,
    types: ["debug"],
    hasTimestamp: false,
    destinations: [{ kind: "stdout" }],
  });
  logger.log("notice", "not wanted");
  logger.log("debug", "two");
  assertEquals(around.take(), [
    "/log|(opened)",
    "/log|1700000000: one\n",
    "/log|(closed)",
    "stdout|two\n",
  ]);
});

test("Logger says once that a place does not take lines, counts them, and never throws", () => {
  const { logger, around } = open({
    destinations: [{ kind: "file", path: "/log" }, { kind: "stdout" }],
  });
  around.take();
  around.full.add("/log");
  logger.log("notice", "one");
  logger.log("notice", "two");
  assertEquals([around.take(), logger.linesLost], [[
    "stderr|1700000000: Error: Unable to write to log file /log: The disk is full.\n",
    "stdout|1700000000: one\n",
    "stdout|1700000000: two\n",
  ], 2]);
  around.full.add("stdout");
  around.full.add("stderr");
  logger.log("notice", "three");
  assertEquals([around.take(), logger.linesLost], [[], 5]);
  around.full.clear();
  logger.log("notice", "four");
  assertEquals(around.take(), ["/log|1700000000: four\n", "stdout|1700000000: four\n"]);
});

test("Logger publishes no line about the publishing of a line", () => {
  const { logger, around } = open({ destinations: [{ kind: "topic" }, { kind: "stdout" }] });
  around.onPublish = () => logger.log("notice", "inner");
  logger.log("notice", "outer");
  assertEquals(around.take(), [
    "$SYS/broker/log/N|1700000000: outer",
    "stdout|1700000000: inner\n",
    "stdout|1700000000: outer\n",
  ]);
});

test("Logger.close() waits until all lines are where they belong, and writes no more", async () => {
  const { logger, around } = open({
    destinations: [{ kind: "syslog" }, { kind: "file", path: "/log" }],
  });
  around.take();
  await logger.close();
  logger.log("error", "too late");
  assertEquals(around.take(), ["syslog|(closed)", "/log|(closed)"]);
});
