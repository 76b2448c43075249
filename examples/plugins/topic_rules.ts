/**
 * A plugin with rules about topics, and an eye on what is published there.
 *
 * ```conf
 * plugin examples/plugins/topic_rules.ts
 * plugin_opt_prefix devices
 * ```
 *
 * - A client publishes below `<prefix>/<its client id>/` only, and receives what is below that and
 *   below `public/`. What else there is, it never hears of.
 * - What it publishes has to be a JSON object; anything else goes no further. The object is stamped
 *   with the client that sent it, `"from"`, and the moment it came in, `"at"`.
 *
 * Client identifiers with `+`, `#` or `/` are refused before these rules are asked, unless the
 * configuration says `auth_plugin_deny_special_chars false`.
 */

import type {
  Client,
  InboundMessage,
  Plugin,
  PluginContext,
  Publisher,
  TopicRules,
  Verdict,
} from "../../mod.ts";

const SUCCESS = 0x00;
const NOT_AUTHORIZED = 0x87;

const NAME = "topic-rules";

export default function topicRules(context: PluginContext): Plugin {
  const prefix = context.options.get("prefix") ?? "devices";

  /** Asked once per client; the broker remembers the answers by topic. */
  function rulesFor({ clientId }: Publisher): TopicRules {
    const own = `${prefix}/${clientId}/`;
    const decide = (isAllowed: boolean): Verdict => isAllowed ? SUCCESS : NOT_AUTHORIZED;
    return {
      publish: (topic) => decide(topic.startsWith(own)),
      deliver: (topic) => decide(topic.startsWith(own) || topic.startsWith("public/")),
    };
  }

  function message({ clientId }: Client, message: InboundMessage): InboundMessage | undefined {
    const object = parseObject(message.payload);
    if (object === undefined) {
      context.log("notice", `Client ${clientId} published what is no JSON object; dropped.`);
      return undefined;
    }
    const stamped = { ...object, from: clientId, at: new Date().toISOString() };
    return { ...message, payload: new TextEncoder().encode(JSON.stringify(stamped)) };
  }

  return {
    name: NAME,
    version: "1.0.0",
    authorizer: { name: NAME, rulesFor },
    observer: { name: NAME, message },
  };
}

function parseObject(payload: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
