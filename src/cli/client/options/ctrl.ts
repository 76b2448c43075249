/**
 * Options that mean something else to ctrl than to the others.
 *
 * @module
 */

import { type ClientOption, CTRL } from "../option.ts";
import { UsageError } from "../usage_error.ts";
import { qosOf } from "../values.ts";

export const CTRL_OPTIONS: readonly ClientOption[] = [
  {
    names: ["-q", "--qos"],
    tools: CTRL,
    group: "Session",
    argument: "qos",
    candidates: ["0", "1", "2"],
    missing: "no QoS specified",
    help: "Quality of service of requests: 0, 1 (unless given) or 2.",
    apply(draft, value) {
      const qos = qosOf(value);
      if (qos === undefined) throw new UsageError(`Error: Invalid QoS given: ${value}`);
      draft.qos = qos;
    },
  },
  {
    names: ["-v", "--verbose"],
    tools: CTRL,
    group: "Output",
    help: "Accepted for Mosquitto's scripts; nothing is left out without it.",
    apply: (draft) => void (draft.isVerbose = true),
  },
  {
    names: ["-o"],
    tools: CTRL,
    group: "Other",
    argument: "file",
    candidates: "files",
    missing: "no options file specified",
    help: "Read options from this file, one a line with one word behind it. They beat those of " +
      "the command line.",
    // Read when the command line has been.
    apply: () => {},
  },
];
