/**
 * The settings of a listener in the words of `node:tls`, which all three runtimes have, and what
 * each of them can honour. What it cannot is refused: never less protection than was asked for.
 *
 * @module
 */

import { constants } from "node:crypto";
import { DEFAULT_CIPHERS, type TlsOptions as NodeTlsOptions } from "node:tls";
import { OperationError } from "../../core/base/operation_error.ts";
import { notSupported } from "../../transport/listen_error.ts";
import type { TlsClientOptions, TlsOptions } from "../tls.ts";
import { splitRevocationLists } from "./revocation_list.ts";

/** What `node:tls` of a runtime does besides certificates, and versions from 1.2 on. */
export interface TlsAbilities {
  readonly ciphers: boolean;
  readonly suites: boolean;
  readonly psk: boolean;
  readonly secrets: boolean;
  /** Checks revocation lists. */
  readonly revocation: boolean;
  /** Completes a handshake whose certificate does not verify, and says so. */
  readonly verdict: boolean;
  /** Has version 1.1. */
  readonly oldVersions: boolean;
}

const SUITES = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
const PSK_CIPHERS = "PSK:!aNULL:!eNULL:@STRENGTH";

/** Whether the runtime's own check of client certificates is all that is needed. */
export function needsOwnVerifier(options: TlsOptions, abilities: TlsAbilities): boolean {
  return options.requiresCertificate &&
    (options.ignoresCertificateDates ||
      (options.revocationLists !== undefined && !abilities.revocation));
}

/** Throws an `OperationError` if the runtime cannot do what is asked for. */
export function nodeTlsOptions(options: TlsOptions, abilities: TlsAbilities): NodeTlsOptions {
  refuseUnsupported(options, abilities);
  const { certificate, key, authorities, requiresCertificate, psk } = options;
  if (psk === undefined && (certificate === undefined || key === undefined)) {
    throw new OperationError("tls-failed", "Both a certificate and its key are needed for TLS");
  }
  if (requiresCertificate && authorities === undefined) {
    // Without this, a runtime would trust what its maker trusts.
    throw new OperationError("tls-failed", "Client certificates need cafile or capath to verify");
  }
  const isOld = options.minimumVersion === "TLSv1.1" && abilities.oldVersions;
  return {
    ...(psk === undefined ? { cert: certificate!, key: key! } : { pskIdentityHint: psk.hint }),
    ...(psk === undefined ? {} : { maxVersion: "TLSv1.2" as const }),
    ...(requiresCertificate && psk === undefined
      ? {
        ca: authorities!,
        requestCert: true,
        rejectUnauthorized: !abilities.verdict,
        // A resumed session would skip the lists and dates of the present.
        secureOptions: constants.SSL_OP_NO_TICKET,
        ...(options.revocationLists !== undefined && abilities.revocation
          // One by one: Bun reads no further than the first in a text.
          ? { crl: splitRevocationLists(options.revocationLists) }
          : {}),
      }
      : {}),
    ...(abilities.ciphers ? { ciphers: cipherList(options, abilities, isOld) } : {}),
    minVersion: isOld || options.minimumVersion !== "TLSv1.1" ? options.minimumVersion : "TLSv1.2",
    honorCipherOrder: true,
    allowHalfOpen: true,
  };
}

/** What a client offers; `undefined` leaves it to the runtime. */
export function clientCiphers(
  { ciphers, psk }: TlsClientOptions,
  abilities: TlsAbilities,
): string | undefined {
  const list = ciphers ?? (psk === undefined ? undefined : PSK_CIPHERS);
  return list === undefined || !abilities.suites ? list : `${SUITES}:${list}`;
}

/** One list for all versions, because a list that names no suite of 1.3 switches that off. */
function cipherList(options: TlsOptions, abilities: TlsAbilities, isOld: boolean): string {
  let ciphers = options.ciphers ?? (options.psk === undefined ? defaultCiphers() : PSK_CIPHERS);
  if (isOld && abilities.suites && options.ciphers === undefined) ciphers += ":@SECLEVEL=0";
  return abilities.suites ? `${options.suites ?? SUITES}:${ciphers}` : ciphers;
}

function defaultCiphers(): string {
  return DEFAULT_CIPHERS.split(":").filter((name) => !name.startsWith("TLS_")).join(":");
}

function refuseUnsupported(options: TlsOptions, abilities: TlsAbilities): void {
  const wanted: readonly (readonly [isWanted: boolean, can: boolean, what: string])[] = [
    [options.psk !== undefined, abilities.psk, "TLS pre-shared keys (psk_hint)"],
    [options.ciphers !== undefined, abilities.ciphers, "Lists of ciphers (ciphers)"],
    [options.suites !== undefined, abilities.suites, "Lists of suites (ciphers_tls1.3)"],
    [
      options.requiresCertificate && options.ignoresCertificateDates,
      abilities.verdict,
      "Client certificates without dates (disable_client_cert_date_checks)",
    ],
    [options.onSecrets !== undefined, abilities.secrets, "Logs of TLS secrets (--tls-keylog)"],
  ];
  for (const [isWanted, can, what] of wanted) if (isWanted && !can) throw notSupported(what);
}
