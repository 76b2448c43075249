// `ctrl`: commands to running brokers, one at a time and in its shell.

import { assertEquals, assertMatch } from "@std/assert";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { ctrl, ctrlManual } from "../../../src/cli/ctrl/ctrl.ts";
import type { Host, LineEditor } from "../../../src/runtime/host.ts";
import { test } from "../../harness.ts";
import { mosquittoTool, skipWithout } from "../../support/foreign.ts";
import { ForeignProcess } from "../../support/foreign_process.ts";
import { MidgeProcess, PROCESS_TEST } from "../../support/midge_process.ts";
import { withMosquitto } from "../../support/mosquitto_process.ts";
import { passwordFile } from "../../support/password_lines.ts";
import {
  inFolder,
  type Outcome,
  runAtTerminal,
  runInside,
  runMidge,
} from "../../support/tool_process.ts";

const CLEAR_TEXT =
  "Warning: The connection to the broker is not encrypted. Passwords and all else that is\n" +
  "configured over it can be read, and changed, on the way. Use --cafile or --unix.\n\n";

const CONFIG = `
enable_control_api true
listener $PORT1 127.0.0.1
allow_anonymous true
listener $PORT2 127.0.0.1
allow_anonymous true
protocol websockets
listener 0 $DIR/socket
allow_anonymous true
listener $PORT3 127.0.0.1
listener_allow_anonymous false
`;

/** Runs ctrl with an environment of its own, so that nobody's options files matter. */
function run(args: readonly string[], host: Partial<Host> = {}): Promise<Outcome> {
  return runInside(ctrl, args, { replaced: { host: { environment: () => ({}), ...host } } });
}

/** Answers what is asked for in secret. */
function secrets(...answers: string[]): { asked: string[]; host: Partial<Host> } {
  const asked: string[] = [];
  return {
    asked,
    host: {
      openSecretPrompt: () =>
        Promise.resolve({
          ask(question: string): Promise<Uint8Array | "interrupted"> {
            asked.push(question);
            const answer = answers.shift();
            return Promise.resolve(
              answer === undefined ? "interrupted" : new TextEncoder().encode(answer),
            );
          },
          close: () => {},
        }),
    },
  };
}

function listenersOf({ ports: [first, second, third], folder }: MidgeProcess): string {
  return `Listener 1:
  Port:              ${first}
  Protocol:          mqtt
  Bind address:      127.0.0.1
  TLS:               false

Listener 2:
  Port:              ${second}
  Protocol:          mqtt+websockets
  Bind address:      127.0.0.1
  TLS:               false

Listener 3:
  Port:              0
  Protocol:          mqtt
  Socket path:       ${folder}/socket
  TLS:               false

Listener 4:
  Port:              ${third}
  Protocol:          mqtt
  Bind address:      127.0.0.1
  TLS:               false

`;
}

test(
  "ctrl asks a broker, however it is reached, and tells what is wrong",
  PROCESS_TEST,
  async () => {
    await MidgeProcess.with({ config: CONFIG }, async (midge) => {
      const [port, wsPort, closedPort] = midge.ports.map(String);
      const at = ["-p", port!];
      const done = { status: 0, stderr: CLEAR_TEXT };
      const listeners = listenersOf(midge);
      const rows: [args: string[], outcome: Outcome][] = [
        [[...at, "broker", "listListeners"], { ...done, stdout: listeners }],
        [[...at, "broker", "listPlugins"], { ...done, stdout: "" }],
        [[...at, "--quiet", "-q", "0", "broker", "listListeners"], {
          status: 0,
          stdout: listeners,
          stderr: "",
        }],
        [[...at, "-V", "311", "-q", "2", "broker", "listListeners"], {
          ...done,
          stdout: listeners,
        }],
        [["-L", `mqtt://127.0.0.1:${port}/`, "broker", "listListeners"], {
          ...done,
          stdout: listeners,
        }],
        [["-L", `ws://127.0.0.1:${wsPort}/any`, "broker", "listListeners"], {
          ...done,
          stdout: listeners,
        }],
        // Nobody is on the way.
        [["--unix", `${midge.folder}/socket`, "broker", "listListeners"], {
          status: 0,
          stdout: listeners,
          stderr: "",
        }],
        [["-p", closedPort!, "broker", "listListeners"], {
          status: 0,
          stdout: "",
          stderr: `${CLEAR_TEXT}Connection error: Not authorized\n`,
        }],
        [["-p", closedPort!, "-V", "mqttv311", "broker", "listListeners"], {
          status: 0,
          stdout: "",
          stderr: `${CLEAR_TEXT}Connection error: Connection Refused: not authorised\n`,
        }],
        [["-p", String(midge.ports[8]), "broker", "listListeners"], {
          status: 1,
          stdout: "",
          stderr: `${CLEAR_TEXT}Error: Connection refused\n`,
        }],
      ];
      for (const [args, outcome] of rows) assertEquals(await run(args), outcome, args.join(" "));
      const { stdout, ...rest } = await run([...at, "-d", "-i", "me", "broker", "listPlugins"]);
      assertEquals([rest, stdout.split("\n").map((line) => line.replace(/\(.*|, \.\.\. .*/, ""))], [
        done,
        [
          "Client me sending CONNECT",
          "Client me received CONNACK ",
          "Client me sending SUBSCRIBE ",
          "Client me received SUBACK",
          "Client me sending PUBLISH ",
          "Client me received PUBACK ",
          "Client me received PUBLISH ",
          "Client me sending DISCONNECT",
          "",
        ],
      ]);
      await midge.logged("Broker: me/ | listPlugins");
      const started = await runMidge(["mosquitto_ctrl", ...at, "broker", "listListeners"]);
      assertEquals(started, { ...done, stdout: listeners });
    });
  },
);

test(
  "ctrl tells that it may not ask, or that nobody is there to answer",
  PROCESS_TEST,
  async () => {
    const config = `
enable_control_api true
listener $PORT1 127.0.0.1
acl_file $DIR/acl
password_file $DIR/passwords
`;
    const files = {
      acl: "user carol\ntopic read $CONTROL/#\n",
      passwords: passwordFile({ carol: "c" }),
    };
    await MidgeProcess.with({ config, files }, async (midge) => {
      const ask = (): Promise<Outcome> =>
        run(["-p", String(midge.port), "-u", "carol", "-P", "c", "broker", "listPlugins"]);
      const said = (text: string) => ({ status: 0, stdout: "", stderr: `${CLEAR_TEXT}${text}\n` });
      const denied = said("Publish error: Not authorized");
      assertEquals(await ask(), denied);
      await midge.write("midge.conf", config.replace("enable_control_api true", ""));
      await midge.write("acl", "user carol\ntopic readwrite $CONTROL/#\n");
      midge.signal("SIGHUP");
      // The files are in force some time after the signal.
      let outcome = await ask();
      while (outcome.stderr === denied.stderr) outcome = await ask();
      assertEquals(outcome, said("listPlugins: Error: endpoint not available."));
    });
  },
);

test("ctrl tells that it may not hear the answer, and that the broker has gone", async () => {
  const [connect, subscribe] = [0x10, 0x82];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk: Uint8Array) => {
      if (chunk[0] === connect) socket.write(Uint8Array.of(0x20, 3, 0, 0, 0));
      // The first one is refused, the second one is the end.
      if (chunk[0] !== subscribe) return;
      if (isRefusing) socket.write(Uint8Array.of(0x90, 4, chunk[2]!, chunk[3]!, 0, 0x87));
      else socket.destroy();
    });
  });
  let isRefusing = true;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  try {
    const args = ["-h", "127.0.0.1", "-p", String(port), "broker", "listPlugins"];
    assertEquals(await run(args), {
      status: 0,
      stdout: "",
      stderr: `${CLEAR_TEXT}Subscribe error: Not authorized\n`,
    });
    isRefusing = false;
    assertEquals(await run(args), {
      status: 7,
      stdout: "",
      stderr: `${CLEAR_TEXT}Error: The connection was lost\n`,
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("ctrl takes the options that Mosquitto's takes", () => {
  assertEquals(
    ctrlManual("x").sections.flatMap(({ entries }) => entries.flatMap(({ names }) => names)).sort(),
    [
      ..."-A -L -P -V -d -h -i -o -p -q -u -v --debug --help --host --id --port --pw".split(" "),
      ..."--protocol-version --proxy --qos --quiet --unix --url --username --verbose".split(" "),
      ..."--version --cafile --capath --cert --key --keyform --ciphers --insecure".split(" "),
      ..."--tls-alpn --tls-engine --tls-engine-kpass-sha1 --tls-use-os-certs".split(" "),
      ..."--tls-version --psk --psk-identity".split(" "),
      // Of all tools.
      ..."--no-tls --tls-keylog".split(" "),
    ].sort(),
  );
});

test("ctrl tells what is wrong with its words before it connects", async () => {
  const hint = "\nUse 'tool --help' to see usage.\n";
  const rows: [args: string[], status: number, stderr: string][] = [
    [["dynsec", "listClients"], 10, "Error: Module 'dynsec' not supported.\n"],
    [["dynsec", "init", "file", "admin"], 10, "Error: Module 'dynsec' not supported.\n"],
    [["help", "bogus"], 10, "Error: Module 'bogus' not supported.\n"],
    [["toString"], 10, "Error: Module 'toString' not supported.\n"],
    [["broker", "bogus"], 13, "Command 'bogus' not recognised.\n"],
    [["broker", "-d"], 13, "Command '-d' not recognised.\n"],
    [["broker", "listPlugins", "x"], 3, "Error: Invalid input.\n"],
    [["--bogus", "broker", "listPlugins"], 1, `Error: Unknown option '--bogus'.\n${hint}`],
    [["-t", "a", "broker", "listPlugins"], 1, `Error: Unknown option '-t'.\n${hint}`],
    [["-h"], 1, `Error: -h argument given but no host specified.\n${hint}`],
    [["-p", "x", "broker", "listPlugins"], 1, `Error: Invalid port given: x\n${hint}`],
    [
      ["-L", "mqtt://localhost", "broker", "listPlugins"],
      1,
      `Error: Invalid URL for -L argument specified - topic missing.\n${hint}`,
    ],
    [
      ["--cert", "c", "broker", "listPlugins"],
      1,
      "Error: Both certfile and keyfile must be provided if one of them is set.\n" + hint,
    ],
  ];
  for (const [args, status, stderr] of rows) {
    assertEquals(await run(args), { status, stdout: "", stderr }, args.join(" "));
  }
  const help = await run(["--help"]);
  assertEquals([help.status, help.stdout.split("\n")[0], help.stderr], [
    1,
    "Shows how a broker is set up, while it runs.",
    "",
  ]);
  for (const args of [["help"], ["broker"], ["-d", "--help", "x"], ["-d", "help"]]) {
    assertEquals(await run(args), help, args.join(" "));
  }
  const moduleHelp = await run(["broker", "help"]);
  assertEquals([moduleHelp.status, moduleHelp.stderr], [0, ""]);
  assertMatch(moduleHelp.stdout, /^tool broker: .*\n\n {2}listListeners .*\n {2}listPlugins .*\n$/);
  assertEquals(await run(["help", "broker"]), moduleHelp);
  const version = await run(["--version"]);
  assertEquals([version.status, version.stderr], [1, ""]);
  assertMatch(version.stdout, /^tool version \S+ running on midge \S+\.\n$/);
});

test("ctrl reads options from its file last, and asks for a password", PROCESS_TEST, async () => {
  const config = `
enable_control_api true
listener $PORT1 127.0.0.1
allow_anonymous false
password_file $DIR/passwords
`;
  const passwords = passwordFile({ carol: "right" });
  await MidgeProcess.with({ config, files: { passwords } }, async (midge) => {
    await inFolder(async (folder) => {
      await mkdir(join(folder, ".config"));
      await writeFile(
        join(folder, ".config/mosquitto_ctrl"),
        `# where it is\n-p ${midge.port}\n-u carol\n`,
      );
      const environment = (): Record<string, string> => ({ HOME: folder });
      const { asked, host } = secrets("wrong");
      const words = ["-p", "1", "-u", "joe", "broker", "listPlugins"];
      assertEquals(await run(words, { ...host, environment }), {
        status: 0,
        stdout: "",
        stderr: `${CLEAR_TEXT}Connection error: Not authorized\n`,
      });
      assertEquals(asked, ["Password for carol: "]);
      const given = secrets();
      assertEquals(await run(words, { ...given.host, environment }), {
        status: 1,
        stdout: "",
        stderr: "",
      });
      assertEquals(await run(words, { ...secrets("").host, environment }), {
        status: 1,
        stdout: "",
        stderr: "Error: Empty password.\n",
      });
      assertEquals(asked.concat(given.asked), ["Password for carol: ", "Password for carol: "]);
      await midge.logged(/ disconnected: not authorised\.$/);
    });
  });
});

test("ctrl waits no longer than ten seconds, as Mosquitto's does, for a broker that is silent", {
  ...PROCESS_TEST,
  skip: mosquittoTool("mosquitto") === undefined ? "there is no mosquitto" : false,
}, async () => {
  // Version 2.0 has no such commands: nobody answers.
  await withMosquitto({ config: "listener $PORT1\nallow_anonymous true\n" }, async (port) => {
    const at = ["-p", String(port)];
    const [own, foreign] = await Promise.all([
      run([...at, "broker", "listPlugins"]),
      new ForeignProcess("mosquitto_ctrl", [...at, "dynsec", "listClients"]).ended,
    ]);
    assertEquals(own, {
      status: 0,
      stdout: "",
      stderr: `${CLEAR_TEXT}Timed out with no response.\n`,
    });
    assertEquals(foreign.code, own.status);
  });
});

/** Types lines into the shell; gives what it asked and said, in order. */
async function shell(
  lines: readonly string[],
  { args, host }: { readonly args: readonly string[]; readonly host: Partial<Host> },
): Promise<{ outcome: Outcome; prompts: string[]; completed: string[][] }> {
  const prompts: string[] = [];
  const completed: string[][] = [];
  const left = [...lines];
  const openLineEditor = (
    complete: (line: string) => readonly string[],
  ): Promise<LineEditor> =>
    Promise.resolve({
      isTerminal: true,
      ask(prompt: string): Promise<string | undefined> {
        prompts.push(prompt);
        // A tab is pressed at once.
        while (left[0]?.endsWith("\t")) completed.push([...complete(left.shift()!.slice(0, -1))]);
        return Promise.resolve(left.shift());
      },
      close: () => {},
    });
  const outcome = await run(args, { openLineEditor, ...host });
  assertEquals(left, []);
  return { outcome, prompts, completed };
}

test("ctrl without a command is a shell over one connection", PROCESS_TEST, async () => {
  await MidgeProcess.with({ config: CONFIG }, async (midge) => {
    const [port, wsPort, closedPort] = midge.ports.map(String);
    const place = `mqtt://127.0.0.1:${port}`;
    const { outcome, prompts, completed } = await shell([
      "",
      "con\t",
      "connect m\t",
      "help c\t",
      "connect x y\t",
      `connect ${place}`,
      "\t",
      "broker",
      "list\t",
      "listListeners",
      "listPlugins x",
      "  listPlugins  ",
      "connect",
      "return",
      "listPlugins",
      "disconnect",
      `connect mqtt://127.0.0.1:${closedPort}`,
      "auth joe",
      `connect ws://127.0.0.1:${wsPort}`,
      "help exit",
      "help bogus",
      "disconnect",
      "connect http://a",
      "exit",
    ], { args: ["-i", "shell"], host: secrets("secret").host });
    assertEquals(outcome, {
      status: 0,
      stdout: `${listenersOf(midge)}  exit  End.\n`,
      stderr: [
        CLEAR_TEXT,
        "Error: Invalid input.\n",
        "Unknown command 'connect'. 'help' tells which there are.\n",
        "Unknown command 'listPlugins'. 'help' tells which there are.\n",
        CLEAR_TEXT,
        "Connection error: Not authorized\n",
        CLEAR_TEXT,
        "Unknown command 'bogus'.\n",
        "Error: Unsupported URL scheme.\n",
      ].join(""),
    });
    assertEquals(completed, [
      ["connect"],
      ["mqtt://", "mqtts://"],
      ["connect"],
      [],
      ["broker", "disconnect", "help", "exit"],
      ["listListeners", "listPlugins"],
    ]);
    assertEquals(prompts, [
      ...Array<string>(2).fill("> "),
      `${place}> `,
      ...Array<string>(5).fill(`${place}|broker> `),
      ...Array<string>(2).fill(`${place}> `),
      ...Array<string>(3).fill("> "),
      ...Array<string>(3).fill(`ws://127.0.0.1:${wsPort}> `),
      ...Array<string>(2).fill("> "),
    ]);
    await midge.logged(/New client connected from .* as shell \(p5, c1, k60, u'joe'\)\.$/);
  });
});

test("ctrl's shell goes on without the connection that it has lost", PROCESS_TEST, async () => {
  await MidgeProcess.with({ config: CONFIG }, async (midge) => {
    const lines = [`connect mqtt://127.0.0.1:${midge.port}`, "broker", "listPlugins", "exit"];
    const prompts: string[] = [];
    const openLineEditor = (): Promise<LineEditor> =>
      Promise.resolve({
        isTerminal: false,
        async ask(prompt: string): Promise<string | undefined> {
          prompts.push(prompt);
          if (prompts.length === 3) await midge.stop();
          return lines.shift();
        },
        close: () => {},
      });
    const { status, stdout } = await run([], { openLineEditor });
    assertEquals([status, stdout, prompts.at(-1)], [0, "", "> "]);
  });
});

test("ctrl's shell reads standard input where there is no terminal", PROCESS_TEST, async () => {
  assertEquals(await runMidge(["ctrl"], { input: "help exit\nhelp bogus\n" }), {
    status: 0,
    stdout: "  exit  End.\n",
    stderr: "Unknown command 'bogus'.\n",
  });
});

test("ctrl's shell completes words at a terminal, remembers lines and gives the terminal back", {
  ...PROCESS_TEST,
  skip: skipWithout("script"),
}, async () => {
  await inFolder(async (folder) => {
    const up = "\x1b[A";
    const { status, shown } = await runAtTerminal(["ctrl"], [
      { shown: "> ", keys: "he" },
      { shown: "he", keys: "\t" },
      { shown: "help", keys: " exit\r" },
      { shown: "  exit  End.\r\n\x1b[1G\x1b[0J> ", keys: `${up}\r` },
      { shown: "  exit  End.\r\n\x1b[1G\x1b[0J> \x1b[3G\x1b[1G\x1b[0J> help", keys: "exit\r" },
    ], folder);
    // What moves the cursor is between the line editor and the terminal.
    const lines = shown.filter((line) => /^ {2}exit|^-?(isig|icanon|echo)$/.test(line));
    assertEquals([status, lines], [0, [
      "  exit  End.",
      "  exit  End.",
      "isig",
      "icanon",
      "echo",
    ]]);
    const ended = await runAtTerminal(["ctrl"], [{ shown: "> ", keys: "\x03" }], folder);
    assertEquals([ended.status, ended.shown.slice(-4)], [0, ["isig", "icanon", "echo", ""]]);
  });
});
