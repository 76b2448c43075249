// Debian's mosquitto_pub and mosquitto_sub at a broker under test, which may be reached in any way
// that their options tell.

import { assertEquals } from "@std/assert";
import { ForeignProcess, linesOf } from "./foreign_process.ts";

export const TOOLS = ["mosquitto_pub", "mosquitto_sub"] as const;

/** The options that lead to a port of this machine. */
export function at(port: number, host = "127.0.0.1"): string[] {
  return ["-h", host, "-p", String(port)];
}

/** Publishes a retained message by one way; what a subscriber is given by the other. */
export async function passOn(
  topic: string,
  from: readonly string[],
  to: readonly string[] = from,
): Promise<string[]> {
  const message = `hello by ${topic}`;
  await publish(topic, message, from);
  const args = ["-V", "mqttv5", "-t", topic, "-C", "1", "-W", "15", "-v", ...to];
  const { code, stdout, stderr } = await new ForeignProcess("mosquitto_sub", args).ended;
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, `mosquitto_sub ${args.join(" ")}`);
  return linesOf(stdout);
}

/** What `passOn` gives when all is well. */
export function passedOn(topic: string): string[] {
  return [`${topic} hello by ${topic}`];
}

/** Publishes a retained message, which has to succeed. */
export async function publish(
  topic: string,
  message: string,
  where: readonly string[],
): Promise<void> {
  assertEquals(await tryToPublish(topic, message, where), { code: 0, stderr: "" });
}

/** What becomes of an attempt to publish. */
export async function tryToPublish(
  topic: string,
  message: string,
  where: readonly string[],
): Promise<{ code: number | null; stderr: string }> {
  const args = ["-r", "-q", "1", "-t", topic, "-m", message, ...where];
  const { code, stderr } = await new ForeignProcess("mosquitto_pub", args).ended;
  return { code, stderr };
}
