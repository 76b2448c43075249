// The event queue of a simulated world: what is to happen, at which virtual instant, in an order
// that never varies. It also stands in for the platform's timers, which belong to the broker's
// process: when that is killed, they are gone.

/** Something that is to happen. */
export interface Planned {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** What the broker's process has planned; it ends with it. */
interface ProcessTimer {
  readonly planned: Planned;
  readonly process: number;
}

/** What the wall clock is ahead of ours; any number will do. */
const EPOCH = 1_700_000_000_000;

export class Scheduler {
  now = 1_000_000;
  /** How wrong somebody has set the wall clock. */
  wallError = 0;
  /** What the clock of the broker's process is ahead of ours. */
  processAhead = 0;
  /** How many things have happened. */
  step = 0;
  readonly #heap: Planned[] = [];
  #order = 0;
  #process = 0;
  readonly #timers: Set<ProcessTimer> = new Set();

  /** The clock of the broker's process, which runs as ours does and begins anywhere. */
  get processNow(): number {
    return this.now + this.processAhead;
  }

  /** The time, which no process of the broker's need know. */
  get time(): number {
    return EPOCH + this.now;
  }

  /** What the machine takes for it. */
  get wallClock(): number {
    return this.time + this.wallError;
  }

  /** The timers that the broker's process has set and that have not rung. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** Has something happen after so many milliseconds. */
  after(ms: number, run: () => void): Planned {
    const planned = { at: this.now + ms, order: this.#order++, run, isCancelled: false };
    this.#push(planned);
    return planned;
  }

  /** Likewise, unless the broker's process is killed before. */
  afterInProcess(ms: number, run: () => void): ProcessTimer {
    const process = this.#process;
    const planned = this.after(ms, () => {
      this.#timers.delete(timer);
      if (process === this.#process) run();
    });
    const timer = { planned, process };
    this.#timers.add(timer);
    return timer;
  }

  /** The broker's process is no more. */
  killProcess(): void {
    this.#process++;
    for (const { planned } of this.#timers) planned.isCancelled = true;
    this.#timers.clear();
  }

  /** The clock goes on by itself: whatever was due meanwhile is late. */
  jump(ms: number): void {
    this.now += ms;
  }

  /** Does what comes next, if that is before an instant; whether there was anything. */
  runNext(before: number): boolean {
    const planned = this.#pop(before);
    if (planned === undefined) return false;
    this.now = Math.max(this.now, planned.at);
    this.step++;
    planned.run();
    return true;
  }

  /** Puts these timers in the place of the platform's; call the result to put those back. */
  install(): () => void {
    const { setTimeout, clearTimeout } = globalThis;
    const set = (ring: () => void, ms = 0): ProcessTimer => this.afterInProcess(ms, ring);
    const clear = (timer: ProcessTimer | undefined): void => {
      if (timer === undefined) return;
      timer.planned.isCancelled = true;
      this.#timers.delete(timer);
    };
    // As far as our sources use them.
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = clear as unknown as typeof clearTimeout;
    return () => {
      globalThis.setTimeout = setTimeout;
      globalThis.clearTimeout = clearTimeout;
    };
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(planned);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isSooner(heap[parent]!, planned)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = planned;
  }

  #pop(before: number): Planned | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > before) return undefined;
      this.#removeFirst();
      if (!first.isCancelled) return first;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isSooner(heap[child + 1]!, heap[child]!)) child++;
      if (isSooner(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isSooner(a: Planned, b: Planned): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
