/**
 * Configuration files and environments: whatever stands in them, there is a configuration or there
 * are errors and never both, every error has a place, and a configuration can take its own place at
 * a reload without a word.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { reloadConfig } from "../../../src/config/diff.ts";
import type { LoadResult } from "../../../src/config/load.ts";
import { load } from "../../config/support.ts";
import { bytesOf, type FuzzTarget, textOf } from "../target.ts";

const FILE_SEEDS = [
  "listener 1883\nallow_anonymous true\nmax_connections 10\n",
  "per_listener_settings true\nlistener 1884 ::1\npassword_file /p\nacl_file /a\nprotocol websockets\n",
  "listener 0 /run/m.sock\nlistener 8883\ncertfile c\nkeyfile k\ncafile a\nrequire_certificate true\n",
  "persistence true\npersistence_location /d/\nautosave_interval 30\nmax_inflight_messages 0\n",
  "connection b\naddress h:1883 i\ntopic a/# both 2 l/ r/\nbridge_protocol_version mqttv50\n",
  "log_dest file /l\nlog_dest syslog\nlog_type all\nlog_timestamp_format %Y\n#log_type none\n",
  "plugin_load n p.ts\nplugin_opt_a 1\nlistener 1\nplugin_use n\nplugin_deny_special_chars false\n",
  "\ufeffinclude_dir d\nport 1885\nbind_address 127.0.0.1\nuser nobody\npid_file /p\r\n",
  "retained_persistence false\nretain_expiry_interval 2w\nmax_keepalive 0\nglobal_max_clients 1\n",
].map(bytesOf);

const ENVIRONMENT_SEEDS = [
  "MIDGE_LISTENER=1883\nMIDGE_ALLOW_ANONYMOUS=true",
  "MIDGE_LOG_DEST=stdout\\nstderr\nMIDGE_PERSISTENCE=true",
  "MIDGE_PLUGIN_LOAD=a b\nMIDGE_PLUGIN_USE=a\nMIDGE_plugin_opt_x=1",
  "MIDGE_PASSWORD_FILE=/p\nMIDGE_REMOTE_PASSWORD_FILE=/q\nMIDGE_SERVICE_HOST=1",
  "MOSQUITTO_PERSISTENCE_LOCATION=/d\nMIDGE_UNKNOWN=1\nMIDGE_PORT=tcp://1:1",
].map(bytesOf);

const WORDS = ["true", "false", " ", "\n", "0", "-1", "65536", "4294967296", "1e3", "0x10", "\0"];

export const configuration: FuzzTarget = {
  name: "configuration",
  tokens: [
    ...WORDS,
    "listener ",
    "port ",
    "connection ",
    "topic ",
    "\nplugin ",
    "address ",
    "both",
  ],
  seeds: () => FILE_SEEDS,
  async run(input) {
    const once = await load(input);
    checkResult(once);
    assertEquals(shown(await load(input.slice())), shown(once));
  },
};

export const environment: FuzzTarget = {
  name: "environment",
  tokens: [...WORDS, "\nMIDGE_", "_FILE", "=", "LISTENER", "LISTENER_FILE", "plugin_opt_"],
  seeds: () => ENVIRONMENT_SEEDS,
  async run(input) {
    const variables: Record<string, string> = {};
    for (const line of textOf(input).split("\n")) {
      const equals = line.indexOf("=");
      if (equals < 1) continue;
      // What no line of an input can hold otherwise.
      variables[line.slice(0, equals)] = line.slice(equals + 1).replaceAll("\\n", "\n");
    }
    checkResult(await load("listener 1883\n", variables));
  },
};

function checkResult({ config, errors, notes }: LoadResult): void {
  assertEquals(config === undefined, errors.length > 0);
  for (const { file, line, lines } of errors) {
    assert(file !== "" && line >= 0 && lines.length > 0 && lines[0]!.startsWith("Error: "));
  }
  assert(notes.every(({ text }) => text !== ""));
  if (config === undefined) return;
  for (const { port } of config.listeners) assert(port >= 0 && port <= 65_535);
  const again = reloadConfig(config, config);
  assertEquals([again.errors, again.notes], [[], []]);
  assertEquals(again.config, config);
}

/** What is compared: errors have stacks of their own. */
function shown({ config, errors, notes }: LoadResult): unknown {
  return [config, errors.map(({ lines }) => lines), notes];
}
