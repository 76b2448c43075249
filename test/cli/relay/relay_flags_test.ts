// The command line of `relay`: what it means, and what it refuses.

import { assertEquals, assertMatch } from "@std/assert";
import { parseRelayFlags, type RelaySettings } from "../../../src/cli/relay/relay_flags.ts";
import { test } from "../../harness.ts";

const DEFAULTS: RelaySettings = {
  target: {
    address: { hostname: "broker.example", port: 443 },
    isSecure: true,
    webSocket: { resource: "/mqtt", url: "wss://broker.example/mqtt" },
    username: undefined,
    password: undefined,
  },
  listeners: [
    { host: "127.0.0.1", port: 1883, isSecure: false },
    { host: "::1", port: 1883, isSecure: false },
  ],
  isLocalOnly: true,
  certFile: undefined,
  keyFile: undefined,
  caFile: undefined,
  caPath: undefined,
  connectionsMax: 10_000,
  timeoutMs: 20_000,
  verbosity: "normal",
};

const URL_WORDS = ["--to", "wss://broker.example/mqtt"];

function parse(words: string) {
  return parseRelayFlags(words === "" ? [] : words.split(" "), "midge relay");
}

test("parseRelayFlags() listens for this machine alone unless it is told where", () => {
  assertEquals(parse(URL_WORDS.join(" ")), { kind: "run", settings: DEFAULTS });
});

test("parseRelayFlags() takes any number of listeners, and of other options the last", () => {
  const words = [
    ...["--listen", "1883", "--listen", "10.0.0.1:1884", "--listen", "localhost:1885"],
    ...["--listen-tls", "[::1]:8883", "--cert", "a.pem", "--certfile", "b.pem", "--key", "b.key"],
    ...["--cafile", "ca.pem", "--capath", "cas", "--max-connections", "50"],
    ...["--connect-timeout", "7", "-v"],
  ];
  assertEquals(parseRelayFlags([...URL_WORDS, ...words], "midge relay"), {
    kind: "run",
    settings: {
      ...DEFAULTS,
      listeners: [
        { host: undefined, port: 1883, isSecure: false },
        { host: "10.0.0.1", port: 1884, isSecure: false },
        { host: "localhost", port: 1885, isSecure: false },
        { host: "::1", port: 8883, isSecure: true },
      ],
      isLocalOnly: false,
      certFile: "b.pem",
      keyFile: "b.key",
      caFile: "ca.pem",
      caPath: "cas",
      connectionsMax: 50,
      timeoutMs: 7000,
      verbosity: "verbose",
    },
  });
});

const FAULTS: Readonly<Record<string, string>> = {
  "": "--to is missing: the URL of the broker.",
  "--bogus": "Unknown option '--bogus'.",
  "wss://broker.example": "Unknown option 'wss://broker.example'.",
  "--to": "--to argument given but no url specified.",
  "--to --listen 1883": "--to argument given but no url specified.",
  "--to broker.example": "Invalid URL specified (broker.example).",
  "--to mqtt://broker.example":
    "The URL of the broker must begin with ws:// or wss:// (mqtt://broker.example).",
  "--to wss://user:secret@broker.example/":
    "The URL of the broker must have no login: devices bring their own.",
  "--to ws://b/ --listen 0": "Invalid port specified (0).",
  "--to ws://b/ --listen 65536": "Invalid port specified (65536).",
  "--to ws://b/ --listen ::1:1883": "Invalid port specified (::1:1883).",
  "--to ws://b/ --listen localhost": "Invalid port specified (localhost).",
  "--to ws://b/ --listen-tls 8883": "--listen-tls needs --cert and --key.",
  "--to ws://b/ --listen-tls 8883 --cert c":
    "Both --cert and --key must be provided if one of them is set.",
  "--to ws://b/ --cert c --key k": "--cert is only for TLS, which needs --listen-tls.",
  "--to ws://b/ --cafile ca": "--cafile and --capath are only for a broker with a wss URL.",
  "--to ws://b/ --max-connections 0": "Invalid number of connections specified (0).",
  "--to ws://b/ --connect-timeout 3601": "Invalid number of seconds specified (3601).",
  "--to ws://b/ --connect-timeout 1.5": "Invalid number of seconds specified (1.5).",
};

test("parseRelayFlags() says in one line what it does not understand", () => {
  const said = Object.keys(FAULTS).map((words) => [words, parse(words)]);
  assertEquals(
    said,
    Object.entries(FAULTS).map(([words, fault]) => [
      words,
      { kind: "fault", text: `Error: ${fault}\n` },
    ]),
  );
});

test("parseRelayFlags() gives help to who asks for it, whatever else is there", () => {
  const flags = parse("--help --listen 1883");
  assertEquals(flags.kind, "help");
  assertMatch(flags.kind === "help" ? flags.text : "", /^Usage: midge relay --to url \[--listen/m);
});
