/**
 * The process and the machine around it, as a program needs them that takes a daemon's place.
 * A part that a runtime does not have throws an `OperationError` with code `"not-supported"`.
 *
 * @module
 */

/** A running logger of the system. */
export interface SystemLog {
  /** `priority` is the severity, 0 (emergency) to 7 (debug); the text has no line feed. */
  write(priority: number, text: string): void;
  /** Resolves when the system has what was written, or does not take it. */
  close(): Promise<void>;
}

/** Asks whoever sits at the terminal for what nobody may read over a shoulder. */
export interface SecretPrompt {
  /**
   * Shows a question and reads a line, which appears nowhere; without a terminal a line of standard
   * input, and `"ended"` when there is none. `"interrupted"` when the user would rather not.
   */
  ask(question: string): Promise<Uint8Array | "ended" | "interrupted">;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** Asks for one line after the other, as a shell does. */
export interface LineEditor {
  /** Whether somebody sees prompts, and can be asked for secrets. */
  readonly isTerminal: boolean;
  /** Shows the prompt at a terminal and reads a line; `undefined` at the end and after ^C. */
  ask(prompt: string): Promise<string | undefined>;
  close(): void;
}

/** Signals that a program may send to another one. */
export type SentSignal = "SIGHUP" | "SIGINT" | "SIGUSR2";

export interface Host {
  readonly processId: number;
  readonly hostname: string;
  /** The present environment. */
  environment(): Readonly<Record<string, string>>;
  /** The user's numeric id, `undefined` where there is no such thing. */
  userId(): number | undefined;
  groupId(): number | undefined;
  /** The ids of a user of this machine; `undefined` when there is no such user. */
  findUser(
    name: string,
  ): Promise<{ readonly userId: number; readonly groupId: number } | undefined>;
  /** Becomes another user, for good: group first, supplementary groups dropped. */
  becomeUser(userId: number, groupId: number): void;
  /** Sets the mask of new files' modes. */
  setFileMask(mask: number): void;
  /** Bytes of memory that the program's objects take, and those of the whole process. */
  memory(): { readonly heapBytes: number; readonly residentBytes: number };
  /** All addresses of a host name. */
  resolve(hostname: string): Promise<readonly string[]>;
  /** The addresses of a network interface; empty when there is none of that name. */
  interfaceAddresses(name: string): readonly string[];
  /** Starts the program again with these words, in a session of its own; gives its process id. */
  startDetached(args: readonly string[], environment: Readonly<Record<string, string>>): number;
  /** The words with which each process was started, by its id; of those that the system shows. */
  processes(): Promise<ReadonlyMap<number, readonly string[]>>;
  /** Throws with code `"not-found"` or `"permission-denied"` when it cannot be sent. */
  signalProcess(processId: number, signal: SentSignal): void;
  /** Takes the terminal over until the prompt is closed. */
  openSecretPrompt(): Promise<SecretPrompt>;
  /** `complete` gives what may stand in place of the last word of a line that has begun so. */
  openLineEditor(complete: (line: string) => readonly string[]): Promise<LineEditor>;
  /** `facility` as in syslog(3): 3 is daemon, 16 to 23 are local0 to local7. */
  openSystemLog(ident: string, facility: number): SystemLog;
  /**
   * Loads a JavaScript or TypeScript module from a file. One that has changed since is loaded anew;
   * what it imports itself is not.
   */
  importModule(path: string): Promise<unknown>;
  /** Tells a service manager about the state of the program (`READY=1`), where there is one. */
  notifyServiceManager(state: string): Promise<void>;
  /** Argon2id, off the event loop or in small steps. */
  argon2id(password: Uint8Array, options: Argon2Options): Promise<Uint8Array>;
}

export interface Argon2Options {
  readonly salt: Uint8Array;
  readonly passes: number;
  readonly memoryKib: number;
  readonly lanes: number;
  /** Bytes of the result. */
  readonly length: number;
}
