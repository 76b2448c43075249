/**
 * The broker as every platform with Web APIs has it, a browser's tab and worker among them: parts
 * chosen and wired for whoever embeds one. It serves what it is given and needs no runtime; where
 * there is one, `broker.ts` adds listening.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { Random } from "../core/base/prng.ts";
import { BrokerCore, type HostMessage } from "../core/broker/broker_core.ts";
import type { Counters } from "../core/broker/counters.ts";
import type { BrokerEvent } from "../core/broker/event.ts";
import { DEFAULT_LIMITS, DEFAULT_LISTENER, type Limits } from "../core/broker/limits.ts";
import type { Answer, Policy, Question } from "../core/broker/question.ts";
import type { Judge, Reconfiguration } from "../core/broker/reconfigure.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import { Driver, type DriverHost, type FailureStage } from "../driver/driver.ts";
import { type ByteDuplex, serveStream, type StreamAddress } from "../driver/stream_connection.ts";
import type { Store } from "../store/store.ts";
import { servePort } from "../transport/message_port.ts";
import type { Accept, Transport, TransportHandler } from "../transport/transport.ts";

/** How a {@linkcode WebBroker} is made. Everything has a default. */
export interface WebBrokerOptions {
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<Limits>;
  /** What is granted to clients, where that differs from the defaults. */
  readonly listener?: Partial<ListenerSettings>;
  /** Who may do what; everybody everything by default. */
  readonly policy?: Policy;
  /** Answers what the policy leaves to be asked. A failure refuses. */
  readonly ask?: (question: Question) => Promise<Answer>;
  /** Told what happens, at the end of each turn. */
  readonly onEvent?: (event: BrokerEvent) => void;
  /** Whether there is an event for every packet. */
  readonly tracesPackets?: boolean;
  /** Told of failures in the broker or in the callbacks; by default they go unheard. */
  readonly onError?: (stage: FailureStage, error: unknown) => void;
  /** Unsigned 32-bit integers; cryptographically strong by default. */
  readonly random?: Random;
  /** Has an event for what clients publish below `$CONTROL/`, which is refused otherwise. */
  readonly takesCommands?: boolean;
  /** Called when somebody is about to look for what is retained below `$SYS`. */
  readonly beforeSysRead?: () => void;
  /**
   * Keeps what must survive the process, and is closed by its owner when the broker is. Everything
   * that it has is read when the broker is made; what it cannot read the broker throws.
   */
  readonly store?: Store;
  /** To whose settings the sessions of the store come back, by their names. */
  readonly storedListeners?: Iterable<ListenerSettings>;
}

/** How much there is of what comes and goes. */
export interface BrokerGauges {
  readonly connections: number;
  /** Connections whose client was let in. */
  readonly connected: number;
  /** With or without a connection. */
  readonly sessions: number;
  /** Those that are not shared. */
  readonly subscriptions: number;
  /** Members of all shared groups. */
  readonly sharedSubscriptions: number;
  readonly retained: number;
  /** Messages that are retained, queued or in flight, each counted once. */
  readonly storedMessages: number;
  /** Their payload bytes. */
  readonly storedBytes: number;
  /** Packets that connections have not taken yet, near enough. */
  readonly backlogPackets: number;
  /** Bytes that connections have not taken yet. */
  readonly backlogBytes: number;
}

/**
 * An MQTT broker for any platform with Web APIs, which serves what it is given. `web.ts` exports it
 * as `Broker`.
 *
 * ```ts
 * import { Broker } from "./web.ts";
 *
 * const broker = new Broker();
 * const toBroker = new TransformStream<Uint8Array, Uint8Array>();
 * const fromBroker = new TransformStream<Uint8Array, Uint8Array>();
 * const done = broker.serve({ readable: toBroker.readable, writable: fromBroker.writable });
 * await toBroker.writable.close();
 * await done;
 * ```
 */
export class WebBroker {
  readonly #core: BrokerCore;
  readonly #driver: Driver;
  #isClosed = false;
  #closed: Promise<void> | undefined;

  /** @param host time and turns where the platform has cheaper ones. */
  constructor(options: WebBrokerOptions = {}, host: DriverHost = WEB_HOST) {
    const { store } = options;
    this.#core = new BrokerCore({
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      listener: { ...DEFAULT_LISTENER, ...options.listener },
      random: options.random ?? randomUint32,
      takesCommands: options.takesCommands ?? false,
      tracesPackets: options.tracesPackets ?? false,
      keepsJournal: store !== undefined,
      ...options.policy === undefined ? {} : { policy: options.policy },
      beforeRead: options.beforeSysRead,
    });
    if (store !== undefined) {
      this.#core.restore(store.load(), host.now(), options.storedListeners);
    }
    this.#driver = new Driver({
      core: this.#core,
      host,
      store,
      onEvent: options.onEvent,
      ask: options.ask,
      onError: options.onError ?? (() => {}),
    });
  }

  /** What has been counted since the broker was made. */
  get counters(): Readonly<Counters> {
    return this.#core.counters;
  }

  /** How much there is of what comes and goes. */
  get gauges(): BrokerGauges {
    const core = this.#core;
    return {
      connections: core.connectionCount,
      connected: core.connectedCount,
      sessions: core.sessionCount,
      subscriptions: core.ordinarySubscriptionCount,
      sharedSubscriptions: core.sharedSubscriptionCount,
      retained: core.retainedCount,
      storedMessages: core.storedCount,
      storedBytes: core.storedBytes,
      backlogPackets: core.backlogPackets,
      backlogBytes: core.backlogBytes,
    };
  }

  /**
   * Serves one client over a port of a channel, as a page has to its workers, or over any duplex of
   * bytes: a WebSocketStream, a WebTransport stream, a pipe.
   *
   * @param end closed by the broker when the client leaves.
   * @param address what to call the client before it has said who it is.
   * @returns when the connection is over.
   */
  serve(end: MessagePort | ByteDuplex, address: StreamAddress = {}): Promise<void> {
    this.#assertOpen();
    const accept: Accept = (transport) => this.#driver.accept(transport);
    return "postMessage" in end
      ? servePort(end, accept, address)
      : serveStream(end, accept, address);
  }

  /**
   * Serves one client over a transport of the caller's own; the broker is its handler.
   *
   * @param listener what is granted to the client; what the limits say unless given.
   */
  accept(transport: Transport, listener?: ListenerSettings): TransportHandler {
    this.#assertOpen();
    return this.#driver.accept(transport, listener);
  }

  /**
   * Publishes a message as the broker itself.
   *
   * @returns how many subscriptions it matched, a shared group counted once.
   * @throws {TypeError} when the topic is not a valid Topic Name (section 4.7 of the standard).
   */
  publish(message: HostMessage): number {
    this.#assertOpen();
    const matched = this.#driver.publish(message);
    if (matched < 0) throw new TypeError(`Cannot publish to the topic "${message.topic}"`);
    return matched;
  }

  /**
   * Sends one client a message with QoS 0, whether or not it has subscribed to the topic.
   *
   * @returns `false` when it is not connected, or may not have it.
   */
  tell(clientId: string, topic: string, payload: Uint8Array): boolean {
    this.#assertOpen();
    return this.#driver.tell(clientId, topic, payload);
  }

  /** Sends a client away; `false` when it is not connected. */
  disconnect(
    clientId: string,
    reasonCode: ReasonCode = ReasonCode.ADMINISTRATIVE_ACTION,
  ): boolean {
    return this.#driver.disconnect(clientId, reasonCode);
  }

  /** Uses other limits, another policy or other settings of listeners from now on. */
  configure(changes: Reconfiguration): void {
    this.#driver.configure(changes);
  }

  /**
   * Judges every connected client again, and sends away whom `judge` refuses, without a Will.
   *
   * @returns how many were sent away.
   */
  recheck(judge: Judge): number {
    return this.#driver.recheck(judge);
  }

  /** Whether a subscription could match a topic that begins like this. */
  hasReaders(prefix: string): boolean {
    return this.#core.hasReaders(prefix);
  }

  /** Who subscribes to what, as a tree in lines of text. */
  describeSubscriptions(): readonly string[] {
    return this.#core.describeSubscriptions();
  }

  /**
   * Publishes the Wills that no store keeps and closes every connection; resolves when the store
   * has all that was to be stored.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#closed ??= this.#driver.stop();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationError("closed", "The broker is closed");
  }
}

/** Time and turns as every platform has them. */
export const WEB_HOST: DriverHost = Object.freeze({
  now: () => performance.now(),
  defer: (flush: () => void) => queueMicrotask(flush),
});

function randomUint32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
