/**
 * The commands that the broker itself knows at `$CONTROL/broker/v1`: what it listens on, and which
 * plugins it has.
 *
 * @module
 */

import type { ListenerConfig } from "../config/config.ts";
import type { RunCommand } from "./control_api.ts";

/** A plugin as it is shown. */
export interface ShownPlugin {
  readonly name: string;
  readonly version: string | undefined;
}

export interface BrokerCommandOptions {
  readonly listeners: readonly ListenerConfig[];
  readonly plugins: readonly ShownPlugin[];
}

/** Makes what carries out the commands. */
export function brokerCommands({ listeners, plugins }: BrokerCommandOptions): RunCommand {
  return (name) => {
    switch (name.toLowerCase()) {
      case "listlisteners":
        return { name: "listListeners", data: { listeners: listeners.map(shownListener) } };
      case "listplugins":
        return { name: "listPlugins", data: { plugins: plugins.map(shownPlugin) } };
      default:
        return undefined;
    }
  };
}

const PROTOCOLS: Readonly<Partial<Record<ListenerConfig["protocol"], string>>> = {
  mqtt: "mqtt",
  websockets: "mqtt+websockets",
};

function shownListener(listener: ListenerConfig): Record<string, unknown> {
  const { port, protocol, host, path, tls } = listener;
  const shown = PROTOCOLS[protocol];
  return {
    port,
    ...shown === undefined ? {} : { protocol: shown },
    ...host === undefined ? {} : { "bind-address": host },
    ...path === undefined ? {} : { "socket-path": path },
    tls: tls !== undefined,
  };
}

function shownPlugin({ name, version }: ShownPlugin): Record<string, unknown> {
  return { name, ...version === undefined ? {} : { version }, "control-endpoints": [] };
}
