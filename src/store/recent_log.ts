/**
 * The log of a store: every batch appends one row to it, in place of rows of tables for each of its
 * deliveries. Memory knows what the log comes to (`recent_deliveries.ts`); the log itself is read
 * only at a start, or when a batch was undone and memory is ahead of it.
 *
 * It stays short in two ways. Sessions that still have a delivery after many others have begun are
 * moved to the tables, a few at a time, so that nobody waits long. And when most of the log is
 * about what is over, it is written anew.
 *
 * @module
 */

import type { QoS } from "../core/codec/protocol.ts";
import { LogEncoder, type MessageRows, replayLog } from "./log_codec.ts";
import { bytesOf, RecentDeliveries, type RecentDelivery } from "./recent_deliveries.ts";
import type { SqlDatabase, SqlStatement } from "./sql_database.ts";
import type { StoreClock } from "./store_clock.ts";

/** A delivery is moved to the tables once so many have begun after it. */
const RECENT_MAX = 32 * 1024;
/** Or when all of them take up more than this. */
const RECENT_BYTES_MAX = 16 * 1024 * 1024;
/** So many are moved at a time: more are cheaper, because their rows are neighbours, and slower. */
const MOVED_MIN = 1024;
/** A row of the log is not much longer. */
const ROW_BYTES = 1024 * 1024;
/** The log is written anew when it is longer than this, and than what is left of it by a factor. */
const LOG_BYTES_MIN = 4 * 1024 * 1024;
const LOG_FACTOR = 3;

export class RecentLog {
  /** What is in the log; right while `recall` has nothing to do. */
  readonly recent = new RecentDeliveries();
  readonly #clock: StoreClock;
  readonly #messageRows: MessageRows;
  readonly #encoder: LogEncoder;
  readonly #rows: SqlStatement;
  readonly #append: SqlStatement;
  readonly #clear: SqlStatement;
  /** Memory may not be what the log says. */
  #isStale = true;
  #bytes = 0;
  #bytesMax = LOG_BYTES_MIN;
  #begunBefore = 0;

  constructor(database: SqlDatabase, clock: StoreClock, messageRows: MessageRows) {
    this.#clock = clock;
    this.#messageRows = messageRows;
    this.#encoder = new LogEncoder(clock, messageRows);
    this.#rows = database.prepare("SELECT records FROM recent ORDER BY number");
    this.#append = database.prepare("INSERT INTO recent (records) VALUES (?)");
    this.#clear = database.prepare("DELETE FROM recent");
  }

  /** Sees that memory is what the log says. */
  recall(): void {
    if (!this.#isStale) return;
    this.recent.clear();
    this.#bytes = 0;
    for (const [records] of this.#rows.iterate()) {
      const bytes = records as Uint8Array;
      replayLog(bytes, this.#clock, this.#messageRows, this.recent);
      this.#bytes += bytes.length;
    }
    this.#isStale = false;
  }

  /** A batch begins. Until it is settled nobody knows what becomes of it. */
  begin(): void {
    this.recall();
    this.#isStale = true;
    this.#encoder.clear();
    this.#begunBefore = this.recent.begun;
  }

  /** The batch is committed. */
  settle(): void {
    this.#isStale = false;
  }

  add(delivery: RecentDelivery): void {
    this.recent.add(delivery);
    this.#encoder.delivery(delivery);
    this.#cut();
  }

  /** These tell whether the log knows what they are about; if not, nothing happens. */
  send(session: number, sequence: number, packetId: number, qos: QoS, place: number): boolean {
    if (!this.recent.send(session, sequence, packetId, qos, place)) return false;
    this.#encoder.sent(session, sequence, packetId, qos, place);
    return true;
  }

  receive(session: number, packetId: number): boolean {
    if (!this.recent.receive(session, packetId)) return false;
    this.#encoder.received(session, packetId);
    return true;
  }

  finish(session: number, packetId: number): boolean {
    if (!this.recent.finish(session, packetId)) return false;
    this.#encoder.finished(session, packetId);
    return true;
  }

  drop(session: number, sequence: number): boolean {
    if (!this.recent.drop(session, sequence)) return false;
    this.#encoder.dropped(session, sequence);
    return true;
  }

  hold(session: number, packetId: number): void {
    this.recent.hold(session, packetId);
    this.#encoder.held(session, packetId);
  }

  release(session: number, packetId: number): void {
    if (this.recent.release(session, packetId)) this.#encoder.released(session, packetId);
  }

  /** A session is no more, and its number may be given to another one. */
  forget(session: number): void {
    this.recent.forget(session);
    this.#encoder.forgotten(session);
  }

  /** A delivery is in the tables. */
  store(delivery: RecentDelivery): void {
    this.recent.take(delivery);
    this.#encoder.stored(delivery);
  }

  /** Those that are to be moved to the tables with this batch, session by session. */
  outgrown(): Set<RecentDelivery> {
    const { recent } = this;
    const count = Math.max(MOVED_MIN, 2 * (recent.begun - this.#begunBefore));
    const oldest = recent.begun - RECENT_MAX;
    const moved: Set<RecentDelivery> = new Set();
    let bytes = recent.bytes;
    for (const delivery of recent.all()) {
      const isOutgrown = delivery.number < oldest || bytes > RECENT_BYTES_MAX;
      if (!isOutgrown || moved.size >= count) break;
      if (moved.has(delivery)) continue;
      for (const one of [delivery, ...recent.waiting(delivery.session)]) {
        if (moved.size >= count) break;
        moved.add(one);
        bytes -= bytesOf(one);
      }
    }
    return moved;
  }

  /** The batch is complete. */
  end(): void {
    if (this.#bytes + this.#encoder.length > this.#bytesMax) this.#rewrite();
    else this.#flush();
  }

  /** All of it is in the tables. */
  empty(): void {
    this.recent.clear();
    this.#encoder.clear();
    this.#clear.run();
    this.#bytes = 0;
    this.#bytesMax = LOG_BYTES_MIN;
  }

  /** Leaves what is over out. */
  #rewrite(): void {
    this.#clear.run();
    this.#encoder.clear();
    this.#bytes = 0;
    this.recent.sweep();
    for (const delivery of this.recent.all()) {
      this.#encoder.delivery(delivery);
      this.#cut();
    }
    for (const [session, packetId] of this.recent.held()) this.#encoder.held(session, packetId);
    this.#flush();
    this.#bytesMax = Math.max(LOG_BYTES_MIN, LOG_FACTOR * this.#bytes);
  }

  #cut(): void {
    if (this.#encoder.length > ROW_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#encoder.length === 0) return;
    this.#append.run(this.#encoder.bytes);
    this.#bytes += this.#encoder.length;
    this.#encoder.clear();
  }
}
