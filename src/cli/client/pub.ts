/**
 * `pub`: publishes a message, or each line of standard input as one, as `mosquitto_pub` does.
 *
 * @module
 */

import type { Signal } from "../../runtime/runtime.ts";
import type { CommandCall } from "../command.ts";
import { ClientFailure } from "./client_failure.ts";
import type { PubSettings } from "./client_settings.ts";
import { LinePublisher } from "./line_publisher.ts";
import { MessagePublisher } from "./message_publisher.ts";
import { readPayload, readPiece } from "./payload.ts";
import { runTool } from "./tool.ts";
import { ToolClient } from "./tool_client.ts";

/** What a shell sees of a program that such a signal has ended. */
const STATUS_OF_SIGNAL: readonly (readonly [signal: Signal, status: number])[] = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
];

/** Runs the command; gives its exit status. */
export function pub(call: CommandCall): Promise<number> {
  return runTool("pub", call, publish);
}

async function publish(settings: PubSettings, { runtime }: CommandCall): Promise<number> {
  let work: LinePublisher | MessagePublisher;
  const now = (): number => runtime.now();
  if (settings.source.kind === "lines") {
    work = new LinePublisher(settings, { now, read: (buffer) => readPiece(runtime, buffer) });
  } else {
    try {
      work = new MessagePublisher(settings, await readPayload(settings.source, runtime), now);
    } catch (error) {
      if (!(error instanceof ClientFailure)) throw error;
      if (!settings.isQuiet) runtime.print("stderr", `${error.message}\n`);
      return error.status;
    }
  }
  const print = (text: string): void => runtime.print("stdout", text);
  const client = new ToolClient(settings, work, { runtime, print });
  work.client = client;
  const undo = STATUS_OF_SIGNAL.map(([signal, status]) =>
    runtime.onSignal(signal, () => client.stop(status))
  );
  if (work instanceof LinePublisher) work.start();
  const status = await client.run();
  for (const off of undo) off();
  return status;
}
