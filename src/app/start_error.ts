/**
 * Why the program could not start, or could not go on after a reload: what to log, and the exit
 * status that scripts around Mosquitto know.
 *
 * @module
 */

/** The exit statuses of the program. */
export const ExitStatus = Object.freeze({
  OK: 0,
  /** A listener, or what it needs, could not be opened. */
  FAILED: 1,
  /** The command line, the configuration or the content of a file it names is wrong. */
  INVALID: 3,
  /** A password, access or key file, or a plugin, could not be opened. */
  UNREADABLE: 13,
  /** The system refused something. */
  SYSTEM: 14,
});

export type ExitStatus = typeof ExitStatus[keyof typeof ExitStatus];

/** Ends a start or a reload. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly status: ExitStatus;
  /** What to log, in order. */
  readonly lines: readonly string[];

  constructor(status: ExitStatus, lines: readonly string[], options?: ErrorOptions) {
    super(lines.join("\n"), options);
    this.status = status;
    this.lines = lines;
  }
}
