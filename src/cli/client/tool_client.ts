/**
 * A tool's connection to its broker, from the first attempt to the exit status: opens it, opens it
 * again where the tool goes on, and says how it ended. What is sent and what becomes of messages is
 * the tool's own affair.
 *
 * The idea: a tool stands on the engine directly, because a promise or an object for each message
 * would cost more than the message.
 *
 * @module
 */

import { Link, type LinkOwner } from "../../client/link.ts";
import { isLasting } from "../../client/reconnect.ts";
import { ClientEngine } from "../../core/client/client_engine.ts";
import type { ClientSink } from "../../core/client/client_sink.ts";
import type { ConnackPacket } from "../../core/codec/packet.ts";
import { NO_PROPERTIES } from "../../core/codec/property.ts";
import { ReasonCode } from "../../core/codec/reason_code.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Accept, Transport } from "../../transport/transport.ts";
import {
  type ClientFailure,
  dialFailure,
  disconnectFailure,
  failureOf,
  protocolFailure,
  refusalFailure,
} from "./client_failure.ts";
import type { CommonSettings } from "./client_settings.ts";
import { type Opener, openerOf } from "./open_client.ts";

/** What a tool does on its connection. */
export interface ToolWork
  extends Pick<ClientSink, "onMessage" | "onPublished" | "onSuback" | "onUnsuback"> {
  /** Whether a lost connection is opened again; the first one never is. */
  readonly reconnects: boolean;
  /** The broker has accepted the connection, for the first time or again. */
  onConnected(connack: ConnackPacket): void;
  /** The connection is gone; the engine still knows what was in flight. */
  onLost?(): void;
  /** There is room in the outbox: sends more; `true` if something is left to send. */
  pump(): boolean;
  /** How a refused connection ends the tool, if not as it ends the clients. */
  refusalOf?(connack: ConnackPacket): ClientFailure;
}

export interface ToolSurroundings {
  readonly runtime: Runtime;
  /** Prints what is for standard output. */
  readonly print: (text: string) => void;
}

const RECONNECT_MS = 1000;
/** When a tool is stopped before the broker has answered. */
const STATUS_UNCONNECTED = 255;

export class ToolClient {
  readonly engine: ClientEngine;
  readonly #settings: CommonSettings;
  readonly #work: ToolWork;
  readonly #surroundings: ToolSurroundings;
  readonly #abort: AbortController = new AbortController();
  readonly #owner: LinkOwner;
  #opener: Opener | undefined;
  #link: Link | undefined;
  #resolve: (status: number) => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasConnected = false;
  /** How it is to end once the connection is gone. */
  #status: number | undefined;
  /** What went wrong with the present connection. */
  #failure: ClientFailure | undefined;
  #isFinal = false;

  constructor(settings: CommonSettings, work: ToolWork, surroundings: ToolSurroundings) {
    const { runtime } = surroundings;
    this.#settings = settings;
    this.#work = work;
    this.#surroundings = surroundings;
    this.engine = new ClientEngine(this.#sink(), {
      inflightMax: settings.inflightMax,
      answerTimeoutMs: settings.connect.keepAlive * 1000,
    });
    this.#owner = {
      now: () => runtime.now(),
      defer: (flush) => runtime.defer(flush),
      pump: () => this.engine.phase === "connected" && work.pump(),
      // Nothing here outlives the process.
      settle: () => undefined,
      onClosed: (error) => this.#closed(error),
    };
  }

  /** Connects and works until the end; gives the exit status. */
  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => this.#resolve = resolve);
    try {
      this.#opener = await openerOf(this.#settings, this.#surroundings.runtime);
      await this.#open();
    } catch (error) {
      // An attempt that was given up has nothing to tell.
      if (this.#status === undefined) this.#fail(dialFailure(error));
    }
    return await ended;
  }

  /** Whether more may be put into the outbox now. */
  get hasRoom(): boolean {
    return this.#link !== undefined && this.#link.hasRoom;
  }

  /** There may be something to send. */
  wake(): void {
    this.#link?.wake();
  }

  /** Reads nothing more from the broker until `resume`. */
  pause(): void {
    this.#link?.pause();
  }

  /** Undoes `pause`. */
  resume(): void {
    this.#link?.resume();
  }

  /** The work is done: says good-bye, and ends with this status. */
  finish(status: number, reasonCode: ReasonCode = ReasonCode.NORMAL_DISCONNECTION): void {
    if (this.#status !== undefined) return;
    this.#status = status;
    if (this.engine.phase !== "connected") return this.#end(status);
    const { connect, disconnectProperties } = this.#settings;
    // Older versions have one way to leave, with which the Will goes unsent.
    if (connect.protocolVersion === 5) this.engine.disconnect(reasonCode, disconnectProperties);
    else this.engine.disconnect();
    this.wake();
  }

  /** Ends from outside, a signal or the time being up, with these words unless nobody heard us. */
  stop(status: number, ...lines: string[]): void {
    const isConnected = this.#wasConnected;
    if (isConnected && this.#status === undefined) this.warn(...lines);
    this.finish(
      isConnected ? status : STATUS_UNCONNECTED,
      ReasonCode.DISCONNECT_WITH_WILL_MESSAGE,
    );
  }

  /** Something is wrong that the connection is not to blame for. */
  fail(failure: ClientFailure): void {
    this.#report(failure);
    this.finish(failure.status);
  }

  /** Tells what went wrong, to those who want to know. */
  warn(...lines: string[]): void {
    if (this.#settings.isQuiet) return;
    for (const line of lines) this.#surroundings.runtime.print("stderr", `${line}\n`);
  }

  async #open(): Promise<void> {
    const { connect, isDebugging } = this.#settings;
    const { print, runtime } = this.#surroundings;
    let accept: Accept = (transport: Transport) => {
      this.#link = new Link(this.engine, transport, this.#owner);
      this.engine.connect(connect, runtime.now());
      this.#link.wake();
      return this.#link;
    };
    if (isDebugging) {
      const [{ DebugLines }, { withDebugLines }] = await Promise.all([
        import("./debug_lines.ts"),
        import("./debug_tap.ts"),
      ]);
      accept = withDebugLines(accept, new DebugLines(connect.protocolVersion, print));
    }
    await this.#opener!(accept, this.#abort.signal);
  }

  #closed(error: unknown): void {
    const wasSecure = this.#settings.tls !== undefined && error instanceof Error;
    const isRefused = wasSecure && this.engine.phase === "connecting";
    this.#link = undefined;
    this.#work.onLost?.();
    this.engine.connectionLost();
    if (this.#status !== undefined) return this.#end(this.#status);
    // With TLS 1.3 the server judges our certificate when we take the connection for open.
    const failure = this.#failure ??
      (isRefused ? failureOf("tls", error.message) : failureOf("lost"));
    this.#failure = undefined;
    if (this.#isFinal || !this.#work.reconnects || !this.#wasConnected) return this.#fail(failure);
    this.#reconnect();
  }

  #reconnect(): void {
    this.#timer = setTimeout(async () => {
      try {
        await this.#open();
      } catch (error) {
        if (this.#status !== undefined) return;
        // As long as it is the surroundings that fail.
        dialFailure(error);
        this.#reconnect();
      }
    }, RECONNECT_MS);
  }

  #sink(): ClientSink {
    const work = this.#work;
    return {
      onConnack: (connack) => {
        if (connack.reasonCode >= ReasonCode.UNSPECIFIED_ERROR) {
          this.#isFinal = true;
          this.#failure = work.refusalOf?.(connack) ??
            refusalFailure(connack, this.#settings.connect.protocolVersion);
          return;
        }
        this.#wasConnected = true;
        work.onConnected(connack);
      },
      // Whoever must not lose a message keeps it until it is acknowledged.
      onSessionLost: () => {},
      onMessage: (message) => work.onMessage(message),
      onPublished: (packetId, code, properties) => work.onPublished(packetId, code, properties),
      onSuback: (packet) => work.onSuback(packet),
      onUnsuback: (packet) => work.onUnsuback(packet),
      onAuth: () => {
        this.#isFinal = true;
        this.#failure = failureOf("notSupported", "the broker wants to continue a login");
        this.engine.disconnect(ReasonCode.BAD_AUTHENTICATION_METHOD, NO_PROPERTIES);
        this.wake();
      },
      onDisconnect: ({ reasonCode }) => {
        this.#isFinal = isLasting(reasonCode);
        this.#failure = disconnectFailure(reasonCode);
      },
      onError: (error) => {
        this.#isFinal = true;
        this.#failure = protocolFailure(error);
      },
      onSilence: () => this.#failure = failureOf("keepAlive"),
    };
  }

  #fail(failure: ClientFailure): void {
    if (this.#status === undefined) this.#report(failure);
    this.#end(this.#status ?? failure.status);
  }

  #report({ lines }: ClientFailure): void {
    this.warn(...lines);
  }

  #end(status: number): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#resolve(status);
  }
}
