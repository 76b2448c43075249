/**
 * Plugins for a broker that is a library: whoever embeds it hands over the objects themselves,
 * where the program loads modules.
 *
 * @module
 */

import { Gatekeeper } from "../auth/gatekeeper.ts";
import { adoptPlugin } from "../auth/load_plugins.ts";
import type { Plugin } from "../auth/plugin.ts";
import type { BrokerOptions } from "./broker.ts";

/** Options of a broker that asks plugins, in their order. */
export interface PluginOptions extends Omit<BrokerOptions, "policy" | "ask"> {
  readonly plugins: readonly Plugin[];
  /** Whether clients without a user name may connect that no plugin decides about; they may. */
  readonly allowAnonymous?: boolean;
  /** Told what plugins have to say, and how they fail. */
  readonly onLog?: (type: string, text: string) => void;
}

/** Has the plugins decide and watch. */
export function withPlugins(options: PluginOptions): BrokerOptions {
  const { plugins, allowAnonymous = true, onLog = () => {}, ...rest } = options;
  const adopted = plugins.map((plugin) => adoptPlugin(plugin, onLog));
  const gatekeeper = new Gatekeeper({
    chains: {
      general: {
        allowAnonymous,
        authenticators: adopted.flatMap(({ authenticator }) => authenticator ?? []),
        authorizers: adopted.flatMap(({ authorizer }) => authorizer ?? []),
        observers: adopted.flatMap(({ observer }) => observer ?? []),
      },
      byListener: new Map(),
    },
    onFailure: (decider, error) => onLog("error", `Error: ${decider}: ${error}`),
  });
  return {
    ...rest,
    policy: gatekeeper,
    ask: (question) => gatekeeper.ask(question),
    onEvent: (event) => {
      gatekeeper.observe(event);
      rest.onEvent?.(event);
    },
  };
}
