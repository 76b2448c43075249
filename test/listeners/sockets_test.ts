// Where a broker listens, in a process of its own: several listeners at once, by every address
// family and on Unix sockets, how many connections each of them takes, and what keeps one from
// being opened.

import { assertEquals } from "@std/assert";
import { lookup } from "node:dns/promises";
import { lstat, stat } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import process from "node:process";
import { test } from "../harness.ts";
import { skipWithout } from "../support/foreign.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { at, passedOn, passOn, TOOLS } from "../support/tool_clients.ts";
import { openWebSocket } from "../support/websocket_stream.ts";
import { WireClient } from "../support/wire_client.ts";

const PERMISSIONS = 0o777;

/** Whether anybody takes connections there. */
function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

const SEVERAL = `
allow_anonymous true
listener $PORT1 127.0.0.1
listener $PORT2
listener $PORT3 ::1
listener $PORT4 localhost
listener $PORT5
socket_domain ipv4
listener $PORT6
bind_interface lo
socket_domain ipv6
listener 0 $DIR/a b.sock
`;

/** Of which families "localhost" is depends on the machine. */
const localhost = (await lookup("localhost", { all: true })).map(({ family }) => family);

/** Which of the loopback addresses each of those listeners has. */
const TAKEN: readonly (readonly [ipv4: boolean, ipv6: boolean])[] = [
  [true, false],
  [true, true],
  [false, true],
  [localhost.includes(4), localhost.includes(6)],
  [true, false],
  [false, true],
];

test("Listeners of several addresses serve side by side", {
  ...PROCESS_TEST,
  skip: skipWithout(...TOOLS),
}, () =>
  MidgeProcess.with({ config: SEVERAL }, async (midge) => {
    const found = await Promise.all(TAKEN.map((_, i) =>
      Promise.all([isTaken("127.0.0.1", midge.ports[i]!), isTaken("::1", midge.ports[i]!)])
    ));
    assertEquals(found, TAKEN);
    const port = (n: number): number =>
      midge.ports[n - 1]!;
    const path = `${midge.folder}/a b.sock`;
    const ways: readonly (readonly [from: string[], to: string[]])[] = [
      [at(port(1)), at(port(2), "::1")],
      [at(port(3), "::1"), ["--unix", path]],
      [["--unix", path], at(port(4), "localhost")],
    ];
    await Promise.all(ways.map(async ([from, to], i) =>
      assertEquals(await passOn(`way/${i}`, from, to), passedOn(`way/${i}`))
    ));
    const opened = midge.lines.filter((line) =>
      line.startsWith("Opening ")
    );
    const ip = (n: number, ...families: readonly string[]) =>
      families.map((family) => `Opening ${family} listen socket on port ${port(n)}.`);
    assertEquals(
      opened.sort(),
      [
        ...ip(1, "ipv4"),
        ...ip(2, "ipv4", "ipv6"),
        ...ip(3, "ipv6"),
        ...ip(4, ...localhost.map((family) => `ipv${family}`)),
        ...ip(5, "ipv4"),
        ...ip(6, "ipv6"),
        "Opening unix listen socket on path $DIR/a b.sock.",
      ].sort(),
    );
  }));

const UNIX = `
allow_anonymous true
listener 0 $DIR/mqtt.sock
`;

test("A Unix socket has its mode, outlives nobody, and takes the place of a stale one", {
  ...PROCESS_TEST,
}, async () => {
  const midge = await MidgeProcess.launch({ config: UNIX });
  try {
    const path = `${midge.folder}/mqtt.sock`;
    await midge.running();
    const found = await stat(path);
    assertEquals([found.isSocket(), found.mode & PERMISSIONS], [true, 0o770]);
    const client = new WireClient(connectSocket({ path }), 5);
    assertEquals((await client.handshake({ clientId: "local" })).reasonCode, 0);
    client.leave();
    await midge.logged(/^Client local \[.*\] disconnected\.$/);
    assertEquals(midge.lines.slice(-3), [
      "New connection from $DIR/mqtt.sock:0 on port 0.",
      "New client connected from $DIR/mqtt.sock:0 as local (p5, c1, k0).",
      "Client local [$DIR/mqtt.sock:0] disconnected.",
    ]);

    // A second one may not take it away while it is in use.
    const second = await MidgeProcess.run({
      config: `listener 0 ${path}\nallow_anonymous true`,
    });
    assertEquals([second.status, second.lines.filter((line) => line.startsWith("Error"))], [
      1,
      [`Error: Cannot listen on ${path}: the address is already in use.`],
    ]);
    assertEquals((await stat(path)).ino, found.ino);

    // What a broker leaves behind that was killed is stale.
    process.kill(midge.processId, "SIGKILL");
    await midge.ended;
    assertEquals((await stat(path)).ino, found.ino);
    await MidgeProcess.with({
      config: `listener 0 ${path}\nallow_anonymous true`,
    }, async (third) => {
      const again = new WireClient(connectSocket({ path }), 4);
      assertEquals((await again.handshake()).reasonCode, 0);
      assertEquals(await third.stop(), 0);
      assertEquals(await lstat(path).catch(() => "gone"), "gone");
    });
  } finally {
    await midge.discard();
  }
});

const LIMITED = `
allow_anonymous true
listener $PORT1 127.0.0.1
max_connections 2
listener 0 $DIR/one.sock
max_connections 1
listener $PORT2 127.0.0.1
protocol websockets
max_connections 1
listener $PORT3 127.0.0.1
`;

test(
  "Each listener counts its own connections, and turns away one too many",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: LIMITED }, async (midge) => {
      const [port, webPort, freePort] = midge.ports as [number, number, number];
      const path = `${midge.folder}/one.sock`;
      const openUnix = () => Promise.resolve(new WireClient(connectSocket({ path }), 5));
      const openWeb = () => openWebSocket(webPort).then((stream) => new WireClient(stream, 5));
      const kinds: readonly (readonly [string, number, () => Promise<WireClient>])[] = [
        ["127.0.0.1", 2, () => WireClient.open(port)],
        ["$DIR/one.sock", 1, openUnix],
        ["127.0.0.1", 1, openWeb],
      ];
      let denied = 0;
      for (const [name, places, open] of kinds) {
        const guests: WireClient[] = [];
        for (let i = 0; i < places; i++) {
          guests.push(await open());
          assertEquals((await guests[i]!.handshake({ clientId: `${name}${i}` })).reasonCode, 0);
        }
        const extra = await open();
        assertEquals(await extra.untilClosed(), []);
        const isTcp = name === "127.0.0.1";
        await midge.logged(
          `Client connection from ${name} denied: max_connections exceeded.`,
          isTcp ? ++denied : 1,
        );
        // The others take no place here, and a place that was left is free.
        const elsewhere = await WireClient.connect(freePort, 5);
        elsewhere.leave();
        guests[0]!.leave();
        await guests[0]!.untilClosed();
        const next = await open();
        assertEquals((await next.handshake()).reasonCode, 0);
        for (const client of [...guests, next]) client.destroy();
      }
    }),
);

const FAULTS: readonly (readonly [name: string, config: string, line: string])[] = [
  [
    "a Unix socket where a file is",
    "listener 0 $DIR/file",
    "Error: Cannot listen on $DIR/file: there is a file that is no socket.",
  ],
  [
    "a Unix socket in no folder",
    "listener 0 $DIR/none/mqtt.sock",
    "Error: Cannot listen on $DIR/none/mqtt.sock: the folder does not exist.",
  ],
  [
    "an interface that is not there",
    "listener $PORT1\nbind_interface midge9",
    'Error: There is no address of "midge9" to listen on.',
  ],
  [
    "an address of another machine",
    "listener $PORT1 192.0.2.1",
    "Error: Cannot listen on 192.0.2.1:$PORT1: the address is not available on this machine.",
  ],
  [
    "a name that nobody has",
    "listener $PORT1 midge.invalid",
    'Error: Cannot resolve "midge.invalid".',
  ],
];

for (const [name, lines, expected] of FAULTS) {
  test(`The program ends with status 1 and says why for ${name}`, PROCESS_TEST, async () => {
    const config = `allow_anonymous true\nlistener 0 $DIR/first.sock\n${lines}`;
    const midge = await MidgeProcess.launch({ config, files: { file: "" } });
    try {
      const status = await midge.ended;
      const errors = midge.lines.filter((line) => line.startsWith("Error"));
      const line = expected.replace("$PORT1", String(midge.port));
      assertEquals([status, errors], [1, [line]]);
      assertEquals(await lstat(`${midge.folder}/first.sock`).catch(() => "gone"), "gone");
    } finally {
      await midge.discard();
    }
  });
}
