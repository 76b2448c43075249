/**
 * One measurement: a fresh broker, one scenario, a report.
 *
 * @module
 */

import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { type BrokerSource, startBroker } from "./brokers.ts";
import { runConnections } from "./connections.ts";
import { type LoadOptions, runLoad } from "./load.ts";
import type { Report } from "./report.ts";
import { runRetained } from "./retained.ts";
import type { Scenario } from "./scenario.ts";

export interface RunOptions {
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly version: ProtocolVersion;
  readonly inflightMax: number;
  readonly pin: readonly [string, string] | undefined;
}

/** Starts a broker, puts a scenario to it and stops it. */
export async function measure(
  source: BrokerSource,
  scenario: Scenario,
  options: RunOptions,
): Promise<Report> {
  const broker = await startBroker(source, {
    wire: scenario.wire,
    isDurable: scenario.isDurable,
    cpu: options.pin?.[0],
  });
  try {
    const { host, port, wire, login } = broker;
    return await carryOut({
      ...options,
      scenario,
      target: {
        host,
        port,
        wire,
        version: options.version,
        keepsSession: scenario.isDurable,
        ...login,
      },
      usage: broker.usage,
    });
  } finally {
    await broker.stop();
  }
}

/** Puts a scenario to a broker that runs. */
export function carryOut(options: LoadOptions): Promise<Report> {
  switch (options.scenario.pattern) {
    case "retained":
      return runRetained(options);
    case "connections":
      return runConnections(options);
    default:
      return runLoad(options);
  }
}
