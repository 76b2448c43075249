/**
 * The places where lines go: streams, a file, the system's log, topics of the broker. Each is
 * opened from what the program hands in, so that nothing here knows a runtime.
 *
 * @module
 */

import type { AppendedFile } from "../runtime/files.ts";
import type { SystemLog } from "../runtime/host.ts";
import type { LogPlace, LogType } from "./log_line.ts";

/** What a log needs of the program around it; a place whose part is missing cannot be opened. */
export interface LogSurroundings {
  print(stream: "stdout" | "stderr", text: string): void;
  /** Milliseconds since 1970. */
  wallClock(): number;
  openFile?(path: string): AppendedFile;
  openSystemLog?(ident: string, facility: number): SystemLog;
  /** Publishes a line: QoS 2, not retained, forgotten after a few seconds. */
  publish?(topic: string, line: string): void;
}

/** How the system's log calls the program; filters of its users look for it. */
const IDENT = "mosquitto";
const DAEMON_FACILITY = 3;
const FIRST_LOCAL_FACILITY = 16;

/** One open place. */
export interface LogOutput {
  readonly place: LogPlace;
  /** May throw, as disks and streams do. */
  write(type: LogType, line: string): void;
  close(): Promise<void>;
}

/** Opens a place, `facility` being that of `log_facility`; throws what the surroundings throw. */
export function openOutput(
  place: LogPlace,
  facility: number | undefined,
  surroundings: LogSurroundings,
): LogOutput {
  switch (place.kind) {
    case "stdout":
    case "stderr":
      return {
        place,
        write: (_type, line) => surroundings.print(place.kind, `${line}\n`),
        close: nothingToClose,
      };
    case "file":
      return openFile(place, surroundings);
    case "syslog":
      return openSyslog(place, facility, surroundings);
    case "topic":
      return topicOutput(place, surroundings);
  }
}

function openFile(
  place: Extract<LogPlace, { kind: "file" }>,
  surroundings: LogSurroundings,
): LogOutput {
  if (surroundings.openFile === undefined) throw new TypeError("There are no files to log to");
  const file = surroundings.openFile(place.path);
  return {
    place,
    write: (_type, line) => file.append(`${line}\n`),
    close(): Promise<void> {
      file.close();
      return Promise.resolve();
    },
  };
}

function openSyslog(
  place: LogPlace,
  facility: number | undefined,
  surroundings: LogSurroundings,
): LogOutput {
  if (surroundings.openSystemLog === undefined) throw new TypeError("There is no system log");
  const number = facility === undefined ? DAEMON_FACILITY : FIRST_LOCAL_FACILITY + facility;
  const log = surroundings.openSystemLog(IDENT, number);
  return {
    place,
    write: (type, line) => log.write(PRIORITIES[type], line),
    close: () => log.close(),
  };
}

const PRIORITIES: Readonly<Record<LogType, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  subscribe: 5,
  unsubscribe: 5,
  information: 6,
  debug: 7,
  internal: 7,
  websockets: 7,
};

function topicOutput(place: LogPlace, surroundings: LogSurroundings): LogOutput {
  let isPublishing = false;
  return {
    place,
    write(type: LogType, line: string): void {
      const topic = TOPICS[type];
      // What there is to say about the publishing of a line would be said for ever.
      if (topic === undefined || isPublishing) return;
      isPublishing = true;
      try {
        surroundings.publish?.(topic, line);
      } finally {
        isPublishing = false;
      }
    },
    close: nothingToClose,
  };
}

/** Lines about packets, and those from inside, never become messages: each would make more. */
const TOPICS: Readonly<Partial<Record<LogType, string>>> = {
  error: "$SYS/broker/log/E",
  warning: "$SYS/broker/log/W",
  notice: "$SYS/broker/log/N",
  information: "$SYS/broker/log/I",
  subscribe: "$SYS/broker/log/M/subscribe",
  unsubscribe: "$SYS/broker/log/M/unsubscribe",
};

function nothingToClose(): Promise<void> {
  return Promise.resolve();
}
