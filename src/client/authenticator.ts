/**
 * The steps of an enhanced authentication (section 4.12 of the standard), when a connection begins
 * and whenever the application wants to prove itself anew.
 *
 * @module
 */

import type { ClientEngine } from "../core/client/client_engine.ts";
import type { AuthPacket } from "../core/codec/packet.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { ClientError } from "./client_error.ts";
import type { Authentication } from "./client_options.ts";

/** What the steps need of their client. */
export interface AuthenticatorOwner {
  wake(): void;
  /** Ends the connection with this error. */
  giveUp(error: unknown): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Authenticator {
  readonly #engine: ClientEngine;
  readonly #owner: AuthenticatorOwner;
  readonly #authentication: Authentication | undefined;
  /** Counts connections: an answer that took too long belongs to none. */
  #connection = 0;
  #waiter: Waiter | undefined;

  constructor(
    engine: ClientEngine,
    owner: AuthenticatorOwner,
    authentication: Authentication | undefined,
  ) {
    this.#engine = engine;
    this.#owner = owner;
    this.#authentication = authentication;
  }

  /** Proves the client anew on this connection [MQTT-4.12.1-1], if it can [MQTT-4.12.0-7]. */
  async again(): Promise<void> {
    const authentication = this.#authentication;
    if (authentication === undefined) {
      throw new ClientError("not-supported", "There is no enhanced authentication to repeat");
    }
    if (this.#waiter !== undefined) {
      throw new ClientError("invalid-argument", "An authentication is under way");
    }
    const connection = this.#connection;
    const done = new Promise<void>((resolve, reject) => this.#waiter = { resolve, reject });
    try {
      const data = await authentication.begin?.();
      if (this.#isCurrent(connection)) this.#send(ReasonCode.RE_AUTHENTICATE, data);
    } catch (error) {
      this.connectionLost(error);
    }
    return done;
  }

  /** AUTH came. */
  received(packet: AuthPacket): void {
    if (packet.reasonCode === ReasonCode.SUCCESS) {
      this.#waiter?.resolve();
      this.#waiter = undefined;
      return;
    }
    this.#answer(packet).catch((error) => this.#owner.giveUp(error));
  }

  /** The connection is gone, and what was under way on it. */
  connectionLost(error: unknown): void {
    this.#connection++;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }

  async #answer({ properties }: AuthPacket): Promise<void> {
    const authentication = this.#authentication;
    if (authentication === undefined) {
      throw new ClientError("protocol-error", "The broker sent AUTH to a client that wants none");
    }
    const connection = this.#connection;
    const data = await authentication.answer(properties.authenticationData, properties);
    // [MQTT-4.12.0-3]
    if (this.#isCurrent(connection)) this.#send(ReasonCode.CONTINUE_AUTHENTICATION, data);
  }

  #isCurrent(connection: number): boolean {
    const { phase } = this.#engine;
    return connection === this.#connection && (phase === "connecting" || phase === "connected");
  }

  #send(reasonCode: ReasonCode, data: Uint8Array | undefined): void {
    const authenticationMethod = this.#authentication!.method;
    const properties = data === undefined
      ? { authenticationMethod }
      : { authenticationMethod, authenticationData: data };
    // Nothing that could be left out [MQTT-3.15.2-2] [MQTT-3.15.2-3].
    this.#engine.authenticate(reasonCode, properties);
    this.#owner.wake();
  }
}
