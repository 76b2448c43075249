/**
 * Reads lines from the terminal without showing them, or from standard input where that is none.
 *
 * The idea: while the prompt is open the terminal shows nothing and edits nothing, so what keys
 * mean is done here; and whatever ends the program, the terminal is given back first.
 *
 * @module
 */

import { writeSync } from "node:fs";
import process from "node:process";
import type { SecretPrompt } from "../host.ts";
import { printWhole } from "./print_whole.ts";

/** More than a password may have; what is beyond is not kept. */
const LINE_BYTES_MAX = 65_536;

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CTRL_U = 0x15;
const SPACE = 0x20;
const DELETE = 0x7f;

type Answer = Uint8Array | "ended" | "interrupted";

/** Signals that end the program, with the status by which a shell knows them. */
const ENDING = { SIGTERM: 143, SIGHUP: 129 } as const;

/** As `Host.openSecretPrompt`. */
export function openSecretPrompt(): SecretPrompt {
  const input = process.stdin;
  const isTerminal = input.isTTY === true;
  let line: number[] = [];
  const answers: Answer[] = [];
  let waiting: ((answer: Answer) => void) | undefined;
  let last: "ended" | "interrupted" | undefined;

  const answer = (given: Answer): void => {
    if (waiting === undefined) answers.push(given);
    else waiting(given);
    waiting = undefined;
  };
  const endLine = (): void => {
    // What a file with the line ends of Windows has before its line feeds is no part of the line.
    while (line.at(-1) === CARRIAGE_RETURN) line.pop();
    answer(Uint8Array.from(line));
    line = [];
  };
  const finish = (how: "ended" | "interrupted"): void => {
    last ??= how;
    waiting?.(last);
    waiting = undefined;
  };
  const onByte = (byte: number): void => {
    if (byte === LINE_FEED || (isTerminal && byte === CARRIAGE_RETURN)) return endLine();
    if (isTerminal && isKey(byte)) {
      if (byte === CTRL_C) finish("interrupted");
      else if (byte === CTRL_D) line.length === 0 ? finish("ended") : endLine();
      else if (byte === CTRL_U) line = [];
      else if (byte === BACKSPACE || byte === DELETE) eraseCharacter(line);
      return;
    }
    if (line.length < LINE_BYTES_MAX) line.push(byte);
  };
  const onData = (chunk: Uint8Array): void => chunk.forEach(onByte);
  const onEnd = (): void => {
    if (line.length > 0) endLine();
    finish("ended");
  };
  const onInterrupt = (): void => finish("interrupted");
  const restore = (): void => {
    if (isTerminal) input.setRawMode(false);
  };
  const endings = Object.entries(ENDING).map(([signal, status]) => {
    return [signal, () => process.exit(status)] as const;
  });

  // Before anything is asked: what is typed ahead is not shown either.
  if (isTerminal) input.setRawMode(true);
  process.on("exit", restore);
  process.on("SIGINT", onInterrupt);
  for (const [signal, end] of endings) process.on(signal, end);
  input.on("data", onData).on("end", onEnd).on("error", onEnd);

  return {
    async ask(question: string): Promise<Answer> {
      print(question);
      const given = answers.shift() ?? last ?? await new Promise<Answer>((resolve) => {
        waiting = resolve;
      });
      // The key that ended the line has moved nothing.
      const isLine = typeof given !== "string" && given.length > 0;
      if (isLine || isTerminal) print("\n");
      return given;
    },
    close(): void {
      input.off("data", onData).off("end", onEnd).off("error", onEnd);
      input.pause();
      restore();
      process.off("exit", restore);
      process.off("SIGINT", onInterrupt);
      for (const [signal, end] of endings) process.off(signal, end);
    },
  };
}

/** Keys that are not text; on a terminal nobody types them into a password on purpose. */
function isKey(byte: number): boolean {
  return (byte < SPACE && byte !== TAB) || byte === DELETE;
}

/** Takes off the last character, which may be several bytes of UTF-8. */
function eraseCharacter(line: number[]): void {
  for (let byte = line.pop(); byte !== undefined && (byte & 0xc0) === 0x80;) byte = line.pop();
}

function print(text: string): void {
  printWhole((bytes) => writeSync(1, bytes), text);
}
