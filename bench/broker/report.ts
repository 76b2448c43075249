/**
 * What a run has measured, whichever kind of run it was, and the violations that follow from it.
 *
 * @module
 */

import type { Histogram } from "./histogram.ts";

export interface Report {
  readonly scenario: string;
  readonly seconds: number;
  readonly published: number;
  readonly expected: number;
  readonly received: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Messages that their receiver had not asked for, or that nobody sent. */
  readonly foreign: number;
  /** QoS 1 and 2 messages without a last acknowledgement. */
  readonly unacknowledged: number;
  readonly refused: number;
  /** Microseconds from when a message was due, or sent when flat out, to its arrival. */
  readonly latency: Histogram;
  /** Microseconds from when a message was due to when it was sent, at a fixed rate. */
  readonly lateness: Histogram;
  /** Operations in each tenth of a second. */
  readonly timeline: readonly number[];
  /** What an operation is: a message delivered, or a connection accepted. */
  readonly unit: "message" | "connection";
  /** Whether the rate was given, so that latencies mean something. */
  readonly hasRate: boolean;
  /** QoS 1 and 2 promise that nothing is lost. */
  readonly mayLose: boolean;
  /** QoS 1 may deliver twice. */
  readonly mayDuplicate: boolean;
  readonly brokerCpuSeconds?: number;
  readonly brokerResidentBytes?: number;
  /** Memory that each connection took beyond the empty process. */
  readonly bytesPerConnection?: number;
  readonly generatorCpuSeconds: number;
}

/** What was asked for and did not arrive. */
export function lostOf({ expected, received }: Report): number {
  return Math.max(0, expected - received);
}

/** Operations per second. */
export function rateOf({ received, seconds }: Report): number {
  return seconds > 0 ? received / seconds : 0;
}

/** The broker's CPU microseconds per operation, where they are known. */
export function brokerCpuOf({ brokerCpuSeconds, received }: Report): number | undefined {
  return brokerCpuSeconds === undefined || received === 0
    ? undefined
    : brokerCpuSeconds * 1e6 / received;
}

/** Which guarantees the broker broke, as sentences; a loss that QoS 0 allows is not among them. */
export function violationsOf(report: Report): string[] {
  const { duplicates, reordered, foreign, unacknowledged, refused, mayDuplicate } = report;
  const lost = lostOf(report);
  const found: string[] = [];
  if (lost > 0 && !report.mayLose) found.push(`${lost} messages were lost`);
  if (duplicates > 0 && !mayDuplicate) found.push(`${duplicates} messages came twice`);
  if (reordered > 0) found.push(`${reordered} messages came out of order`);
  if (foreign > 0) found.push(`${foreign} messages came to the wrong subscriber`);
  if (unacknowledged > 0) found.push(`${unacknowledged} messages were never acknowledged`);
  if (refused > 0) found.push(`${refused} messages were refused`);
  return found;
}
