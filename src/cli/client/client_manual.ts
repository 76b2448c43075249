/**
 * The manuals of pub, sub, rr and ctrl: what each is for in words, its options from their table.
 *
 * @module
 */

import type { Manual, ManualEntry, ManualSection } from "../manual.ts";
import type { ToolName } from "./client_settings.ts";
import type { ClientOption, OptionGroup } from "./option.ts";
import { optionsOf } from "./options/all.ts";

type Words = Pick<Manual, "about" | "usage" | "notes"> & {
  /** Without the name. */
  readonly examples: readonly string[];
};

const GROUPS: readonly OptionGroup[] = [
  "Message",
  "Subscription",
  "Output",
  "Connection",
  "Session",
  "Last will",
  "TLS",
  "Other",
];

const REFUSED = "the code of the broker when it refuses the connection (1 to 5, or 128 and more " +
  "for version 5)";

const FORMATS =
  "Formats: %t topic, %p payload, %x payload in hex, %l its length, %q QoS, %r 1 if " +
  "retained, %m packet identifier, %I local time, %U seconds since 1970, %j all of it as JSON, " +
  "%J the same with a payload that is JSON, %f and %d a payload that is a float or a double; of " +
  "properties %A topic alias, %C content type, %D correlation data, %E expiry, %F format " +
  "indicator, %P user properties, %R response topic, %S subscription identifier. @ and a letter " +
  "is a conversion of strftime, @N nanoseconds; \\n and \\t are what they are in C. As for " +
  "printf, there may be -, 0, a width and .precision before the letter: %-20t.";

const WORDS: Readonly<Record<ToolName, Words>> = {
  pub: {
    about: ["Publishes a message to an MQTT broker."],
    usage: [
      "{[-h host] [-p port] [-u user [-P password]] -t topic | -L url}\n" +
      "{-m text | -f file | -n | -s | -l} [option]...",
    ],
    notes: [
      `Exit status: 0 when the message was published, 1 for a fault in the command line or when ` +
      `there is no connection, ${REFUSED}, and others for what went wrong later.`,
    ],
    examples: [
      "-t greetings/first -m 'Hello'",
      "-h broker.example -p 8883 --cafile ca.crt -u alice -P secret -t a/b -q 1 -f photo.jpg",
      "-L mqtt://broker.example/lights/kitchen -m on -r",
      "-t log -l < lines.txt",
    ],
  },
  sub: {
    about: ["Subscribes to topics of an MQTT broker and prints the messages that come."],
    usage: [
      "{[-h host] [-p port] [-u user [-P password]] -t filter... | -L url}\n[option]...",
    ],
    notes: [
      FORMATS,
      `Exit status: 0 when it has done what was asked for, 1 for a fault in the command line or ` +
      `when there is no connection, ${REFUSED}, 27 when -W has passed, 255 when it was stopped ` +
      `before it was connected, and others for what went wrong later.`,
    ],
    examples: [
      "-t 'greetings/#' -v",
      "-t '$SYS/#' -F '%I %t %p'",
      "-h broker.example --tls-use-os-certs -p 8883 -t 'sensors/+/temperature' -C 10 -F %j",
      "-t 'old/#' --remove-retained --retained-only",
    ],
  },
  rr: {
    about: [
      "Publishes a request to an MQTT broker, waits for the response and prints it.",
    ],
    usage: [
      "{[-h host] [-p port] [-u user [-P password]] -t topic | -L url} -e topic\n" +
      "{-m text | -f file | -n | -s} [option]...",
    ],
    notes: [
      FORMATS,
      `Exit status: 0 when the response was printed, 1 for a fault in the command line or when ` +
      `there is no connection, ${REFUSED}, 27 when -W has passed, and others for what went ` +
      `wrong later.`,
    ],
    examples: [
      "-t time/get -e time/answer -n",
      "-t echo -e echo/answer -m ping -W 5 --latency",
    ],
  },
  ctrl: {
    about: ["Shows how a broker is set up, while it runs."],
    usage: [
      "[-h host] [-p port] [-u user [-P password]] [option]... module command [word]...",
      "module help",
      "[option]...",
    ],
    notes: [
      "The module is broker, its commands are listListeners and listPlugins. Without a module, " +
      "commands are asked for one after the other; 'help' tells which there are.",
      "The broker answers when its configuration has enable_control_api true, and only those who " +
      "may publish to $CONTROL/broker/v1 and read $CONTROL/broker/v1/response.",
      "Exit status: 0 when the broker has answered, even with an error, and when it did not " +
      "answer within 10 seconds or refused the connection; 1 for a fault in the options and for " +
      "this help; 3 for words that a command does not take; 10 for a module and 13 for a command " +
      "that there is not; others for what was wrong with the connection.",
    ],
    examples: [
      "-h broker.example -p 8883 --cafile ca.crt -u admin broker listListeners",
      "--unix /run/midge.sock broker listPlugins",
      "broker help",
    ],
  },
};

/** The manual of a tool, by the name that it was called by. */
export function clientManual(tool: ToolName, name: string): Manual {
  const { about, usage, notes, examples } = WORDS[tool];
  const options = optionsOf(tool);
  const sections = GROUPS.map((title): ManualSection => ({
    title,
    entries: options.filter(({ group }) => group === title).map(entryOf),
  })).filter(({ entries }) => entries.length > 0);
  return {
    name,
    about,
    usage,
    sections,
    notes,
    examples: examples.map((words) => `${name} ${words}`),
  };
}

function entryOf(option: ClientOption): ManualEntry {
  const { names, help: text } = option;
  if (option.argument === undefined) return { names, text };
  const argument = option.argument.split(" ").map((word) => `<${word}>`).join(" ");
  const candidates = "candidates" in option ? option.candidates : undefined;
  return candidates === undefined
    ? { names, argument, text }
    : { names, argument, candidates, text };
}
