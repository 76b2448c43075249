/**
 * `rr`: publishes a request and prints the response, as `mosquitto_rr` does.
 *
 * @module
 */

import type { CommandCall } from "../command.ts";
import { ClientFailure } from "./client_failure.ts";
import type { RrSettings } from "./client_settings.ts";
import { readPayload } from "./payload.ts";
import { printMessageOf, runReceiver } from "./receiving.ts";
import { Requester } from "./requester.ts";
import { StandardOutput } from "./standard_output.ts";
import { runTool } from "./tool.ts";

/** Runs the command; gives its exit status. */
export function rr(call: CommandCall): Promise<number> {
  return runTool("rr", call, request);
}

async function request(settings: RrSettings, call: CommandCall): Promise<number> {
  const { runtime } = call;
  let payload: Uint8Array;
  try {
    payload = await readPayload(settings.source, runtime);
  } catch (error) {
    if (!(error instanceof ClientFailure)) throw error;
    runtime.print("stderr", `${error.message}\n`);
    return error.status;
  }
  const output = new StandardOutput(runtime);
  const print = printMessageOf(settings, call);
  const work = new Requester(settings, { payload, print, output, now: () => runtime.now() });
  return await runReceiver(settings, call, { work, output });
}
