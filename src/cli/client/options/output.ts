/**
 * Options of what is printed, and those that every program has.
 *
 * @module
 */

import { parseFormat } from "../format_parser.ts";
import { ALL, type ClientOption, CLIENTS, RECEIVING, RR, SUB } from "../option.ts";

export const OUTPUT_OPTIONS: readonly ClientOption[] = [
  {
    names: ["-v", "--verbose"],
    tools: RECEIVING,
    group: "Output",
    help: "Print the topic before each payload.",
    apply: (draft) => void (draft.isVerbose = true),
  },
  {
    names: ["-F"],
    tools: RECEIVING,
    group: "Output",
    argument: "format",
    missing: "no format specified",
    help: "Print each message in this format: '%t %p' is topic and payload, %j is JSON.",
    apply(draft, value) {
      parseFormat(value);
      draft.format = value;
    },
  },
  {
    names: ["--pretty"],
    tools: RECEIVING,
    group: "Output",
    help: "Indent the JSON of %j and %J.",
    apply: (draft) => void (draft.isPretty = true),
  },
  {
    names: ["-N"],
    tools: RECEIVING,
    group: "Output",
    help: "Print no line feed behind a message.",
    apply: (draft) => void (draft.endsLines = false),
  },
  {
    names: ["-w", "--watch"],
    tools: SUB,
    group: "Output",
    help: "Show each topic in a line of the screen of its own.",
    apply: (draft) => void (draft.isWatching = true),
  },
  {
    names: ["--message-rate"],
    tools: SUB,
    group: "Output",
    help: "Print how many messages come each second instead of the messages.",
    apply: (draft) => void (draft.printsRate = true),
  },
  {
    names: ["--latency"],
    tools: RR,
    group: "Output",
    help: "Print how long the response took.",
    apply: (draft) => void (draft.printsLatency = true),
  },
  {
    names: ["-d", "--debug"],
    tools: ALL,
    group: "Output",
    help: "Print the packets that are sent and received.",
    apply: (draft) => void (draft.isDebugging = true),
  },
  {
    names: ["--quiet"],
    tools: ALL,
    group: "Output",
    help: "Print no errors while it runs.",
    apply: (draft) => void (draft.isQuiet = true),
  },
  {
    names: ["-o"],
    tools: CLIENTS,
    group: "Other",
    argument: "file",
    candidates: "files",
    missing: "no options file specified",
    help: "Read options from this file first, one a line, each with the rest of its line.",
    // The parser has read it before everything else.
    apply: () => {},
  },
  {
    names: ["--help"],
    tools: ALL,
    group: "Other",
    help: "Print this and exit.",
    apply: (draft) => void (draft.request = "help"),
  },
  {
    names: ["--version"],
    tools: ALL,
    group: "Other",
    help: "Print the version and exit.",
    apply: (draft) => void (draft.request = "version"),
  },
];
