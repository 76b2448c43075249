/**
 * The command line of `relay`: words in, one wish out. What becomes of it is in relay.ts.
 *
 * The idea: an option is a row of a table, which help and completion are made of as well. What
 * would protect a connection and cannot is refused, never left out.
 *
 * @module
 */

import { ClientError } from "../../client/client_error.ts";
import { parseTarget, type Target } from "../../client/mqtt_url.ts";
import { formatManual, type Manual, type ManualEntry } from "../manual.ts";

/** Where the relay listens. */
export interface RelayListener {
  readonly port: number;
  /** `undefined`: every address. */
  readonly host: string | undefined;
  readonly isSecure: boolean;
}

export interface RelaySettings {
  /** What the URL says, which is that of a WebSocket. */
  readonly target: Target & { readonly webSocket: NonNullable<Target["webSocket"]> };
  readonly listeners: readonly RelayListener[];
  /** Nobody has said where to listen: of the loopback's two families one is enough. */
  readonly isLocalOnly: boolean;
  /** Of the listeners with TLS. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Who may sign the broker's certificate; without either it is whom the system trusts. */
  readonly caFile: string | undefined;
  readonly caPath: string | undefined;
  readonly connectionsMax: number;
  readonly timeoutMs: number;
  readonly verbosity: "normal" | "verbose" | "quiet";
}

/** What the command line asks for. */
export type RelayFlags =
  | { readonly kind: "run"; readonly settings: RelaySettings }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "fault"; readonly text: string };

const CONNECTIONS_MAX = 10_000;
const TIMEOUT_SECONDS = 20;
const TIMEOUT_SECONDS_MAX = 3600;
const PORT_MAX = 65_535;
const PORT = 1883;

/** One address of each family, so that `localhost` finds the relay whatever it means. */
const LOOPBACKS: readonly string[] = ["127.0.0.1", "::1"];

interface RelayOption extends ManualEntry {
  /** What is missing when its argument is. */
  readonly missing?: string;
}

const OPTIONS = {
  to: {
    names: ["--to"],
    argument: "<url>",
    text: "Where the broker is: ws://host[:port]/path, or wss:// with TLS.",
    missing: "url",
  },
  listen: {
    names: ["--listen"],
    argument: "<[address:]port>",
    text: "Listen for MQTT over TCP. May be given more than once. Without any listener it is " +
      `port ${PORT}, for programs on this machine only.`,
    missing: "port",
  },
  listenTls: {
    names: ["--listen-tls"],
    argument: "<[address:]port>",
    text: "Listen for MQTT over TLS, with the certificate of --cert. May be given more than once.",
    missing: "port",
  },
  cert: {
    names: ["--cert", "--certfile"],
    argument: "<file>",
    candidates: "files",
    text: "The certificate that devices see, in PEM, with those that lead to its authority.",
    missing: "file",
  },
  key: {
    names: ["--key", "--keyfile"],
    argument: "<file>",
    candidates: "files",
    text: "Its private key.",
    missing: "file",
  },
  cafile: {
    names: ["--cafile"],
    argument: "<file>",
    candidates: "files",
    text: "Who may sign the broker's certificate, in PEM.",
    default: "whom this system trusts",
    missing: "file",
  },
  capath: {
    names: ["--capath"],
    argument: "<folder>",
    candidates: "folders",
    text: "The same, as a folder of certificates named by their hashes.",
    missing: "folder",
  },
  connections: {
    names: ["--max-connections"],
    argument: "<count>",
    text: "Devices at one time; more are closed at once.",
    default: String(CONNECTIONS_MAX),
    missing: "count",
  },
  timeout: {
    names: ["--connect-timeout"],
    argument: "<seconds>",
    text: "How long a device may take to send its CONNECT, and the broker to answer.",
    default: String(TIMEOUT_SECONDS),
    missing: "seconds",
  },
  verbose: { names: ["-v", "--verbose"], text: "Log everything." },
  quiet: { names: ["-q", "--quiet"], text: "Log nothing; beats -v." },
  help: { names: ["--help"], text: "Print this and exit." },
} as const satisfies Readonly<Record<string, RelayOption>>;

type OptionName = keyof typeof OPTIONS;

/** Parses the words after the command's name. */
export function parseRelayFlags(args: readonly string[], name: string): RelayFlags {
  const given = new Map<OptionName, string[]>();
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    const option = findOption(word);
    if (option === undefined) return fault(`Unknown option '${word}'.`);
    const values = given.get(option) ?? [];
    given.set(option, values);
    const { missing }: RelayOption = OPTIONS[option];
    if (missing === undefined) continue;
    const value = args[++at];
    // A forgotten argument must not swallow the next option.
    if (value === undefined || value === "" || value.startsWith("--")) {
      return fault(`${word} argument given but no ${missing} specified.`);
    }
    values.push(value);
  }
  if (given.has("help")) return { kind: "help", text: formatManual(relayManual(name)) };
  try {
    return { kind: "run", settings: settingsOf(given) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return fault(error.message);
  }
}

function findOption(word: string): OptionName | undefined {
  return (Object.keys(OPTIONS) as OptionName[]).find((name) => {
    const names: readonly string[] = OPTIONS[name].names;
    return names.includes(word);
  });
}

/** Throws a `SyntaxError` for what makes no sense. */
function settingsOf(given: ReadonlyMap<OptionName, readonly string[]>): RelaySettings {
  // Of two the later one counts.
  const last = (name: OptionName): string | undefined => given.get(name)?.at(-1);
  const url = last("to");
  if (url === undefined) throw new SyntaxError("--to is missing: the URL of the broker.");
  const target = targetOf(url);
  const [certFile, keyFile, caFile, caPath] = [
    last("cert"),
    last("key"),
    last("cafile"),
    last("capath"),
  ];
  const listeners = listenersOf(given.get("listen") ?? [], given.get("listenTls") ?? []);
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new SyntaxError("Both --cert and --key must be provided if one of them is set.");
  }
  const isSecure = listeners.some((listener) => listener.isSecure);
  if (isSecure && certFile === undefined) {
    throw new SyntaxError("--listen-tls needs --cert and --key.");
  }
  if (!isSecure && certFile !== undefined) {
    throw new SyntaxError("--cert is only for TLS, which needs --listen-tls.");
  }
  if (!target.isSecure && (caFile ?? caPath) !== undefined) {
    throw new SyntaxError("--cafile and --capath are only for a broker with a wss URL.");
  }
  const timeout = last("timeout") ?? String(TIMEOUT_SECONDS);
  const connections = last("connections") ?? String(CONNECTIONS_MAX);
  return {
    target,
    listeners,
    isLocalOnly: !given.has("listen") && !given.has("listenTls"),
    certFile,
    keyFile,
    caFile,
    caPath,
    connectionsMax: wholeNumber(connections, "number of connections", Number.MAX_SAFE_INTEGER),
    timeoutMs: 1000 * wholeNumber(timeout, "number of seconds", TIMEOUT_SECONDS_MAX),
    verbosity: given.has("quiet") ? "quiet" : given.has("verbose") ? "verbose" : "normal",
  };
}

function targetOf(url: string): RelaySettings["target"] {
  let target: Target;
  try {
    target = parseTarget(url);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new SyntaxError(`Invalid URL specified (${url}).`);
  }
  const { webSocket, username, password } = target;
  if (webSocket === undefined) {
    throw new SyntaxError(`The URL of the broker must begin with ws:// or wss:// (${url}).`);
  }
  if ((username ?? password) !== undefined) {
    throw new SyntaxError("The URL of the broker must have no login: devices bring their own.");
  }
  return { ...target, webSocket };
}

function listenersOf(plain: readonly string[], secure: readonly string[]): RelayListener[] {
  if (plain.length + secure.length === 0) {
    return LOOPBACKS.map((host) => ({ host, port: PORT, isSecure: false }));
  }
  return [
    ...plain.map((word) => ({ ...placeOf(word), isSecure: false })),
    ...secure.map((word) => ({ ...placeOf(word), isSecure: true })),
  ];
}

function placeOf(word: string): { host: string | undefined; port: number } {
  const [, bracketed, bare, digits] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(word) ?? [];
  const port = Number(digits ?? 0);
  if (port < 1 || port > PORT_MAX) throw new SyntaxError(`Invalid port specified (${word}).`);
  return { host: bracketed ?? bare, port };
}

function wholeNumber(text: string, what: string, max: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > max) throw new SyntaxError(`Invalid ${what} specified (${text}).`);
  return number;
}

function fault(what: string): RelayFlags {
  return { kind: "fault", text: `Error: ${what}\n` };
}

/** The help, by the name that the command was called by. */
export function relayManual(name: string): Manual {
  return {
    name,
    about: [
      `${name} carries MQTT connections of devices, over TCP or TLS, to a broker over WebSocket.`,
    ],
    usage: [
      [
        "--to url [--listen [address:]port]...",
        "[--listen-tls [address:]port --cert file --key file]...",
        "[--cafile file] [--capath folder] [--max-connections count]",
        "[--connect-timeout seconds] [-v | -q]",
      ].join("\n"),
    ],
    sections: [{ entries: Object.values(OPTIONS) }],
    notes: [
      "Each device has a WebSocket of its own, and its login is the broker's affair. The broker " +
      "is told the device's address in X-Forwarded-For. When the broker cannot be reached, a " +
      "device is refused with the reason that the server is unavailable; connecting again is its " +
      "own business.",
      "Signals: SIGINT and SIGTERM stop the relay, SIGHUP reads the certificates again.",
      "Exit status: 0 when stopped, 1 when it cannot listen or a file does not serve, 3 for a " +
      "fault in the command line.",
    ],
    examples: [
      `${name} --to wss://broker.example/mqtt --listen 1883`,
      `${name} --to wss://broker.example/mqtt --listen-tls 8883 --cert cert.pem --key key.pem`,
    ],
    operands: [[]],
  };
}
