/**
 * Options that say where the broker is and how it is reached.
 *
 * @module
 */

import { readBrokerUrl } from "../broker_url.ts";
import { ALL, type ClientOption, CLIENTS } from "../option.ts";
import { readProxyUrl } from "../proxy_url.ts";
import { UsageError } from "../usage_error.ts";
import { wholeNumber } from "../values.ts";

const PORT_MAX = 65_535;

export const CONNECTION_OPTIONS: readonly ClientOption[] = [
  {
    names: ["-h", "--host"],
    tools: ALL,
    group: "Connection",
    argument: "host",
    missing: "no host specified",
    help: "The broker's name or address; localhost unless given.",
    apply: (draft, value) => void (draft.hostname = value),
  },
  {
    names: ["-p", "--port"],
    tools: ALL,
    group: "Connection",
    argument: "port",
    missing: "no port specified",
    help: "1883 unless given, 8883 with --cafile, --capath or --psk.",
    apply(draft, value) {
      const port = wholeNumber(value, 0, PORT_MAX);
      if (port === undefined) throw new UsageError(`Error: Invalid port given: ${value}`);
      draft.port = port;
    },
  },
  {
    names: ["-L", "--url"],
    tools: ALL,
    group: "Connection",
    argument: "url",
    missing: "no URL specified",
    help: "Broker and topic in one: mqtt://[user[:password]@]host[:port]/topic; also mqtts, " +
      "ws and wss.",
    apply: readBrokerUrl,
  },
  {
    names: ["-u", "--username"],
    tools: ALL,
    group: "Connection",
    argument: "name",
    missing: "no username specified",
    help: "Log in as this user.",
    apply: (draft, value) => void (draft.username = value),
  },
  {
    names: ["-P", "--pw"],
    tools: ALL,
    group: "Connection",
    argument: "password",
    missing: "no password specified",
    help: "The password. Others on this machine can see it; an options file (-o) keeps it secret.",
    apply: (draft, value) => void (draft.password = value),
  },
  {
    names: ["-A"],
    tools: ALL,
    group: "Connection",
    argument: "address",
    missing: "no address specified",
    help: "Connect from this address of this machine.",
    apply: (draft, value) => void (draft.localAddress = value),
  },
  {
    names: ["--unix"],
    tools: ALL,
    group: "Connection",
    argument: "path",
    candidates: "files",
    missing: "no socket path specified",
    help: "Connect to this Unix socket instead of a host.",
    apply: (draft, value) => void (draft.unixPath = value),
  },
  {
    names: ["--ws"],
    tools: CLIENTS,
    group: "Connection",
    help: "Speak MQTT over WebSocket, at the path /mqtt.",
    apply: (draft) => void (draft.usesWebSocket = true),
  },
  {
    names: ["--proxy"],
    tools: ALL,
    group: "Connection",
    argument: "url",
    missing: "no proxy url specified",
    help: "Connect through a SOCKS5 proxy: socks5h://[user[:password]@]host[:port].",
    apply: (draft, value) => void (draft.proxy = readProxyUrl(value)),
  },
  {
    names: ["--nodelay"],
    tools: CLIENTS,
    group: "Connection",
    help: "Send small packets at once (TCP_NODELAY).",
    apply: (draft) => void (draft.noDelay = true),
  },
];
