/**
 * Where Mosquitto's own programs are on this machine, if they are. The test command installs them
 * where it can; a test that needs one skips itself with a reason when there is none, except under
 * continuous integration, where a missing peer is a failure.
 *
 * @module
 */

import { accessSync, constants } from "node:fs";
import process from "node:process";

// Debian keeps daemons in the folders that the search path of an ordinary user leaves out.
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"] as const;

/** The absolute path of `mosquitto`, `mosquitto_pub`, `mosquitto_passwd` …, or undefined. */
export function mosquittoTool(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(":"), ...SYSTEM_FOLDERS];
  return folders.filter((folder) => folder.startsWith("/")).map((folder) => `${folder}/${name}`)
    .find(isExecutable);
}

/**
 * What to give a test as its `skip` option: false when all tools named are there, else the reason.
 * Under continuous integration it is always false, so that the test runs and fails.
 */
export function skipWithout(...names: readonly string[]): string | false {
  const missing = names.filter((name) => mosquittoTool(name) === undefined);
  if (missing.length === 0 || process.env["CI"] === "true") return false;
  return `needs ${missing.join(", ")} on this machine`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
