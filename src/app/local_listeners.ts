/**
 * Where a broker listens to which no configuration says where: on the loopback addresses only.
 *
 * @module
 */

import type { Config } from "../config/config.ts";

const DEFAULT_PORT = 1883;

/** One address of each family, so that `localhost` finds the broker whatever it means. */
const LOOPBACKS = ["127.0.0.1", "::1"] as const;

/** The configuration with those listeners, unless it has its own; then ports mean nothing. */
export function withLocalListeners(config: Config, ports: readonly number[]): Config {
  if (!config.isLocalOnly) return config;
  const wanted = ports.length > 0 ? ports : [DEFAULT_PORT];
  const listeners = wanted.flatMap((port) =>
    LOOPBACKS.map((host) => ({ ...config.localListener, port, host }))
  );
  return { ...config, listeners };
}
