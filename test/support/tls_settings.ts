// What a TLS listener is told in tests: everything unset, and a pair to start from.

import type { TlsOptions } from "../../src/runtime/tls.ts";
import type { Certificate } from "./certificates.ts";

/** Settings that ask for nothing but this certificate. */
export function tlsSettings(server: Certificate, rest: Partial<TlsOptions> = {}): TlsOptions {
  return {
    certificate: server.certificate,
    key: server.key,
    authorities: undefined,
    revocationLists: undefined,
    requiresCertificate: false,
    ignoresCertificateDates: false,
    minimumVersion: "TLSv1.2",
    ciphers: undefined,
    suites: undefined,
    psk: undefined,
    onSecrets: undefined,
    ...rest,
  };
}
