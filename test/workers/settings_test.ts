// The bindings of a Worker, and that a fault in any of them lets nobody in.

import { assertEquals } from "@std/assert";
import { DEFAULT_LIMITS, DEFAULT_LISTENER } from "../../src/core/broker/limits.ts";
import { readSettings } from "../../src/runtime/workers/settings.ts";
import type { Bindings } from "../../src/runtime/workers/workers_api.ts";
import { ALL_LOG_TYPES, DEFAULT_LOG_TYPES } from "../../src/telemetry/log_line.ts";
import { test } from "../harness.ts";

/** Settings without what decides about clients, or the faults. */
function read(bindings: Bindings): unknown {
  const result = readSettings(bindings);
  if ("faults" in result) return result.faults;
  const { chain, ...settings } = result.settings;
  const { allowAnonymous, authenticators, authorizers } = chain;
  const deciders = [...authenticators, ...authorizers].map(({ name }) => name);
  return { ...settings, allowAnonymous, deciders, notes: result.notes };
}

const NOTHING_SAID = {
  limits: DEFAULT_LIMITS,
  listener: { ...DEFAULT_LISTENER, name: "websockets" },
  logsConnections: true,
  logTypes: DEFAULT_LOG_TYPES,
  tenants: "one",
  allowAnonymous: false,
  deciders: [],
  notes: [],
};

test("readSettings() lets nobody in who is not allowed, and minds its own bindings only", () => {
  assertEquals(read({}), NOTHING_SAID);
  assertEquals(read({ BROKER: {}, OTHER: "text", midge_max_qos: "7" }), NOTHING_SAID);
});

test("readSettings() takes options by their names in mosquitto.conf", () => {
  assertEquals(
    read({
      MIDGE_ALLOW_ANONYMOUS: "true",
      MIDGE_MAX_QOS: "1",
      MIDGE_MAX_INFLIGHT_MESSAGES: " 5 ",
      MIDGE_MAX_PACKET_SIZE: "1000",
      MIDGE_RETAIN_AVAILABLE: "false",
      MIDGE_AUTO_ID_PREFIX: "edge-",
      MIDGE_MAX_CONNECTIONS: "-1",
      MIDGE_TENANTS: "path",
      MIDGE_LOG_TYPE: "error\nwarning",
      MIDGE_CONNECTION_MESSAGES: "false",
    }),
    {
      ...NOTHING_SAID,
      limits: {
        ...DEFAULT_LIMITS,
        inflightMessagesMax: 5,
        receiveMaximum: 5,
        maximumPacketSize: 1000,
        retainAvailable: false,
      },
      listener: {
        ...NOTHING_SAID.listener,
        maximumQos: 1,
        autoIdPrefix: "edge-",
        connectionsMax: Infinity,
      },
      allowAnonymous: true,
      tenants: "path",
      logTypes: ["error", "warning"],
      logsConnections: false,
    },
  );
  const all = read({ MIDGE_LOG_TYPE: "all" }) as typeof NOTHING_SAID;
  assertEquals(all.logTypes, ALL_LOG_TYPES);
});

test("readSettings() takes password and access files as text", () => {
  const hash = "$7$101$" + btoa("x".repeat(12)) + "$" + btoa("y".repeat(64));
  assertEquals(
    read({
      MIDGE_PASSWORD_FILE: `# users\nann:${hash}\n`,
      MIDGE_ACL_FILE: "user ann\ntopic a/#\n",
    }),
    { ...NOTHING_SAID, deciders: ["password-file", "acl-file"] },
  );
});

test("readSettings() tells every fault, and with one there are no settings", () => {
  assertEquals(
    read({
      MIDGE_ACL_FILE: "topic\n",
      MIDGE_ALOW_ANONYMOUS: "true",
      MIDGE_LISTENER: "1883",
      MIDGE_LOG_TYPE: "loud",
      MIDGE_MAX_QOS: "3",
      MIDGE_PASSWORD_FILE: "",
      MIDGE_QUEUE_QOS0_MESSAGES: "perhaps",
      MIDGE_TENANTS: "moon",
      MIDGE_max_packet_size: "20",
      MIDGE_RETAIN_AVAILABLE: 7,
    }),
    [
      "Error: Unknown configuration variable 'MIDGE_ALOW_ANONYMOUS'.",
      "Error: Unknown configuration variable 'MIDGE_LISTENER'.",
      "Error: Invalid 'max_qos' value (3).",
      "Error: Empty 'password_file' value in configuration.",
      "Error: Invalid 'queue_qos0_messages' value (perhaps).",
      "Error: 'MIDGE_RETAIN_AVAILABLE' is not a binding of text.",
      "Error: Unknown configuration variable 'MIDGE_max_packet_size'.",
      "Error: Invalid 'tenants' value (moon).",
      "Error: Invalid log_type value (loud).",
      'Error: Empty topic in acl_file "MIDGE_ACL_FILE". (line 1)',
    ],
  );
  const bad = read({ MIDGE_PASSWORD_FILE: "ann:plain\n" });
  assertEquals(bad, [
    "password-file: Error: Unable to decode line in password file 'MIDGE_PASSWORD_FILE'. (line 1)",
  ]);
});
