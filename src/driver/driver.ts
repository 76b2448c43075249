/**
 * Drives one broker: feeds it what transports bring, ends its turns, and carries out what they
 * produced. Everything that happens in one turn of the event loop is one turn of the broker, and
 * costs one write per connection that has something to be told.
 *
 * Nothing here waits: a connection whose transport is busy keeps its bytes until the transport is
 * writable again, and nobody else notices.
 *
 * @module
 */

import type { BrokerCore, HostMessage } from "../core/broker/broker_core.ts";
import type { Connection } from "../core/broker/connection.ts";
import type { BrokerEvent } from "../core/broker/event.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { Answer, Question } from "../core/broker/question.ts";
import type { Judge, Reconfiguration } from "../core/broker/reconfigure.ts";
import { OperationError } from "../core/base/operation_error.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";
import { Alarm } from "./alarm.ts";

/** How long a connection that we end may take to accept our last bytes. */
const LINGER_MS = 5000;

/** How long somebody outside may think about a question; then the answer is no. */
const ANSWER_MS_MAX = 30_000;

/** What the driver needs of its surroundings. */
export interface DriverHost {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Runs `flush` at the end of the present turn of the event loop. */
  defer(flush: () => void): void;
}

/** Where something went wrong that nobody waits for. */
export type FailureStage = "accept" | "receive" | "event" | "question" | "advance";

export interface DriverOptions {
  readonly core: BrokerCore;
  readonly host: DriverHost;
  /** Reads what happened, at the end of each turn. */
  readonly onEvent?: ((event: BrokerEvent) => void) | undefined;
  /** Answers what only the outside can decide. A failure refuses. */
  readonly ask?: ((question: Question) => Promise<Answer>) | undefined;
  /** Told of failures of our own or of the callbacks above. */
  readonly onError: (stage: FailureStage, error: unknown) => void;
}

export class Driver {
  readonly #core: BrokerCore;
  readonly #options: DriverOptions;
  readonly #links: Map<Connection, Link> = new Map();
  readonly #alarm: Alarm;
  readonly #flushTurn: () => void;
  #host: DriverHost;
  #isFlushDeferred = false;
  #isStopped = false;

  constructor(options: DriverOptions) {
    this.#core = options.core;
    this.#options = options;
    this.#host = options.host;
    this.#alarm = new Alarm(() => this.#host.now(), () => this.#advance());
    this.#flushTurn = () => this.flush();
  }

  /** Uses another primitive for the end of a turn; the clock must be the same. */
  set host(host: DriverHost) {
    this.#host = host;
  }

  /** Serves a connection, by the settings of the listener that it came in by. */
  accept(transport: Transport, listener?: ListenerSettings): TransportHandler {
    const connection = this.#core.open(transport, this.#host.now(), listener);
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

  /** Stops the broker and resolves when every connection is closed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#core.stop(this.#host.now());
    this.#alarm.cancel();
    this.flush();
    await Promise.all([...this.#links.values()].map((link) => link.closed));
  }

  /** Ends the turn. */
  flush(): void {
    this.#isFlushDeferred = false;
    const core = this.#core;
    for (const connection of core.takeDirty()) this.#links.get(connection)?.flush();
    for (const connection of core.takeClosings()) this.#links.get(connection)?.close();
    const { events, questions } = core.takeOutputs();
    for (const event of events) this.#report(event);
    for (const question of questions) this.#ask(question);
    // Sessions that outlive a stopped broker do not keep the process.
    if (!this.#isStopped) this.#alarm.set(core.nextDeadline);
    // Who took all at once may have been given more.
    if (core.hasDirty) this.#deferFlush();
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

/** One connection between its transport and the broker. */
class Link implements TransportHandler {
  /** Resolves when the transport is gone. */
  readonly closed: Promise<void>;
  readonly #driver: Driver;
  readonly #connection: Connection;
  readonly #transport: Transport;
  #isPaused = false;
  #isEnding = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #resolveClosed: () => void = () => {};

  constructor(driver: Driver, connection: Connection, transport: Transport) {
    this.#driver = driver;
    this.#connection = connection;
    this.#transport = transport;
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
  }

  onBytes(chunk: Uint8Array): void {
    this.#driver.receive(this.#connection, chunk);
  }

  onWritable(): void {
    this.#driver.drained(this.#connection);
    if (this.#isEnding) this.close();
  }

  onClose(error?: unknown): void {
    if (this.#lingering !== undefined) clearTimeout(this.#lingering);
    this.#driver.closed(this.#connection, error);
    this.#resolveClosed();
  }

  /** Hands over what has been gathered, and pauses or resumes reading. */
  flush(): void {
    const { outbox, isPaused } = this.#connection;
    if (outbox.gatheredBytes > 0 && !outbox.isLent) {
      const length = outbox.gatheredBytes;
      if (this.#transport.write(outbox.take(), length)) outbox.consumed();
      else outbox.lend();
      this.#driver.written(this.#connection, length);
    }
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#transport.pause();
    else this.#transport.resume();
  }

  /** Closes the transport once the last bytes are with it, or when that takes too long. */
  close(): void {
    this.#isEnding = true;
    this.flush();
    const { outbox } = this.#connection;
    if (outbox.gatheredBytes === 0) {
      this.#transport.close();
    } else {
      this.#lingering ??= setTimeout(() => this.#transport.abort(), LINGER_MS);
    }
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
