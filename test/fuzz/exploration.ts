/**
 * What whoever starts an exploration and the worker that does it say to each other.
 *
 * @module
 */

/** What the worker is asked for. */
export interface Exploration {
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  readonly inputs: readonly Uint8Array[];
  /** Two words, the number of runs and the length of the input, and the input behind them. */
  readonly memory: SharedArrayBuffer;
}

/** What the worker tells when it is done. */
export interface Discovery {
  readonly runs: number;
  readonly reached: readonly [reached: number, all: number];
  /** The smallest inputs that reach as much. */
  readonly corpus: readonly Uint8Array[];
  readonly finding: { readonly input: Uint8Array; readonly error: string } | undefined;
}

/** No input is longer. */
export const INPUT_BYTES_MAX = 1024;
