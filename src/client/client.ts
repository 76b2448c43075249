/**
 * An MQTT client for any platform with Web APIs. This file is what an application sees,
 * and where the parts of a client are put together; each part is a file beside it, and what the
 * packets mean is in core/client.
 *
 * @module
 */

import { ClientEngine } from "../core/client/client_engine.ts";
import type { ClientSink } from "../core/client/client_sink.ts";
import type { ConnackPacket } from "../core/codec/packet.ts";
import type { Properties } from "../core/codec/property.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { Authenticator } from "./authenticator.ts";
import type { BrokerAddress, ClientEvent, ClientOptions } from "./client_options.ts";
import { bytesOf, connectPacketOf } from "./connect_packet.ts";
import {
  brokenError,
  closedError,
  disconnectedError,
  refusedError,
  silenceError,
} from "./connection_errors.ts";
import { Connections } from "./connections.ts";
import { Exchanges, type WaitOptions } from "./exchanges.ts";
import { guarded } from "./guarded.ts";
import { Incoming } from "./incoming.ts";
import type { Message } from "./message.ts";
import type { MessagesOptions, MessageStream } from "./message_stream.ts";
import { Journal } from "./journal.ts";
import { parseTarget } from "./mqtt_url.ts";
import { dialFor } from "./open_connection.ts";
import { Outgoing } from "./outgoing.ts";
import type { PublishOptions, PublishResult } from "./outgoing_entry.ts";
import {
  type FilterRequest,
  Requests,
  type SubscribeOptions,
  type SubscribeResult,
} from "./requests.ts";

/** How a client takes its leave. */
export interface DisconnectOptions {
  /** Version 5: 0 without the Will, 4 with it; 0 unless given. */
  readonly reasonCode?: ReasonCode;
  /** Version 5: `sessionExpiryInterval` in seconds, a reason, user properties. */
  readonly properties?: Properties;
  /** Ends the connection at once. */
  readonly signal?: AbortSignal;
}

const NO_OPTIONS = Object.freeze({});

/**
 * An MQTT client.
 *
 * Everything that waits takes an `AbortSignal` and rejects with its reason; everything else that
 * goes wrong is a {@linkcode ClientError} with a stable `code`.
 *
 * ```ts
 * import { Client } from "./client.ts";
 * import { Broker } from "./mod.ts";
 *
 * const broker = new Broker();
 * const { port } = await broker.listen({ port: 0 });
 *
 * const client = await Client.connect(`mqtt://127.0.0.1:${port}`);
 * const messages = client.messages("rooms/+/temperature");
 * await client.subscribe("rooms/+/temperature", { qos: 1 });
 * await client.publish("rooms/kitchen/temperature", "21.5", { qos: 1 });
 * for await (const { topic, payload } of messages) {
 *   console.log(topic, new TextDecoder().decode(payload));
 *   break;
 * }
 * await client.disconnect();
 * await broker.close();
 * ```
 */
export class Client {
  /** Resolves when the client is done for good, to the error that ended it if there was one. */
  readonly closed: Promise<unknown>;
  readonly #options: ClientOptions;
  readonly #engine: ClientEngine;
  readonly #connections: Connections;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #requests: Requests;
  readonly #exchanges: Exchanges;
  readonly #authenticator: Authenticator;
  readonly #journal: Journal | undefined;
  #opened: Promise<void> | undefined;
  #finish!: (error: unknown) => void;

  /**
   * Makes a client that is not connected yet: whoever goes on with a session opens the streams of
   * its messages before `open`, so that nothing is missed.
   *
   * @param address a URL (`mqtt:`, `mqtts:`, `ws:`, `wss:`, `unix:`), a pair of streams, or a
   * function that opens connections.
   * @throws {ClientError} with code `"invalid-argument"`.
   */
  constructor(address: BrokerAddress, options: ClientOptions = {}) {
    const isUrl = typeof address === "string" || address instanceof URL;
    const target = isUrl ? parseTarget(address) : undefined;
    const { inflightMax, answerTimeoutMs, topicAliasesMax, onMessage } = options;
    this.#options = options;
    this.closed = new Promise((resolve) => this.#finish = resolve);
    this.#engine = new ClientEngine(this.#sink(), {
      acknowledgesLater: true,
      ...inflightMax === undefined ? {} : { inflightMax },
      ...answerTimeoutMs === undefined ? {} : { answerTimeoutMs },
      ...topicAliasesMax === undefined ? {} : { topicAliasesMax },
    });
    const connections = new Connections(this.#engine, {
      options,
      dial: dialFor(address, target, options),
      packet: connectPacketOf(options, target),
      prepare: async () => await this.#journal?.load(options.clientId!),
      settle: () => this.#journal?.settle(),
      pump: () => this.#outgoing.pump(),
      begun: () => this.#outgoing.sessionBegun(),
      losing: (error) => this.#losing(error),
      lost: () => this.#requests.connectionLost(),
      ended: (error) => this.#ended(error),
      tell: (event) => this.#tell(event),
    });
    const wake = (): void => connections.link?.wake();
    this.#journal = options.store && new Journal(options.store, {
      defer: (commit) => connections.defer(commit),
      restore: (session) => this.#outgoing.restore(session),
      failed: (error) => connections.stop(error),
    });
    this.#connections = connections;
    this.#outgoing = new Outgoing(
      this.#engine,
      {
        wake,
        now: () => connections.now(),
        hasRoom: () => connections.link?.hasRoom ?? false,
        abandoned: (message, error) => this.#tell({ kind: "abandoned", message, error }),
        journal: this.#journal,
      },
      options,
    );
    this.#incoming = new Incoming(this.#engine, {
      wake,
      pauseReading: () => connections.link?.pause(),
      resumeReading: () => connections.link?.resume(),
      takeResponse: (view) => this.#exchanges.take(view),
      onMessage: onMessage === undefined ? undefined : (message) => guarded(onMessage, message),
    });
    this.#requests = new Requests(this.#engine, {
      wake,
      connected: (signal) => connections.connected(signal),
      unsubscribed: (filter, reasonCode) =>
        this.#tell({ kind: "unsubscribed", filter, reasonCode }),
    });
    this.#exchanges = new Exchanges({
      protocolVersion: options.protocolVersion ?? 5,
      responseTopic: () => options.responseTopic ?? `response/${this.clientId}`,
      connected: () => connections.connected(undefined),
      subscribe: (filter) => this.#requests.subscribe([filter], { qos: 1 }),
      publish: (topic, payload, how) => this.publish(topic, payload, how),
    });
    this.#authenticator = new Authenticator(
      this.#engine,
      { wake, giveUp: (error) => connections.giveUp(error) },
      options.authentication,
    );
  }

  /**
   * Makes a client and connects it.
   *
   * @throws {ClientError} with code `"connection-refused"` when the broker does not want it,
   * `"lookup-failed"`, `"connect-failed"`, `"proxy-failed"`, `"tls-failed"` or `"timed-out"` when
   * it cannot be reached, `"not-supported"`, `"store-failed"` or `"invalid-argument"`.
   */
  static async connect(address: BrokerAddress, options: ClientOptions = {}): Promise<Client> {
    const client = new this(address, options);
    await client.open();
    return client;
  }

  /** As sent in CONNECT, or as the broker assigned it; `""` before that. */
  get clientId(): string {
    return this.#engine.clientId;
  }

  /** The broker's answer on the present connection; what it grants is in the properties. */
  get connack(): ConnackPacket | undefined {
    return this.#engine.connack;
  }

  get isConnected(): boolean {
    return this.#engine.phase === "connected";
  }

  /** Messages that wait to be sent, because there is no connection or too much is in flight. */
  get queuedCount(): number {
    return this.#outgoing.queuedCount;
  }

  /**
   * Whether a message of QoS 0 would leave at once: there is a connection, nothing waits, and the
   * network takes more. Who publishes much asks this before each message, and waits for `ready`
   * when it is `false`; such a `publish` costs no promise and no place in the queue.
   */
  get hasRoom(): boolean {
    return this.#outgoing.hasRoom;
  }

  /** Resolves when `hasRoom` is or becomes `true`. */
  ready(options: { readonly signal?: AbortSignal } = NO_OPTIONS): Promise<void> {
    if (this.#connections.isEnded) return Promise.reject(closedError());
    return this.#outgoing.ready(options.signal);
  }

  /** Connects, and stays connected until the client is closed; throws as `connect` does. */
  open(): Promise<void> {
    return this.#opened ??= this.#connections.start();
  }

  /**
   * Publishes a message (section 3.3). Without a connection it waits in a bounded queue.
   *
   * @param payload text is sent as UTF-8; bytes belong to the client until this resolves.
   * @returns when the broker has the message by its quality of service: PUBACK for QoS 1, PUBCOMP
   * for QoS 2; for QoS 0 as soon as it is on its way.
   * @throws {ClientError} with code `"refused"`, `"queue-full"`, `"too-large"`, `"not-supported"`,
   * `"session-lost"`, `"invalid-argument"` or `"closed"`.
   */
  publish(
    topic: string,
    payload: Uint8Array | string,
    options: PublishOptions = NO_OPTIONS,
  ): Promise<PublishResult> {
    if (this.#connections.isEnded) return Promise.reject(closedError());
    return this.#outgoing.publish(topic, bytesOf(payload), options);
  }

  /**
   * Resolves when all that was published so far is in the store, at the end of the present turn of
   * the event loop: those messages reach the broker even if this process does not live that long.
   * Without a store it resolves as well, and means nothing.
   *
   * @throws {ClientError} with code `"store-failed"` or `"closed"`.
   */
  async stored(): Promise<void> {
    if (this.#journal === undefined) return;
    if (this.#connections.isEnded) throw closedError();
    await this.#journal.stored();
  }

  /**
   * Subscribes to one or more filters (section 3.8), on this connection and those that follow.
   *
   * @returns what was granted for each; some may have been refused.
   * @throws {ClientError} with code `"refused"` when all were, `"invalid-argument"` or `"closed"`.
   */
  subscribe(
    filters: string | FilterRequest | readonly (string | FilterRequest)[],
    options: SubscribeOptions = NO_OPTIONS,
  ): Promise<SubscribeResult> {
    // The test for an array does not see read-only ones.
    const list = Array.isArray(filters) ? filters : [filters as string | FilterRequest];
    return this.#requests.subscribe(list, options);
  }

  /** Ends subscriptions (section 3.10); codes for each filter in version 5. */
  unsubscribe(
    filters: string | readonly string[],
    options: Pick<SubscribeOptions, "properties" | "signal"> = NO_OPTIONS,
  ): Promise<SubscribeResult> {
    return this.#requests.unsubscribe(typeof filters === "string" ? [filters] : filters, options);
  }

  /**
   * The messages that come from now on, all of them or those that a filter matches; it subscribes
   * to nothing. A reader that falls behind by more than the bounds of its buffer stops the
   * connection from being read, and so the broker from sending.
   */
  messages(filter?: string, options: MessagesOptions = NO_OPTIONS): MessageStream {
    const stream = this.#incoming.open(filter, options);
    if (this.#connections.isEnded) stream.end(undefined);
    return stream;
  }

  /**
   * Sends a request and waits for its response (section 4.10); version 5 only.
   *
   * @throws {ClientError} with code `"timed-out"`, `"not-supported"` or what `publish` throws.
   */
  async request(
    topic: string,
    payload: Uint8Array | string,
    options: PublishOptions & WaitOptions = NO_OPTIONS,
  ): Promise<Message> {
    return await this.#exchanges.request(topic, bytesOf(payload), options);
  }

  /** Answers a request that was received. */
  respond(
    request: Message,
    payload: Uint8Array | string,
    options: PublishOptions = NO_OPTIONS,
  ): Promise<PublishResult> {
    return this.#exchanges.respond(request, bytesOf(payload), options);
  }

  /** Repeats the enhanced authentication (section 4.12.1); version 5 only. */
  async reauthenticate(): Promise<void> {
    await this.#connections.connected(undefined);
    await this.#authenticator.again();
  }

  /**
   * Says good-bye and closes the connection; what is not sent or not done by then is rejected with
   * code `"closed"`. It may be called more than once.
   *
   * @throws {ClientError} with code `"invalid-argument"`.
   */
  async disconnect(options: DisconnectOptions = NO_OPTIONS): Promise<void> {
    const { reasonCode, properties, signal } = options;
    const cut = (): void => this.#connections.stop(undefined);
    if (signal?.aborted) cut();
    else {
      this.#outgoing.pump();
      this.#connections.leave(reasonCode, properties);
    }
    signal?.addEventListener("abort", cut);
    await this.closed;
    signal?.removeEventListener("abort", cut);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  #sink(): ClientSink {
    const failed = (error: unknown): void => this.#connections.failed(error);
    return {
      onConnack: (packet) => this.#answered(packet),
      // The messages are known here as well, with those who wait for them.
      onSessionLost: () => {},
      onMessage: (message) => this.#incoming.receive(message),
      onReceived: (packetId) => this.#outgoing.received(packetId),
      onHeld: (packetId) => this.#journal?.add({ kind: "held", packetId }),
      onReleased: (packetId) => this.#journal?.add({ kind: "released", packetId }),
      onPublished: (packetId, reasonCode, properties) =>
        this.#outgoing.published(packetId, reasonCode, properties),
      onSuback: (packet) => this.#requests.answered(packet),
      onUnsuback: (packet) => this.#requests.answered(packet),
      onAuth: (packet) => this.#authenticator.received(packet),
      onDisconnect: (packet) => failed(disconnectedError(packet)),
      onError: (cause) => failed(brokenError(cause)),
      onSilence: (cause) => {
        failed(silenceError(cause));
        this.#connections.link?.abort();
      },
    };
  }

  #answered(connack: ConnackPacket): void {
    if (connack.reasonCode >= ReasonCode.UNSPECIFIED_ERROR) {
      return this.#connections.failed(refusedError(connack));
    }
    this.#outgoing.sessionBegun();
    if (!connack.sessionPresent && this.#options.protocolVersion !== 3) {
      this.#journal?.add({ kind: "session-lost" });
    }
    if (!connack.sessionPresent) this.#requests.subscribeAgain();
    if (!this.#incoming.hasRoom) this.#connections.link?.pause();
    this.#connections.accepted(connack);
  }

  #losing(error: unknown): void {
    this.#incoming.connectionLost();
    this.#authenticator.connectionLost(error);
  }

  #ended(error: unknown): void {
    const told = error ?? closedError();
    this.#outgoing.end(told);
    this.#requests.end(told);
    this.#exchanges.end(told);
    this.#incoming.end(error);
    this.#tell({ kind: "closed", error });
    if (this.#journal === undefined) this.#finish(error);
    else void this.#journal.end(told).then(() => this.#finish(error));
  }

  #tell(event: ClientEvent): void {
    const { onEvent } = this.#options;
    if (onEvent !== undefined) guarded(onEvent, event);
  }
}
