/**
 * A bridge's section becomes a configuration, and what its options have to agree on is checked:
 * there is somewhere to connect to and something to share, and one way to secure it.
 *
 * @module
 */

import type { BridgeConfig, BridgeTopicConfig } from "./config.ts";
import { type ConfigError, lineError } from "./config_error.ts";
import type { BridgeDraft } from "./draft.ts";
import type { ConfigNote } from "./note.ts";
import { OPTIONS } from "./options/all.ts";

type OptionValue = string | number | boolean;

const PLACED = ["address", "topic", "connection"];
const CERTIFICATE_OPTIONS = [
  "bridge_cafile",
  "bridge_capath",
  "bridge_certfile",
  "bridge_keyfile",
  "bridge_tls_use_os_certs",
];
const PSK_OPTIONS = ["bridge_identity", "bridge_psk"];

/** The configuration of one bridge. */
export function buildBridge({ name, place, settings }: BridgeDraft): BridgeConfig {
  const options = new Map<string, OptionValue>();
  for (const option of OPTIONS) {
    if (option.reload !== "B" || PLACED.includes(option.name)) continue;
    const setting = settings.get(option.name);
    const value = setting === undefined ? option.fallback : setting.value;
    // What rows of bridges read, and their defaults, are texts, numbers and truth values.
    if (value !== undefined) options.set(option.name, value as OptionValue);
  }
  return {
    at: place.at,
    name,
    // Made by the kinds of values that the rows of these two have.
    addresses: settings.get("address")?.value as BridgeConfig["addresses"] | undefined ?? [],
    topics: settings.get("topic")?.value as readonly BridgeTopicConfig[] | undefined ?? [],
    options,
  };
}

/** What is wrong with each bridge, and with all of them beside each other. */
export function checkBridges(bridges: readonly BridgeDraft[]): ConfigError[] {
  return [...bridges.flatMap(checkBridge), ...checkClientIds(bridges)];
}

/** A warning about each bridge that takes any remote with a certificate for the right one. */
export function noteInsecureBridges(bridges: readonly BridgeDraft[]): ConfigNote[] {
  const isInsecure = ({ settings }: BridgeDraft) => settings.get("bridge_insecure")?.value === true;
  return bridges.filter(isInsecure).map(({ name }) => ({
    type: "warning",
    text: `Warning: Bridge '${name}' using insecure mode.`,
  }));
}

function checkBridge(bridge: BridgeDraft): ConfigError[] {
  const { settings, place } = bridge;
  const errors = checkSecrets(bridge);
  const missing = (what: string): void => {
    errors.push(lineError(`Invalid bridge configuration: ${what}.`, place));
  };
  if (!settings.has("address")) missing("no remote addresses defined");
  if (!settings.has("topic")) missing("no topics defined");
  if (settings.has("bridge_psk") && !settings.has("bridge_identity")) {
    missing("missing bridge_identity");
  }
  if (settings.has("bridge_identity") && !settings.has("bridge_psk")) missing("missing bridge_psk");
  return errors;
}

/** The later one of a certificate's options and a pre-shared key's is at fault. */
function checkSecrets({ settings }: BridgeDraft): ConfigError[] {
  let hasCertificate = false;
  let hasPsk = false;
  for (const [name, { value, place }] of settings) {
    const isCertificate = CERTIFICATE_OPTIONS.includes(name) && value !== false;
    const isPsk = PSK_OPTIONS.includes(name);
    if ((isCertificate && hasPsk) || (isPsk && hasCertificate)) {
      const other = name === "bridge_identity" ? "identity" : "psk";
      const what = `'${name}': Cannot use both certificate and ${other} encryption in a single ` +
        "bridge.";
      return [lineError(what, place)];
    }
    hasCertificate ||= isCertificate;
    hasPsk ||= isPsk;
  }
  return [];
}

function checkClientIds(bridges: readonly BridgeDraft[]): ConfigError[] {
  const taken = new Set<string>();
  return bridges.flatMap(({ name, place, settings }) => {
    const ownLocal = settings.get("local_clientid");
    const ownRemote = settings.get("remote_clientid");
    // The host's name, which is part of the default, is the same for all and cannot be written.
    const local = String(ownLocal?.value ?? `local.${ownRemote?.value ?? `\0.${name}`}`);
    if (!taken.has(local)) {
      taken.add(local);
      return [];
    }
    const shown = (ownLocal ?? ownRemote)?.isSecret ? "***" : local;
    return lineError(
      `Bridge local_clientid '${shown}' is not unique. Try changing or setting the ` +
        "local_clientid value for one of the bridges.",
      ownLocal?.place ?? place,
    );
  });
}
