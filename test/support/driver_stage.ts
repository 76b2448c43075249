// A driver with everything around it in memory: transports that do as they are told, and a clock and
// an event loop that the test moves by hand.

import { prng } from "../../src/core/base/prng.ts";
import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/core/broker/limits.ts";
import type { Answer, Policy, Question } from "../../src/core/broker/question.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { Driver, type FailureStage } from "../../src/driver/driver.ts";
import type { Store } from "../../src/store/store.ts";
import type { Transport, TransportHandler } from "../../src/transport/transport.ts";
import { FakeTimers } from "./fake_timers.ts";
import { connect } from "./packets.ts";

/** A transport that takes writes or keeps them, as the test says. */
export class FakeTransport implements Transport {
  readonly remoteAddress = "192.0.2.1";
  readonly remotePort = 7;
  readonly localPort = 1883;
  readonly calls: string[] = [];
  writes = 0;
  isTaking = true;
  handler: TransportHandler | undefined;
  readonly #framer: Framer = new Framer();
  #arrived: Uint8Array[] = [];
  #kept: Uint8Array | undefined;
  #isOver = false;

  write(bytes: Uint8Array, length: number): boolean {
    this.writes++;
    if (this.isTaking) {
      this.#arrived.push(bytes.slice(0, length));
      bytes.fill(0xa5);
      return true;
    }
    this.#kept = bytes.subarray(0, length);
    return false;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  close(): void {
    this.calls.push("close");
  }

  abort(): void {
    this.calls.push("abort");
  }

  /** Takes what it has kept and says so. */
  drain(): void {
    this.isTaking = true;
    if (this.#kept === undefined) return;
    this.#arrived.push(this.#kept.slice());
    this.#kept.fill(0xa5);
    this.#kept = undefined;
    this.handler!.onWritable();
  }

  /** The connection is gone. */
  end(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.handler!.onClose(error);
  }

  send(...packets: readonly Packet[]): void {
    const writer = new Writer(new Uint8Array(64));
    for (const packet of packets) encodePacket(writer, packet, 5);
    const chunk = writer.bytes.slice(0, writer.length);
    this.handler!.onBytes(chunk);
    chunk.fill(0xa5);
  }

  take(): Packet[] {
    const packets: Packet[] = [];
    const framer = this.#framer;
    for (const chunk of this.#arrived) {
      framer.feed(chunk);
      while (framer.next()) {
        const { firstByte, bytes, bodyStart, end } = framer;
        packets.push(decodePacket(firstByte, bytes, bodyStart, end, 5));
      }
      framer.keepRest();
    }
    this.#arrived = [];
    return packets;
  }
}

export interface StageOptions {
  readonly limits?: Partial<Limits>;
  readonly policy?: Policy;
  readonly ask?: (question: Question) => Promise<Answer>;
  readonly onEvent?: (event: BrokerEvent) => void;
  readonly store?: Store;
}

/** A driver with everything around it. */
export class Stage {
  readonly timers: FakeTimers;
  readonly tasks: (() => void)[] = [];
  readonly errors: (readonly [FailureStage, unknown])[] = [];
  readonly core: BrokerCore;
  readonly driver: Driver;

  constructor(
    { limits, policy, ask, onEvent, store }: StageOptions = {},
    timers: FakeTimers = new FakeTimers(),
  ) {
    this.timers = timers;
    this.core = new BrokerCore({
      limits: { ...DEFAULT_LIMITS, ...limits },
      random: prng(1),
      keepsJournal: store !== undefined,
      ...policy === undefined ? {} : { policy },
    });
    if (store !== undefined) this.core.restore(store.load(), this.timers.now);
    this.driver = new Driver({
      core: this.core,
      host: { now: () => this.timers.now, defer: (flush) => this.tasks.push(flush) },
      store,
      onEvent,
      ask,
      onError: (stage, error) => this.errors.push([stage, error]),
    });
  }

  accept(): FakeTransport {
    const transport = new FakeTransport();
    transport.handler = this.driver.accept(transport);
    return transport;
  }

  connect(parts: Parameters<typeof connect>[0] = {}): FakeTransport {
    const transport = this.accept();
    transport.send(connect(parts));
    this.turn();
    transport.take();
    transport.writes = 0;
    return transport;
  }

  /** Runs what was deferred to the end of the turn, and what that defers. */
  turn(): void {
    while (this.tasks.length > 0) this.tasks.shift()!();
  }
}

/** Lets promises that are settled be heard of. */
export async function promises(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

export function onStage(
  options: StageOptions,
  body: (stage: Stage) => void | Promise<void>,
): Promise<void> {
  const timers = new FakeTimers();
  return timers.run(() => body(new Stage(options, timers)));
}
