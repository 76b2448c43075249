/**
 * Lines become a draft, one after the other: which option it is, whether it may stand there, what
 * its value is, and which section it belongs to. Values are read by the kinds in the tables.
 *
 * The idea: a line that is at fault changes nothing, and never makes the lines after it belong to
 * another section: what follows a faulty `listener` line goes to a listener that is thrown away.
 *
 * @module
 */

import type { ConfigError } from "./config_error.ts";
import { lineError, type Place } from "./config_error.ts";
import {
  type BridgeDraft,
  DEFAULT_ADDRESS,
  type Draft,
  type Layer,
  type ListenerDraft,
  newListener,
  type PluginDraft,
  type Settings,
} from "./draft.ts";
import type { Line } from "./lines.ts";
import type { ListenAddress } from "./listener_values.ts";
import type { ConfigNote } from "./note.ts";
import type { Option, Reading } from "./option.ts";
import { findOption, type FoundOption } from "./options/all.ts";
import type { NamedPath } from "./plugin_values.ts";

/** The sections that are open. */
interface Sections {
  listener: ListenerDraft | undefined;
  bridge: BridgeDraft | undefined;
  plugin: PluginDraft | undefined;
}

/** What is wrong with a line; `undefined`: nothing. */
type Fault = string | undefined;

/** Reads lines into a draft. */
export class Parser {
  readonly errors: ConfigError[] = [];
  readonly notes: ConfigNote[] = [];
  readonly #draft: Draft;
  #layer: Layer = "files";
  #sections: Sections = { listener: undefined, bridge: undefined, plugin: undefined };
  #lastPlugin: PluginDraft | undefined;
  /** A plugin was given whose place depends on `per_listener_settings`. */
  #hasPlugin = false;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** Every file begins without an open section; returns what goes back to the present one. */
  beginFile(): () => void {
    const before = this.#sections;
    this.#sections = { listener: undefined, bridge: undefined, plugin: undefined };
    return () => {
      this.#sections = before;
    };
  }

  /** What follows overrides what files said, and goes on in their last sections. */
  beginEnvironment(): void {
    this.#layer = "environment";
    const { listeners, bridges } = this.#draft;
    this.#sections = {
      listener: listeners.at(-1),
      bridge: bridges.at(-1),
      plugin: this.#lastPlugin,
    };
  }

  /** Takes one line in; a fault is added to `errors`. */
  take(line: Line): void {
    const found = findOption(line.name);
    if (found === undefined) {
      // No option has a colon in its name, but a line of a password file begins like that.
      const name = line.name.replace(/:.*/s, ":...");
      this.errors.push(lineError(`Unknown configuration variable '${name}'.`, line.place));
      return;
    }
    const fault = this.#apply(found, line);
    if (fault !== undefined) this.errors.push(lineError(fault, line.place));
  }

  #apply(found: FoundOption, line: Line): Fault {
    const { option } = found;
    switch (option.name) {
      case "listener":
        return this.#openListener(option, line);
      case "port":
      case "bind_address":
        return this.#setDefaultAddress(option, line);
      case "connection":
        return this.#openBridge(option, line);
      case "global_plugin":
      case "plugin":
        return this.#openPlugin(found, line);
      case "plugin_load":
        return this.#loadPlugin(option, line);
      case "plugin_use":
        return this.#usePlugin(option, line);
      case "plugin_opt_<key>":
        return this.#setPluginOption(found, line);
      case "auth_plugin_deny_special_chars":
        return this.#setDenySpecialChars(option, line);
      case "per_listener_settings":
        return this.#setPerListener(option, line);
      default: {
        const target = this.#target(option, line);
        return typeof target === "string" ? target : this.#set(target, option, line);
      }
    }
  }

  /** The settings that a line belongs to, or why it may not stand there. */
  #target(option: Option, line: Line): Settings | string {
    const { listener, bridge } = this.#sections;
    switch (option.scope) {
      case "G":
        return this.#draft.general;
      case "S":
        if (!this.#draft.hasPerListenerSettings) return this.#draft.security;
        return listener?.security ?? needsListener(line);
      case "L":
        return listener?.settings ?? needsListener(line);
      case "Ld":
        return (listener ?? this.#defaultListener(line, true)).settings;
      case "Ln":
        return listener === undefined || listener.isDefault
          ? needsListener(line)
          : listener.settings;
      case "B":
        return bridge?.settings ??
          `The '${line.name}' option requires a bridge to be defined first.`;
      case "P":
        return needsPlugin(line);
    }
  }

  /** Reads a value and keeps it. */
  #set(settings: Settings, option: Option, line: Line): Fault {
    const before = settings.get(option.name);
    const earlier = before?.layer === this.#layer ? before : undefined;
    if (earlier !== undefined && option.repeat === "never") {
      return option.name === "address"
        ? "Invalid bridge configuration, 'address' only allowed once."
        : `Duplicate '${line.name}' value in configuration.`;
    }
    let reading = this.#read(option, line);
    if ("value" in reading && option.merge !== undefined) {
      // Options that are merged have lists, in every row that has `merge`.
      const list = earlier?.value as readonly unknown[] | undefined ?? [];
      reading = { ...reading, ...option.merge(list, reading.value, (word) => show(line, word)) };
    }
    if ("fault" in reading) return reading.fault;
    this.#note(option, reading, line);
    if ("isIgnored" in reading) return undefined;
    const within = this.#sections.listener;
    if (
      settings === this.#draft.security && earlier !== undefined && earlier.within !== within &&
      earlier.value !== reading.value
    ) {
      this.#say(
        "warning",
        `Warning: The '${line.name}' option is for all listeners, and replaces an earlier one.`,
      );
    }
    const { value } = reading;
    // The last line of an option is the one whose place among the others counts.
    settings.delete(option.name);
    const { place, isSecret } = line;
    settings.set(option.name, { value, place, isSecret, layer: this.#layer, within });
    return undefined;
  }

  #read(option: Option, line: Line): Reading {
    return option.value.read({
      name: line.name,
      text: line.text,
      isWellFormed: line.isWellFormed,
      show: (word) => show(line, word),
    });
  }

  #note(option: Option, reading: Reading, line: Line, stem = line.name): void {
    const advice = option.deprecated?.[stem];
    if (advice !== undefined) {
      this.#say(
        "notice",
        `The '${line.name}' option is now deprecated and will be removed in version 3.0. ${advice}`,
      );
    }
    if (option.note !== undefined) this.notes.push(option.note);
    if (option.name === "allow_anonymous" && this.#draft.hasPerListenerSettings) {
      this.#say(
        "notice",
        "It is recommended to replace 'allow_anonymous' with 'listener_allow_anonymous' when " +
          "per_listener_settings is true.",
      );
    }
    if ("notes" in reading) this.notes.push(...reading.notes ?? []);
  }

  #say(type: ConfigNote["type"], text: string): void {
    this.notes.push({ type, text });
  }

  #openListener(option: Option, line: Line): Fault {
    this.#draft.isLocalOnly = false;
    const reading = this.#read(option, line);
    if (!("value" in reading)) {
      this.#sections.listener = newListener(DEFAULT_ADDRESS, line.place, false);
      return "fault" in reading ? reading.fault : undefined;
    }
    // Made by the kind of value that the row of `listener` has.
    const address = reading.value as ListenAddress;
    const same = this.#layer === "environment"
      ? this.#draft.listeners.find((one) =>
        one.address.port === address.port && one.address.path === address.path
      )
      : undefined;
    const listener = same ?? newListener(address, line.place, false);
    listener.address = address;
    if (same === undefined) this.#draft.listeners.push(listener);
    this.#sections.listener = listener;
    return undefined;
  }

  #defaultListener(line: Line, isImplicit: boolean): ListenerDraft {
    let listener = this.#draft.listeners.find(({ isDefault }) => isDefault);
    if (listener === undefined) {
      listener = newListener(DEFAULT_ADDRESS, line.place, true);
      this.#draft.listeners.push(listener);
      if (isImplicit) {
        this.#say("information", `Creating default listener due to '${line.name}' option.`);
        this.#say(
          "information",
          `It is recommended to define a 'listener' before the '${line.name}' option.`,
        );
      }
    }
    this.#sections.listener ??= listener;
    return listener;
  }

  #setDefaultAddress(option: Option, line: Line): Fault {
    this.#draft.isLocalOnly = false;
    const listener = this.#defaultListener(line, false);
    const before = listener.settings.get(option.name);
    const fault = this.#set(listener.settings, option, line);
    if (fault !== undefined) return fault;
    if (option.name === "port" && before?.layer === this.#layer) {
      this.#say("warning", "Warning: The 'port' option is given more than once. The last counts.");
    }
    const { port, bind_address: host } = Object.fromEntries(
      [...listener.settings].map(([name, { value }]) => [name, value]),
    );
    listener.address = {
      port: typeof port === "number" ? port : DEFAULT_ADDRESS.port,
      host: typeof host === "string" ? host : undefined,
      path: undefined,
    };
    return undefined;
  }

  #setPerListener(option: Option, line: Line): Fault {
    const reading = this.#read(option, line);
    if ("fault" in reading) return reading.fault;
    // Once it is true it stays so.
    if (!("value" in reading) || reading.value !== true || this.#draft.hasPerListenerSettings) {
      return undefined;
    }
    if (this.#draft.security.size > 0 || this.#hasPlugin) {
      return "per_listener_settings must be set before any other security settings.";
    }
    this.#note(option, reading, line);
    this.#draft.hasPerListenerSettings = true;
    return undefined;
  }

  #openBridge(option: Option, line: Line): Fault {
    const reading = this.#read(option, line);
    const name = "value" in reading ? String(reading.value).split(" ")[0]! : "";
    const { bridges } = this.#draft;
    const same = bridges.find((bridge) => bridge.name === name);
    const isAgain = same !== undefined && this.#layer === "environment";
    const bridge = isAgain ? same : { name, place: line.place, settings: new Map() };
    this.#sections.bridge = bridge;
    if ("fault" in reading) return reading.fault;
    if (isAgain) return undefined;
    if (same !== undefined) return `Duplicate bridge name '${show(line, name)}'.`;
    bridges.push(bridge);
    return undefined;
  }

  #openPlugin({ option }: FoundOption, line: Line): Fault {
    const isOfListener = option.scope === "S" && this.#draft.hasPerListenerSettings;
    const { listener } = this.#sections;
    const reading = this.#read(option, line);
    const path = "value" in reading ? String(reading.value) : "";
    const plugin = newPlugin(undefined, path, line.place);
    this.#beginPlugin(plugin);
    if (isOfListener && listener === undefined) return needsListener(line);
    if ("fault" in reading) return reading.fault;
    this.#note(option, reading, line);
    (isOfListener ? listener! : this.#draft).plugins.push(plugin);
    this.#hasPlugin ||= option.scope === "S";
    return undefined;
  }

  #loadPlugin(option: Option, line: Line): Fault {
    const reading = this.#read(option, line);
    // Made by the kind of value that the row of `plugin_load` has.
    const { name, path } =
      ("value" in reading ? reading.value : { name: "", path: "" }) as NamedPath;
    const plugin = newPlugin(name, path, line.place);
    this.#beginPlugin(plugin);
    if ("fault" in reading) return reading.fault;
    if (this.#draft.namedPlugins.has(name)) return `Duplicate plugin name '${show(line, name)}'.`;
    this.#draft.namedPlugins.set(name, plugin);
    return undefined;
  }

  #usePlugin(option: Option, line: Line): Fault {
    const { listener } = this.#sections;
    if (listener === undefined || listener.isDefault) return needsListener(line);
    const reading = this.#read(option, line);
    if (!("value" in reading)) return "fault" in reading ? reading.fault : undefined;
    const plugin = this.#draft.namedPlugins.get(String(reading.value));
    if (plugin === undefined) return `Plugin '${show(line, line.text)}' not previously loaded.`;
    this.#beginPlugin(plugin);
    if (!listener.plugins.includes(plugin)) listener.plugins.push(plugin);
    return undefined;
  }

  #beginPlugin(plugin: PluginDraft): void {
    this.#sections.plugin = plugin;
    this.#lastPlugin = plugin;
  }

  #setPluginOption({ option, key, stem }: FoundOption, line: Line): Fault {
    const { plugin } = this.#sections;
    if (plugin === undefined) return needsPlugin(line);
    if (key === undefined || key === "") return `Invalid '${stem}' option in configuration.`;
    const reading = this.#read(option, line);
    if ("fault" in reading) return reading.fault;
    this.#note(option, reading, line, stem);
    if ("value" in reading) plugin.options.set(key, String(reading.value));
    return undefined;
  }

  #setDenySpecialChars(option: Option, line: Line): Fault {
    const { plugin } = this.#sections;
    if (plugin === undefined) return needsPlugin(line);
    const reading = this.#read(option, line);
    if ("fault" in reading) return reading.fault;
    if ("value" in reading) plugin.denySpecialChars = reading.value === true;
    return undefined;
  }
}

function newPlugin(name: string | undefined, path: string, place: Place): PluginDraft {
  return { name, path, options: new Map(), denySpecialChars: false, place };
}

/** A word of a line as it may be shown. */
function show(line: Line, word: string): string {
  return line.isSecret ? "***" : word;
}

function needsListener(line: Line): string {
  return `The '${line.name}' option requires a listener to be defined first.`;
}

function needsPlugin(line: Line): string {
  return `The '${line.name}' option requires plugin/global_plugin/plugin_load to be defined first.`;
}
