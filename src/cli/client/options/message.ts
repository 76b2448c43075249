/**
 * Options of what is published, and where to.
 *
 * @module
 */

import type { MessageSource } from "../client_settings.ts";
import type { Draft } from "../draft.ts";
import { type ClientOption, CLIENTS, PUB, PUBLISHING } from "../option.ts";
import { UsageError } from "../usage_error.ts";
import { decimal, isPublishTopic, isSubscription, mqttText, wholeNumber } from "../values.ts";
import { bytesOfText } from "../words.ts";

const PAYLOAD_BYTES_MAX = 268_435_455;
const REPETITIONS_MAX = 0x7fff_ffff;
/** What a timer can wait for. */
const REPEAT_DELAY_MAX_S = 0x7fff_ffff / 1000;

export const MESSAGE_OPTIONS: readonly ClientOption[] = [
  {
    names: ["-t", "--topic"],
    tools: CLIENTS,
    group: "Message",
    argument: "topic",
    missing: "no topic specified",
    help: "The topic to publish to; for sub a filter, of which it takes several.",
    apply: addTopic,
  },
  {
    names: ["-m", "--message"],
    tools: PUBLISHING,
    group: "Message",
    argument: "text",
    missing: "no message specified",
    help: "Publish this.",
    apply(draft, value) {
      const payload = bytesOfText(value);
      if (payload.length > PAYLOAD_BYTES_MAX) {
        const message = `Error: Message length must be less than ${PAYLOAD_BYTES_MAX} bytes.`;
        throw new UsageError(message);
      }
      setSource(draft, { kind: "payload", payload });
    },
  },
  {
    names: ["-f", "--file"],
    tools: PUBLISHING,
    group: "Message",
    argument: "file",
    candidates: "files",
    missing: "no file specified",
    help: "Publish the contents of this file.",
    apply: (draft, value) => setSource(draft, { kind: "file", path: value }),
  },
  {
    names: ["-n", "--null-message"],
    tools: PUBLISHING,
    group: "Message",
    help: "Publish an empty message; with -r it removes a retained one.",
    apply: (draft) => setSource(draft, { kind: "payload", payload: new Uint8Array(0) }),
  },
  {
    names: ["-s", "--stdin-file"],
    tools: PUBLISHING,
    group: "Message",
    help: "Publish all of standard input as one message.",
    apply: (draft) => setSource(draft, { kind: "stdin" }),
  },
  {
    names: ["-l", "--stdin-line"],
    tools: PUB,
    group: "Message",
    help: "Publish each line of standard input as a message.",
    apply: (draft) => setSource(draft, { kind: "lines" }),
  },
  {
    names: ["-r", "--retain"],
    tools: PUB,
    group: "Message",
    help: "Have the broker retain the message.",
    apply: (draft) => void (draft.retain = true),
  },
  {
    names: ["--repeat"],
    tools: PUB,
    group: "Message",
    argument: "count",
    missing: "no count specified",
    help: "Publish the message this many times, one after the other.",
    apply(draft, value) {
      const count = wholeNumber(value, 1, REPETITIONS_MAX);
      if (count === undefined) throw new UsageError("Error: --repeat argument must be >0.");
      draft.repetitions = count;
    },
  },
  {
    names: ["--repeat-delay"],
    tools: PUB,
    group: "Message",
    argument: "seconds",
    missing: "no time specified",
    help: "Wait this long in between; fractions count.",
    apply(draft, value) {
      const seconds = decimal(value, 0, REPEAT_DELAY_MAX_S);
      if (seconds === undefined) {
        throw new UsageError("Error: --repeat-delay argument must be >=0.0.");
      }
      draft.repeatDelayMs = seconds * 1000;
    },
  },
];

/** Adds the topic of -t, or that of a URL. */
export function addTopic(draft: Draft, value: string): void {
  const topic = mqttText(value, "-t");
  if (draft.tool === "sub") {
    if (!isSubscription(topic)) {
      const question = "are all '+' and '#' wildcards correct?";
      throw new UsageError(`Error: Invalid subscription topic '${topic}', ${question}`);
    }
    draft.topics.push(topic);
    return;
  }
  if (!isPublishTopic(topic)) {
    throw new UsageError(`Error: Invalid publish topic '${topic}', does it contain '+' or '#'?`);
  }
  draft.topics = [topic];
}

function setSource(draft: Draft, source: MessageSource): void {
  if (draft.source !== undefined) {
    throw new UsageError("Error: Only one type of message can be sent at once.");
  }
  draft.source = source;
}
