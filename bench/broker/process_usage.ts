/**
 * What a process has cost: CPU time and memory, as Linux counts them, of a process and of all that
 * it started. Elsewhere nothing is known, and the columns stay empty.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";

/** Seconds of CPU time and bytes of memory. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Clock ticks per second in /proc, the same on every Linux that users see. */
const TICKS = 100;

interface Entry {
  readonly parent: number;
  readonly ticks: number;
}

/** What a process and its descendants have used; `undefined` where that cannot be known. */
export function usageOf(pid: number): Usage | undefined {
  const entries = readAll();
  if (!entries.has(pid)) return undefined;
  let ticks = 0;
  let residentBytes = 0;
  for (const member of familyOf(pid, entries)) {
    ticks += entries.get(member)!.ticks;
    residentBytes += residentOf(member);
  }
  return { cpuSeconds: ticks / TICKS, residentBytes };
}

function readAll(): Map<number, Entry> {
  const entries = new Map<number, Entry>();
  for (const name of list("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    // The name, in parentheses, may hold anything; what follows it does not.
    const fields = read(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ");
    if (fields === undefined || fields[0] === "Z") continue;
    entries.set(pid, { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
  }
  return entries;
}

function familyOf(pid: number, entries: ReadonlyMap<number, Entry>): Set<number> {
  const family = new Set([pid]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const [member, { parent }] of entries) if (family.has(parent)) family.add(member);
  }
  return family;
}

function residentOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // A process that has ended has no such file any more.
    return undefined;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
