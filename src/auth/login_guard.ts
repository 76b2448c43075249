/**
 * Limits of our own for strangers, off unless configured: how many connections an address may make
 * in a while, and how many logins of its may fail before it is turned away for a time. It has no
 * clock: the present instant is handed in, in milliseconds that never jump.
 *
 * What it says is made for other programs to read, fail2ban for one. When an address is banned, and
 * when one is first turned away for its rate, a line each, which begin the same way for ever:
 *
 *     Client <address> banned for <seconds> seconds after <count> failed logins.
 *     Client connection from <address> denied: connection rate exceeded.
 *
 * IPv6 addresses count by their first 64 bits, which is what one customer has; IPv4 addresses are
 * the same in either notation. What is no address, such as a Unix socket's path, is never limited.
 *
 * @module
 */

/** So many in so many seconds. */
export interface GuardRate {
  readonly count: number;
  readonly seconds: number;
}

export interface LoginGuardOptions {
  /** Connections of one address; `undefined`: no limit. */
  readonly connects: GuardRate | undefined;
  /** Failed logins of one address, upon which it is banned; `undefined`: no limit. */
  readonly loginFailures: GuardRate | undefined;
  readonly banSeconds: number;
  /** Told each line of the log. */
  readonly onLine: (line: string) => void;
  /** Addresses to remember, for each purpose; the one that came first is forgotten. */
  readonly addressesMax?: number;
}

const ADDRESSES_MAX = 65_536;

export class LoginGuard {
  readonly #options: LoginGuardOptions;
  readonly #connects: Tally;
  readonly #failures: Tally;
  /** Until when. Oldest first, because all bans are of one length. */
  readonly #bans: Map<string, number> = new Map();
  readonly #addressesMax: number;

  constructor(options: LoginGuardOptions) {
    this.#options = options;
    this.#addressesMax = options.addressesMax ?? ADDRESSES_MAX;
    this.#connects = new Tally(this.#addressesMax);
    this.#failures = new Tally(this.#addressesMax);
  }

  /** Counts a connection; `false` when it is not to be accepted. */
  mayConnect(address: string, now: number): boolean {
    const { connects, onLine } = this.#options;
    const key = guardedAddress(address);
    if (key === undefined) return true;
    if (this.#isKeyBanned(key, now)) return false;
    if (connects === undefined) return true;
    const count = this.#connects.add(key, connects.seconds, now);
    if (count === connects.count + 1) {
      onLine(`Client connection from ${address} denied: connection rate exceeded.`);
    }
    return count <= connects.count;
  }

  /** Counts a login that was refused. */
  failed(address: string, now: number): void {
    const { loginFailures, banSeconds, onLine } = this.#options;
    const key = guardedAddress(address);
    if (key === undefined || loginFailures === undefined) return;
    if (this.#isKeyBanned(key, now)) return;
    const count = this.#failures.add(key, loginFailures.seconds, now);
    if (count < loginFailures.count) return;
    this.#failures.forget(key);
    forgetFirst(this.#bans, this.#addressesMax);
    this.#bans.set(key, now + banSeconds * 1000);
    onLine(`Client ${address} banned for ${banSeconds} seconds after ${count} failed logins.`);
  }

  /** Whether an address is turned away for the logins that failed. */
  isBanned(address: string, now: number): boolean {
    const key = guardedAddress(address);
    return key !== undefined && this.#isKeyBanned(key, now);
  }

  #isKeyBanned(key: string, now: number): boolean {
    const until = this.#bans.get(key);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#bans.delete(key);
    return false;
  }
}

interface Window {
  since: number;
  count: number;
}

/** Counts by address, in windows that begin with the first count. */
class Tally {
  readonly #windows: Map<string, Window> = new Map();
  readonly #addressesMax: number;

  constructor(addressesMax: number) {
    this.#addressesMax = addressesMax;
  }

  /** The count within the present window, this one included. */
  add(key: string, seconds: number, now: number): number {
    const window = this.#windows.get(key);
    if (window !== undefined && now - window.since < seconds * 1000) return ++window.count;
    // Moves to the end of the order in which addresses are forgotten.
    this.#windows.delete(key);
    forgetFirst(this.#windows, this.#addressesMax);
    this.#windows.set(key, { since: now, count: 1 });
    return 1;
  }

  forget(key: string): void {
    this.#windows.delete(key);
  }
}

/** Makes room for one more. */
function forgetFirst(map: Map<string, unknown>, sizeMax: number): void {
  if (map.size < sizeMax) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

/** What counts as one address; `undefined` for what is none. */
export function guardedAddress(address: string): string | undefined {
  if (isIpv4(address)) return address;
  const groups = groupsOf(address.split("%")[0]!);
  if (groups === undefined) return undefined;
  const [g0, g1, g2, g3, g4, g5, g6, g7] = groups.map((group) => Number.parseInt(group, 16));
  // An IPv4 address in the clothes of the other kind.
  if (!g0 && !g1 && !g2 && !g3 && !g4 && g5 === 0xffff) {
    return `${g6! >> 8}.${g6! & 255}.${g7! >> 8}.${g7! & 255}`;
  }
  return [g0, g1, g2, g3].map((group) => group!.toString(16)).join(":") + "::/64";
}

function isIpv4(text: string): boolean {
  return /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text);
}

/** The eight groups of an IPv6 address; `undefined` when it is none. */
function groupsOf(address: string): string[] | undefined {
  const lastColon = address.lastIndexOf(":");
  const tail = address.slice(lastColon + 1);
  let text = address;
  if (isIpv4(tail)) {
    const [a, b, c, d] = tail.split(".").map(Number);
    text = address.slice(0, lastColon + 1) +
      `${(a! << 8 | b!).toString(16)}:${(c! << 8 | d!).toString(16)}`;
  }
  const [front = "", back, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = front === "" ? [] : front.split(":");
  const after = back === undefined || back === "" ? [] : back.split(":");
  const missing = 8 - before.length - after.length;
  if (back === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<string>(missing).fill("0"), ...after];
  return groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) ? groups : undefined;
}
