/**
 * The life of a client: connection after connection until it is closed. What is exchanged on them
 * is in the files beside this one.
 *
 * The idea: one loop opens connections, and every way of ending makes it end; whoever waits for a
 * connection is told at one place, and what the client ends with is decided at another.
 *
 * @module
 */

import type { ClientEngine } from "../core/client/client_engine.ts";
import type { ConnackPacket, ConnectPacket } from "../core/codec/packet.ts";
import type { Properties } from "../core/codec/property.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";
import { pause } from "./backoff.ts";
import { ClientError } from "./client_error.ts";
import { closedError, dialFailure, lostError } from "./connection_errors.ts";
import type { ClientEvent, ClientOptions, Dial } from "./client_options.ts";
import { Link } from "./link.ts";
import { Reconnector } from "./reconnect.ts";
import { Waiters } from "./waiters.ts";

/** What the connections need of their client. */
export interface ConnectionsOwner {
  readonly options: ClientOptions;
  readonly dial: Dial;
  /** The first CONNECT; those that follow differ in what goes on. */
  readonly packet: ConnectPacket;
  /** What has to be there before the first connection; what it throws ends the client. */
  prepare(): Promise<void>;
  /** Makes durable what the bytes to be sent rest on; `undefined` when it is. */
  settle(): Promise<void> | undefined;
  /** Hands more to the engine; `true` if more can be when there is room again. */
  pump(): boolean;
  /** CONNECT has been gathered: what was in flight may have been forgotten. */
  begun(): void;
  /** A connection is gone; the engine still knows how far it came. */
  losing(error: unknown): void;
  /** The engine has forgotten the connection. */
  lost(): void;
  /** There will be no other. */
  ended(error: unknown): void;
  tell(event: ClientEvent): void;
}

export class Connections {
  readonly #engine: ClientEngine;
  readonly #owner: ConnectionsOwner;
  readonly #reconnector: Reconnector;
  /** Aborted when the client ends. */
  readonly #ending: AbortController = new AbortController();
  readonly #waiters: Waiters = new Waiters();
  #now: () => number = () => performance.now();
  #defer: (flush: () => void) => void = (flush) => queueMicrotask(flush);
  #link: Link | undefined;
  #wasConnected = false;
  /** `undefined` while there is no connection that the broker has accepted. */
  #connectedAt: number | undefined;
  /** Why the present connection ends, where we know better than the transport. */
  #failure: unknown;
  #isStarted = false;
  #isEnded = false;
  #stopReason: unknown;

  constructor(engine: ClientEngine, owner: ConnectionsOwner) {
    this.#engine = engine;
    this.#owner = owner;
    this.#reconnector = new Reconnector(owner.options.reconnect);
  }

  /** The present connection, if there is one. */
  get link(): Link | undefined {
    return this.#link;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  now(): number {
    return this.#now();
  }

  /** Runs at the end of the present turn of the event loop. */
  defer(flush: () => void): void {
    this.#defer(flush);
  }

  /** Begins; resolves with the first connection. */
  start(): Promise<void> {
    const opened = this.connected(undefined);
    if (!this.#isStarted && !this.#isEnded) void this.#live();
    this.#isStarted = true;
    return opened;
  }

  /** Resolves when there is a connection. */
  connected(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isEnded) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#engine.phase === "connected") return Promise.resolve();
    return this.#waiters.wait(signal);
  }

  /** The broker has accepted the connection. */
  accepted(connack: ConnackPacket): void {
    this.#wasConnected = true;
    this.#connectedAt = this.#now();
    this.#waiters.resolve();
    this.#owner.tell({ kind: "connected", connack });
  }

  /** The connection is ending, for this reason. */
  failed(error: unknown): void {
    this.#failure = error;
  }

  /** Ends the present connection, with a word to the broker. */
  giveUp(error: unknown): void {
    this.#failure = error;
    this.#engine.disconnect(ReasonCode.UNSPECIFIED_ERROR);
    this.#link?.wake();
  }

  /** Says good-bye and ends. */
  leave(reasonCode: ReasonCode | undefined, properties: Properties | undefined): void {
    const link = this.#link;
    if (link === undefined || this.#engine.phase !== "connected") return this.stop(undefined);
    const { outbox } = this.#engine;
    const { length } = outbox;
    try {
      this.#engine.disconnect(reasonCode, properties);
    } catch (cause) {
      outbox.length = length;
      throw new ClientError("invalid-argument", "Cannot encode DISCONNECT", { cause });
    }
    this.#ending.abort();
    link.resume();
    link.wake();
  }

  /** Ends at once, without a word. */
  stop(reason: unknown): void {
    this.#stopReason ??= reason;
    this.#ending.abort();
    this.#link?.abort();
    if (!this.#isStarted) this.#end(reason);
  }

  /** Connection after connection. Nothing in here throws: what fails ends the client. */
  async #live(): Promise<void> {
    const { signal } = this.#owner.options;
    const onAbort = (): void => this.stop(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
    const ending = this.#ending.signal;
    let error: unknown;
    try {
      await this.#untilEnding(this.#prepare());
    } catch (cause) {
      this.stop(dialFailure(cause));
    }
    while (!ending.aborted) {
      error = await this.#connection();
      const delayMs = ending.aborted ? undefined : this.#reconnector.next(error);
      if (delayMs === undefined) break;
      this.#owner.tell({ kind: "reconnecting", attempt: this.#reconnector.attempt, delayMs });
      await pause(delayMs, ending);
    }
    signal?.removeEventListener("abort", onAbort);
    this.#end(ending.aborted ? this.#stopReason : error);
  }

  async #prepare(): Promise<void> {
    const { runtime } = this.#owner.options;
    const { now, defer } = (typeof runtime === "function" ? await runtime() : runtime) ?? {};
    if (now !== undefined && defer !== undefined) {
      this.#now = now;
      this.#defer = defer;
    }
    await this.#owner.prepare();
  }

  /** One connection, from dialling to its end; resolves to what ended it. */
  #connection(): Promise<unknown> {
    this.#failure = undefined;
    const ending = this.#ending.signal;
    return new Promise((resolve) => {
      const open = async (): Promise<void> => {
        const packet = await this.#nextConnect();
        if (ending.aborted) return resolve(undefined);
        await this.#owner.dial((transport) => {
          // Too late: nobody waits for it any more.
          if (ending.aborted) return discarded(transport);
          const link = new Link(this.#engine, transport, {
            now: this.#now,
            defer: this.#defer,
            pump: () => this.#owner.pump(),
            settle: () => this.#owner.settle(),
            onClosed: (error) => resolve(this.#lost(error)),
          });
          this.#link = link;
          this.#engine.connect(packet, this.#now());
          this.#owner.begun();
          link.wake();
          return link;
        }, ending);
      };
      // Once there is a link, its end is what counts.
      this.#untilEnding(open()).then(() => {
        if (this.#link === undefined && ending.aborted) resolve(undefined);
      }, (cause) => resolve(dialFailure(cause)));
    });
  }

  /** Waits for a task, but not for longer than the client lives. */
  #untilEnding(task: Promise<void>): Promise<void> {
    const ending = this.#ending.signal;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        ending.removeEventListener("abort", end);
        resolve();
      };
      if (ending.aborted) resolve();
      else ending.addEventListener("abort", end);
      task.then(end, (error) => {
        reject(error);
        end();
      });
    });
  }

  /** The next CONNECT: with the session of the last one, where there is one. */
  async #nextConnect(): Promise<ConnectPacket> {
    const { authentication } = this.#owner.options;
    const packet = { ...this.#owner.packet };
    const isResumable = (packet.properties.sessionExpiryInterval ?? 0) > 0;
    if (this.#wasConnected) {
      packet.clientId = this.#engine.clientId;
      if (packet.protocolVersion === 5 && isResumable) packet.cleanStart = false;
    }
    const authenticationData = await authentication?.begin?.();
    if (authenticationData !== undefined) {
      packet.properties = { ...packet.properties, authenticationData };
    }
    return packet;
  }

  #lost(cause: unknown): unknown {
    const error = this.#failure ?? lostError(cause);
    const connectedAt = this.#connectedAt;
    this.#connectedAt = undefined;
    this.#link = undefined;
    this.#owner.losing(error);
    this.#engine.connectionLost();
    this.#owner.lost();
    if (connectedAt !== undefined) {
      this.#reconnector.connected(this.#now() - connectedAt);
      const wanted = this.#ending.signal.aborted;
      this.#owner.tell({ kind: "disconnected", error: wanted ? this.#stopReason : error });
    }
    return error;
  }

  #end(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#waiters.reject(error ?? closedError());
    this.#owner.ended(error);
  }
}

/** Ends a connection that came when the client had ended. */
function discarded(transport: Transport): TransportHandler {
  queueMicrotask(() => transport.abort());
  return { onBytes() {}, onWritable() {}, onClose() {} };
}
