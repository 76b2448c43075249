// What a configuration means to the core: every limit, and what a listener grants.

import { assertEquals } from "@std/assert";
import { limitsOf, settingsOf } from "../../src/app/limits.ts";
import { DEFAULT_LIMITS, DEFAULT_LISTENER, type Limits } from "../../src/core/broker/limits.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";

/** What a text changes of the limits of an empty configuration. */
async function changes(config: string): Promise<Partial<Limits>> {
  const before = Object.entries(limitsOf(await configOf("")));
  const after: Readonly<Record<string, unknown>> = { ...limitsOf(await configOf(config)) };
  return Object.fromEntries(
    before.filter(([name, value]) => JSON.stringify(after[name]) !== JSON.stringify(value))
      .map(([name]) => [name, after[name]]),
  );
}

const TABLE: readonly (readonly [string, Partial<Limits>])[] = [
  ["max_packet_size 3000", { maximumPacketSize: 3000 }],
  ["message_size_limit 10", { messageSizeLimit: 10 }],
  // The one option bounds both directions.
  ["max_inflight_messages 5", { inflightMessagesMax: 5, receiveMaximum: 5 }],
  ["max_inflight_messages 0", { inflightMessagesMax: 0, receiveMaximum: 0 }],
  ["max_inflight_bytes 9", { inflightBytesMax: 9 }],
  ["max_queued_messages 7", { queuedMessagesMax: 7 }],
  ["max_queued_bytes 8", { queuedBytesMax: 8 }],
  ["max_queued_messages_total 9", { queuedMessagesTotalMax: 9 }],
  ["max_queued_bytes_total 10", { queuedBytesTotalMax: 10 }],
  ["queue_qos0_messages true", { queueQos0Messages: true }],
  ["upgrade_outgoing_qos true", { upgradesOutgoingQos: true }],
  ["allow_duplicate_messages false", { allowsDuplicateMessages: false }],
  ["check_retain_source false", { checksRetainSource: false }],
  ["retain_available false", { retainAvailable: false }],
  ["retain_expiry_interval 2", { retainSweepMs: 120_000 }],
  ["max_keepalive 60", { keepAliveMax: 60 }],
  ["persistent_client_expiration 2h", { sessionExpiryIntervalMax: 7200 }],
  ["persistent_client_expiration 200y", {}],
  ["global_max_connections 3", { connectionsMax: 3 }],
  ["global_max_connections -1", {}],
  ["global_max_connections 2000000", {}],
  ["global_max_clients 4", { sessionsMax: 4 }],
  ["global_max_clients 0", {}],
  ["clientid_prefixes a-", { clientIdPrefixes: ["a-"] }],
  ["publish_rate_limit 10 5", { publishRateCount: 10, publishRateSeconds: 5 }],
];

test("limitsOf() leaves the limits of the core to an empty configuration, but counts no publishes", async () => {
  assertEquals(limitsOf(await configOf("")), { ...DEFAULT_LIMITS, publishRateSeconds: 0 });
});

test("limitsOf() changes for each option the limits that it names, and no other", async () => {
  const got: unknown[] = [];
  for (const [line] of TABLE) got.push([line, await changes(`${line}\n`)]);
  assertEquals(got, TABLE.map(([line, limits]) => [line, limits]));
});

test("settingsOf() grants by default what the core does, under the listener's name", async () => {
  const { listeners } = await configOf("listener 1884\nlistener 0 /run/s\n");
  assertEquals(listeners.map(settingsOf), [
    { ...DEFAULT_LISTENER, name: "1884" },
    { ...DEFAULT_LISTENER, name: "/run/s" },
  ]);
});

test("settingsOf() grants what the listener's section says", async () => {
  const { listeners } = await configOf(
    `allow_zero_length_clientid false
listener 1
accept_protocol_versions 4,5
max_qos 1
max_topic_alias 2
max_topic_alias_broker 3
listener_auto_id_prefix me-
max_connections 4
mount_point at/
use_username_as_clientid true
`,
  );
  assertEquals(listeners.map(settingsOf), [{
    name: "1",
    protocolVersions: [4, 5],
    maximumQos: 1,
    topicAliasMaximum: 2,
    topicAliasMaximumBroker: 3,
    allowZeroLengthClientId: false,
    autoIdPrefix: "me-",
    connectionsMax: 4,
    mountPoint: "at/",
    usesUsernameAsClientId: true,
    identitySource: "none",
  }]);
});

test("settingsOf() takes the user name from where the listener says", async () => {
  const tls = "cafile /ca\ncertfile /cert\nkeyfile /key\nrequire_certificate true\n";
  const { listeners } = await configOf(
    `listener 1\n${tls}use_identity_as_username true\n` +
      `listener 2\n${tls}use_subject_as_username true\nlistener 3\n${tls}`,
  );
  assertEquals(listeners.map((listener) => settingsOf(listener).identitySource), [
    "common-name",
    "subject",
    "none",
  ]);
});
