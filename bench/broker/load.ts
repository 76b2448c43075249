/**
 * Carries out a scenario of publishers and subscribers. Each payload holds the number of its
 * stream, a sequence number and an instant, by which every message is accounted for.
 *
 * Flat out is a closed loop: publishers are a bounded number of deliveries ahead of what has
 * arrived, and go on in batches when half of that is back. At a fixed rate the loop is open: each
 * message has an instant at which it is due, and its latency counts from there, whether or not the
 * generator or the broker held it up.
 *
 * @module
 */

import process from "node:process";
import { setImmediate } from "node:timers";
import type { IncomingMessage } from "../../src/core/client/incoming_message.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Histogram } from "./histogram.ts";
import { Flusher, LoadClient, type LoadObserver, type Target } from "./load_client.ts";
import type { Report } from "./report.ts";
import { type Plan, planOf, range, type Scenario } from "./scenario.ts";
import { StreamTally } from "./tally.ts";
import type { Usage } from "./process_usage.ts";

export interface LoadOptions {
  readonly target: Target;
  readonly scenario: Scenario;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Unacknowledged QoS 1 and 2 messages per publisher. */
  readonly inflightMax: number;
  /** What the broker has used so far, where that is known. */
  readonly usage: () => Usage | undefined;
}

/** Bytes of sequence number, stream number and instant. */
export const PAYLOAD_MIN = 12;

/** Deliveries that publishers are ahead of subscribers when flat out: in all, and per subscriber. */
const AHEAD_MAX = 20_000;
const AHEAD_PER_GROUP_MAX = 900;
const AHEAD_BYTES_MAX = 16 * 1024 * 1024;
/** Nothing arrived for so long: what is missing will not come. */
const STALL_MS = 500;
const DRAIN_MS = 1500;
/** Messages of one publisher in a row. */
const BATCH_MAX = 64;
/** Nearer than this a due instant is waited for without sleeping. */
const SPIN_MS = 2;
const CONNECTING_AT_ONCE = 64;
const FILTERS_PER_SUBSCRIBE = 1000;
const OTHER_FILTER_CLIENTS = 10;
const SLICE_MS = 100;
const PHASES = 16;

/** Runs a scenario to its end. Rejects when it could not be run. */
export async function runLoad(options: LoadOptions): Promise<Report> {
  const load = new Load(options);
  try {
    await load.connect();
    if (options.warmupSeconds > 0) await load.publishFor(options.warmupSeconds);
    load.beginPhase();
    await load.publishFor(options.seconds);
    return load.report();
  } finally {
    load.close();
  }
}

/** What one subscriber has got of the streams. */
interface Receiving {
  /** The first stream that it asked for; the others follow. */
  readonly first: number;
  /** Of each stream; shared by those of one group. */
  readonly tallies: readonly StreamTally[];
  /** The last number of each stream that came to this very subscriber. */
  readonly last: Int32Array;
}

class Load implements LoadObserver {
  readonly #options: LoadOptions;
  readonly #plan: Plan;
  readonly #flusher: Flusher = new Flusher();
  readonly #publishers: LoadClient[] = [];
  /** All there are, whether they have connected or not. */
  readonly #clients: LoadClient[] = [];
  /** By the subscriber's index. */
  #receiving: Receiving[] = [];
  readonly #topics: readonly Uint8Array[];
  readonly #publishOptions: readonly { readonly qos: 0 | 1 | 2 }[];
  /** How many groups get each stream. */
  readonly #fanOut: Float64Array;
  readonly #payload: Uint8Array;
  readonly #view: DataView;
  readonly #epoch: number = performance.now();
  #failure: Error | undefined;
  #phase = 0;

  // What the present phase counts.
  #sent: Float64Array;
  #published = 0;
  #expected = 0;
  #received = 0;
  /** Deliveries that do not hold up the publishers any more, though they never came. */
  #writtenOff = 0;
  #acknowledged = 0;
  #acknowledgeable = 0;
  #refused = 0;
  #foreign = 0;
  #reordered = 0;
  #latency: Histogram = new Histogram();
  #lateness: Histogram = new Histogram();
  #timeline: number[] = [];
  #startedAt = 0;
  #lastAt = 0;
  #usageBefore: Usage | undefined;
  #cpuBefore = 0;
  #turn = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { scenario } = options;
    this.#plan = planOf(scenario);
    const encoder = new TextEncoder();
    this.#topics = this.#plan.streams.map(({ topic }) => encoder.encode(topic));
    this.#publishOptions = this.#plan.streams.map(({ qos }) => ({ qos }));
    this.#fanOut = new Float64Array(this.#plan.streams.length);
    for (const { first, count } of this.#plan.groups) {
      for (let stream = first; stream < first + count; stream++) {
        this.#fanOut[stream] = this.#fanOut[stream]! + 1;
      }
    }
    this.#sent = new Float64Array(this.#plan.streams.length);
    this.#payload = new Uint8Array(Math.max(PAYLOAD_MIN, scenario.size)).fill(0x2e);
    this.#view = new DataView(this.#payload.buffer);
  }

  /** Opens all connections and makes all subscriptions. */
  async connect(): Promise<void> {
    const { scenario } = this.#options;
    const { subscribers, streams } = this.#plan;
    await this.#open(scenario.silent, "silent", () => {});
    const holders = scenario.otherFilters > 0 ? OTHER_FILTER_CLIENTS : 0;
    const filters = otherFilters(scenario.otherFilters);
    await this.#open(holders, "holder", async (client, index) => {
      const own = filters.filter((_, number) => number % holders === index);
      for (let at = 0; at < own.length; at += FILTERS_PER_SUBSCRIBE) {
        await client.subscribe(own.slice(at, at + FILTERS_PER_SUBSCRIBE), 0);
      }
    });
    await this.#open(subscribers.length, "subscriber", async (client, index) => {
      const { filters, qos } = subscribers[index]!;
      await client.subscribe(filters, qos);
    });
    await this.#open(streams.length, "publisher", (client, index) => {
      this.#publishers[index] = client;
    });
    this.beginPhase();
  }

  /** What comes from now on is counted anew. */
  beginPhase(): void {
    this.#phase = (this.#phase + 1) % PHASES;
    const { subscribers, groups, streams } = this.#plan;
    const tallies = groups.map(({ count }) => range(count).map(() => new StreamTally()));
    this.#receiving = subscribers.map(({ group }) => ({
      first: groups[group]!.first,
      tallies: tallies[group]!,
      last: new Int32Array(groups[group]!.count).fill(-1),
    }));
    this.#sent = new Float64Array(streams.length);
    this.#published =
      this.#expected =
      this.#received =
      this.#writtenOff =
        0;
    this.#acknowledged = this.#acknowledgeable = this.#refused = 0;
    this.#foreign = this.#reordered = 0;
    this.#latency = new Histogram();
    this.#lateness = new Histogram();
    this.#timeline = [];
    this.#usageBefore = this.#options.usage();
    this.#cpuBefore = ownCpuSeconds();
    this.#startedAt = this.#lastAt = performance.now();
  }

  /** Publishes for so long, then waits for what is on its way. */
  async publishFor(seconds: number): Promise<void> {
    const end = this.#startedAt + seconds * 1000;
    const { rate } = this.#options.scenario;
    if (rate > 0) await this.#publishAtRate(rate, end);
    else await this.#publishFlatOut(end);
    await this.#drain();
  }

  report(): Report {
    const { scenario } = this.#options;
    const usage = this.#options.usage();
    const before = this.#usageBefore;
    const elapsed = (this.#lastAt - this.#startedAt) / 1000;
    const qosOfAll = this.#plan.streams.map(({ qos }) => qos);
    let duplicates = 0;
    for (const tally of this.#allTallies()) duplicates += tally.duplicates;
    return {
      scenario: scenario.name,
      seconds: scenario.rate > 0 ? Math.max(elapsed, this.#options.seconds) : elapsed,
      published: this.#published,
      expected: this.#expected,
      received: this.#received,
      duplicates,
      reordered: this.#reordered,
      foreign: this.#foreign,
      unacknowledged: this.#acknowledgeable - this.#acknowledged,
      refused: this.#refused,
      latency: this.#latency,
      lateness: this.#lateness,
      timeline: this.#timeline,
      unit: "message",
      hasRate: scenario.rate > 0,
      mayLose: qosOfAll.includes(0),
      mayDuplicate: qosOfAll.includes(1),
      ...usage === undefined || before === undefined ? {} : {
        brokerCpuSeconds: usage.cpuSeconds - before.cpuSeconds,
        brokerResidentBytes: usage.residentBytes,
      },
      generatorCpuSeconds: ownCpuSeconds() - this.#cpuBefore,
    };
  }

  close(): void {
    for (const client of this.#clients) client.abort();
  }

  onMessage(client: LoadClient, message: IncomingMessage): void {
    const { bytes, payloadStart, payloadEnd } = message;
    const now = client.heardAt;
    if (payloadEnd - payloadStart < PAYLOAD_MIN) {
      this.#foreign++;
      return;
    }
    const word = readU32(bytes, payloadStart + 4);
    // A straggler of the phase before.
    if (word >>> 28 !== this.#phase) return;
    const { first, tallies, last } = this.#receiving[client.index]!;
    const stream = (word & 0x0fff_ffff) - first;
    const tally = tallies[stream];
    if (tally === undefined) {
      this.#foreign++;
      return;
    }
    const sequence = readU32(bytes, payloadStart);
    if (tally.add(sequence) === "duplicate") return;
    this.#received++;
    // What the members of a group get differs, but each gets it in order [MQTT-4.6.0-6].
    if (sequence < last[stream]!) this.#reordered++;
    else last[stream] = sequence;
    const sentAt = readU32(bytes, payloadStart + 8);
    this.#latency.add((now - this.#epoch) * 1000 - sentAt);
    this.#lastAt = now;
    const slice = Math.floor((now - this.#startedAt) / SLICE_MS);
    while (this.#timeline.length <= slice) this.#timeline.push(0);
    this.#timeline[slice] = this.#timeline[slice]! + 1;
  }

  onPublished(_client: LoadClient, reasonCode: number): void {
    this.#acknowledged++;
    this.#lastAt = performance.now();
    if (reasonCode >= ReasonCode.UNSPECIFIED_ERROR) this.#refused++;
  }

  onUnsubscribed(): void {}

  onFailure(error: Error): void {
    this.#failure ??= error;
  }

  async #open(
    count: number,
    role: string,
    onOpened: (client: LoadClient, index: number) => unknown,
  ): Promise<void> {
    const { target, inflightMax } = this.#options;
    const prefix = `bench-${role}-${Math.random().toString(36).slice(2, 8)}`;
    const clients = range(count).map((index) =>
      new LoadClient({
        target,
        clientId: `${prefix}-${index}`,
        observer: this,
        flusher: this.#flusher,
        inflightMax,
        index,
      })
    );
    for (const client of clients) this.#clients.push(client);
    const waiting = clients.entries();
    const lane = async (): Promise<void> => {
      for (const [index, client] of waiting) {
        await client.connect();
        await onOpened(client, index);
      }
    };
    await Promise.all(range(CONNECTING_AT_ONCE).map(lane));
  }

  async #publishFlatOut(end: number): Promise<void> {
    const { size } = this.#options.scenario;
    const streams = this.#publishers.length;
    const most = Math.max(...this.#fanOut);
    const ahead = Math.min(
      AHEAD_MAX,
      AHEAD_PER_GROUP_MAX * this.#plan.groups.length,
      AHEAD_BYTES_MAX / Math.max(1, size),
    );
    const aheadMax = Math.max(ahead, 2 * most);
    let lastReceived = 0;
    let lastProgressAt = performance.now();
    while (performance.now() < end) {
      this.#check();
      const outstanding = this.#expected - this.#received - this.#writtenOff;
      if (outstanding <= aheadMax / 2) {
        let room = aheadMax - outstanding;
        for (let tried = 0; tried < streams && room > 0; tried++) {
          const stream = this.#turn++ % streams;
          const batch = Math.max(1, Math.min(BATCH_MAX, Math.ceil(room / this.#fanOut[stream]!)));
          room -= this.#publishBatch(stream, batch) * this.#fanOut[stream]!;
        }
      }
      const now = performance.now();
      if (this.#received !== lastReceived) {
        lastReceived = this.#received;
        lastProgressAt = now;
      } else if (now - lastProgressAt > STALL_MS) {
        this.#writtenOff = this.#expected - this.#received;
        lastProgressAt = now;
      }
      await nextTurn();
    }
  }

  /** Publishes up to so many messages of a stream; returns how many the client took. */
  #publishBatch(stream: number, count: number): number {
    const client = this.#publishers[stream]!;
    const now = performance.now();
    let done = 0;
    while (done < count && !client.isHeldUp && this.#publish(stream, now)) done++;
    if (done > 0) client.changed();
    return done;
  }

  async #publishAtRate(rate: number, end: number): Promise<void> {
    const streams = this.#publishers.length;
    const interval = 1000 / rate;
    const start = this.#startedAt;
    /** Streams whose next message could not be sent when it was due. */
    const heldUp = new Set<number>();
    const sendDue = (stream: number, until: number): boolean => {
      const client = this.#publishers[stream]!;
      let isComplete = true;
      for (;;) {
        const dueAt = start + (this.#sent[stream]! * streams + stream) * interval;
        if (dueAt > until || dueAt >= end) break;
        if (client.isHeldUp || !this.#publish(stream, dueAt)) {
          isComplete = false;
          break;
        }
        this.#lateness.add((performance.now() - dueAt) * 1000);
      }
      client.changed();
      return isComplete;
    };
    for (let next = 0;;) {
      this.#check();
      const now = performance.now();
      for (const stream of heldUp) if (sendDue(stream, now)) heldUp.delete(stream);
      for (; start + next * interval <= now && start + next * interval < end; next++) {
        const stream = next % streams;
        if (!heldUp.has(stream) && !sendDue(stream, now)) heldUp.add(stream);
      }
      if (now >= end && (heldUp.size === 0 || now > end + DRAIN_MS)) return;
      this.#flusher.flush();
      const wait = Math.min(end, start + next * interval) - performance.now();
      if (wait > SPIN_MS && heldUp.size === 0) await sleep(wait - SPIN_MS);
      else await nextTurn();
    }
  }

  /** Publishes the next message of a stream; `false` when it has to wait. */
  #publish(stream: number, stampedAt: number): boolean {
    const sequence = this.#sent[stream]!;
    const view = this.#view;
    view.setUint32(0, sequence);
    view.setUint32(4, (this.#phase << 28 | stream) >>> 0);
    view.setUint32(8, (stampedAt - this.#epoch) * 1000 >>> 0);
    const options = this.#publishOptions[stream]!;
    const { engine } = this.#publishers[stream]!;
    if (engine.publish(this.#topics[stream]!, this.#payload, options, stampedAt) < 0) return false;
    this.#sent[stream] = sequence + 1;
    this.#published++;
    this.#expected += this.#fanOut[stream]!;
    if (options.qos > 0) this.#acknowledgeable++;
    return true;
  }

  /** Waits until all has arrived, or nothing comes any more. */
  async #drain(): Promise<void> {
    let seen = -1;
    let since = performance.now();
    while (this.#received < this.#expected || this.#acknowledged < this.#acknowledgeable) {
      this.#check();
      const progress = this.#received + this.#acknowledged;
      const now = performance.now();
      if (progress !== seen) {
        seen = progress;
        since = now;
      } else if (now - since > DRAIN_MS) {
        return;
      }
      await sleep(1);
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Each once, also where several subscribers share it. */
  #allTallies(): Set<StreamTally> {
    const found = new Set<StreamTally>();
    for (const { tallies } of this.#receiving) {
      for (const tally of tallies) found.add(tally);
    }
    return found;
  }
}

/** Filters of devices that nobody publishes to, a third of them with each wildcard. */
function otherFilters(count: number): string[] {
  return range(count).map((index) => {
    const device = `other/site-${index % 100}/device-${index}`;
    return index % 3 === 0 ? `${device}/#` : index % 3 === 1 ? `${device}/+/state` : `+/${device}`;
  });
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
