/**
 * The options of TLS together: whether there is TLS at all, and whether they make sense.
 *
 * The idea: an option that asks for more protection is never without effect. Where it would be,
 * because nothing enables TLS, the command line is refused.
 *
 * @module
 */

import type { TlsSettings } from "./client_settings.ts";
import type { Draft } from "./draft.ts";
import { UsageError } from "./usage_error.ts";

const PORT_TLS = 8883;

const VERSIONS: Readonly<Record<string, TlsSettings["minimumVersion"]>> = {
  "tlsv1.2": "TLSv1.2",
  "tlsv1.3": "TLSv1.3",
};

/** The settings of TLS, `undefined` for a connection in clear text. */
export function tlsSettingsOf(draft: Draft): TlsSettings | undefined {
  if (draft.isClearText) return undefined;
  checkTogether(draft);
  const { authoritiesFile, authoritiesDirectory, certificateFile, keyFile } = draft;
  const hasAuthorities = authoritiesFile !== undefined || authoritiesDirectory !== undefined;
  const isImplied = draft.port === PORT_TLS && draft.unixPath === undefined;
  if (!hasAuthorities && draft.psk === undefined && !draft.trustsSystem && !isImplied) {
    refuseWithout(draft);
    return undefined;
  }
  const version = draft.tlsVersion ?? "tlsv1.2";
  if (!Object.hasOwn(VERSIONS, version)) {
    throw problem("Problem setting TLS options, check the options are valid.");
  }
  return {
    authoritiesFile,
    authoritiesDirectory,
    trustsSystem: draft.trustsSystem || (!hasAuthorities && draft.psk === undefined),
    certificateFile,
    keyFile,
    minimumVersion: VERSIONS[version]!,
    ciphers: draft.ciphers,
    protocol: draft.tlsProtocol,
    keyLogFile: draft.keyLogFile,
    isInsecure: draft.isInsecure,
    psk: pskOf(draft),
  };
}

function checkTogether(draft: Draft): void {
  const { psk, keyForm, keyFile, tlsEngine } = draft;
  if ((draft.certificateFile === undefined) !== (keyFile === undefined)) {
    const message = "Both certfile and keyfile must be provided if one of them is set.";
    throw new UsageError(`Error: ${message}`);
  }
  if (keyForm !== undefined && keyFile === undefined) {
    throw new UsageError("Error: If keyform is set, keyfile must be also specified.");
  }
  if (draft.tlsEngineSecret !== undefined && (tlsEngine === undefined || keyForm === undefined)) {
    const message = "both tls-engine and keyform must also be provided";
    throw new UsageError(`Error: when using tls-engine-kpass-sha1, ${message}.`);
  }
  if (psk !== undefined) {
    if ((draft.authoritiesFile ?? draft.authoritiesDirectory) !== undefined) {
      throw new UsageError("Error: Only one of --psk or --cafile/--capath may be used at once.");
    }
    if (draft.pskIdentity === undefined) {
      throw new UsageError("Error: --psk-identity required if --psk used.");
    }
  }
  if (tlsEngine !== undefined) {
    throw problem(`Problem setting TLS engine, is ${tlsEngine} a valid engine?`);
  }
  if (keyForm !== undefined && keyForm !== "pem") {
    throw problem("Problem setting key form, it must be one of 'pem' or 'engine'.");
  }
}

/** What would protect the connection must not be given in vain. */
function refuseWithout(draft: Draft): void {
  const given = [
    ["--cert", draft.certificateFile],
    ["--tls-version", draft.tlsVersion],
    ["--ciphers", draft.ciphers],
    ["--tls-alpn", draft.tlsProtocol],
    ["--tls-keylog", draft.keyLogFile],
    ["--psk-identity", draft.pskIdentity],
  ].find(([, value]) => value !== undefined);
  if (given === undefined) return;
  const enabling = "--cafile, --capath, --psk or --tls-use-os-certs";
  throw new UsageError(`Error: ${given[0]} is only for TLS, which needs ${enabling}.`);
}

function pskOf({ psk, pskIdentity }: Draft): TlsSettings["psk"] {
  if (psk === undefined) return undefined;
  if (!/^([\da-f]{2})+$/i.test(psk)) throw problem("Problem setting TLS-PSK options.");
  const key = Uint8Array.from(psk.match(/../g)!, (digits) => Number.parseInt(digits, 16));
  return { identity: pskIdentity!, key };
}

function problem(message: string): UsageError {
  return new UsageError(`Error: ${message}`, "none");
}
