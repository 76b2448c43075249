/**
 * Values of listener options that have a grammar of their own: where to listen, which versions to
 * accept, what stands before topics.
 *
 * @module
 */

import type { ValueKind } from "./option.ts";
import { empty, integer, parseInteger, textFault, words } from "./values.ts";

const PORT_MAX = 65_535;
const VERSIONS = ["3", "4", "5"];

/** Where a listener listens. */
export interface ListenAddress {
  readonly port: number;
  readonly host: string | undefined;
  readonly path: string | undefined;
}

/** A port and an address, or 0 and the path of a Unix socket; a comment may follow. */
export const listenAddress: ValueKind = {
  syntax: "`<port> [address]` or `0 <path>`",
  read(input) {
    const [portWord] = words(input.text);
    if (portWord === undefined) return empty(input);
    const port = parseInteger(portWord);
    if (port === undefined) return { fault: `'${input.name}' value not a number.` };
    if (port < 0 || port > PORT_MAX) {
      return { fault: `Invalid 'port' value (${input.show(portWord)}).` };
    }
    const rest = input.text.slice(portWord.length).replace(/(?:^| ) *#.*$/, "").trim();
    const fault = textFault(input, rest);
    if (fault !== undefined) return { fault };
    if (port === 0) {
      if (rest === "") {
        return { fault: "A listener with port 0 must provide a Unix socket path." };
      }
      return { value: { port, host: undefined, path: rest } satisfies ListenAddress };
    }
    const [host] = words(rest);
    return { value: { port, host, path: undefined } satisfies ListenAddress };
  },
};

/** The port of the default listener. */
export const defaultPort: ValueKind = integer({
  min: 1,
  max: PORT_MAX,
  fault: (shown) => `Invalid 'port' value (${shown}).`,
});

/** Versions of the protocol. Words that are none are passed over, as long as there is one. */
export const protocolVersions: ValueKind = {
  syntax: "any of `3`, `4`, `5`, separated by commas or blanks",
  read(input) {
    if (input.text === "") return empty(input);
    const given = input.text.split(/[, \t]+/);
    const versions = VERSIONS.filter((version) => given.includes(version)).map(Number);
    if (versions.length > 0) return { value: versions };
    return { fault: `Invalid '${input.name}' value (${input.show(input.text)}).` };
  },
};

/** 1 or 2. */
export const proxyProtocol: ValueKind = integer({
  min: 1,
  max: 2,
  fault: () => "enable_proxy_protocol must be 1 or 2.",
});

/** Where a key comes from: a file, whatever else is written. */
export const keyForm: ValueKind = {
  syntax: "`pem`",
  read(input) {
    if (input.text === "") return empty(input);
    if (input.text !== "engine") return { isIgnored: true, notes: [] };
    return {
      fault: "The 'tls_keyform engine' option is not available: keys are read from PEM files only.",
    };
  },
};
