/**
 * Debian's `mosquitto` and `mosquitto-clients`, the foreign peers of the interoperation tests, the
 * shells besides bash for which there are completions, and Chromium for the broker in a browser.
 * Where the machine allows it they are installed without a question and without starting the
 * service; where it does not, the reason is reported in one line and the tests skip themselves.
 *
 * @module
 */

import { runCommand } from "./process.ts";
import { ROOT } from "./root.ts";
import { mosquittoTool } from "../test/support/foreign.ts";

const PROGRAMS = [
  "mosquitto",
  "mosquitto_pub",
  "mosquitto_sub",
  "mosquitto_passwd",
  "zsh",
  "fish",
  "chromium",
] as const;
const INSTALL_LIMIT_MS = 420_000;

// A policy that forbids starting services is how Debian lets an installation stay silent. One that
// is there already is left alone: it belongs to the machine.
const INSTALL_SCRIPT = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get -q -y update
apt-get -q -y --no-install-recommends install mosquitto mosquitto-clients zsh fish
apt-get -q -y --no-install-recommends install chromium
`;

/** Sees to it that the peers are there; returns why not, or undefined when they are. */
export async function installForeignPeers(): Promise<string | undefined> {
  if (missingPrograms().length === 0) return undefined;
  const shell = await privilegedShell();
  if (shell === undefined) return missing("neither root nor a sudo that asks nothing");
  const [command, ...args] = [...shell, INSTALL_SCRIPT];
  const result = await runCommand(command!, args, { cwd: ROOT, limitMs: INSTALL_LIMIT_MS });
  if (result.isTimedOut) return missing("the installation ran into its time limit");
  const left = missingPrograms();
  if (left.length === 0) return undefined;
  return missing(result.output.trim().split("\n").at(-1) ?? "the installation failed");
}

function missingPrograms(): string[] {
  return PROGRAMS.filter((name) => mosquittoTool(name) === undefined);
}

function missing(reason: string): string {
  return `no ${missingPrograms().join(", ")}: ${reason}`;
}

async function privilegedShell(): Promise<string[] | undefined> {
  const candidates = Deno.uid() === 0 ? [["sh", "-c"]] : [["sudo", "-n", "sh", "-c"]];
  for (const candidate of candidates) {
    const [command, ...args] = [...candidate, "command -v apt-get"];
    const result = await runCommand(command!, args, { cwd: ROOT, limitMs: 10_000 })
      .catch(() => undefined);
    if (result?.code === 0) return candidate;
  }
  return undefined;
}
