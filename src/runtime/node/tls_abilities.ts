/**
 * What `node:tls` does on Node, where it stands on OpenSSL: all of it.
 *
 * @module
 */

import type { TlsAbilities } from "./tls_settings.ts";

export const TLS_ABILITIES: TlsAbilities = {
  ciphers: true,
  suites: true,
  psk: true,
  secrets: true,
  revocation: true,
  verdict: true,
  oldVersions: true,
};
