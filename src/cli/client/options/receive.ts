/**
 * Options of what is subscribed to, and which of the messages that come are kept.
 *
 * @module
 */

import { type ClientOption, RECEIVING, RR, SUB } from "../option.ts";
import { UsageError } from "../usage_error.ts";
import { decimal, isPublishTopic, isSubscription, mqttText, wholeNumber } from "../values.ts";

const RETAIN_HANDLING: Readonly<Record<string, 0 | 1 | 2>> = { always: 0, new: 1, never: 2 };
/** What a timer can wait for. */
const TIME_LIMIT_MAX_S = 2_147_483;

export const RECEIVE_OPTIONS: readonly ClientOption[] = [
  {
    names: ["-e"],
    tools: RR,
    group: "Message",
    argument: "topic",
    missing: "no response topic specified",
    help: "Where the response comes.",
    apply(draft, value) {
      const topic = mqttText(value, "-e");
      if (!isPublishTopic(topic)) {
        const question = "does it contain '+' or '#'?";
        throw new UsageError(`Error: Invalid response topic '${topic}', ${question}`);
      }
      draft.responseTopic = topic;
    },
  },
  {
    names: ["-U", "--unsubscribe"],
    tools: SUB,
    group: "Subscription",
    argument: "filter",
    missing: "no unsubscribe topic specified",
    help: "Unsubscribe from this filter; may be given several times.",
    apply(draft, value) {
      const filter = mqttText(value, "-U");
      if (!isSubscription(filter)) {
        const question = "are all '+' and '#' wildcards correct?";
        throw new UsageError(`Error: Invalid unsubscribe topic '${filter}', ${question}`);
      }
      draft.unsubscriptions.push(filter);
    },
  },
  {
    names: ["-T", "--filter-out"],
    tools: SUB,
    group: "Subscription",
    argument: "filter",
    missing: "no topic filter specified",
    help: "Drop messages to topics that match this; may be given several times.",
    apply(draft, value) {
      const filter = mqttText(value, "-T");
      if (!isSubscription(filter)) {
        const question = "are all '+' and '#' wildcards correct?";
        throw new UsageError(`Error: Invalid filter topic '${filter}', ${question}`);
      }
      draft.filteredOut.push(filter);
    },
  },
  {
    names: ["-C"],
    tools: SUB,
    group: "Subscription",
    argument: "count",
    missing: "no count specified",
    help: "Exit after this many messages.",
    apply(draft, value) {
      const count = wholeNumber(value, 1, Number.MAX_SAFE_INTEGER);
      if (count === undefined) throw new UsageError(`Error: Invalid message count "${value}".`);
      draft.countMax = count;
    },
  },
  {
    names: ["-E"],
    tools: SUB,
    group: "Subscription",
    help: "Exit when the broker has acknowledged the subscriptions.",
    apply: (draft) => void (draft.exitsWhenSubscribed = true),
  },
  {
    names: ["-W"],
    tools: RECEIVING,
    group: "Subscription",
    argument: "seconds",
    missing: "no timeout specified",
    help: "Give up after this long, with exit status 27.",
    apply(draft, value) {
      const seconds = wholeNumber(value, 1, TIME_LIMIT_MAX_S);
      if (seconds === undefined) throw new UsageError(`Error: Invalid timeout "${value}".`);
      draft.timeLimitMs = seconds * 1000;
    },
  },
  {
    names: ["-R"],
    tools: RECEIVING,
    group: "Subscription",
    help: "Drop retained messages.",
    apply: (draft) => void (draft.ignoresRetained = true),
  },
  {
    names: ["--retained-only"],
    tools: SUB,
    group: "Subscription",
    help: "Print retained messages only, and exit when another one comes.",
    apply: (draft) => void (draft.onlyRetained = true),
  },
  {
    names: ["--remove-retained"],
    tools: SUB,
    group: "Subscription",
    help: "Remove each retained message that comes from the broker. What -T drops is kept.",
    apply: (draft) => void (draft.removesRetained = true),
  },
  {
    names: ["--retain-as-published"],
    tools: RECEIVING,
    group: "Subscription",
    help: "Have messages keep their retain flag. Version 5.",
    apply: (draft) => void (draft.retainAsPublished = true),
  },
  {
    names: ["--retain-handling"],
    tools: RECEIVING,
    group: "Subscription",
    argument: "when",
    candidates: ["always", "new", "never"],
    missing: "no option specified",
    help: "When to be sent retained messages: always, new (only when the subscription is new) " +
      "or never. Version 5.",
    apply(draft, value) {
      if (!Object.hasOwn(RETAIN_HANDLING, value)) {
        throw new UsageError(`Error: Unknown value '${value}' for --retain-handling.`);
      }
      draft.retainHandling = RETAIN_HANDLING[value];
    },
  },
  {
    names: ["--random-filter"],
    tools: SUB,
    group: "Subscription",
    argument: "percent",
    missing: "no chance specified",
    help: "Print this share of the messages, chosen at random.",
    apply(draft, value) {
      const percent = decimal(value, 0.1, 100);
      if (percent === undefined) {
        throw new UsageError("Error: --random-filter chance must be between 0.1-100.0");
      }
      draft.randomShare = percent;
    },
  },
];
