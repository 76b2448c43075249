/**
 * Options of bridges; those of TLS are in bridge_tls.ts. Their values are kept by name in
 * `BridgeConfig.options`; `connection`, `address` and `topic` have places of their own.
 *
 * @module
 */

import {
  bridgeAddresses,
  bridgeTopic,
  clamped,
  mergeTopics,
  restartTimeout,
  tcpKeepalive,
} from "../bridge_values.ts";
import type { Option, Reload, Scope } from "../option.ts";
import { choice, countOrZero, integer, text, truth } from "../values.ts";

const COUNT_MAX = 65_535;
const BRIDGE: { readonly scope: Scope; readonly reload: Reload } = { scope: "B", reload: "B" };

export const BRIDGE_OPTIONS: readonly Option[] = [
  {
    ...BRIDGE,
    name: "address",
    aliases: ["addresses"],
    value: bridgeAddresses,
    default: "none",
    repeat: "never",
    effect: "Where the remote brokers are.",
  },
  {
    ...BRIDGE,
    name: "bridge_attempt_unsubscribe",
    value: truth,
    fallback: true,
    repeat: "last",
    effect: "Unsubscribes from topics that only go out, when it connects.",
  },
  {
    ...BRIDGE,
    name: "bridge_bind_address",
    value: text({ syntax: "address" }),
    default: "any",
    repeat: "never",
    effect: "The address that connections come from.",
  },
  {
    ...BRIDGE,
    name: "bridge_max_packet_size",
    value: countOrZero,
    fallback: 0,
    default: "0: no limit",
    repeat: "last",
    effect: "Bytes of the largest packet that is sent to the remote.",
  },
  {
    ...BRIDGE,
    name: "bridge_max_topic_alias",
    value: integer({
      min: 0,
      max: COUNT_MAX,
      fault: () => "bridge_max_topic_alias must be > 0 and <= 65535.",
    }),
    fallback: 10,
    repeat: "last",
    effect: "Topic aliases of version 5, both ways.",
  },
  {
    ...BRIDGE,
    name: "bridge_outgoing_retain",
    value: truth,
    fallback: true,
    repeat: "last",
    effect: "Whether messages to the remote keep their retain flag.",
  },
  {
    ...BRIDGE,
    name: "bridge_protocol_version",
    value: choice(
      ["mqttv31", "mqttv311", "mqttv50"],
      (shown) => `Invalid 'bridge_protocol_version' value (${shown}).`,
    ),
    fallback: "mqttv311",
    repeat: "last",
    effect: "The version of MQTT that is spoken with the remote.",
  },
  {
    ...BRIDGE,
    name: "bridge_receive_maximum",
    value: {
      syntax: "1 to 65535",
      read: (input) => {
        const reading = integer().read(input);
        if (!("value" in reading)) return reading;
        const { value } = reading as { readonly value: number };
        if (value < 1) return { fault: "bridge_receive_maximum must be greater than 0." };
        if (value <= COUNT_MAX) return reading;
        return { fault: "bridge_receive_maximum must be lower than 65535." };
      },
    },
    default: "not sent",
    repeat: "last",
    effect: "QoS 1 and 2 messages that the remote may have in flight.",
  },
  {
    ...BRIDGE,
    name: "bridge_reload_type",
    value: choice(
      ["lazy", "immediate"],
      (shown) => `Invalid 'bridge_reload_type' value in configuration (${shown}).`,
    ),
    fallback: "lazy",
    repeat: "last",
    effect: "Whether a reload counts from the next connection, or makes one.",
  },
  {
    ...BRIDGE,
    name: "bridge_session_expiry_interval",
    value: integer({
      syntax: "seconds, 0 or more",
      min: 0,
      fault: () => "bridge_session_expiry_interval must not be negative.",
    }),
    fallback: 0,
    default: "0: not sent",
    repeat: "last",
    effect: "How long the remote keeps the session.",
  },
  {
    ...BRIDGE,
    name: "bridge_tcp_keepalive",
    value: tcpKeepalive,
    default: "off",
    repeat: "last",
    effect: "Keepalive of TCP.",
  },
  {
    ...BRIDGE,
    name: "bridge_tcp_user_timeout",
    value: integer({
      syntax: "milliseconds, 0 or more",
      min: 0,
      fault: () => "invalid TCP user timeout value.",
    }),
    default: "that of the system",
    repeat: "last",
    effect: "How long sent bytes may remain without an acknowledgement.",
  },
  {
    ...BRIDGE,
    name: "cleansession",
    value: truth,
    fallback: false,
    repeat: "last",
    effect: "Whether the remote forgets the bridge when it disconnects.",
  },
  {
    ...BRIDGE,
    name: "connection",
    scope: "G",
    value: text({ syntax: "name" }),
    default: "none",
    repeat: "all",
    effect: "Begins a bridge, to which the options of bridges that follow belong.",
  },
  {
    ...BRIDGE,
    name: "idle_timeout",
    value: clamped(1, "idle_timeout interval too low, using 1 second."),
    fallback: 60,
    repeat: "last",
    effect: "Seconds without messages after which a lazy bridge disconnects.",
  },
  {
    ...BRIDGE,
    name: "keepalive_interval",
    value: clamped(5, "keepalive interval too low, using 5 seconds.", {
      max: 65_535,
      fault: "Bridge keepalive value too high.",
    }),
    fallback: 60,
    repeat: "last",
    effect: "The keep alive in seconds.",
  },
  {
    ...BRIDGE,
    name: "local_cleansession",
    value: truth,
    default: "as cleansession",
    repeat: "last",
    effect: "Whether this broker drops what waits for the bridge while it is disconnected.",
  },
  {
    ...BRIDGE,
    name: "local_clientid",
    value: text({ syntax: "text" }),
    default: "`local.` and remote_clientid",
    repeat: "never",
    effect: "The client identifier in this broker.",
  },
  {
    ...BRIDGE,
    name: "local_password",
    value: text({ syntax: "text" }),
    default: "none",
    repeat: "never",
    effect: "None: bridges need not log in here.",
  },
  {
    ...BRIDGE,
    name: "local_username",
    value: text({ syntax: "text" }),
    default: "none",
    repeat: "never",
    effect: "None: bridges need not log in here.",
  },
  {
    ...BRIDGE,
    name: "notification_topic",
    value: text({ syntax: "topic" }),
    default: "`$SYS/broker/connection/<remote_clientid>/state`",
    repeat: "never",
    effect: "Where the state of the bridge is published.",
  },
  {
    ...BRIDGE,
    name: "notifications",
    value: truth,
    fallback: true,
    repeat: "last",
    effect: "Publishes whether the bridge is connected.",
  },
  {
    ...BRIDGE,
    name: "notifications_local_only",
    value: truth,
    fallback: false,
    repeat: "last",
    effect: "Publishes it in this broker only.",
  },
  {
    ...BRIDGE,
    name: "remote_clientid",
    aliases: ["clientid"],
    value: text({ syntax: "text" }),
    default: "`<host name>.<name>`",
    repeat: "never",
    effect: "The client identifier at the remote.",
  },
  {
    ...BRIDGE,
    name: "remote_password",
    aliases: ["password"],
    value: text({ syntax: "text" }),
    default: "none",
    repeat: "never",
    effect: "The password at the remote.",
  },
  {
    ...BRIDGE,
    name: "remote_username",
    aliases: ["username"],
    value: text({ syntax: "text" }),
    default: "none",
    repeat: "never",
    effect: "The user name at the remote.",
  },
  {
    ...BRIDGE,
    name: "restart_timeout",
    value: restartTimeout,
    fallback: "5 30 0",
    repeat: "last",
    effect: "Seconds before the next attempt to connect: fixed, or between two bounds.",
  },
  {
    ...BRIDGE,
    name: "round_robin",
    value: truth,
    fallback: false,
    repeat: "last",
    effect: "Takes the addresses in turn, instead of returning to the first.",
  },
  {
    ...BRIDGE,
    name: "start_type",
    value: {
      syntax: "`automatic`, `lazy`, `once`",
      read: (input) =>
        input.text === "manual" ? { fault: "Manual start_type not supported." } : choice(
          ["automatic", "lazy", "once"],
          (shown) => `Invalid 'start_type' value in configuration (${shown}).`,
        ).read(input),
    },
    fallback: "automatic",
    repeat: "last",
    effect: "When to connect.",
  },
  {
    ...BRIDGE,
    name: "threshold",
    value: clamped(1, "threshold too low, using 1 message."),
    fallback: 10,
    repeat: "last",
    effect: "Messages that wait before a lazy bridge connects.",
  },
  {
    ...BRIDGE,
    name: "topic",
    value: bridgeTopic,
    default: "none",
    repeat: "all",
    merge: mergeTopics,
    effect: "What is shared with the remote, and how it is renamed.",
  },
  {
    ...BRIDGE,
    name: "try_private",
    value: truth,
    fallback: true,
    repeat: "last",
    effect: "Tells the remote that this is a bridge.",
  },
];
