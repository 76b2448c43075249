/**
 * What signals mean to the program: to stop, to read the configuration again, to save, to print.
 * They are heard from the very start, and acted upon when the broker serves.
 *
 * The idea: reloads follow one another; of several that wait, one is enough.
 *
 * @module
 */

import type { Runtime } from "../runtime/runtime.ts";

/** What to do at signals that do not end the program. */
export interface SignalActions {
  readonly onReload: () => Promise<void>;
  readonly onSave: () => void;
  readonly onPrintTree: () => void;
}

/** The status of a program whose operator did not want to wait for its orderly end. */
const STATUS_INTERRUPTED = 1;

export class Signals {
  readonly #stopped: Promise<void>;
  #actions: SignalActions | undefined;
  #reloading: Promise<void> | undefined;
  #isReloadDue = false;

  constructor(runtime: Runtime) {
    this.#stopped = new Promise((resolve) => {
      let isStopping = false;
      const stop = (): void => {
        // A second one does not wait for the rest.
        if (isStopping) runtime.exit(STATUS_INTERRUPTED);
        isStopping = true;
        resolve();
      };
      runtime.onSignal("SIGINT", stop);
      runtime.onSignal("SIGTERM", stop);
    });
    runtime.onSignal("SIGHUP", () => this.#reload());
    runtime.onSignal("SIGUSR2", () => this.#actions?.onPrintTree());
    runtime.onSignal("SIGUSR1", () => this.#actions?.onSave());
  }

  /** Acts upon signals; resolves when the program is to stop, and no reload is under way. */
  async serve(actions: SignalActions): Promise<void> {
    this.#actions = actions;
    if (this.#isReloadDue) this.#reload();
    await this.#stopped;
    this.#actions = undefined;
    await this.#reloading;
  }

  #reload(): void {
    this.#isReloadDue = true;
    if (this.#actions === undefined) return;
    this.#reloading ??= this.#reloadAll().finally(() => this.#reloading = undefined);
  }

  async #reloadAll(): Promise<void> {
    while (this.#isReloadDue && this.#actions !== undefined) {
      this.#isReloadDue = false;
      await this.#actions.onReload();
    }
  }
}
