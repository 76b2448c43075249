/**
 * What `node:tls` does on Bun, where it stands on BoringSSL: the suites of version 1.3 are fixed,
 * and there are no pre-shared keys.
 *
 * @module
 */

import type { TlsAbilities } from "../node/tls_settings.ts";

export const TLS_ABILITIES: TlsAbilities = {
  ciphers: true,
  suites: false,
  psk: false,
  secrets: true,
  revocation: true,
  verdict: true,
  oldVersions: true,
};
