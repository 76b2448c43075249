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
  const read = (path: string | undefined, what: string): Promise<string> =>
    path === undefined ? Promise.resolve("") : readOrFail(() => files.readText(path), what);
  const certificate = await read(
    tls.certFile,
    `Unable to load server certificate "${tls.certFile}". Check certfile.`,
  );
  const key = tls.keyFile === undefined ? "" : await readKey(tls.keyFile, surroundings);
  const authorities = await read(
    tls.caFile,
    `Unable to load CA certificates. Check cafile "${tls.caFile}".`,
  );
  const lists = await read(
    tls.crlFile,
    `Unable to load certificate revocation file "${tls.crlFile}". Check crlfile.`,
  );
  const directory = tls.caPath === undefined
    ? { authorities: "", lists: "" }
    : await readHashedDirectory(files, tls.caPath);
  return {
    certificate: certificate || undefined,
    key: key || undefined,
    authorities: `${authorities}${directory.authorities}` || undefined,
    revocationLists: `${lists}${directory.lists}` || undefined,
    requiresCertificate: listener.requireCertificate,
    ignoresCertificateDates: tls.disableClientCertDateChecks,
    minimumVersion: VERSIONS[tls.tlsVersion],
    ciphers: tls.ciphers,
    suites: tls.ciphersTls13,
    psk: tls.pskHint === undefined ? undefined : { hint: tls.pskHint, keyOf },
    onSecrets,
  };
}

async function readKey(path: string, { secrets, log }: TlsSurroundings): Promise<string> {
  const { bytes, problems } = await readSecretFile(path, secrets);
  if (bytes === undefined) {
    throw new StartError(ExitStatus.FAILED, [
      `Error: Unable to load server key file "${path}". Check keyfile.`,
      ...problems.map(({ message }) => message),
    ]);
  }
  for (const { severity, message } of problems) log(severity, message);
  return new TextDecoder().decode(bytes);
}

async function readHashedDirectory(
  files: Files,
  path: string,
): Promise<{ readonly authorities: string; readonly lists: string }> {
  const what = `Unable to load CA certificates. Check capath "${path}".`;
  const names = (await readOrFail(() => files.list(path), what)).sort();
  const readAll = async (pattern: RegExp): Promise<string> => {
    let text = "";
    for (const name of names) {
      if (pattern.test(name)) {
        text += `${await readOrFail(
          () => files.readText(`${path}/${name}`),
          what,
        )}\n`;
      }
    }
    return text;
  };
  const authorities = await readAll(HASHED_CERTIFICATE);
  if (authorities === "") {
    throw new StartError(ExitStatus.FAILED, [`Error: ${what}`, "It holds no hashed certificate."]);
  }
  return { authorities, lists: await readAll(HASHED_LIST) };
}

async function readOrFail<T>(read: () => Promise<T>, what: string): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof OperationError)) throw cause;
    throw new StartError(ExitStatus.FAILED, [`Error: ${what}`, `${cause.message}.`], { cause });
  }
}
