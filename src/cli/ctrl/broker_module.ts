/**
 * The module `broker`: what a broker listens on, and which plugins it has. It answers when its
 * configuration has `enable_control_api true`.
 *
 * @module
 */

import type { ControlModule, ResponseData } from "./module.ts";

const LISTENER_COLUMN = 21;
const PLUGIN_COLUMN = 19;

export const BROKER_MODULE: ControlModule = {
  name: "broker",
  text: "shows how a broker is set up. Its configuration needs enable_control_api true.",
  endpoint: "$CONTROL/broker/v1",
  commands: [
    {
      name: "listListeners",
      usage: "",
      text: "Show what the broker listens on.",
      fieldsOf: noFields,
      format: (data) => formatEach(data["listeners"], formatListener),
    },
    {
      name: "listPlugins",
      usage: "",
      text: "Show the broker's plugins, and at which topics they take commands.",
      fieldsOf: noFields,
      format: (data) => formatEach(data["plugins"], formatPlugin),
    },
  ],
};

function noFields(words: readonly string[]): ResponseData | undefined {
  return words.length === 0 ? {} : undefined;
}

function formatEach(
  list: unknown,
  format: (item: ResponseData, index: number) => string,
): string | undefined {
  if (!Array.isArray(list)) return undefined;
  const isObject = (item: unknown): item is ResponseData =>
    typeof item === "object" && item !== null && !Array.isArray(item);
  return list.every(isObject) ? list.map(format).join("") : undefined;
}

function formatListener(listener: ResponseData, index: number): string {
  const rows = [
    ["Port", listener["port"]],
    ["Protocol", listener["protocol"]],
    ["Socket path", listener["socket-path"]],
    ["Bind address", listener["bind-address"]],
    ["TLS", listener["tls"]],
  ] as const;
  const shown = rows.filter(([, value]) => value !== undefined)
    .map(([label, value]) => row(`  ${label}:`, value, LISTENER_COLUMN));
  return `Listener ${index + 1}:\n${shown.join("")}\n`;
}

function formatPlugin(plugin: ResponseData): string {
  const { name, version } = plugin;
  const listed = plugin["control-endpoints"];
  const endpoints: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const rows = [
    row("Plugin:", name, PLUGIN_COLUMN),
    version === undefined ? "" : row("Version:", version, PLUGIN_COLUMN),
    ...endpoints.map((topic, index) =>
      row(index === 0 ? "Control endpoints:" : "", topic, PLUGIN_COLUMN)
    ),
  ];
  return rows.join("");
}

function row(label: string, value: unknown, column: number): string {
  return `${label.padEnd(column)}${shownText(value)}\n`;
}

/** A broker's words are not a terminal's commands. */
function shownText(value: unknown): string {
  // deno-lint-ignore no-control-regex -- they are what is left out
  return String(value).replaceAll(/[\0-\x1f\x7f-\x9f]/g, "?");
}
