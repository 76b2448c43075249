/**
 * Options of the Will: what the broker publishes when the client is lost.
 *
 * @module
 */

import { type ClientOption, CLIENTS } from "../option.ts";
import { UsageError } from "../usage_error.ts";
import { isPublishTopic, mqttText, qosOf } from "../values.ts";

export const WILL_OPTIONS: readonly ClientOption[] = [
  {
    names: ["--will-topic"],
    tools: CLIENTS,
    group: "Last will",
    argument: "topic",
    missing: "no will topic specified",
    help: "Have the broker publish a message to this topic if the connection is lost.",
    apply(draft, value) {
      const topic = mqttText(value, "--will-topic");
      if (!isPublishTopic(topic)) {
        throw new UsageError(`Error: Invalid will topic '${topic}', does it contain '+' or '#'?`);
      }
      draft.willTopic = topic;
    },
  },
  {
    names: ["--will-payload"],
    tools: CLIENTS,
    group: "Last will",
    argument: "text",
    missing: "no will payload specified",
    help: "Its payload; empty unless given.",
    apply: (draft, value) => void (draft.willPayload = value),
  },
  {
    names: ["--will-qos"],
    tools: CLIENTS,
    group: "Last will",
    argument: "qos",
    candidates: ["0", "1", "2"],
    missing: "no will QoS specified",
    help: "Its quality of service; 0 unless given.",
    apply(draft, value) {
      const qos = qosOf(value);
      if (qos === undefined) throw new UsageError(`Error: Invalid will QoS ${value}.`);
      draft.willQos = qos;
    },
  },
  {
    names: ["--will-retain"],
    tools: CLIENTS,
    group: "Last will",
    help: "Retain it.",
    apply: (draft) => void (draft.willRetain = true),
  },
];
