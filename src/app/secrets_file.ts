/**
 * The file that `--tls-keylog` names: the secrets of TLS connections, with which recorded traffic
 * can be read.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { AppendedFile, Files } from "../runtime/files.ts";
import type { LogType } from "../telemetry/log_line.ts";
import { ExitStatus, StartError } from "./start_error.ts";

/** Opens it, and says loudly that it is open. */
export async function openSecretsFile(
  files: Files,
  path: string,
  log: (type: LogType, text: string) => void,
): Promise<AppendedFile> {
  try {
    // Whoever may place a link would decide what the secrets are appended to.
    if ((await files.info(path))?.isLink) {
      throw new OperationError("permission-denied", `"${path}" is a symbolic link`);
    }
    const file = files.openAppended(path);
    log("notice", `Notice: TLS key logging is enabled, to ${path}.`);
    log("notice", "Notice: TLS key logging is for debugging only.");
    return file;
  } catch (cause) {
    if (!(cause instanceof OperationError)) throw cause;
    const text = `Error: Unable to open TLS key log file "${path}": ${cause.message}.`;
    throw new StartError(ExitStatus.FAILED, [text], { cause });
  }
}
