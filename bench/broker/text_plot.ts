/**
 * Tables and plots for a terminal, in plain text.
 *
 * @module
 */

import type { Histogram } from "./histogram.ts";

const BARS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const BAR_WIDTH = 50;
const COLUMNS_MAX = 80;

/** Columns as wide as their contents; the first is text, the others are figures. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

/** How latencies are distributed: a bar up to each 1, 2 and 5 of a power of ten. */
export function latencyPlot(latency: Histogram): string {
  const rows: [string, number][] = [];
  for (let low = 0, step = 0; low <= latency.max; step++) {
    const high = [1, 2, 5][step % 3]! * 10 ** Math.floor(step / 3);
    const count = latency.between(low, high);
    if (count > 0 || rows.length > 0) rows.push([`< ${duration(high)}`, count]);
    low = high;
  }
  const most = Math.max(1, ...rows.map(([, count]) => count));
  const labelWidth = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, count]) => {
    const bar = "█".repeat(Math.round(count / most * BAR_WIDTH));
    const part = (count / Math.max(1, latency.total) * 100).toFixed(2);
    return `  ${label.padStart(labelWidth)} ${part.padStart(6)} % ${bar}`;
  }).join("\n");
}

/** A rate over time in one line, each column as high as its part of the highest. */
export function timelinePlot(perSlice: readonly number[], sliceSeconds: number): string {
  // The last slice is rarely whole.
  const whole = perSlice.length > 1 ? perSlice.slice(0, -1) : perSlice;
  const group = Math.max(1, Math.ceil(whole.length / COLUMNS_MAX));
  const values: number[] = [];
  for (let at = 0; at + group <= whole.length; at += group) {
    const sum = whole.slice(at, at + group).reduce((total, value) => total + value, 0);
    values.push(sum / (group * sliceSeconds));
  }
  const most = Math.max(1, ...values);
  const line = values.map((value) => BARS[Math.round(value / most * (BARS.length - 1))]).join("");
  return `  ${line}  up to ${grouped(most)}/s`;
}

/** Microseconds as people say them. */
export function duration(micros: number): string {
  if (micros < 1000) return `${Math.round(micros)} µs`;
  if (micros < 1e6) return `${digits(micros / 1000)} ms`;
  return `${digits(micros / 1e6)} s`;
}

/** Bytes as people say them. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  if (bytes < 1024 ** 2) return `${digits(bytes / 1024)} KiB`;
  return `${digits(bytes / 1024 ** 2)} MiB`;
}

/** Three digits at most, without zeros at the end, or all of a whole number. */
export function digits(value: number): string {
  return value >= 100 ? Math.round(value).toString() : `${Number(value.toPrecision(3))}`;
}

/** A whole number with its thousands apart. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
