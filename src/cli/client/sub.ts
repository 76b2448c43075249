/**
 * `sub`: subscribes and prints what comes, as `mosquitto_sub` does.
 *
 * @module
 */

import type { CommandCall } from "../command.ts";
import type { SubSettings } from "./client_settings.ts";
import { type Display, PlainDisplay } from "./display.ts";
import { printMessageOf, runReceiver } from "./receiving.ts";
import { StandardOutput } from "./standard_output.ts";
import { Subscriber } from "./subscriber.ts";
import { runTool } from "./tool.ts";

/** Runs the command; gives its exit status. */
export function sub(call: CommandCall): Promise<number> {
  return runTool("sub", call, subscribe);
}

async function subscribe(settings: SubSettings, call: CommandCall): Promise<number> {
  const output = new StandardOutput(call.runtime);
  const display = await makeDisplay(settings, call, output);
  const work = new Subscriber(settings, {
    display,
    print: (text) => output.print(text),
    chance: () => Math.random(),
    now: () => call.runtime.now(),
  });
  display.begin();
  const status = await runReceiver(settings, call, { work, output });
  display.end();
  return status;
}

async function makeDisplay(
  settings: SubSettings,
  call: CommandCall,
  output: StandardOutput,
): Promise<Display> {
  if (settings.printsRate) {
    const { RateDisplay } = await import("./message_rate.ts");
    return new RateDisplay((text) => output.print(text));
  }
  if (!settings.isWatching) return new PlainDisplay(output, printMessageOf(settings, call));
  const { WatchDisplay } = await import("./watch.ts");
  const { place: { unixPath, hostname } } = settings;
  return new WatchDisplay(output, printMessageOf(settings, call), unixPath ?? hostname);
}
