/**
 * A plugin that keeps the birth certificates of Sparkplug nodes and devices, as Mosquitto's plugin
 * of that name does: each is published once more, retained, below `$sparkplug/certificates/`.
 *
 * ```conf
 * plugin examples/plugins/sparkplug_aware.ts
 * ```
 */

import type { Client, InboundMessage, Plugin, PluginContext } from "../../mod.ts";

const NAME = "sparkplug-aware";

/** `spBv1.0/<group>/NBIRTH/<node>` and `spBv1.0/<group>/DBIRTH/<node>/<device>`. */
const BIRTH = /^spBv1\.0\/[^/]+\/(?:NBIRTH\/[^/]+|DBIRTH\/[^/]+\/[^/]+)$/;

export default function sparkplugAware(context: PluginContext): Plugin {
  function message(_client: Client, message: InboundMessage): InboundMessage {
    const { topic, payload, qos, properties } = message;
    if (BIRTH.test(topic)) {
      const certificate = `$sparkplug/certificates/${topic}`;
      const isTaken = context.publish({
        topic: certificate,
        payload,
        qos,
        properties,
        retain: true,
      });
      if (!isTaken) context.log("warning", `Too much is going on to keep ${certificate}`);
    }
    return message;
  }

  return { name: NAME, version: "1.0.0", observer: { name: NAME, message } };
}
