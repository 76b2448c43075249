/**
 * The files of a TLS listener, read into what a runtime is told. A file that cannot be read is an
 * error that names the option: a listener never opens with less protection than was configured.
 *
 * @module
 */

import { readSecretFile, type SecretFileOptions } from "../auth/secret_file.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { Files } from "../runtime/files.ts";
import type { PskOptions, TlsOptions } from "../runtime/tls.ts";
import type { LogType } from "../telemetry/log_line.ts";
import { ExitStatus, StartError } from "./start_error.ts";

/** What is not in files. */
export interface TlsSurroundings {
  readonly files: Files;
  /** How files are read that only their owner should be able to read. */
  readonly secrets: SecretFileOptions;
  readonly log: (type: LogType, text: string) => void;
  /** The key of a PSK identity, by the listener's files and plugins. */
  readonly keyOf: PskOptions["keyOf"];
  readonly onSecrets: TlsOptions["onSecrets"];
}

const VERSIONS = {
  "tlsv1.1": "TLSv1.1",
  "tlsv1.2": "TLSv1.2",
  "tlsv1.3": "TLSv1.3",
} as const;

/** The names that a hashed directory has for certificates and for revocation lists. */
const HASHED_CERTIFICATE = /^[0-9a-f]{8}\.\d+$/;
const HASHED_LIST = /^[0-9a-f]{8}\.r\d+$/;

/** Reads what the listener needs; `undefined` for one without TLS. */
export async function readTlsFiles(
  listener: ListenerConfig,
  surroundings: TlsSurroundings,
): Promise<TlsOptions | undefined> {
  const { tls } = listener;
  if (tls === undefined) return undefined;
  const { files, keyOf, onSecrets } = surroundings;
  const read = (path: string | undefined, kind: PemKind, what: string) =>
    path === undefined ? undefined : readPem(() => files.readText(path), kind, what);
  const certificate = await read(
    tls.certFile,
    CERTIFICATE,
    `Unable to load server certificate "${tls.certFile}". Check certfile.`,
  );
  const key = tls.keyFile === undefined ? undefined : await readKey(tls.keyFile, surroundings);
  const authorities = await read(
    tls.caFile,
    CERTIFICATE,
    `Unable to load CA certificates. Check cafile "${tls.caFile}".`,
  );
  const lists = await read(
    tls.crlFile,
    REVOCATION_LIST,
    `Unable to load certificate revocation file "${tls.crlFile}". Check crlfile.`,
  );
  const directory = tls.caPath === undefined
    ? undefined
    : await readHashedDirectory(files, tls.caPath);
  return {
    certificate,
    key,
    authorities: joined(authorities, directory?.authorities),
    revocationLists: joined(lists, directory?.lists),
    requiresCertificate: listener.requireCertificate,
    ignoresCertificateDates: tls.disableClientCertDateChecks,
    minimumVersion: VERSIONS[tls.tlsVersion],
    ciphers: tls.ciphers,
    suites: tls.ciphersTls13,
    psk: tls.pskHint === undefined ? undefined : { hint: tls.pskHint, keyOf },
    onSecrets,
  };
}

/** What a file has to hold, so that one that is empty never means that nothing is checked. */
interface PemKind {
  readonly start: RegExp;
  readonly name: string;
}

const CERTIFICATE: PemKind = { start: /^-----BEGIN CERTIFICATE-----/m, name: "certificate" };
const PRIVATE_KEY: PemKind = { start: /^-----BEGIN [A-Z ]*PRIVATE KEY-----/m, name: "private key" };
const REVOCATION_LIST: PemKind = {
  start: /^-----BEGIN X509 CRL-----/m,
  name: "certificate revocation list",
};

async function readPem(
  read: () => Promise<string>,
  { start, name }: PemKind,
  what: string,
): Promise<string> {
  const text = await readOrFail(read, what);
  if (start.test(text)) return text;
  throw new StartError(ExitStatus.FAILED, [`Error: ${what}`, `It holds no ${name}.`]);
}

function joined(...texts: readonly (string | undefined)[]): string | undefined {
  const present = texts.filter((text) => text !== undefined && text !== "");
  return present.length === 0 ? undefined : present.join("\n");
}

async function readKey(path: string, { secrets, log }: TlsSurroundings): Promise<string> {
  const what = `Unable to load server key file "${path}". Check keyfile.`;
  const { bytes, problems } = await readSecretFile(path, secrets);
  if (bytes === undefined) {
    throw new StartError(ExitStatus.FAILED, [
      `Error: ${what}`,
      ...problems.map(({ message }) => message),
    ]);
  }
  for (const { severity, message } of problems) log(severity, message);
  return await readPem(() => Promise.resolve(new TextDecoder().decode(bytes)), PRIVATE_KEY, what);
}

async function readHashedDirectory(
  files: Files,
  path: string,
): Promise<{ readonly authorities: string; readonly lists: string }> {
  const what = `Unable to load CA certificates. Check capath "${path}".`;
  const names = (await readOrFail(() => files.list(path), what)).sort();
  const readAll = async (pattern: RegExp, kind: PemKind): Promise<string> => {
    let text = "";
    for (const name of names) {
      if (!pattern.test(name)) continue;
      text += `${await readPem(() => files.readText(`${path}/${name}`), kind, what)}\n`;
    }
    return text;
  };
  const authorities = await readAll(HASHED_CERTIFICATE, CERTIFICATE);
  if (authorities === "") {
    throw new StartError(ExitStatus.FAILED, [`Error: ${what}`, "It holds no hashed certificate."]);
  }
  return { authorities, lists: await readAll(HASHED_LIST, REVOCATION_LIST) };
}

async function readOrFail<T>(read: () => Promise<T>, what: string): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof OperationError)) throw cause;
    throw new StartError(ExitStatus.FAILED, [`Error: ${what}`, `${cause.message}.`], { cause });
  }
}
