/**
 * What `node:tls` does on Deno, where it stands on rustls. Lists of ciphers and revocation lists
 * are accepted and ignored by it, which is why they must not reach it.
 *
 * @module
 */

import type { TlsAbilities } from "../node/tls_settings.ts";

export const TLS_ABILITIES: TlsAbilities = {
  ciphers: false,
  suites: false,
  psk: false,
  secrets: false,
  revocation: false,
  verdict: false,
  oldVersions: false,
};
