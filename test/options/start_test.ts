// Options that count when the broker starts: the default listener and how it comes about, files that
// include others, what is deprecated or has no effect and is told, what is more than a listener.

import { assertEquals } from "@std/assert";
import { connect as connectSocket } from "node:net";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { WireClient } from "../support/wire_client.ts";
import { knock, knockAll } from "./trial.ts";

/** What is said before the program says that it starts: about its configuration. */
function saidBefore(midge: MidgeProcess): string[] {
  const { lines } = midge;
  return lines.slice(0, lines.findIndex((line) => line.endsWith(" starting")));
}

function opened(midge: MidgeProcess): string[] {
  return midge.lines.filter((line) => line.startsWith("Opening "));
}

const deprecated = (name: string, advice: string): string =>
  `The '${name}' option is now deprecated and will be removed in version 3.0. ${advice}`;

const USE_LISTENER = "Use 'listener' instead.";

/** Whether anybody takes connections at the IPv6 loopback. */
function hasIpv6(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: "::1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

test(
  "An option of a listener before any makes the default listener, and says so",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "max_connections 1\nmax_qos 1\nsys_interval 0\n",
      args: ["-p", "$PORT1"],
    }, async (midge) => {
      assertEquals(saidBefore(midge), [
        "Creating default listener due to 'max_connections' option.",
        "It is recommended to define a 'listener' before the 'max_connections' option.",
      ]);
      // By itself it does not open the broker to others: that takes a listener, port or address.
      assertEquals(midge.lines.filter((line) => line.startsWith("Starting in local only mode.")), [
        "Starting in local only mode. Connections will only be possible from clients running on " +
        "this machine.",
      ]);
      const client = await WireClient.open(midge.port, 5);
      assertEquals((await client.handshake()).properties.maximumQos, 1);
      const second = await WireClient.open(midge.port, 5);
      assertEquals(await second.untilClosed(), []);
      await midge.logged("Client connection from 127.0.0.1 denied: max_connections exceeded.");
      client.leave();
      await client.untilClosed();
      // It is reloaded like any other, and does not become one by a reload.
      await midge.write("midge.conf", "max_qos 0\nsys_interval 0\n");
      midge.signal("SIGHUP");
      await midge.logged("Creating default listener due to 'max_qos' option.");
      let maximumQos: number | undefined = 1;
      while (maximumQos !== 0) {
        const again = await WireClient.open(midge.port, 5);
        maximumQos = (await again.handshake()).properties.maximumQos;
        again.leave();
        await again.untilClosed();
      }
      await midge.write("midge.conf", "listener $PORT1\n");
      midge.signal("SIGHUP");
      await midge.logged("Error: The configuration in force stays as it was.");
    }),
);

test(
  "port and bind_address make the default listener, without anonymous clients",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "port $PORT1\nport $PORT2\nbind_address 127.0.0.1\nmount_point home/\n",
    }, async (midge) => {
      assertEquals(saidBefore(midge), [
        deprecated("port", USE_LISTENER),
        deprecated("port", USE_LISTENER),
        "Warning: The 'port' option is given more than once. The last counts.",
        deprecated("bind_address", USE_LISTENER),
      ]);
      assertEquals(opened(midge), [`Opening ipv4 listen socket on port ${midge.ports[1]}.`]);
      assertEquals(await hasIpv6(midge.ports[1]!), false);
      assertEquals(await knockAll(midge.ports[1]!), Array(3).fill("connack 0x87"));
      assertEquals(await midge.stop(), 0);
    }),
);

test(
  "socket_domain before any listener is for the default one",
  PROCESS_TEST,
  () =>
    MidgeProcess.with(
      { config: "port $PORT1\nsocket_domain ipv6\nallow_anonymous true\n" },
      async (midge) => {
        assertEquals(saidBefore(midge), [deprecated("port", USE_LISTENER)]);
        assertEquals(opened(midge), [`Opening ipv6 listen socket on port ${midge.port}.`]);
        assertEquals(await hasIpv6(midge.port), true);
      },
    ),
);

const TOLD = [
  "allow_duplicate_messages true",
  "clientid_prefixes known-",
  "auto_id_prefix made-",
  "dhparamfile dh.pem",
  "retry_interval 20",
  "websockets_log_level 255",
  "retain_expiry_interval 10000001",
  "message_size_limit 268435455",
  "set_tcp_nodelay true",
  "persistence true",
  "autosave_interval 10",
  "autosave_on_changes true",
  "persistence_file other.db",
  "persistence_location $DIR",
  "queue_qos0_messages true",
  "max_keepalive 0x3c # a minute",
  "packet_buffer_size 0",
  "websockets_headers_size 4096",
  "include_dir $DIR/more",
  "allow_anonymous true",
  "listener $PORT1 127.0.0.1 # for all",
  "  max_qos 01 and more",
].join("\r\n");

test(
  "What is deprecated, or has no effect, or is elsewhere, is told and accepted",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: TOLD,
      files: {
        "more/a.conf": "listener $PORT2 127.0.0.1\nmax_qos 0\n",
        // Upper case comes first; a section does not reach into the next file.
        "more/A.conf": "listener $PORT3 127.0.0.1\naccept_protocol_versions 5\n",
        "more/B.conf": "clientid_prefixes ok-\n",
        "more/.conf": "bogus\n",
        "more/b.conf.bak": "bogus\n",
      },
    }, async (midge) => {
      assertEquals(saidBefore(midge), [
        deprecated(
          "allow_duplicate_messages",
          "Leave it out: the default is what clients expect.",
        ),
        deprecated("clientid_prefixes", "Use an access file or a plugin instead."),
        deprecated("auto_id_prefix", "Use 'listener_auto_id_prefix' instead."),
        "Warning: dhparamfile is no longer required.",
        "Warning: The 'retry_interval' option is no longer available.",
        "The 'websockets_log_level' option has no effect.",
        "Warning: 'retain_expiry_interval' is greater than 10000000, using 10000000.",
        "Note: It is recommended to replace 'message_size_limit' with 'max_packet_size'.",
        "Loading config file '$DIR/more/A.conf'",
        "Loading config file '$DIR/more/a.conf'",
        "Loading config file '$DIR/more/B.conf'",
        deprecated("clientid_prefixes", "Use an access file or a plugin instead."),
      ]);
      assertEquals(midge.lines.filter((line) => line.startsWith("Config loaded from")), [
        "Config loaded from $DIR/midge.conf.",
      ]);
      await midge.logged("Restored 0 clients");
      // In the order of the files, each on its own port with its own options.
      const [port, included, other] = midge.ports as [number, number, number];
      assertEquals(
        opened(midge),
        [other, included, port].map((one) => `Opening ipv4 listen socket on port ${one}.`),
      );
      const known = { clientId: "ok-", keepAlive: 60 };
      assertEquals(await knock(port, 5, { clientId: "known-", keepAlive: 60 }), "connack 0x87");
      assertEquals(await knockAll(port, known), Array(3).fill("connack 0x00"));
      assertEquals(await knockAll(other, known), ["connack 0x84", "connack 0x84", "connack 0x00"]);
      for (const [at, maximumQos] of [[port, 1], [included, 0], [other, undefined]] as const) {
        const client = await WireClient.open(at, 5);
        const { properties } = await client.handshake({ ...known, keepAlive: 61 });
        assertEquals([properties.maximumQos, properties.serverKeepAlive], [maximumQos, 60]);
        client.leave();
        await client.untilClosed();
      }
    }),
);

test(
  "Several configuration files are one, and errors in included files tell both lines",
  PROCESS_TEST,
  async () => {
    const ended = await MidgeProcess.run({
      config: "include_dir $DIR/more\nmax_qos 1\n",
      files: {
        "second.conf": "connection_messages perhaps\n",
        "more/a.conf": "\n# only a comment\nmax_packet_size 1\ninclude_dir $DIR\n",
        "empty/none": "",
      },
      args: ["-c", "$DIR/second.conf", "-c", "$DIR/third.conf", "-c", "$DIR/empty"],
    });
    assertEquals([ended.status, ended.lines.filter((line) => line.startsWith("Error"))], [3, [
      "Error: 'max_packet_size' must be >= 20.",
      "Error found at '$DIR/more/a.conf:3'.",
      "Error found at $DIR/midge.conf:1.",
      "Error: The include_dir option is only valid in the main configuration file.",
      "Error found at '$DIR/more/a.conf:4'.",
      "Error found at $DIR/midge.conf:1.",
      "Error: Invalid 'connection_messages' value (perhaps).",
      "Error found at $DIR/second.conf:1.",
      "Error: Unable to open config file '$DIR/third.conf'.",
      "Error: Config file '$DIR/empty' is a directory.",
    ]]);
  },
);

const BRIDGES = `
listener $PORT1 127.0.0.1
connection one
address 127.0.0.1:1
topic a/# both 1 local/ remote/
keepalive_interval 1
idle_timeout 0
threshold 0
restart_timeout 0
connection two
addresses a b:1884
topic "" in 2 here there
restart_timeout 4000
start_type lazy
bridge_insecure true
bridge_cafile ca.pem
`;

const CLAMPED = [
  "keepalive interval too low, using 5 seconds.",
  "idle_timeout interval too low, using 1 second.",
  "threshold too low, using 1 message.",
  "restart_timeout interval too low, using 1 second.",
  "restart_timeout interval too high, using 3600 seconds.",
  "Warning: Bridge 'two' using insecure mode.",
];

test(
  "Bridges are read and checked, and to start one says that there are none",
  PROCESS_TEST,
  async () => {
    const options = { config: BRIDGES, files: { "ca.pem": "" } };
    const started = await MidgeProcess.run(options);
    assertEquals([started.status, started.lines.slice(0, -1)], [3, [
      ...CLAMPED,
      "Error: Bridge 'one' cannot be started: this version has no bridges.",
      "Error: Bridge 'two' cannot be started: this version has no bridges.",
    ]]);
    const tested = await MidgeProcess.run({ ...options, args: ["--test-config"] });
    assertEquals([tested.status, tested.lines.slice(0, -1)], [0, [
      ...CLAMPED,
      "Configuration file is OK.",
    ]]);
  },
);
