/**
 * The log: which lines are wanted, and that each reaches the places that the operator chose. What
 * events say is in format_event.ts, the shape of a line in log_format.ts, the places in
 * log_output.ts.
 *
 * The idea: a log never ends or holds up the broker. A file that cannot be opened leaves errors on
 * standard error; a place that does not take a line loses it, which is counted, and said once.
 *
 * @module
 */

import type { BrokerEvent } from "../core/broker/event.ts";
import { eventFields } from "./event_fields.ts";
import { formatEvent } from "./format_event.ts";
import { LineFormatter } from "./log_format.ts";
import {
  DEFAULT_LOG_SETTINGS,
  type LogFields,
  type LogPlace,
  type LogSettings,
  type LogType,
} from "./log_line.ts";
import { type LogOutput, type LogSurroundings, openOutput } from "./log_output.ts";

const STDERR: LogPlace = { kind: "stderr" };

/** Writes the lines that are wanted where they are wanted. */
export class Logger {
  readonly #surroundings: LogSurroundings;
  #settings: LogSettings;
  #formatter: LineFormatter;
  /** Names of types; one that does not exist is of no line. */
  #types: ReadonlySet<string> = new Set();
  #outputs: readonly LogOutput[] = [];
  #failed = new Set<LogOutput>();
  #linesLost = 0;

  /** Begins with standard error unless told otherwise. */
  constructor(surroundings: LogSurroundings, settings: LogSettings = DEFAULT_LOG_SETTINGS) {
    this.#surroundings = surroundings;
    this.#settings = settings;
    this.#formatter = new LineFormatter(settings);
    this.configure(settings);
  }

  /** Whether an event for every packet would be logged anywhere. */
  get wantsPackets(): boolean {
    return this.wants("debug") && this.#outputs.some(({ place }) => place.kind !== "topic");
  }

  /** Lines that a place did not take. */
  get linesLost(): number {
    return this.#linesLost;
  }

  /** Whether lines of a type are written, for callers whose text costs something. */
  wants(type: LogType): boolean {
    return this.#types.has(type);
  }

  /** Logs one line; `fields` say the same to machines. */
  log(type: LogType, text: string, fields?: LogFields): void {
    if (!this.#types.has(type)) return;
    const now = this.#surroundings.wallClock();
    const line = this.#formatter.format({ type, text }, fields, now);
    for (const output of this.#outputs) this.#write(output, type, line);
  }

  /** Logs what an event has to say. */
  logEvent(event: BrokerEvent): void {
    if (this.#types.size === 0 || (event.kind === "packet" && !this.#types.has("debug"))) return;
    const isJson = this.#settings.format === "json";
    const lines = formatEvent(event, {
      wantsDebug: this.#types.has("debug"),
      wantsConnections: this.#settings.hasConnectionMessages,
    });
    if (lines.length === 0) return;
    const fields = isJson ? eventFields(event) : undefined;
    for (const { type, text } of lines) {
      // What continues a line is in the fields already.
      if (!isJson || !text.startsWith("\t")) this.log(type, text, fields);
    }
  }

  /** Goes over to other settings; for a reload. Files are opened anew. */
  configure(settings: LogSettings): void {
    const before = this.#outputs;
    this.#settings = settings;
    this.#formatter = new LineFormatter(settings);
    this.#types = new Set(settings.types);
    const outputs: LogOutput[] = [];
    const complaints: string[] = [];
    let isBroken = false;
    for (const place of settings.destinations) {
      try {
        outputs.push(openOutput(place, settings.facility, this.#surroundings));
      } catch (error) {
        complaints.push(...complain(place, error));
        // Lines rather go where they went until now than nowhere.
        const present = before.find((output) => isSame(output.place, place));
        if (present !== undefined) outputs.push(present);
        else if (place.kind === "file") isBroken = true;
      }
    }
    if (isBroken || (outputs.length === 0 && complaints.length > 0)) {
      this.#outputs = [openOutput(STDERR, undefined, this.#surroundings)];
      this.#types = new Set(settings.types.includes("error") ? ["error"] : []);
      for (const output of outputs) if (!before.includes(output)) this.#close(output);
    } else {
      this.#outputs = outputs;
    }
    for (const output of before) if (!this.#outputs.includes(output)) this.#close(output);
    this.#failed = new Set(this.#outputs.filter((output) => this.#failed.has(output)));
    for (const text of complaints) this.log("error", text);
  }

  /** Opens the places anew, so that a file that was moved away is left alone. */
  reopen(): void {
    this.configure(this.#settings);
  }

  /** Resolves when all lines are where they belong. */
  async close(): Promise<void> {
    const outputs = this.#outputs;
    this.#outputs = [];
    for (const output of outputs) await output.close().catch(() => this.#linesLost++);
  }

  #close(output: LogOutput): void {
    // Nobody waits for it, and lines that are lost are counted.
    output.close().catch(() => this.#linesLost++);
  }

  #write(output: LogOutput, type: LogType, line: string): void {
    try {
      output.write(type, line);
    } catch (error) {
      this.#linesLost++;
      if (this.#failed.has(output)) return;
      this.#failed.add(output);
      const text = `Error: Unable to write to log ${nameOf(output.place)}: ${wordsOf(error)}.`;
      this.#lastResort(text);
    }
  }

  /** Says on standard error what no other place would take. */
  #lastResort(text: string): void {
    const now = this.#surroundings.wallClock();
    const line = this.#formatter.format({ type: "error", text }, undefined, now);
    try {
      this.#surroundings.print("stderr", `${line}\n`);
    } catch {
      // Standard error is gone as well: nobody is left to be told, and the count goes on.
      this.#linesLost++;
    }
  }
}

function complain(place: LogPlace, error: unknown): string[] {
  if (place.kind !== "file") {
    return [`Error: Unable to open log ${nameOf(place)}: ${wordsOf(error)}.`];
  }
  return [`Error: Unable to open log file ${place.path} for writing.`, `Error: ${wordsOf(error)}.`];
}

function nameOf(place: LogPlace): string {
  return place.kind === "file" ? `file ${place.path}` : place.kind;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isSame(a: LogPlace, b: LogPlace): boolean {
  return nameOf(a) === nameOf(b);
}
