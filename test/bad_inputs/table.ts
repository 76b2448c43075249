// Every kind of bad input that a broker has to survive, by its number: what it is, how it comes, and
// where its tests are. `deno task tidy` holds the table against the tests, so that no number is
// forgotten and no test names one that is not here. What comes from clients comes by every way that
// there is; what comes from files, from a proxy or over HTTP has its own.

/** One kind of bad input. */
export interface BadInput {
  readonly id: string;
  /** What it is, in a few words. */
  readonly about: string;
  /** How it reaches the broker. */
  readonly comes:
    | "by every way of a client"
    | "by the one listener that reads it"
    | "by HTTP"
    | "from files"
    | "not yet";
  /** Where its tests are; the first one tells most of it. */
  readonly tests: readonly string[];
  /** Why there is no test, when what it would harm does not exist. */
  readonly because?: string;
}

const FRAMING = "test/bad_inputs/framing_test.ts";
const PACKETS = "test/bad_inputs/packet_test.ts";
const CONNECTS = "test/bad_inputs/connect_test.ts";
const TOPICS = "test/bad_inputs/topic_test.ts";
const FLOW = "test/bad_inputs/flow_test.ts";
const SESSIONS = "test/bad_inputs/session_test.ts";
const RIGHTS = "test/bad_inputs/authorization_test.ts";
const PLUGINS = "test/bad_inputs/plugin_test.ts";

/** All of them, in the order of their numbers. */
export const BAD_INPUTS: readonly BadInput[] = [
  byClients("B-01", "lengths that are too long, too wide or not held to", FRAMING),
  byClients("B-02", "bodies shorter or longer than their fields", FRAMING),
  byClients("B-03", "flipped bits and cut packets", "test/bad_inputs/bit_flip_test.ts"),
  byClients("B-04", "packets that no client may send", FRAMING),
  byClients("B-05", "flags that a packet does not have", FRAMING),
  byClients("B-06", "a first packet that is no CONNECT and announces 256 MB", FRAMING),
  byClients("B-07", "a CONNECT byte by byte, by many", CONNECTS),
  byClients("B-08", "a CONNECT of 200 MB", FRAMING),
  byClients("B-09", "a second CONNECT, and packets after DISCONNECT", FRAMING),
  byClients("B-10", "names and levels of other protocols", CONNECTS),
  byClients("B-11", "flags of CONNECT that contradict each other", CONNECTS),
  byClients("B-12", "packet identifiers that are 0 or answer nothing", PACKETS),
  byClients("B-13", "SUBSCRIBE with no filter or ten thousand", PACKETS),
  byClients("B-14", "topic aliases that are 0, too high or never set", PACKETS),
  byClients("B-15", "ten thousand packets in a segment, a packet in thousands", FRAMING),
  byClients("B-16", "property lengths that lead out of the packet", PACKETS),
  byClients("B-17", "properties repeated, misplaced or unknown", PACKETS),
  byClients("B-18", "user properties by the thousand", PACKETS),
  byClients("B-19", "wrong properties of a Will, then a bad end", PACKETS),
  byClients("B-20", "Will delays against the ends of sessions", SESSIONS),
  byClients("B-21", "sessions prolonged by DISCONNECT", SESSIONS),
  byClients("B-22", "more in flight, or more aliases, than is good", SESSIONS),
  byClients("B-23", "subscription identifiers, formats and response topics", PACKETS),
  byClients(
    "B-24",
    "AUTH out of turn, changed or in floods",
    PACKETS,
    "test/bad_inputs/authentication_test.ts",
  ),
  byClients("B-25", "text that is no text", TOPICS),
  byClients("B-26", "wildcards where none may be", TOPICS),
  byClients("B-27", "names of very many levels", TOPICS),
  byClients("B-28", "wildcards that multiply", TOPICS),
  byClients("B-29", "names that are used once", TOPICS),
  byClients("B-30", "shares and topics that begin with a dollar sign", TOPICS),
  byClients(
    "B-31",
    "client identifiers of all kinds",
    CONNECTS,
    "test/core/broker/take_over_test.ts",
  ),
  byClients("B-32", "QoS 2 without an end", FLOW, "test/core/broker/durability_test.ts"),
  byClients("B-33", "a subscriber that never reads", FLOW, "test/listeners/strangers_test.ts"),
  byClients(
    "B-34",
    "a subscriber that never acknowledges or is away",
    FLOW,
    "test/core/broker/durability_test.ts",
  ),
  byClients("B-35", "two clients that fight over a name", FLOW),
  byClients("B-36", "an end at any byte and at any question", FLOW),
  byClients("B-37", "Wills for every end, and to every topic", SESSIONS),
  byClients(
    "B-38",
    "connections by the thousand, and the wrong first words",
    CONNECTS,
    "test/listeners/strangers_test.ts",
    "test/bad_inputs/proxy_and_websocket_test.ts",
  ),
  byClients("B-39", "Keep Alive of nothing, of a second, of a day", CONNECTS),
  byClients("B-40", "a wall clock that jumps", SESSIONS),
  byClients("B-41", "names that could widen a rule", RIGHTS, "test/security/access_rules_test.ts"),
  byClients("B-42", "permissions that are taken away", RIGHTS, "test/security/revocation_test.ts"),
  byClients(
    "B-43",
    "a denied topic behind a broad filter",
    RIGHTS,
    "test/core/broker/gate_test.ts",
  ),
  byClients("B-44", "names that something changes", PLUGINS, RIGHTS, "test/security/names_test.ts"),
  byClients("B-45", "the session of another user", RIGHTS, "test/security/identity_test.ts"),
  byClients("B-46", "a Will to a denied topic", RIGHTS, "test/security/names_test.ts"),
  byClients("B-47", "topics of the broker's own", PLUGINS, "test/security/names_test.ts"),
  byClients("B-48", "a denied filter among others", RIGHTS, "test/security/plugins_test.ts"),
  byClients(
    "B-49",
    "deciders that fail, hang or talk nonsense",
    PLUGINS,
    "test/security/plugins_test.ts",
    "test/examples/plugins/webhook_auth_test.ts",
  ),
  byClients("B-50", "bad logins in floods", RIGHTS, "test/security/busy_logins_test.ts"),
  {
    id: "B-51",
    about: "security files that are empty, broken or no files",
    comes: "from files",
    tests: ["test/security/files_test.ts", "test/auth/parsers_test.ts"],
  },
  {
    id: "B-52",
    about: "reloads of what cannot be used",
    comes: "from files",
    tests: [
      "test/cli/program_test.ts",
      "test/security/revocation_test.ts",
      "test/runtime/files_test.ts",
    ],
  },
  {
    id: "B-53",
    about: "options that are unknown or in the wrong place",
    comes: "from files",
    tests: ["test/security/scope_test.ts", "test/listeners/tls_faults_test.ts"],
  },
  {
    id: "B-54",
    about: "secret files that are links, or open to all",
    comes: "from files",
    tests: ["test/security/files_test.ts", "test/auth/secret_file_test.ts"],
  },
  {
    id: "B-55",
    about: "a store that is damaged, full or failing",
    comes: "from files",
    tests: ["test/store/damaged_store_test.ts", "test/driver/commits_test.ts"],
  },
  {
    id: "B-56",
    about: "headers of proxies that are cut, wrong or not expected",
    comes: "by the one listener that reads it",
    tests: ["test/listeners/proxy_test.ts", "test/transport/proxy_header_test.ts"],
  },
  {
    id: "B-57",
    about: "WebSocket handshakes and frames that break their rules",
    comes: "by the one listener that reads it",
    tests: ["test/listeners/websockets_test.ts", "test/transport/websocket_frames_test.ts"],
  },
  {
    id: "B-58",
    about: "requests to the HTTP API that try passwords, paths and patience",
    comes: "by HTTP",
    tests: ["test/listeners/http_api_test.ts", "test/transport/http_connection_test.ts"],
  },
  {
    id: "B-59",
    about: "secrets that could show in logs, errors and answers",
    comes: "from files",
    tests: ["test/security/secrets_test.ts", "test/cli/secrets_test.ts"],
  },
  {
    id: "B-60",
    about: "a remote broker that is hostile to a bridge",
    comes: "not yet",
    tests: [],
    because: "no bridge exists that could meet one",
  },
];

function byClients(id: string, about: string, ...tests: readonly string[]): BadInput {
  return { id, about, comes: "by every way of a client", tests };
}
