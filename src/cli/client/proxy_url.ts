/**
 * The URL of `--proxy`. Credentials may hold `%3A`, `%40` and `%25` in place of the characters that
 * separate its parts.
 *
 * @module
 */

import type { ProxySettings } from "./client_settings.ts";
import { UsageError } from "./usage_error.ts";
import { wholeNumber } from "./values.ts";

const SCHEME = "socks5h://";
const PORT = 1080;
const PORT_MAX = 65_535;
const CREDENTIAL_BYTES_MAX = 255;
const ESCAPES: Readonly<Record<string, string>> = { "%3A": ":", "%40": "@", "%25": "%" };

/** Reads a proxy's URL. */
export function readProxyUrl(url: string): ProxySettings {
  if (!url.startsWith(SCHEME)) throw new UsageError(`Error: Unsupported proxy protocol: ${url}`);
  const rest = url.slice(SCHEME.length);
  const at = rest.lastIndexOf("@");
  const { hostname, port } = readPlace(rest.slice(at + 1));
  if (at < 0) return { hostname, port, username: undefined, password: undefined };
  const login = rest.slice(0, at);
  const colon = login.indexOf(":");
  const username = unescape(colon < 0 ? login : login.slice(0, colon));
  const password = unescape(colon < 0 ? "" : login.slice(colon + 1));
  for (const part of [username, password]) {
    if (new TextEncoder().encode(part).length > CREDENTIAL_BYTES_MAX) throw invalid();
  }
  if (username === "") throw invalid();
  return { hostname, port, username, password };
}

function readPlace(text: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(.+))?$/.exec(text);
  if (match === null) throw invalid();
  const [, address, name, port] = match;
  const number = port === undefined ? PORT : wholeNumber(port, 1, PORT_MAX);
  if (number === undefined) throw new UsageError(`Error: Invalid proxy port ${port}`);
  return { hostname: (address ?? name)!, port: number };
}

function unescape(text: string): string {
  return text.replace(/%(?:3A|40|25)/gi, (escape) => ESCAPES[escape.toUpperCase()]!);
}

function invalid(): UsageError {
  return new UsageError("Error: Invalid proxy.");
}
