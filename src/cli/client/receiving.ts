/**
 * What sub and rr have in common: their subscriptions, standard output, and all that ends them from
 * outside.
 *
 * @module
 */

import type { SubscriptionRequest } from "../../core/codec/packet.ts";
import type { Signal } from "../../runtime/runtime.ts";
import type { CommandCall } from "../command.ts";
import { ClientFailure, FAILURES } from "./client_failure.ts";
import type { ReceivingSettings } from "./client_settings.ts";
import { makePrintMessage, type PrintMessage } from "./print_message.ts";
import type { StandardOutput } from "./standard_output.ts";
import { ToolClient, type ToolWork } from "./tool_client.ts";
import { WallClock } from "./wall_clock.ts";

/** A receiver's work, and what it works with. */
export interface ReceiverWork extends ToolWork {
  /** Set before the client runs. */
  client: ToolClient;
}

const SIGNALS: readonly Signal[] = ["SIGINT", "SIGTERM"];
const STATUS_FAILED = 1;
/** How long the last messages may take to leave when the program has been told to end. */
const DRAIN_MS = 1000;

/** The filters as a SUBSCRIBE asks for them. */
export function subscriptionsOf(
  filters: readonly string[],
  { connect, qos, retainAsPublished, retainHandling }: ReceivingSettings,
): SubscriptionRequest[] {
  const hasOptions = connect.protocolVersion === 5;
  return filters.map((filter) => ({
    filter,
    qos,
    noLocal: false,
    retainAsPublished: hasOptions && retainAsPublished,
    retainHandling: hasOptions ? retainHandling : 0,
  }));
}

/** How messages are printed. */
export function printMessageOf(
  { output, isQuiet }: ReceivingSettings,
  { runtime }: CommandCall,
): PrintMessage {
  const clock = new WallClock(() => Date.now(), () => performance.now());
  const warn = (text: string): void => {
    if (!isQuiet) runtime.print("stderr", `${text}\n`);
  };
  return makePrintMessage(output, { clock, warn });
}

/** Works until the end, and until all that was printed has left; gives the exit status. */
export async function runReceiver(
  settings: ReceivingSettings,
  { runtime }: CommandCall,
  { work, output }: { readonly work: ReceiverWork; readonly output: StandardOutput },
): Promise<number> {
  const print = (text: string): void => output.print(text);
  const client = new ToolClient(settings, work, { runtime, print });
  work.client = client;
  output.owner = {
    onFull: () => client.pause(),
    onRoom: () => client.resume(),
    onGone(error) {
      if (error === undefined) return client.finish(0);
      client.fail(new ClientFailure(STATUS_FAILED, `Error: ${error.message}.`));
    },
  };
  let drain: () => void;
  const drained = new Promise<void>((resolve) => drain = resolve);
  const stop = (status: number, ...lines: string[]): void => {
    client.stop(status, ...lines);
    // Whoever stops the program does not wait for a reader that has stopped as well.
    setTimeout(drain, DRAIN_MS);
  };
  const undo = SIGNALS.map((signal) => runtime.onSignal(signal, () => stop(0)));
  const timer = settings.timeLimitMs === undefined
    ? undefined
    : setTimeout(() => stop(FAILURES.timeout.status, "Timed out"), settings.timeLimitMs);
  const status = await client.run();
  clearTimeout(timer);
  await Promise.race([output.flushed(), drained]);
  for (const off of undo) off();
  return status;
}
