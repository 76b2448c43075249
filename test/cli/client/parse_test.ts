// The command lines of pub, sub and rr: each option in each of its forms, every complaint, and the
// table itself.

import { assertEquals } from "@std/assert";
import { buildSettings } from "../../../src/cli/client/build_settings.ts";
import type { ClientSettings, ToolName } from "../../../src/cli/client/client_settings.ts";
import { Draft } from "../../../src/cli/client/draft.ts";
import { optionsOf } from "../../../src/cli/client/options/all.ts";
import { OptionNames, parseWords } from "../../../src/cli/client/parse.ts";
import { UsageError, type UsageHint } from "../../../src/cli/client/usage_error.ts";
import { test } from "../../harness.ts";

const IDENTITY = { processId: 4711, randomWord: (length: number) => "r".repeat(length) };

const BASE: Readonly<Record<"pub" | "sub" | "rr", readonly string[]>> = {
  pub: ["-t", "a/b", "-m", "x"],
  sub: ["-t", "a/b"],
  rr: ["-t", "a/b", "-m", "x", "-e", "r"],
};

type Tool = keyof typeof BASE;

function settingsOf(tool: ToolName, words: readonly string[]): ClientSettings {
  const draft = new Draft(tool);
  parseWords(draft, words, new OptionNames(tool));
  return buildSettings(draft, IDENTITY);
}

function complaintOf(tool: Tool, words: readonly string[]): [string, UsageHint] | "none" {
  try {
    settingsOf(tool, words);
  } catch (error) {
    if (error instanceof UsageError) return [error.message, error.hint];
    throw error;
  }
  return "none";
}

/** What the words change of the settings that the shortest command line leads to. */
function changes(tool: Tool, words: readonly string[]): unknown {
  return difference(settingsOf(tool, BASE[tool]), settingsOf(tool, [...BASE[tool], ...words]));
}

function difference(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after)) return after;
  const entries = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map((key) => [key, difference(before[key], after[key])]);
  return Object.fromEntries(entries);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Uint8Array);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const CONNECT = {
  type: "connect",
  protocolVersion: 4,
  isBridge: false,
  clientId: "",
  cleanStart: true,
  keepAlive: 60,
  properties: {},
};
const PLACE = {
  hostname: "localhost",
  port: 1883,
  unixPath: undefined,
  localAddress: undefined,
  proxy: undefined,
  usesWebSocket: false,
  noDelay: false,
};
const TLS = {
  authoritiesFile: undefined,
  authoritiesDirectory: undefined,
  trustsSystem: false,
  certificateFile: undefined,
  keyFile: undefined,
  minimumVersion: "TLSv1.2",
  ciphers: undefined,
  protocol: undefined,
  keyLogFile: undefined,
  isInsecure: false,
  psk: undefined,
};

test("buildSettings() fills in the defaults of pub, sub and rr", () => {
  const common = {
    place: PLACE,
    tls: undefined,
    connect: CONNECT,
    disconnectProperties: {},
    inflightMax: 20,
    isDebugging: false,
    isQuiet: false,
  };
  const receiving = {
    output: { format: undefined, isVerbose: false, endsLines: true, isPretty: false },
    qos: 0,
    subscribeProperties: {},
    retainAsPublished: false,
    retainHandling: 0,
    ignoresRetained: false,
    timeLimitMs: undefined,
  };
  assertEquals<unknown>(settingsOf("pub", BASE.pub), {
    ...common,
    tool: "pub",
    topic: "a/b",
    source: { kind: "payload", payload: bytes("x") },
    qos: 0,
    retain: false,
    properties: {},
    repetitions: 1,
    repeatDelayMs: 0,
  });
  assertEquals<unknown>(settingsOf("sub", BASE.sub), {
    ...common,
    ...receiving,
    tool: "sub",
    filters: ["a/b"],
    unsubscriptions: [],
    unsubscribeProperties: {},
    filteredOut: [],
    countMax: undefined,
    exitsWhenSubscribed: false,
    onlyRetained: false,
    removesRetained: false,
    isWatching: false,
    printsRate: false,
    randomShare: undefined,
  });
  assertEquals<unknown>(settingsOf("rr", BASE.rr), {
    ...common,
    ...receiving,
    connect: { ...CONNECT, protocolVersion: 5 },
    tool: "rr",
    topic: "a/b",
    source: { kind: "payload", payload: bytes("x") },
    responseTopic: "r",
    properties: { responseTopic: "r" },
    printsLatency: false,
  });
});

/** Words behind the shortest command line, and what they change. */
const EFFECTS: readonly (readonly [Tool, string, unknown])[] = [
  ["pub", "-A 127.0.0.2", { place: { localAddress: "127.0.0.2" } }],
  ["pub", "-h example", { place: { hostname: "example" } }],
  ["pub", "--host one --host two", { place: { hostname: "two" } }],
  ["pub", "-p 1884", { place: { port: 1884 } }],
  ["pub", "--port 0", { place: { port: 0 } }],
  ["pub", "--unix /run/m", { place: { unixPath: "/run/m" } }],
  ["pub", "--ws", { place: { usesWebSocket: true } }],
  ["pub", "--nodelay", { place: { noDelay: true } }],
  ["pub", "-u me", { connect: { username: "me" } }],
  [
    "pub",
    "--username me --pw secret",
    { connect: { username: "me", password: bytes("secret") } },
  ],
  ["pub", "-V 5 -P secret", { connect: { protocolVersion: 5, password: bytes("secret") } }],
  ["pub", "-i me", { connect: { clientId: "me" } }],
  ["pub", "--id me", { connect: { clientId: "me" } }],
  ["pub", "-I pre-", { connect: { clientId: "pre-4711" } }],
  ["pub", "--id-prefix pre-", { connect: { clientId: "pre-4711" } }],
  ["pub", "-k 5", { connect: { keepAlive: 5 } }],
  ["pub", "--keepalive 65535", { connect: { keepAlive: 65535 } }],
  ["pub", "-M 1", { inflightMax: 1 }],
  ["pub", "-M 100000", { inflightMax: 65535 }],
  ["pub", "-q 2", { qos: 2 }],
  ["sub", "--qos 1", { qos: 1 }],
  ["pub", "-d", { isDebugging: true }],
  ["pub", "--debug", { isDebugging: true }],
  ["pub", "--quiet", { isQuiet: true }],
  [
    "pub",
    "-V mqttv31",
    { connect: { protocolVersion: 3, clientId: "mosq-rrrrrrrrrrrrrrrrrr" } },
  ],
  ["pub", "-V 31 -i me", { connect: { protocolVersion: 3, clientId: "me" } }],
  ["pub", "-V mqttv311", {}],
  ["pub", "-V 311", {}],
  ["pub", "--protocol-version mqttv5", { connect: { protocolVersion: 5 } }],
  ["pub", "-c -i me", { connect: { clientId: "me", cleanStart: false } }],
  [
    "pub",
    "--disable-clean-session -i me -V 5",
    {
      connect: {
        clientId: "me",
        cleanStart: false,
        protocolVersion: 5,
        properties: { sessionExpiryInterval: 4294967295 },
      },
    },
  ],
  ["pub", "-x 60", { connect: expiry(60) }],
  ["pub", "-x 0x10", { connect: expiry(16) }],
  ["pub", "-x 010", { connect: expiry(8) }],
  ["pub", "-x -1", { connect: expiry(4294967295) }],
  ["pub", "-x ∞", { connect: expiry(4294967295) }],
  ["pub", "-x 4294967295 -V 311", { connect: expiry(4294967295) }],
  ["pub", "-c -x 7", { connect: { ...expiry(7), cleanStart: false } }],
  ["pub", "-r", { retain: true }],
  ["pub", "--retain", { retain: true }],
  ["pub", "--repeat 3", { repetitions: 3 }],
  ["pub", "--repeat-delay 0.25", { repeatDelayMs: 250 }],
  ["pub", "--repeat-delay 2", { repeatDelayMs: 2000 }],
  ["pub", "-t c", { topic: "c" }],
  ["rr", "--topic c", { topic: "c" }],
  ["sub", "-t c/# --topic +/d", { filters: ["a/b", "c/#", "+/d"] }],
  ["sub", "-t $share/g/a", { filters: ["a/b", "$share/g/a"] }],
  ["pub", "-L mqtt://example/c/d", { place: { hostname: "example" }, topic: "c/d" }],
  [
    "pub",
    "--url MQTT://u:p:q@example:99/c",
    {
      place: { hostname: "example", port: 99 },
      connect: { username: "u", password: bytes("p:q") },
      topic: "c",
    },
  ],
  [
    "pub",
    "-L ws://u@example//c%20d",
    {
      place: { hostname: "example", usesWebSocket: true },
      connect: { username: "u" },
      topic: "/c%20d",
    },
  ],
  [
    "pub",
    "-L mqtts://example/c",
    {
      place: { hostname: "example", port: 8883 },
      tls: { ...TLS, trustsSystem: true },
      topic: "c",
    },
  ],
  [
    "sub",
    "-L wss://example:9001/c/#",
    {
      place: { hostname: "example", port: 9001, usesWebSocket: true },
      tls: { ...TLS, trustsSystem: true },
      filters: ["a/b", "c/#"],
    },
  ],
  ["pub", "-L mqtt://example/c -p 7", { place: { hostname: "example", port: 7 }, topic: "c" }],
  [
    "pub",
    "--proxy socks5h://proxy",
    {
      place: {
        proxy: { hostname: "proxy", port: 1080, username: undefined, password: undefined },
      },
    },
  ],
  [
    "pub",
    "--proxy socks5h://u%3A%40:p%25@[::1]:99",
    { place: { proxy: { hostname: "::1", port: 99, username: "u:@", password: "p%" } } },
  ],
  ["pub", "--will-topic w", { connect: { will: will({}) } }],
  [
    "pub",
    "--will-topic w --will-payload p --will-qos 1 --will-retain",
    { connect: { will: will({ payload: bytes("p"), qos: 1, retain: true }) } },
  ],
  [
    "pub",
    "--cafile ca.pem",
    { place: { port: 8883 }, tls: { ...TLS, authoritiesFile: "ca.pem" } },
  ],
  [
    "pub",
    "--capath cas -p 1",
    { place: { port: 1 }, tls: { ...TLS, authoritiesDirectory: "cas" } },
  ],
  ["pub", "--tls-use-os-certs", { tls: { ...TLS, trustsSystem: true } }],
  ["pub", "-p 8883", { place: { port: 8883 }, tls: { ...TLS, trustsSystem: true } }],
  ["pub", "-p 8883 --unix /m", { place: { port: 8883, unixPath: "/m" } }],
  [
    "pub",
    "-p 8883 --insecure",
    { place: { port: 8883 }, tls: { ...TLS, trustsSystem: true, isInsecure: true } },
  ],
  [
    "pub",
    "--cafile ca --cert c --key k --keyform pem --tls-version tlsv1.3 --ciphers A:B " +
    "--tls-alpn mqtt --tls-keylog log --insecure -p 1883",
    {
      tls: {
        ...TLS,
        authoritiesFile: "ca",
        certificateFile: "c",
        keyFile: "k",
        minimumVersion: "TLSv1.3",
        ciphers: "A:B",
        protocol: "mqtt",
        keyLogFile: "log",
        isInsecure: true,
      },
    },
  ],
  [
    "pub",
    "--psk 00fF --psk-identity me",
    {
      place: { port: 8883 },
      tls: { ...TLS, psk: { identity: "me", key: Uint8Array.of(0, 255) } },
    },
  ],
  ["pub", "--cafile ca --cert c --tls-version x --no-tls", {}],
  ["pub", "--no-tls -p 8883", { place: { port: 8883 } }],
  ["sub", "-C 20", { countMax: 20 }],
  ["sub", "-C 19 -V 5", {
    countMax: 19,
    connect: { protocolVersion: 5, properties: { receiveMaximum: 19 } },
  }],
  ["sub", "-E", { exitsWhenSubscribed: true }],
  ["sub", "-F %p", { output: { format: "%p" } }],
  ["rr", "-N", { output: { endsLines: false } }],
  ["rr", "-v", { output: { isVerbose: true } }],
  ["sub", "--verbose", { output: { isVerbose: true } }],
  ["sub", "--pretty", { output: { isPretty: true } }],
  ["sub", "-R", { ignoresRetained: true, retainHandling: 2 }],
  ["sub", "--retained-only", { onlyRetained: true }],
  ["sub", "--remove-retained", { removesRetained: true }],
  ["sub", "--retain-as-published", { retainAsPublished: true }],
  ["sub", "--retain-handling new", { retainHandling: 1 }],
  ["rr", "--retain-handling never", { retainHandling: 2 }],
  ["sub", "--retain-handling always", {}],
  ["sub", "-T a/# --filter-out b", { filteredOut: ["a/#", "b"] }],
  ["sub", "-U a/# --unsubscribe b", { unsubscriptions: ["a/#", "b"] }],
  ["sub", "-W 5", { timeLimitMs: 5000 }],
  ["sub", "-w", { isWatching: true }],
  ["sub", "--watch", { isWatching: true }],
  ["sub", "--message-rate", { printsRate: true }],
  ["sub", "--random-filter 0.1", { randomShare: 0.1 }],
  ["sub", "--random-filter 100", { randomShare: 100 }],
  ["rr", "-e s", { responseTopic: "s", properties: { responseTopic: "s" } }],
  ["rr", "--latency", { printsLatency: true, place: { noDelay: true } }],
  ["rr", "-V 311", { connect: { protocolVersion: 4 }, properties: { responseTopic: undefined } }],
  ["pub", "-o file", {}],
];

function expiry(seconds: number): Record<string, unknown> {
  return { protocolVersion: 5, properties: { sessionExpiryInterval: seconds } };
}

function will(parts: Record<string, unknown>): unknown {
  const empty = { topic: "w", payload: new Uint8Array(0), qos: 0, retain: false, properties: {} };
  return { ...empty, ...parts };
}

test("parseWords() gives each option the effect that it is for", () => {
  for (const [tool, words, expected] of EFFECTS) {
    assertEquals(changes(tool, words.split(" ")), expected, `${tool} ${words}`);
  }
});

test("parseWords() knows every option of the table by every name, and each is tried here", () => {
  const tried = new Set(EFFECTS.flatMap(([, words]) => words.split(" ")));
  // Those behind them are tried beside what they exclude.
  const others = ["-m", "--message", "-f", "--file", "-n", "--null-message", "-s", "--stdin-file"];
  others.push("-l", "--stdin-line", "-D", "--property", "--help", "--version");
  others.push("--tls-engine", "--tls-engine-kpass-sha1");
  const names = (["pub", "sub", "rr"] as const).flatMap((tool) => optionsOf(tool))
    .flatMap((option) => option.names);
  assertEquals(
    [...new Set(names)].filter((name) => !tried.has(name) && !others.includes(name)),
    [],
  );
});

test("parseWords() takes a message from one place", () => {
  const source = (...words: string[]): unknown => {
    const settings = settingsOf("pub", ["-t", "a", ...words]);
    return settings.tool === "pub" ? settings.source : undefined;
  };
  const nothing = { kind: "payload", payload: new Uint8Array(0) };
  for (
    const [words, expected] of [
      [["-m", "two words"], { kind: "payload", payload: bytes("two words") }],
      [["--message", "-m"], { kind: "payload", payload: bytes("-m") }],
      [["-m", ""], nothing],
      [["-n"], nothing],
      [["--null-message"], nothing],
      [["-f", "file"], { kind: "file", path: "file" }],
      [["--file", "file"], { kind: "file", path: "file" }],
      [["-s"], { kind: "stdin" }],
      [["--stdin-file"], { kind: "stdin" }],
      [["-l"], { kind: "lines" }],
      [["--stdin-line"], { kind: "lines" }],
    ] as const
  ) {
    assertEquals(source(...words), expected);
  }
  for (const words of ["-m x -m y", "-m x -n", "-n -l", "-l -s", "-s -f x"]) {
    assertEquals(complaintOf("pub", words.split(" ")), [
      "Error: Only one type of message can be sent at once.",
      "help",
    ]);
  }
});

test("parseWords() stops at a request for help or for the version", () => {
  for (const request of ["help", "version"] as const) {
    const draft = new Draft("pub");
    parseWords(draft, ["-q", "1", `--${request}`, "--nonsense"], new OptionNames("pub"));
    assertEquals([draft.request, draft.qos], [request, 1]);
  }
});

test("parseWords() says of each option without its argument what is missing", () => {
  const missing = new Map<string, string>();
  for (const tool of ["pub", "sub", "rr"] as const) {
    for (const option of optionsOf(tool)) {
      if (option.argument === undefined) continue;
      const complaints = option.names.map((name) => complaintOf(tool, [name]));
      assertEquals(new Set(complaints.map((each) => each[0])).size, 1);
      assertEquals(complaints[0]![1], "help");
      missing.set(option.names.join(" "), complaints[0]![0]!);
    }
  }
  assertEquals(Object.fromEntries(missing), MISSING);
});

const MISSING: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ["-t --topic", "no topic specified"],
    ["-m --message", "no message specified"],
    ["-f --file", "no file specified"],
    ["--repeat", "no count specified"],
    ["--repeat-delay", "no time specified"],
    ["-h --host", "no host specified"],
    ["-p --port", "no port specified"],
    ["-L --url", "no URL specified"],
    ["-u --username", "no username specified"],
    ["-P --pw", "no password specified"],
    ["-A", "no address specified"],
    ["--unix", "no socket path specified"],
    ["--proxy", "no proxy url specified"],
    ["-i --id", "no id specified"],
    ["-I --id-prefix", "no id prefix specified"],
    ["-V --protocol-version", "no version specified", "--protocol-version"],
    ["-q --qos", "no QoS specified"],
    ["-k --keepalive", "no keepalive specified"],
    ["-x", "no session expiry interval specified"],
    ["-M", "max_inflight not specified"],
    ["-D --property", "not enough arguments specified", "--property"],
    ["--will-topic", "no will topic specified"],
    ["--will-payload", "no will payload specified"],
    ["--will-qos", "no will QoS specified"],
    ["--cafile", "no file specified"],
    ["--capath", "no directory specified"],
    ["--cert", "no file specified"],
    ["--key", "no file specified"],
    ["--keyform", "no keyform specified"],
    ["--tls-version", "no version specified"],
    ["--ciphers", "no ciphers specified"],
    ["--tls-alpn", "no protocol specified"],
    ["--tls-engine", "no engine_id specified"],
    ["--tls-engine-kpass-sha1", "no kpass sha1 specified"],
    ["--tls-keylog", "no file specified"],
    ["--psk", "no key specified"],
    ["--psk-identity", "no identity specified"],
    ["-o", "no options file specified"],
    ["-e", "no response topic specified"],
    ["-U --unsubscribe", "no unsubscribe topic specified"],
    ["-T --filter-out", "no topic filter specified"],
    ["-C", "no count specified"],
    ["-W", "no timeout specified"],
    ["--retain-handling", "no option specified"],
    ["--random-filter", "no chance specified"],
    ["-F", "no format specified"],
  ].map(([names, what, label = names!.split(" ")[0]]) => [
    names,
    `Error: ${label} argument given but ${what}.`,
  ]),
);

const WILDCARDS = "are all '+' and '#' wildcards correct?";

/** Words behind the shortest command line, and what is said of them. */
const COMPLAINTS: readonly (readonly [Tool, string, string])[] = [
  ["pub", "nonsense", "Unknown option 'nonsense'."],
  ["pub", "-tx", "Unknown option '-tx'."],
  ["pub", "--topic=x", "Unknown option '--topic=x'."],
  ["pub", "-dq 1", "Unknown option '-dq'."],
  ["pub", "-S", "Unknown option '-S'."],
  ["pub", "-C 1", "Unknown option '-C'."],
  ["sub", "-m x", "Unknown option '-m'."],
  ["rr", "-l", "Unknown option '-l'."],
  ["rr", "-r", "Unknown option '-r'."],
  ["pub", "-p 65536", "Invalid port given: 65536"],
  ["pub", "-p -1", "Invalid port given: -1"],
  ["pub", "-p 1x", "Invalid port given: 1x"],
  ["pub", "-L mqtt://h", "Invalid URL for -L argument specified - topic missing."],
  ["pub", "-L http://h/t", "Unsupported URL scheme."],
  ["pub", "-L h/t", "Unsupported URL scheme."],
  ["pub", "-L mqtt://h:x/t", "Invalid port given: x"],
  ["pub", "--proxy http://h", "Unsupported proxy protocol: http://h"],
  ["pub", "--proxy socks5h://", "Invalid proxy."],
  ["pub", "--proxy socks5h://h:", "Invalid proxy."],
  ["pub", "--proxy socks5h://:p@h", "Invalid proxy."],
  ["pub", "--proxy socks5h://h:99999", "Invalid proxy port 99999"],
  ["pub", "-q 3", "Invalid QoS given: 3"],
  ["sub", "-q x", "Invalid QoS given: x"],
  ["pub", "-k 4", "Invalid keepalive given, it must be between 5 and 65535 inclusive."],
  ["pub", "-k 65536", "Invalid keepalive given, it must be between 5 and 65535 inclusive."],
  ["pub", "-M 0", "Maximum inflight messages must be greater than 0."],
  ["pub", "-V 4", "Invalid protocol version argument given."],
  ["pub", "-V toString", "Invalid protocol version argument given."],
  ["pub", "-x abc", "session-expiry-interval not a number."],
  ["pub", "-x 10z", "session-expiry-interval not a number."],
  ["pub", "-x 08", "session-expiry-interval not a number."],
  ["pub", "-x -2", "session-expiry-interval out of range."],
  ["pub", "-x 4294967296", "session-expiry-interval out of range."],
  ["pub", "-i a -I b", "-i and -I argument cannot be used together."],
  ["pub", "-I b -i a", "-i and -I argument cannot be used together."],
  ["pub", "-c", "You must provide a client id if you are using the -c option."],
  [
    "pub",
    "-c -V 5",
    "You must provide a client id if you are using an infinite session expiry interval.",
  ],
  ["pub", "-t a/#", "Invalid publish topic 'a/#', does it contain '+' or '#'?"],
  ["rr", "-t +", "Invalid publish topic '+', does it contain '+' or '#'?"],
  ["rr", "-e a/#", "Invalid response topic 'a/#', does it contain '+' or '#'?"],
  ["sub", "-t a/#/b", `Invalid subscription topic 'a/#/b', ${WILDCARDS}`],
  ["sub", "-t a+", `Invalid subscription topic 'a+', ${WILDCARDS}`],
  ["sub", "-U #a", `Invalid unsubscribe topic '#a', ${WILDCARDS}`],
  ["sub", "-T #a", `Invalid filter topic '#a', ${WILDCARDS}`],
  ["pub", "-t a\udcff", "Malformed UTF-8 in -t argument."],
  ["sub", "-t \udcc3", "Malformed UTF-8 in -t argument."],
  ["sub", "-U \udcff", "Malformed UTF-8 in -U argument."],
  ["sub", "-T \udcff", "Malformed UTF-8 in -T argument."],
  ["rr", "-e \udcff", "Malformed UTF-8 in -e argument."],
  ["pub", "-t a\tb", "Malformed UTF-8 in -t argument."],
  ["pub", "-i \udcff", "Malformed UTF-8 in -i argument."],
  ["pub", "-I \udcff", "Malformed UTF-8 in -I argument."],
  ["pub", "--will-topic \udcff", "Malformed UTF-8 in --will-topic argument."],
  ["pub", `-i ${"x".repeat(65536)}`, "-i argument is longer than 65535 bytes."],
  ["pub", "--will-topic a/+", "Invalid will topic 'a/+', does it contain '+' or '#'?"],
  ["pub", "--will-qos 3", "Invalid will QoS 3."],
  ["pub", "--will-payload x", "Will payload given, but no will topic given."],
  ["pub", "--will-retain", "Will retain given, but no will topic given."],
  [
    "pub",
    `--will-topic w --will-payload ${"x".repeat(65536)}`,
    "Will payload is too large.",
  ],
  ["pub", "--repeat 0", "--repeat argument must be >0."],
  ["pub", "--repeat x", "--repeat argument must be >0."],
  ["pub", "--repeat-delay -1", "--repeat-delay argument must be >=0.0."],
  ["pub", "--repeat-delay x", "--repeat-delay argument must be >=0.0."],
  ["sub", "-C 0", 'Invalid message count "0".'],
  ["sub", "-C x", 'Invalid message count "x".'],
  ["sub", "-W 0", 'Invalid timeout "0".'],
  ["sub", "--random-filter 0", "--random-filter chance must be between 0.1-100.0"],
  ["sub", "--random-filter 100.1", "--random-filter chance must be between 0.1-100.0"],
  ["sub", "--retain-handling x", "Unknown value 'x' for --retain-handling."],
  ["pub", "--cert c", "Both certfile and keyfile must be provided if one of them is set."],
  ["pub", "--key k", "Both certfile and keyfile must be provided if one of them is set."],
  ["pub", "--keyform pem", "If keyform is set, keyfile must be also specified."],
  [
    "pub",
    "--tls-engine-kpass-sha1 x",
    "when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.",
  ],
  ["pub", "--psk 00", "--psk-identity required if --psk used."],
  [
    "pub",
    "--psk 00 --psk-identity x --capath y",
    "Only one of --psk or --cafile/--capath may be used at once.",
  ],
  ...[
    ["--cert c --key k", "--cert"],
    ["--tls-version tlsv1.3", "--tls-version"],
    ["--ciphers x", "--ciphers"],
    ["--tls-alpn x", "--tls-alpn"],
    ["--tls-keylog x", "--tls-keylog"],
    ["--psk-identity x", "--psk-identity"],
  ].map(([words, option]) =>
    [
      "pub",
      words!,
      `${option} is only for TLS, which needs --cafile, --capath, --psk or --tls-use-os-certs.`,
    ] as const
  ),
];

test("buildSettings() and parseWords() say what is wrong, and where help is", () => {
  for (const [tool, words, expected] of COMPLAINTS) {
    assertEquals(
      complaintOf(tool, [...BASE[tool], ...words.split(" ")]),
      [`Error: ${expected}`, "help"],
      `${tool} ${words}`,
    );
  }
});

test("buildSettings() says what is wrong without a word about help where that is no help", () => {
  for (
    const [tool, words, expected] of [
      ["pub", "-P x", "Problem setting username and/or password."],
      ["pub", "-u \udcff", "Problem setting username and/or password."],
      ["pub", `-u x -P ${"x".repeat(65536)}`, "Problem setting username and/or password."],
      ["pub", "--tls-engine x", "Problem setting TLS engine, is x a valid engine?"],
      [
        "pub",
        "--cert c --key k --keyform engine",
        "Problem setting key form, it must be one of 'pem' or 'engine'.",
      ],
      [
        "pub",
        "--cafile c --tls-version tlsv1.1",
        "Problem setting TLS options, check the options are valid.",
      ],
      ["pub", "--psk 0 --psk-identity x", "Problem setting TLS-PSK options."],
      ["pub", "--psk xy --psk-identity x", "Problem setting TLS-PSK options."],
      ["sub", "-R --retained-only", "Combining '-R' and '--retained-only' makes no sense."],
    ] as const
  ) {
    assertEquals(
      complaintOf(tool, [...BASE[tool], ...words.split(" ")]),
      [`Error: ${expected}`, "none"],
      `${tool} ${words}`,
    );
  }
});

test("buildSettings() wants all that the tool cannot do without", () => {
  const publishing: [string, UsageHint] = [
    "Error: Both topic and message must be supplied.",
    "usage",
  ];
  assertEquals(complaintOf("pub", ["-t", "a"]), publishing);
  assertEquals(complaintOf("pub", ["-m", "x"]), publishing);
  assertEquals(complaintOf("pub", ["-t", "", "-m", "x"]), [
    "Error: Invalid publish topic '', does it contain '+' or '#'?",
    "help",
  ]);
  const requesting: [string, UsageHint] = [
    "Error: All of topic, message, and response topic must be supplied.",
    "help",
  ];
  assertEquals(complaintOf("rr", ["-t", "a", "-m", "x"]), requesting);
  assertEquals(complaintOf("rr", ["-t", "a", "-e", "r"]), requesting);
  assertEquals(complaintOf("rr", ["-m", "x", "-e", "r"]), requesting);
  assertEquals(complaintOf("sub", ["-v"]), [
    "Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).",
    "help",
  ]);
  assertEquals(complaintOf("sub", ["-U", "a"]), "none");
});
