// `pub` inside of the test: what standard input has, the environment and the name are the test's.

import { pub } from "../../src/cli/client/pub.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import type { Outcome } from "./tool_process.ts";

const encoder = new TextEncoder();

export interface PubOptions {
  /** What standard input has, piece by piece. */
  readonly input?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly name?: string;
}

/** Runs the command. */
export async function runPub(args: readonly string[], options: PubOptions = {}): Promise<Outcome> {
  const real = await currentRuntime();
  const printed = { stdout: "", stderr: "" };
  const pieces = (options.input ?? []).map((text) => encoder.encode(text));
  const runtime = {
    ...real,
    environment: () => options.environment ?? {},
    readInput(buffer: Uint8Array): Promise<number | undefined> {
      const piece = pieces.shift();
      if (piece === undefined) return Promise.resolve(undefined);
      const part = piece.subarray(0, buffer.length);
      if (part.length < piece.length) pieces.unshift(piece.subarray(part.length));
      buffer.set(part);
      return Promise.resolve(part.length);
    },
    print: (stream: "stdout" | "stderr", text: string) => void (printed[stream] += text),
  };
  const status = await pub({ runtime, args, name: options.name ?? "midge pub" });
  return { status, ...printed };
}
