/**
 * The files that the options of TLS name, read and looked at before anything is opened: an
 * authority that cannot be read must not become one that is not asked for.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import type { Files } from "../../runtime/files.ts";
import type { TlsClientOptions } from "../../runtime/tls.ts";
import { ClientFailure, ownTlsFailure } from "./client_failure.ts";
import type { TlsSettings } from "./client_settings.ts";

/** A certificate in a directory of authorities is named by the hash of its subject. */
const HASHED_NAME = /^[\da-f]{8}\.\d+$/;
const CERTIFICATE = "-----BEGIN CERTIFICATE-----";
const TRUSTED_CERTIFICATE = "-----BEGIN TRUSTED CERTIFICATE-----";
const STATUS = 1;

/** Reads the files; throws a `ClientFailure` that says which of them does not serve. */
export async function readTlsFiles(tls: TlsSettings, files: Files): Promise<TlsClientOptions> {
  const { certificateFile, keyFile, protocol, keyLogFile } = tls;
  const log = keyLogFile === undefined ? undefined : openKeyLog(files, keyLogFile);
  return {
    authorities: await readAuthorities(tls, files),
    alsoTrusts: tls.trustsSystem ? "system" : undefined,
    certificate: certificateFile && await read(files, certificateFile),
    key: keyFile && await read(files, keyFile),
    psk: tls.psk,
    ignoresAuthority: tls.isInsecure,
    minimumVersion: tls.minimumVersion,
    ciphers: tls.ciphers,
    protocols: protocol === undefined ? undefined : [protocol],
    onSecrets: log,
  };
}

async function readAuthorities(
  { authoritiesFile, authoritiesDirectory }: TlsSettings,
  files: Files,
): Promise<string | undefined> {
  const texts: string[] = [];
  if (authoritiesFile !== undefined) {
    const text = await read(files, authoritiesFile);
    if (!text.includes(CERTIFICATE) && !text.includes(TRUSTED_CERTIFICATE)) {
      throw ownTlsFailure(`no certificate in "${authoritiesFile}"`);
    }
    texts.push(text);
  }
  if (authoritiesDirectory !== undefined) {
    const names = await attempt(() => files.list(authoritiesDirectory));
    const hashed = names.filter((name) => HASHED_NAME.test(name)).sort();
    for (const name of hashed) texts.push(await read(files, `${authoritiesDirectory}/${name}`));
    if (!texts.some((text) => text.includes(CERTIFICATE))) {
      throw ownTlsFailure(`no certificate by its hash in "${authoritiesDirectory}"`);
    }
  }
  return texts.length === 0 ? undefined : texts.join("\n");
}

function openKeyLog(files: Files, path: string): (line: string) => void {
  try {
    const file = files.openAppended(path);
    return (line) => file.append(`${line}\n`);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new ClientFailure(STATUS, `Error: Unable to open TLS keylog file "${path}".`);
  }
}

function read(files: Files, path: string): Promise<string> {
  return attempt(() => files.readText(path));
}

async function attempt<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new ClientFailure(STATUS, "Error: Problem setting TLS options: File not found.");
  }
}
