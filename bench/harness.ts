/**
 * Measures rows against a control row and prints a table. Rounds are interleaved: each round runs
 * every row once, in an order that rotates, so that a slow second of the machine hits all rows
 * alike. A row's ratio is the median over rounds of its time divided by the control's time in the
 * same round; that is the figure to compare between machines, the nanoseconds are not.
 *
 * @module
 */

/** One thing to measure: `run` does the work `iterations` times and returns something made by it. */
export interface Row {
  readonly name: string;
  run(iterations: number): unknown;
}

/** How often to run. Without `iterations`, as many as fill about a hundredth of a second. */
export interface CompareOptions {
  readonly control: string;
  readonly rounds?: number;
  readonly iterations?: number;
}

/** What was measured for one row: nanoseconds per operation, and the ratio to the control. */
export interface RowResult {
  readonly name: string;
  readonly medianNs: number;
  readonly minNs: number;
  readonly ratio: number;
}

/** What {@linkcode compare} measured, in the order of the rows. */
export interface Result {
  readonly title: string;
  readonly control: string;
  readonly rounds: number;
  readonly rows: readonly RowResult[];
}

const ROUND_TARGET_MS = 10;

/** Measures all rows against the control, prints the table and returns the figures. */
export function compare(title: string, rows: readonly Row[], options: CompareOptions): Result {
  const controlIndex = rows.findIndex((row) => row.name === options.control);
  if (controlIndex < 0) throw new Error(`There is no row "${options.control}" in "${title}"`);
  const rounds = options.rounds ?? 15;
  // The calibration is the warm-up too: it runs each row until the compiler has seen enough of it.
  const iterations = rows.map((row) => calibrate(row, options.iterations));
  const times = rows.map(() => new Float64Array(rounds));
  for (let round = 0; round < rounds; round++) {
    for (let step = 0; step < rows.length; step++) {
      const index = (round + step) % rows.length;
      const count = iterations[index]!;
      times[index]![round] = time(rows[index]!, count) * 1e6 / count;
    }
  }
  const control = times[controlIndex]!;
  const results = rows.map((row, index) => ({
    name: row.name,
    medianNs: median(times[index]!),
    minNs: Math.min(...times[index]!),
    ratio: median(times[index]!.map((ns, round) => ns / control[round]!)),
  }));
  const result = { title, control: options.control, rounds, rows: results };
  console.log(format(result));
  return result;
}

/** The table as text: one line per row, the control marked. */
export function format(result: Result): string {
  const lines = [["", "median ns", "min ns", "ratio"]];
  for (const row of result.rows) {
    const mark = row.name === result.control ? " (control)" : "";
    lines.push([row.name + mark, digits(row.medianNs), digits(row.minNs), row.ratio.toFixed(2)]);
  }
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  const text = lines.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ")
  );
  return [`\n${result.title} (${result.rounds} rounds)`, ...text].join("\n");
}

function calibrate(row: Row, iterations: number | undefined): number {
  if (iterations !== undefined) {
    time(row, iterations);
    time(row, iterations);
    return iterations;
  }
  let count = 1;
  for (;;) {
    const ms = time(row, count);
    if (ms >= ROUND_TARGET_MS) return Math.max(1, Math.round(count * ROUND_TARGET_MS / ms));
    count = ms < ROUND_TARGET_MS / 8 ? count * 4 : count * 2;
  }
}

function time(row: Row, iterations: number): number {
  const start = performance.now();
  const made = row.run(iterations);
  const elapsed = performance.now() - start;
  // Whoever reads the value keeps the compiler from removing the work that made it.
  if (made === NEVER) throw new Error("A row returned the harness's own marker");
  return elapsed;
}

const NEVER: unique symbol = Symbol("never");

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function digits(ns: number): string {
  return ns >= 100 ? Math.round(ns).toString() : ns.toPrecision(3);
}
