// What a reload does not change: options that only a restart changes keep their values with a
// warning; other listeners, or anything that is wrong, leave the whole configuration as it was. And
// whom it sends away. That all other options are reloaded is shown where their effects are.

import { assertEquals } from "@std/assert";
import { connect as connectSocket } from "node:net";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { will } from "../support/packets.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { describe, WireClient } from "../support/wire_client.ts";
import { knockAll } from "./trial.ts";

const STAYS = "Error: The configuration in force stays as it was.";

const kept = (name: string): string =>
  `Warning: The '${name}' option cannot be changed when reloading the config file. ` +
  "Restart to use its new value.";

const BASE = [
  "max_packet_size 1000",
  "allow_anonymous true",
  "pid_file $DIR/first.pid",
  "listener $PORT1 127.0.0.1",
  "listener $PORT2 localhost",
  "socket_domain ipv4",
  "listener 0 $DIR/mqtt.sock",
];

/** The base with some of its lines replaced. */
function changed(changes: Readonly<Record<string, string>>): string {
  return BASE.map((line) => changes[line] ?? line).concat("").join("\n");
}

/** What a reload says, from its first line on. */
async function reload(midge: MidgeProcess, config: string, last: string): Promise<string[]> {
  const before = midge.lines.length;
  const count = midge.lines.filter((line) => line === last).length;
  await midge.write("midge.conf", config);
  midge.signal("SIGHUP");
  await midge.logged(last, count + 1);
  const lines = midge.lines.slice(before);
  return lines.slice(0, lines.indexOf(last) + 1).filter((line) => !/^(New|Client) /.test(line));
}

async function shownPacketSize(midge: MidgeProcess): Promise<number | undefined> {
  const client = await WireClient.open(midge.port, 5);
  const { properties } = await client.handshake();
  client.leave();
  await client.untilClosed();
  return properties.maximumPacketSize;
}

const NO_OTHERS =
  "Error: It is not currently possible to add/remove listeners when reloading the config file.";

/** What is refused: the lines that change, and what is said of it, with the line at fault. */
const REFUSED: readonly (readonly [
  name: string,
  changes: Readonly<Record<string, string>>,
  errors: readonly string[],
])[] = [
  [
    "another port",
    { "listener $PORT1 127.0.0.1": "listener $PORT3 127.0.0.1" },
    [NO_OTHERS, "Error found at $DIR/midge.conf:4."],
  ],
  [
    "another address",
    { "listener $PORT1 127.0.0.1": "listener $PORT1" },
    [NO_OTHERS, "Error found at $DIR/midge.conf:4."],
  ],
  [
    "another name of the same address",
    { "listener $PORT1 127.0.0.1": "listener $PORT1 localhost" },
    [NO_OTHERS, "Error found at $DIR/midge.conf:4."],
  ],
  [
    "another path",
    { "listener 0 $DIR/mqtt.sock": "listener 0 $DIR/other.sock" },
    [NO_OTHERS, "Error found at $DIR/midge.conf:7."],
  ],
  [
    "one listener more",
    { "listener 0 $DIR/mqtt.sock": "listener 0 $DIR/mqtt.sock\nlistener $PORT3" },
    [NO_OTHERS, "Error found at $DIR/midge.conf:8."],
  ],
  [
    "one listener less",
    { "listener 0 $DIR/mqtt.sock": "" },
    [NO_OTHERS],
  ],
  [
    "TLS where there was none",
    { "listener 0 $DIR/mqtt.sock": "listener 0 $DIR/mqtt.sock\ncertfile c\nkeyfile k" },
    [
      "Error: It is not currently possible to turn TLS on or off when reloading the config file.",
      "Error found at $DIR/midge.conf:7.",
    ],
  ],
  [
    "two bad values",
    { "allow_anonymous true": "allow_anonymous yes\nmax_keepalive many" },
    [
      "Error: Invalid 'allow_anonymous' value (yes).",
      "Error found at $DIR/midge.conf:2.",
      "Error: 'max_keepalive' value not a number.",
      "Error found at $DIR/midge.conf:3.",
    ],
  ],
  [
    "a folder that is not there",
    { "allow_anonymous true": "include_dir $DIR/none" },
    ["Error: Unable to open include_dir '$DIR/none'.", "Error found at $DIR/midge.conf:2."],
  ],
  [
    "a bridge",
    { "listener 0 $DIR/mqtt.sock": "listener 0 $DIR/mqtt.sock\nconnection b\naddress h\ntopic a" },
    ["Error: Bridge 'b' cannot be started: this version has no bridges."],
  ],
];

test(
  "A reload that cannot be put in force is told, and changes nothing",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: changed({}) }, async (midge) => {
      const stays = await WireClient.connect(midge.port, 4, { clientId: "stays" });
      const found = [];
      for (const [name, changes] of REFUSED) {
        // Would be seen if any of it were put in force.
        const config = changed({ ...changes, "max_packet_size 1000": "max_packet_size 2000" });
        const said = await reload(midge, config, STAYS);
        found.push([name, said, await shownPacketSize(midge)]);
      }
      const wanted = REFUSED.map(([name, , errors]) => [
        name,
        ["Reloading config.", ...errors, STAYS],
        1000,
      ]);
      assertEquals(found, wanted);
      assertEquals(await stays.ping(), []);
      assertEquals(await knockAll(midge.port), Array(3).fill("connack 0x00"));
    }),
);

test(
  "A reload keeps what only a restart changes, says so, and changes the rest",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: changed({}) }, async (midge) => {
      const stays = await WireClient.connect(midge.port, 4, { clientId: "stays" });
      const lines = await reload(
        midge,
        changed({
          "max_packet_size 1000": "max_packet_size 2000\nuser somebody",
          "pid_file $DIR/first.pid": "pid_file $DIR/second.pid",
          "socket_domain ipv4": "socket_domain ipv6\nbind_interface lo",
          "listener 0 $DIR/mqtt.sock": "listener 0 $DIR/mqtt.sock\nhttp_dir $DIR\nplugin p.ts",
        }),
        kept("http_dir"),
      );
      assertEquals(
        lines.sort(),
        [
          "Reloading config.",
          ...["bind_interface", "http_dir", "pid_file", "plugin", "user", "socket_domain"].map(
            kept,
          ),
        ].sort(),
      );
      // What was told comes before what is done.
      const deadline = performance.now() + 10_000;
      while (await shownPacketSize(midge) !== 2000) {
        if (performance.now() > deadline) throw new Error(midge.stderr);
      }
      const second = await WireClient.open(midge.ports[1]!, 4);
      assertEquals((await second.handshake()).reasonCode, 0);
      second.leave();
      const local = new WireClient(connectSocket({ path: `${midge.folder}/mqtt.sock` }), 4);
      assertEquals((await local.handshake()).reasonCode, 0);
      local.leave();
      assertEquals(await stays.ping(), []);
    }),
);

test(
  "A reload sends away whom it no longer allows, without Wills, and nobody else",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: `${changed({})}listener_allow_anonymous true` }, async (midge) => {
      const allowed = new WireClient(connectSocket({ path: `${midge.folder}/mqtt.sock` }), 5);
      assertEquals((await allowed.handshake()).reasonCode, 0);
      await allowed.subscribe(["will/#"]);
      const nameless: WireClient[] = [];
      for (const version of VERSIONS) {
        const clientId = `nameless-${version}`;
        const left = will(`will/${version}`);
        nameless.push(await WireClient.connect(midge.port, version, { clientId, will: left }));
      }
      const config = changed({ "allow_anonymous true": "clientid_prefixes x" });
      await midge.write("midge.conf", `${config}listener_allow_anonymous true`);
      midge.signal("SIGHUP");
      const last = [];
      for (const client of nameless) last.push((await client.untilClosed()).map(describe));
      assertEquals(last, [[], [], ["disconnect 0x87"]]);
      for (const version of VERSIONS) {
        await midge.logged(
          new RegExp(`^Client nameless-${version} \\[.*\\] disconnected: not authorised\\.$`),
        );
      }
      // Prefixes are for those who come.
      assertEquals(await allowed.ping(), []);
    }),
);

test(
  "A reload reads every file again, those that are included as well",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "include_dir $DIR/more\nlistener $PORT1 127.0.0.1\nallow_anonymous true\n",
      files: { "more/a.conf": "max_packet_size 1000\n", "second.conf": "max_keepalive 60\n" },
      args: ["-c", "$DIR/second.conf"],
    }, async (midge) => {
      const shown = async (): Promise<string> => {
        const client = await WireClient.open(midge.port, 5);
        const { maximumPacketSize, serverKeepAlive } = (await client.handshake()).properties;
        client.leave();
        await client.untilClosed();
        return `${maximumPacketSize} ${serverKeepAlive}`;
      };
      assertEquals(await shown(), "1000 60");
      await midge.write("more/a.conf", "max_packet_size 2000\n");
      await midge.write("second.conf", "max_keepalive 70\n");
      midge.signal("SIGHUP");
      await midge.logged("Reloading config.");
      for (let found = "1000 60"; found !== "2000 70"; found = await shown()) {
        assertEquals(found, "1000 60");
      }
    }),
);
