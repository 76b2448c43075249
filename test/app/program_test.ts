// The program from its wishes to its exit status, on a machine in memory: what it says, in which
// order, what it leaves behind, and what it survives. On real machines: test/cli.

import { assertEquals } from "@std/assert";
import { type ProgramOptions, runProgram } from "../../src/app/program.ts";
import { VERSION } from "../../src/app/version.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { test } from "../harness.ts";
import { FakeMachine, linesOf } from "../support/fake_machine.ts";
import { until } from "../support/wait.ts";

const CONFIG = "/m.conf";

const SUPPORT = [
  "Bridge support NOT available.",
  "Persistence support available.",
  "TLS support available.",
  "TLS-PSK support available.",
  "Websockets support available.",
];

const STARTING = `midge version ${VERSION} starting`;
const RUNNING = `midge version ${VERSION} running`;
const TERMINATING = `midge version ${VERSION} terminating`;
const LOADED = `Config loaded from ${CONFIG}.`;

function machineWith(config: string): FakeMachine {
  const machine = new FakeMachine();
  machine.disk.put(CONFIG, config);
  return machine;
}

function run(machine: FakeMachine, options: Partial<ProgramOptions> = {}): Promise<number> {
  return runProgram(machine.runtime, {
    ports: [],
    verbosity: "normal",
    configFiles: [CONFIG],
    isDaemon: false,
    isConfigTest: false,
    secretsFile: undefined,
    ...options,
  });
}

/** Runs it until it serves, lets the body look, and stops it. */
async function whileRunning(
  machine: FakeMachine,
  options: Partial<ProgramOptions>,
  body: () => Promise<void> | void,
): Promise<number> {
  const ended = run(machine, options);
  await Promise.race([ended, machine.says(RUNNING)]);
  try {
    await body();
  } finally {
    machine.raise("SIGTERM");
  }
  return await ended;
}

test("runProgram() says its lines in the order of Mosquitto, and ends with 0 at SIGTERM", async () => {
  const machine = machineWith("listener 1883\nlistener 1884 192.0.2.1\nlistener 0 /run/s\n");
  let places: string[] = [];
  const status = await whileRunning(machine, {}, () => {
    places = machine.openPlaces();
  });
  assertEquals(places, ["0.0.0.0:1883", "[::]:1883", "192.0.2.1:1884", "/run/s"]);
  assertEquals([status, machine.openPlaces(), machine.stdout], [0, [], ""]);
  assertEquals(machine.takeLines(), [
    STARTING,
    LOADED,
    ...SUPPORT,
    "Opening ipv4 listen socket on port 1883.",
    "Opening ipv6 listen socket on port 1883.",
    "Opening ipv4 listen socket on port 1884.",
    "Opening unix listen socket on path /run/s.",
    RUNNING,
    TERMINATING,
  ]);
});

test("runProgram() without a configuration serves the loopback, and says how to get further", async () => {
  const machine = new FakeMachine();
  let places: string[] = [];
  await whileRunning(machine, { configFiles: [], ports: [1, 2] }, () => {
    places = machine.openPlaces();
  });
  assertEquals(places, ["127.0.0.1:1", "[::1]:1", "127.0.0.1:2", "[::1]:2"]);
  assertEquals(machine.takeLines(), [
    STARTING,
    "Using default config.",
    ...SUPPORT,
    "Starting in local only mode. Connections will only be possible from clients running on this machine.",
    "Create a configuration file which defines a listener to allow remote access.",
    "How to write one is told in docs/mosquitto.md.",
    "Opening ipv4 listen socket on port 1.",
    "Opening ipv6 listen socket on port 1.",
    "Opening ipv4 listen socket on port 2.",
    "Opening ipv6 listen socket on port 2.",
    RUNNING,
    TERMINATING,
  ]);
  assertEquals(
    machine.stdout,
    [
      'Try it, each in a terminal of its own (from a checkout, "deno run -A mod.ts" is "midge"):',
      "  midge sub -p 1 -t 'greetings/#' -v",
      "  midge pub -p 1 -t greetings/first -m 'Hello'",
      "",
    ].join("\n"),
  );
});

test("runProgram() is content with one loopback, and not with none", async () => {
  const machine = new FakeMachine();
  machine.refused.set("[::1]:1883", "address-not-available");
  const status = await whileRunning(machine, { configFiles: [] }, () => {
    assertEquals(machine.openPlaces(), ["127.0.0.1:1883"]);
  });
  assertEquals([status, machine.takeLines().slice(-5)], [0, [
    "Opening ipv4 listen socket on port 1883.",
    "Opening ipv6 listen socket on port 1883.",
    "Error: Cannot listen on [::1]:1883: address-not-available.",
    RUNNING,
    TERMINATING,
  ]]);
  machine.refused.set("127.0.0.1:1883", "address-in-use");
  assertEquals(await run(machine, { configFiles: [] }), 1);
  assertEquals(machine.takeLines().slice(-4), [
    "Error: Cannot listen on 127.0.0.1:1883: address-in-use.",
    "Error: Cannot listen on [::1]:1883: address-not-available.",
    "Error: Unable to start any listening sockets, exiting.",
    TERMINATING,
  ]);
});

test("runProgram() does without the HTTP API, but not without anything to listen on", async () => {
  const machine = machineWith("listener 9001 127.0.0.1\nprotocol http_api\nlistener 1 127.0.0.1\n");
  machine.refused.set("127.0.0.1:9001", "address-in-use");
  const status = await whileRunning(machine, {}, () => {
    assertEquals(machine.openPlaces(), ["127.0.0.1:1"]);
  });
  assertEquals([status, machine.takeLines().slice(-5)], [0, [
    "Opening http api listen socket on port 9001.",
    "Opening ipv4 listen socket on port 1.",
    "Error: Cannot listen on 127.0.0.1:9001: address-in-use.",
    RUNNING,
    TERMINATING,
  ]]);
  machine.disk.put(CONFIG, "listener 9001 127.0.0.1\nprotocol http_api\n");
  assertEquals([await run(machine), machine.takeLines().slice(-2)], [
    1,
    ["Error: Unable to start any listening sockets, exiting.", TERMINATING],
  ]);
});

test("runProgram() tests a configuration and touches nothing that it names", async () => {
  const machine = machineWith(
    "listener 1883\ncertfile /cert\nkeyfile /key\npassword_file /users\npid_file /pid\n" +
      "log_dest file /log\nplugin /p.ts\n",
  );
  const status = await run(machine, { isConfigTest: true });
  assertEquals([status, machine.takeLines(), machine.sockets, [...machine.disk.touched]], [
    0,
    ["Configuration file is OK.", TERMINATING],
    [],
    [CONFIG],
  ]);
  assertEquals(await run(machine, { isConfigTest: true, configFiles: [] }), 3);
  assertEquals(machine.takeLines(), [
    "Please provide a configuration file to test.",
    TERMINATING,
  ]);
});

test("runProgram() tells every error of a configuration at once, with status 3", async () => {
  const machine = machineWith("listener 99999\nlog_type all\nnonsense 1\nmax_qos 7\n");
  machine.environment["MIDGE_NONSENSE"] = "1";
  const expected = [
    "Error: Invalid 'port' value (99999).",
    `Error found at ${CONFIG}:1.`,
    "Error: Unknown configuration variable 'nonsense'.",
    `Error found at ${CONFIG}:3.`,
    "Error: 'max_qos' must be between 0 and 2 inclusive.",
    `Error found at ${CONFIG}:4.`,
    "Error: Unknown configuration variable 'MIDGE_NONSENSE'.",
    "Error found at environment:MIDGE_NONSENSE.",
    TERMINATING,
  ];
  for (const isConfigTest of [true, false]) {
    const status = await run(machine, { isConfigTest });
    assertEquals([status, machine.takeLines(), machine.sockets], [3, expected, []]);
  }
});

/** What keeps the program from starting: its status, and the lines between opening and ending. */
const FAILURES: readonly {
  readonly name: string;
  readonly config?: string;
  readonly arrange?: (machine: FakeMachine) => void;
  readonly options?: Partial<ProgramOptions>;
  readonly status: number;
  readonly says: readonly string[];
}[] = [
  {
    name: "a file that is missing",
    options: { configFiles: ["/none.conf"] },
    status: 3,
    says: ["Error: Unable to open config file '/none.conf'."],
  },
  {
    name: "a bridge",
    config: "connection up\naddress 192.0.2.1\ntopic #\n",
    status: 3,
    says: ["Error: Bridge 'up' cannot be started: this version has no bridges."],
  },
  {
    name: "a port in use",
    config: "listener 1 127.0.0.1\nlistener 2 127.0.0.1\npid_file /pid\n",
    arrange: (machine) => machine.refused.set("127.0.0.1:2", "address-in-use"),
    status: 1,
    says: ["Error: Cannot listen on 127.0.0.1:2: address-in-use."],
  },
  {
    name: "an interface that does not exist",
    config: "listener 1\nbind_interface eth7\n",
    status: 1,
    says: ['Error: There is no address of "eth7" to listen on.'],
  },
  {
    name: "a certificate that is missing",
    config: "listener 1 127.0.0.1\ncertfile /cert\nkeyfile /key\n",
    status: 1,
    says: [
      'Error: Unable to load server certificate "/cert". Check certfile.',
      'Cannot use "/cert": not-found.',
    ],
  },
  {
    name: "a directory of files that is missing",
    config: "listener 1 127.0.0.1\nprotocol http_api\nhttp_dir /www\n",
    status: 1,
    says: ['Error: Unable to open http_dir "/www": Cannot use "/www": not-found.'],
  },
  {
    name: "a password file that is missing",
    config: "listener 1 127.0.0.1\npassword_file /users\n",
    status: 13,
    says: [
      'password-file: Error: Unable to open pwfile "/users".',
      "Error: /users: no such file.",
    ],
  },
  {
    name: "an access file that makes no sense, and a key file that is missing",
    config: "listener 1 127.0.0.1\nacl_file /acl\npsk_file /keys\n",
    arrange: (machine) => machine.disk.put("/acl", "nonsense here\n"),
    status: 3,
    says: [
      'Error: Invalid line in acl_file "/acl": nonsense here.',
      'Error: Unable to open psk_file "/keys".',
      "Error: /keys: no such file.",
    ],
  },
  {
    name: "a plugin that is missing",
    config: "listener 1 127.0.0.1\nplugin /p.ts\n",
    status: 13,
    says: [
      "Loading plugin: /p.ts",
      'Error: Unable to load plugin "/p.ts".',
      'Error: There is no file "/p.ts".',
    ],
  },
  {
    name: "a process id that cannot be written",
    config: "listener 1 127.0.0.1\npid_file /pid\n",
    arrange: (machine) => machine.disk.failures.set("/pid", "permission-denied"),
    status: 14,
    says: ["Error: Unable to write pid file.", 'Cannot use "/pid": permission-denied'],
  },
  {
    name: "a user who does not exist",
    config: "listener 1 127.0.0.1\nuser nemo\n",
    arrange: (machine) => machine.user = { userId: 0, groupId: 0 },
    status: 3,
    says: ["Error: Unable to drop privileges to 'nemo' because this user does not exist."],
  },
  {
    name: "a mask that is no number",
    config: "listener 1 127.0.0.1\n",
    arrange: (machine) => machine.environment["UMASK_SET"] = "9",
    status: 3,
    says: ["Error: UMASK_SET environment variable not a valid octal number."],
  },
  {
    name: "a link in place of the file for secrets",
    config: "listener 1 127.0.0.1\n",
    arrange: (machine) => machine.disk.put("/secrets", "", { isLink: true }),
    options: { secretsFile: "/secrets" },
    status: 1,
    says: [
      'Error: Unable to open TLS key log file "/secrets": "/secrets" is a symbolic link.',
    ],
  },
];

for (const { name, config = "", arrange, options, status, says } of FAILURES) {
  test(`runProgram() ends with ${status}, and nothing half-started, at ${name}`, async () => {
    const machine = machineWith(config);
    arrange?.(machine);
    assertEquals(await run(machine, options), status);
    const lines = machine.takeLines().filter((line) =>
      ![STARTING, LOADED, ...SUPPORT].includes(line) && !line.startsWith("Opening ")
    );
    assertEquals(
      [lines, machine.openPlaces(), machine.disk.textOf("/pid")],
      [[...says, TERMINATING], [], undefined],
    );
  });
}

test("runProgram() writes its process id while it serves", async () => {
  const machine = machineWith("listener 1 127.0.0.1\npid_file /pid\n");
  const status = await whileRunning(machine, {}, () => {
    assertEquals(machine.disk.entries.get("/pid"), {
      text: "4711",
      mode: 0o644,
      userId: 1000,
      groupId: 1000,
    });
  });
  assertEquals([status, machine.disk.textOf("/pid")], [0, undefined]);
});

test("runProgram() ends as well as it can when its process id cannot be removed", async () => {
  const machine = machineWith("listener 1 127.0.0.1\npid_file /pid\n");
  const status = await whileRunning(machine, {}, () => {
    machine.disk.failures.set("/pid", "permission-denied");
  });
  assertEquals([status, machine.takeLines().slice(-2)], [0, [
    'Warning: Unable to remove pid file: Cannot use "/pid": permission-denied.',
    TERMINATING,
  ]]);
});

test("runProgram() tells a service manager that it serves, and serves without one too", async () => {
  const machine = machineWith("listener 1 127.0.0.1\n");
  machine.noticeFailure = new OperationError("not-supported", "There is nobody");
  const status = await whileRunning(machine, {}, () => machine.says("service manager"));
  assertEquals([status, machine.notices, machine.takeLines().slice(-3)], [0, ["READY=1"], [
    RUNNING,
    "Warning: Unable to tell the service manager: There is nobody.",
    TERMINATING,
  ]]);
});

test("runProgram() becomes a daemon before it gives up the rights to read its files", async () => {
  const machine = machineWith("listener 1 127.0.0.1\nuser guest\npid_file /pid\n");
  machine.args.push("-c", CONFIG, "-d", "--daemon", "-v");
  machine.user = { userId: 0, groupId: 0 };
  machine.users["guest"] = { userId: 7, groupId: 8 };
  assertEquals(await run(machine, { isDaemon: true }), 0);
  assertEquals(
    [machine.detached, machine.user, machine.sockets, machine.disk.textOf("/pid")],
    [[["-c", CONFIG, "-v"]], { userId: 7, groupId: 8 }, [], undefined],
  );
  assertEquals(machine.takeLines(), [
    "Info: running mosquitto as user: guest.",
    TERMINATING,
  ]);
  machine.detachFailure = new OperationError("not-supported", "There is no background");
  machine.user = { userId: 0, groupId: 0 };
  assertEquals(await run(machine, { isDaemon: true }), 14);
  assertEquals(machine.takeLines(), [
    "Error in daemonise: There is no background.",
    TERMINATING,
  ]);
});

test("runProgram() says nothing when quiet, except why it does not start", async () => {
  const machine = machineWith("log_type all\nlistener 1 127.0.0.1\n");
  const ended = run(machine, { verbosity: "quiet" });
  await until(() => machine.openPlaces().length > 0, "it listens");
  machine.raise("SIGTERM");
  assertEquals([await ended, machine.stderr, machine.stdout], [0, "", ""]);
  machine.refused.set("127.0.0.1:1", "address-in-use");
  assertEquals(await run(machine, { verbosity: "quiet" }), 1);
  assertEquals(machine.stderr, "Error: Cannot listen on 127.0.0.1:1: address-in-use.\n");
});

test("runProgram() logs everything when verbose, whatever the configuration says", async () => {
  const machine = machineWith("log_type none\nlistener 1 127.0.0.1\n");
  await whileRunning(machine, { verbosity: "verbose" }, () => {});
  assertEquals(machine.takeLines().at(-1), TERMINATING);
});

test("runProgram() tells that links are followed, and who allowed it", async () => {
  const machine = machineWith("listener 1 127.0.0.1\n");
  machine.environment["MOSQUITTO_UNSAFE_ALLOW_SYMLINKS"] = "";
  await whileRunning(machine, {}, () => {});
  assertEquals(
    machine.takeLines().slice(2 + SUPPORT.length)[0],
    "Notice: MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set: sensitive files may be reached through symbolic links.",
  );
});

test("runProgram() hands plugins the place that MOSQUITTO_PERSISTENCE_LOCATION names", async () => {
  const machine = machineWith("listener 1 127.0.0.1\nplugin /p.ts\npersistence_location /old\n");
  machine.environment["MOSQUITTO_PERSISTENCE_LOCATION"] = "/new";
  const places: unknown[] = [];
  machine.modules["/p.ts"] = {
    default: (context: { persistenceLocation: string }) => {
      places.push(context.persistenceLocation);
      return { name: "p", authenticator: { name: "p", authenticate: () => "defer" } };
    },
  };
  assertEquals([await whileRunning(machine, {}, () => {}), places], [0, ["/new"]]);
});

/** What a reload may find, and what it says of it between its first and its last line. */
const BAD_RELOADS: readonly {
  readonly name: string;
  readonly arrange: (machine: FakeMachine) => void;
  readonly says: readonly string[];
}[] = [
  {
    name: "a missing file",
    arrange: ({ disk }) => void disk.entries.delete(CONFIG),
    says: [`Error: Unable to open config file '${CONFIG}'.`],
  },
  {
    name: "too many open files",
    arrange: ({ disk }) => void disk.failures.set(CONFIG, "too-many-files"),
    says: [`Error: Unable to open config file '${CONFIG}'.`],
  },
  {
    name: "a syntax error",
    arrange: ({ disk }) => disk.put(CONFIG, "listener 1 127.0.0.1\nallow_anonymous yes\n"),
    says: ["Error: Invalid 'allow_anonymous' value (yes).", `Error found at ${CONFIG}:2.`],
  },
  {
    name: "another port",
    arrange: ({ disk }) => disk.put(CONFIG, "listener 2 127.0.0.1\n"),
    says: [
      "Error: It is not currently possible to add/remove listeners when reloading the config file.",
      `Error found at ${CONFIG}:1.`,
    ],
  },
  {
    name: "no listener any more",
    arrange: ({ disk }) => disk.put(CONFIG, "log_type all\n"),
    says: [
      "Error: It is not currently possible to add/remove listeners when reloading the config file.",
    ],
  },
  {
    name: "a bridge",
    arrange: ({ disk }) =>
      disk.put(CONFIG, "listener 1 127.0.0.1\nconnection up\naddress a\ntopic #\n"),
    says: ["Error: Bridge 'up' cannot be started: this version has no bridges."],
  },
  {
    name: "a password file that makes no sense",
    arrange: ({ disk }) => {
      disk.put("/users", "ann:secret\n");
      disk.put(CONFIG, "listener 1 127.0.0.1\npassword_file /users\n");
    },
    says: ["password-file: Error: Unable to decode line in password file '/users'."],
  },
  {
    name: "an access file that is missing",
    arrange: ({ disk }) => disk.put(CONFIG, "listener 1 127.0.0.1\nacl_file /acl\n"),
    says: ['Error: Unable to open acl_file "/acl".', "Error: /acl: no such file."],
  },
];

test("runProgram() keeps the whole old configuration at a reload of nonsense (B-52)", async () => {
  const good = "listener 1 127.0.0.1\nlog_timestamp false\n";
  const machine = machineWith(good);
  const said: Record<string, string[]> = {};
  const expected: Record<string, string[]> = {};
  const status = await whileRunning(machine, {}, async () => {
    for (const { name, arrange, says } of BAD_RELOADS) {
      machine.takeLines();
      arrange(machine);
      machine.raise("SIGHUP");
      await machine.says("stays as it was");
      said[name] = machine.takeLines();
      expected[name] = [
        "Reloading config.",
        ...says,
        "Error: The configuration in force stays as it was.",
      ];
      machine.disk.failures.clear();
      machine.disk.put(CONFIG, good);
    }
    assertEquals(machine.openPlaces(), ["127.0.0.1:1"]);
  });
  assertEquals([status, said], [0, expected]);
});

test("runProgram() puts another configuration in force, and logs to a new file", async () => {
  const machine = machineWith("listener 1 127.0.0.1\nlog_dest file /log\nlog_dest stderr\n");
  await whileRunning(machine, {}, async () => {
    machine.disk.rename("/log", "/log.1");
    machine.disk.put(
      CONFIG,
      "listener 1 127.0.0.1\nlog_dest file /log\nlog_timestamp false\nuser other\n",
    );
    machine.raise("SIGHUP");
    await machine.says("'user' option cannot be changed");
  });
  assertEquals(machine.takeLines().slice(-3), [
    RUNNING,
    "Reloading config.",
    "Warning: The 'user' option cannot be changed when reloading the config file. Restart to use its new value.",
  ]);
  assertEquals(linesOf(machine.disk.textOf("/log.1")!).slice(-3), [
    RUNNING,
    "Reloading config.",
    "Warning: The 'user' option cannot be changed when reloading the config file. Restart to use its new value.",
  ]);
  assertEquals(machine.disk.textOf("/log"), `${TERMINATING}\n`);
});

test("runProgram() leaves a log that was moved away, even at a reload of nonsense", async () => {
  const machine = machineWith("listener 1 127.0.0.1\nlog_dest file /log\nlog_timestamp false\n");
  const ended = run(machine);
  const isLogged = (path: string, text: string): Promise<void> =>
    until(() => machine.disk.textOf(path)?.includes(text) === true, `${path} has "${text}"`);
  await isLogged("/log", RUNNING);
  machine.disk.rename("/log", "/log.1");
  machine.disk.put(CONFIG, "nonsense\n");
  machine.raise("SIGHUP");
  await isLogged("/log", "stays as it was");
  machine.raise("SIGTERM");
  assertEquals([await ended, linesOf(machine.disk.textOf("/log")!)], [0, [
    "Error: Unknown configuration variable 'nonsense'.",
    `Error found at ${CONFIG}:1.`,
    "Error: The configuration in force stays as it was.",
    TERMINATING,
  ]]);
  assertEquals(linesOf(machine.disk.textOf("/log.1")!).at(-1), "Reloading config.");
});

test("runProgram() keeps all certificates when one of a reload is of no use", async () => {
  const secure = (port: number) =>
    `listener ${port} 127.0.0.1\ncertfile /cert${port}\nkeyfile /key\n`;
  const machine = machineWith(secure(1) + secure(2));
  const certificate = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n`;
  machine.disk.put("/key", "-----BEGIN PRIVATE KEY-----\n");
  for (const port of [1, 2]) machine.disk.put(`/cert${port}`, certificate(`old ${port}`));
  const status = await whileRunning(machine, {}, async () => {
    for (const port of [1, 2]) machine.disk.put(`/cert${port}`, certificate(`new ${port}`));
    machine.refused.set(certificate("new 2"), "tls-failed");
    machine.takeLines();
    machine.raise("SIGHUP");
    await machine.says("stays as it was");
    assertEquals(machine.takeLines(), [
      "Reloading config.",
      "Error: Unusable TLS settings: nonsense.",
      "Error found in the listener on port 2.",
      "Error: The configuration in force stays as it was.",
    ]);
    assertEquals(
      machine.sockets.map(({ tls }) => tls?.certificate),
      [certificate("old 1"), certificate("old 2")],
    );
    machine.refused.clear();
    machine.raise("SIGHUP");
    await until(
      () => machine.sockets.every(({ tls }) => tls?.certificate?.includes("new ") === true),
      "both certificates are new",
    );
  });
  assertEquals(status, 0);
});

test("runProgram() prints who subscribes to what at SIGUSR2, and lives on at SIGUSR1", async () => {
  const machine = machineWith("listener 1 127.0.0.1\n");
  const status = await whileRunning(machine, {}, () => {
    machine.raise("SIGUSR1");
    machine.raise("SIGUSR2");
  });
  assertEquals([status, machine.stdout], [0, "\n"]);
});
