/**
 * Internet addresses between text and bytes, strictly: four plain decimal numbers, or eight groups
 * with at most one gap. No zones, no octal, no short forms, because an address that two programs
 * read differently is a way around a ban.
 *
 * @module
 */

/** The four bytes of an IPv4 address, `undefined` if the text is none. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) {
    return undefined;
  }
  const numbers = parts.map(Number);
  return numbers.every((number) => number <= 255) ? Uint8Array.from(numbers) : undefined;
}

/** The sixteen bytes of an IPv6 address, `undefined` if the text is none. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const isGapped = halves.length === 2;
  const before = groupBytes(halves[0]!, !isGapped);
  const after = isGapped ? groupBytes(halves[1]!, true) : [];
  if (before === undefined || after === undefined) return undefined;
  const missing = 16 - before.length - after.length;
  // A gap stands for one group at least.
  if (isGapped ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...before, ...new Array<number>(missing).fill(0), ...after]);
}

/** Groups of hexadecimal digits as bytes; the last of an address may be an IPv4 address. */
function groupBytes(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  if (groups.length > 8) return undefined;
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (/^[\da-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const ipv4 = isLast && index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (ipv4 === undefined) return undefined;
    bytes.push(...ipv4);
  }
  return bytes;
}

/** The text of the four bytes at a place. */
export function formatIpv4(bytes: Uint8Array, at = 0): string {
  return `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`;
}

/** The text of the sixteen bytes at a place, in the one form that everybody prints. */
export function formatIpv6(bytes: Uint8Array, at = 0): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes[at + i]! << 8 | bytes[at + i + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(bytes, at + 12)}`;
  }
  const gap = longestGap(groups);
  const text = (part: readonly number[]): string =>
    part.map((group) => group.toString(16)).join(":");
  if (gap.length < 2) return text(groups);
  return `${text(groups.slice(0, gap.start))}::${text(groups.slice(gap.start + gap.length))}`;
}

/** The longest run of zeros, the first of several. */
function longestGap(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    start = Math.max(start, end - 1);
  }
  return best;
}

/** The address of an IPv4 peer as such, where a socket for both families maps it to IPv6. */
export function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
