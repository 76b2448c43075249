/**
 * Drives one broker: feeds it what transports bring, ends its turns, and carries out what they
 * produced. Everything that happens in one turn of the event loop is one turn of the broker, and
 * costs one write per connection that has something to be told.
 *
 * Nothing here waits: a connection whose transport is busy keeps its bytes until the transport is
 * writable again, and nobody else notices. With a store, bytes that promise something durable are
 * held until it is; everybody else's leave.
 *
 * @module
 */

import type { BrokerCore, HostMessage } from "../core/broker/broker_core.ts";
import type { Connection } from "../core/broker/connection.ts";
import type { BrokerEvent } from "../core/broker/event.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { Load } from "../core/broker/state.ts";
import type { Answer, Question } from "../core/broker/question.ts";
import type { Judge, Reconfiguration } from "../core/broker/reconfigure.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { Delivery } from "../core/session/delivery.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "./alarm.ts";
import { Commits } from "./commits.ts";
import { type Fate, Link, type LinkOwner } from "./link.ts";

/** How long somebody outside may think about a question; then the answer is no. */
const ANSWER_MS_MAX = 30_000;

/** How long a store may take for the last changes of a broker that stops. */
const FINISH_MS = 5000;

/** What there is to wait for without a store. */
const DURABLE = Object.freeze({ durable: Infinity, underway: Infinity });

/** What the driver needs of its surroundings. */
export interface DriverHost {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Runs `flush` at the end of the present turn of the event loop. */
  defer(flush: () => void): void;
}

/** What rings when something is due, as `Alarm` does by a timer. */
export interface DriverAlarm {
  /** Rings at this instant or before; `Infinity` is never. */
  set(at: number): void;
  cancel(): void;
}

/** Where something went wrong that nobody waits for. */
export type FailureStage = "accept" | "receive" | "event" | "question" | "advance";

export interface DriverOptions {
  readonly core: BrokerCore;
  readonly host: DriverHost;
  /** Keeps what the core records; the core is one that keeps a journal. */
  readonly store?: Store | undefined;
  /** Every change is committed with the turn that made it: memory may be gone after that. */
  readonly commitsAtOnce?: boolean;
  /** An alarm other than a timer; given what it is to call. */
  readonly makeAlarm?: ((ring: () => void) => DriverAlarm) | undefined;
  /** Reads what happened, at the end of each turn. */
  readonly onEvent?: ((event: BrokerEvent) => void) | undefined;
  /** Answers what only the outside can decide. A failure refuses. */
  readonly ask?: ((question: Question) => Promise<Answer>) | undefined;
  /** Told of failures of our own or of the callbacks above. */
  readonly onError: (stage: FailureStage, error: unknown) => void;
}

export class Driver implements LinkOwner {
  readonly #core: BrokerCore;
  readonly #options: DriverOptions;
  readonly #links: Map<Connection, Link> = new Map();
  readonly #alarm: DriverAlarm;
  readonly #flushTurn: () => void;
  readonly #commits: Commits | undefined;
  /** Those whose bytes leave when the batch on its way is durable. */
  readonly #held: Set<Link> = new Set();
  /** Those whose bytes depend on changes that are in no batch yet, and up to which one they are. */
  readonly #kept: Set<Link> = new Set();
  #keptSince = 0;
  readonly #host: DriverHost;
  #isFlushDeferred = false;
  #isStopped = false;

  constructor(options: DriverOptions) {
    this.#core = options.core;
    this.#options = options;
    this.#host = options.host;
    const { core, store, commitsAtOnce = false, makeAlarm } = options;
    this.#alarm = makeAlarm?.(() => this.#advance()) ??
      new Alarm(() => this.#host.now(), () => this.#advance());
    this.#flushTurn = () => this.flush();
    // What a store brought back may be due before anybody connects.
    this.#alarm.set(core.nextDeadline);
    if (store === undefined) return;
    if (core.hasOutputs) this.#deferFlush();
    this.#commits = new Commits({
      core,
      store,
      isEager: commitsAtOnce,
      endTurn: () => this.flush(),
      onLoaded: (load, deliveries) => this.#loaded(load, deliveries),
      report: (event) => this.#report(event),
    });
  }

  /** Serves a connection, by the settings of the listener that it came in by. */
  accept(transport: Transport, listener?: ListenerSettings): TransportHandler {
    return this.serve(this.#core.open(transport, this.#host.now(), listener), transport);
  }

  /** Serves a connection that the core has opened, or has put back. */
  serve(connection: Connection, transport: Transport): TransportHandler {
    const link = new Link(this, connection, transport);
    this.#links.set(connection, link);
    this.#deferFlush();
    return link;
  }

  /** Publishes a message of the host's; see `BrokerCore.publish`. */
  publish(message: HostMessage): number {
    const matched = this.#core.publish(message, this.#host.now());
    if (this.#core.isFlushDue) this.flush();
    else this.#deferFlush();
    return matched;
  }

  /** Sends a message to one client; see `BrokerCore.tell`. */
  tell(clientId: string, topic: string, payload: Uint8Array): boolean {
    const isTold = this.#core.tell(clientId, topic, payload, this.#host.now());
    this.#deferFlush();
    return isTold;
  }

  /** Sends a client away; `false` when it is not connected. */
  disconnect(clientId: string, reasonCode: ReasonCode): boolean {
    const isKnown = this.#core.disconnect(clientId, reasonCode, this.#host.now());
    this.#deferFlush();
    return isKnown;
  }

  /** Other limits, another policy, other settings of listeners; see `BrokerCore.configure`. */
  configure(changes: Reconfiguration): void {
    this.#core.configure(changes, this.#host.now());
    this.#deferFlush();
  }

  /** Judges every connected client again; see `BrokerCore.recheck`. */
  recheck(judge: Judge): number {
    const count = this.#core.recheck(judge, this.#host.now());
    this.#deferFlush();
    return count;
  }

  /** Stops the broker; resolves when every connection is closed and all is with the store. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#core.stop(this.#host.now());
    this.#alarm.cancel();
    this.flush();
    const links = [...this.#links.values()].map((link) => link.closed);
    await this.#commits?.finish(FINISH_MS);
    await Promise.all(links);
  }

  /** Ends the turn. */
  flush(): void {
    this.#isFlushDeferred = false;
    const core = this.#core;
    const commits = this.#commits;
    if (commits !== undefined) this.#commit(commits);
    for (const connection of core.takeDirty()) this.#links.get(connection)?.flush();
    for (const connection of core.takeClosings()) this.#links.get(connection)?.close();
    const { events, questions, loads } = core.takeOutputs();
    for (const event of events) this.#report(event);
    for (const question of questions) this.#ask(question);
    if (commits !== undefined) this.#settle(commits, loads);
    // Sessions that outlive a stopped broker do not keep the process.
    if (!this.#isStopped) this.#alarm.set(core.nextDeadline);
    // Who took all at once may have been given more.
    if (core.hasDirty) this.#deferFlush();
  }

  /** From a link: what it has gathered depends on a change. */
  fateOf(link: Link, change: number): Fate {
    const { durable, underway } = this.#commits ?? DURABLE;
    if (change <= durable) return "leave";
    if (change <= underway) {
      this.#held.add(link);
      return "hold";
    }
    this.#kept.add(link);
    return "keep";
  }

  /** From a link: what its outbox held is with the transport. */
  written(connection: Connection, bytes: number): void {
    try {
      this.#core.written(connection, bytes, this.#host.now());
    } catch (error) {
      this.#fail(connection, error);
    }
  }

  /** From a link: bytes arrived. */
  receive(connection: Connection, chunk: Uint8Array): void {
    const core = this.#core;
    const now = this.#host.now();
    try {
      core.receive(connection, chunk, now);
    } catch (error) {
      this.#fail(connection, error);
    }
    if (core.isFlushDue) this.flush();
    else this.#deferFlush();
  }

  /** From a link: the transport is writable. */
  drained(connection: Connection): void {
    try {
      this.#core.drained(connection, this.#host.now());
    } catch (error) {
      this.#fail(connection, error);
    }
    // Most often nothing waited for it, and a turn for nothing costs as much as one for a message.
    if (this.#core.hasOutputs) this.#deferFlush();
    else if (!this.#isStopped) this.#alarm.set(this.#core.nextDeadline);
  }

  /** From a link: the transport is gone. */
  closed(connection: Connection, error: unknown): void {
    const link = this.#links.get(connection);
    if (link !== undefined) {
      this.#held.delete(link);
      this.#kept.delete(link);
    }
    this.#links.delete(connection);
    const now = this.#host.now();
    try {
      if (error === undefined) {
        this.#core.close(connection, "connection closed by client", undefined, now);
      } else this.#core.close(connection, "connection lost", messageOf(error), now);
    } catch (failure) {
      this.#fail(connection, failure);
    }
    this.#deferFlush();
  }

  /** Our own fault costs the one connection whose bytes were being handled. */
  #fail(connection: Connection, error: unknown): void {
    this.#options.onError("receive", error);
    try {
      this.#core.fail(connection, this.#host.now());
    } catch (failure) {
      // Its Will, for example, which a policy that fails may not let through.
      this.#options.onError("receive", failure);
    }
  }

  #deferFlush(): void {
    if (this.#isFlushDeferred) return;
    this.#isFlushDeferred = true;
    this.#host.defer(this.#flushTurn);
  }

  /** Has changes committed, and lets go whatever waited for them. */
  #commit(commits: Commits): void {
    commits.begin();
    if (this.#held.size > 0 && commits.durable === commits.underway) {
      const held = [...this.#held];
      this.#held.clear();
      for (const link of held) link.release();
    }
    if (commits.underway === this.#keptSince) return;
    this.#keptSince = commits.underway;
    const kept = [...this.#kept];
    this.#kept.clear();
    for (const link of kept) link.resume();
  }

  #loaded(load: Load, deliveries: readonly Delivery[]): void {
    try {
      this.#core.loaded(load, deliveries, this.#host.now());
    } catch (error) {
      this.#options.onError("receive", error);
    }
  }

  #settle(commits: Commits, loads: readonly Load[]): void {
    try {
      if (commits.settle(loads, this.#host.now())) this.#deferFlush();
    } catch (error) {
      this.#options.onError("receive", error);
    }
  }

  #advance(): void {
    try {
      this.#core.advance(this.#host.now());
    } catch (error) {
      this.#options.onError("advance", error);
    }
    this.flush();
  }

  #report(event: BrokerEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch (error) {
      this.#options.onError("event", error);
    }
  }

  async #ask(question: Question): Promise<void> {
    let answer = refusal(question);
    let limit: ReturnType<typeof setTimeout> | undefined;
    try {
      const { ask } = this.#options;
      // Its client waits and cannot be heard meanwhile, so this must not take for ever.
      const late = new Promise<never>((_, reject) => {
        limit = setTimeout(() => {
          reject(new OperationError("no-answer", `Question "${question.kind}" got no answer`));
        }, ANSWER_MS_MAX);
      });
      if (ask !== undefined) answer = await Promise.race([ask(question), late]);
    } catch (error) {
      this.#options.onError("question", error);
    }
    clearTimeout(limit);
    try {
      this.#core.answer(question.id, answer, this.#host.now());
    } catch (error) {
      this.#options.onError("question", error);
    }
    this.#deferFlush();
  }
}

/** What a question gets that nobody answers. */
function refusal(question: Question): Answer {
  const reasonCode = ReasonCode.NOT_AUTHORIZED;
  switch (question.kind) {
    case "subscribe":
      return { kind: "subscribe", reasonCodes: question.filters.map(() => reasonCode) };
    default:
      return { kind: question.kind, reasonCode };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
