/**
 * The configuration with which a broker is started: one file, the same for Midge and Mosquitto, and
 * for TLS a certificate that is made anew for each run of the benchmark.
 *
 * @module
 */

import { Authority } from "../../test/support/certificates.ts";
import { fromRoot } from "../../tools/root.ts";
import { isEncrypted, isWebSocket, type Wire } from "./wire.ts";

const FOLDER = "dist/bench/config";

/** Who signed the certificate of the brokers that we start, as PEM. */
export async function makeCertificate(): Promise<string> {
  const authority = await Authority.create("CN=Midge Benchmark");
  const { certificate, key } = await authority.issue("CN=localhost");
  await Deno.mkdir(fromRoot(FOLDER), { recursive: true });
  await Deno.writeTextFile(fromRoot(`${FOLDER}/server.pem`), certificate);
  await Deno.writeTextFile(fromRoot(`${FOLDER}/server.key`), key, { mode: 0o600 });
  return authority.certificate;
}

export interface ConfigOptions {
  readonly wire: Wire;
  readonly port: number;
  /** For what a broker insists on. */
  readonly sparePort: number;
  readonly isDurable: boolean;
}

/** An empty folder for what a broker keeps. */
export async function makeStoreFolder(port: number): Promise<string> {
  const path = fromRoot(`${FOLDER}/${port}.store`);
  await Deno.remove(path, { recursive: true }).catch(() => {});
  await Deno.mkdir(path, { recursive: true });
  return path;
}

/** Writes the configuration for a port. */
export async function writeConfig(options: ConfigOptions): Promise<string> {
  const { wire, port, sparePort, isDurable } = options;
  const lines = ["user root", "allow_anonymous true", "log_type error"];
  if (isDurable) {
    lines.push("persistence true", `persistence_location ${await makeStoreFolder(port)}/`);
  }
  // Mosquitto 2.0 does not start when all it has is a WebSocket.
  if (isWebSocket(wire)) lines.push(`listener ${sparePort} 127.0.0.1`);
  lines.push(`listener ${port} 127.0.0.1`);
  if (isWebSocket(wire)) lines.push("protocol websockets");
  if (isEncrypted(wire)) {
    lines.push(`certfile ${fromRoot(`${FOLDER}/server.pem`)}`);
    lines.push(`keyfile ${fromRoot(`${FOLDER}/server.key`)}`);
  }
  const path = fromRoot(`${FOLDER}/${port}.conf`);
  await Deno.mkdir(fromRoot(FOLDER), { recursive: true });
  await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
  return path;
}
