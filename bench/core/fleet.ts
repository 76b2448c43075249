/**
 * The filters and topics of a device fleet, for the benchmarks of tries and routes. Each device brings
 * five filters: two exact ones of its own, everything below it, a person who follows it from site to
 * site, and a pool of workers that shares it. Above them a few per site and for the whole fleet. So
 * two filters of five are exact, and a topic matches about six.
 *
 * @module
 */

/** Filters without `$share/<name>/`, as a trie stores them, and topics of random devices. */
export interface Fleet {
  readonly filters: readonly string[];
  readonly topics: readonly string[];
  readonly topicBytes: readonly Uint8Array[];
  /** A filter of a device that is not in the fleet. */
  strangerFilter(number: number): string;
}

const FILTERS_PER_DEVICE = 5;
const DEVICES_PER_SITE = 100;

/** Makes a fleet of about `filterCount` filters; the same one each time. */
export function makeFleet(filterCount: number, topicCount: number): Fleet {
  const deviceCount = Math.floor(filterCount / FILTERS_PER_DEVICE);
  const filters: string[] = ["fleet/#"];
  for (let site = 0; site * DEVICES_PER_SITE < deviceCount; site++) {
    filters.push(`fleet/site-${site}/+/cmd`, `fleet/site-${site}/+/config`);
  }
  for (let number = 0; number < deviceCount; number++) {
    for (const filter of filtersOf(number)) filters.push(filter);
  }
  shuffle(filters);
  const random = makeRandom(2);
  const topics: string[] = [];
  for (let i = 0; i < topicCount; i++) {
    const number = random(deviceCount);
    topics.push(`fleet/${siteOf(number)}/device-${number}/${random(2) === 0 ? "cmd" : "config"}`);
  }
  const encoder = new TextEncoder();
  const strangerFilter = (number: number): string => filtersOf(deviceCount + number)[number % 5]!;
  return {
    filters,
    topics,
    topicBytes: topics.map((topic) => encoder.encode(topic)),
    strangerFilter,
  };
}

/** The worst fleet for sharing of levels: every filter is exact and has a device of its own. */
export function makeLonelyFilters(filterCount: number): string[] {
  return Array.from(
    { length: filterCount },
    (_, number) => `fleet/${siteOf(number)}/device-${number}/cmd`,
  );
}

function siteOf(number: number): string {
  return `site-${Math.floor(number / DEVICES_PER_SITE)}`;
}

function filtersOf(number: number): string[] {
  const device = `device-${number}`;
  return [
    `fleet/${siteOf(number)}/${device}/cmd`,
    `fleet/${siteOf(number)}/${device}/config`,
    `fleet/${siteOf(number)}/${device}/#`,
    `fleet/+/${device}/+`,
    `fleet/+/${device}/#`,
  ];
}

/** Clients arrive in no order. */
function shuffle(items: string[]): void {
  const random = makeRandom(1);
  for (let i = items.length - 1; i > 0; i--) {
    const other = random(i + 1);
    const item = items[i]!;
    items[i] = items[other]!;
    items[other] = item;
  }
}

function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 0x100000000 * below);
  };
}
