// An honest client: the real engine between a simulated network and an application that does what
// its character makes it do. It keeps its word: what it says it has got it does not forget, and what
// it was promised it writes down in the model.

import { ClientEngine } from "../../src/core/client/client_engine.ts";
import type { ClientSink } from "../../src/core/client/client_sink.ts";
import type { IncomingMessage } from "../../src/core/client/incoming_message.ts";
import type { MqttError } from "../../src/core/codec/error.ts";
import type {
  AuthPacket,
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  SubackPacket,
  SubscriptionRequest,
  UnsubackPacket,
} from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { answerTo, AUTHENTICATION_METHOD } from "./authority.ts";
import type { Chance } from "./chance.ts";
import type { Character } from "./character.ts";
import { connectOf, withWill } from "./introduction.ts";
import { type Model, type SentMessage, type Subscribed, Violation } from "./model.ts";
import type { ClientEnd, SimConnection } from "./network.ts";
import type { Planned, Scheduler } from "./scheduler.ts";

/** What a client needs of its world. */
export interface ClientWorld {
  readonly scheduler: Scheduler;
  readonly model: Model;
  /** The faults have ended, and clients come to rest. */
  readonly isSettling: boolean;
  dial(clientId: string, end: ClientEnd): SimConnection;
  fail(violation: Violation): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SimClient implements ClientSink, ClientEnd {
  readonly clientId: string;
  readonly character: Character;
  readonly engine: ClientEngine;
  readonly #world: ClientWorld;
  readonly #chance: Chance;
  #connection: SimConnection | undefined;
  #alarm: Planned | undefined;
  #reconnecting: Planned | undefined;
  #isFrozen = false;
  #isLeaving = false;
  #isStarted = false;
  #startsClean = false;
  /** Of the present connection. */
  #version: ProtocolVersion;
  /** The present connection was accepted. */
  #isConfirmed = false;
  /** The last one was not, as far as we know. */
  #isUnsure = false;
  /** It is saying who it is, and that has not ended. */
  #isAuthenticating = false;
  #count = 0;
  /** By packet identifier. */
  readonly #inflight: Map<number, SentMessage> = new Map();
  readonly #subscribing: Map<number, Subscribed[]> = new Map();

  constructor(clientId: string, character: Character, chance: Chance, world: ClientWorld) {
    this.clientId = clientId;
    this.character = character;
    this.#chance = chance;
    this.#world = world;
    const { acknowledgesLater } = character;
    this.engine = new ClientEngine(this, { acknowledgesLater, topicAliasesMax: 2 });
    const { kind, versions } = character;
    this.#version = versions[0]!;
    world.model.clients.set(clientId, { clientId, versions, kind });
  }

  /** Nothing of its own is under way. */
  get isAtRest(): boolean {
    const { engine } = this;
    return engine.phase === "connected" && engine.inflightCount === 0 && engine.requestCount === 0;
  }

  get isGone(): boolean {
    return this.#connection === undefined;
  }

  get connection(): SimConnection | undefined {
    return this.#connection;
  }

  /** Connects, and goes on until it is told to settle. */
  start(ms: number): void {
    this.#isStarted = true;
    this.#connectIn(ms);
    this.#actIn(ms + 200);
  }

  /** Reads again, and connects soon if it is not connected. */
  settle(): void {
    this.thaw();
    if (this.#connection === undefined && this.#isStarted && !this.#isLeaving) {
      this.#connectIn(this.#chance.below(500));
    }
  }

  /** Ends its session for good. */
  leave(): void {
    this.#isLeaving = true;
    this.#reconnecting?.run();
    const { engine } = this;
    if (engine.phase !== "connected") return;
    // A DISCONNECT may be lost, and then the session would go on: one that lasts is ended by another
    // that does not.
    if (this.character.kind === "fresh") {
      this.#sayGoodbye();
    } else {
      engine.disconnect();
      this.#flush();
      this.#connectIn(10);
    }
  }

  freeze(): void {
    if (this.#isFrozen || this.#connection === undefined) return;
    this.#isFrozen = true;
    this.#connection.freeze();
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#connection?.thaw();
    this.engine.excuseSilence(this.#world.scheduler.now);
  }

  // What the network tells.

  onBytes(chunk: Uint8Array): void {
    this.engine.receive(chunk, this.#world.scheduler.now);
    this.#flush();
  }

  onClose(): void {
    this.#lost();
  }

  // What the engine tells.

  onConnack(packet: ConnackPacket): void {
    const { model, scheduler } = this.#world;
    if (packet.reasonCode >= ReasonCode.UNSPECIFIED_ERROR) return;
    const will = model.wills.get(this.#connection!.remotePort);
    if (will !== undefined) will.isConfirmed = true;
    this.#startsClean = false;
    this.#isAuthenticating = false;
    this.#isConfirmed = true;
    // A session that ends soon may have been made anew by a CONNECT that was never answered.
    const known = this.#isUnsure ? undefined : model.current.get(this.clientId);
    this.#isUnsure = false;
    if (known === undefined) {
      model.begin(this.clientId, scheduler.step);
    } else if (!packet.sessionPresent && this.#version > 3) {
      // Version 3.1 does not tell: who misses messages then will notice.
      if (this.character.kind === "durable") {
        this.#fail("session", `${this.clientId} was promised a session that is gone`);
      }
      model.begin(this.clientId, scheduler.step);
    }
    for (const message of this.#inflight.values()) message.isResent = true;
    if (this.#isLeaving) this.#sayGoodbye();
    else for (const filter of this.character.filters) this.#subscribeUnlessThere(filter);
  }

  onSessionLost(): void {
    this.#inflight.clear();
  }

  onMessage(message: IncomingMessage): void {
    const session = this.#world.model.current.get(this.clientId);
    const { qos, retain, dup, topic, packetId } = message;
    const id = decoder.decode(message.copyPayload()).split(" ")[0]!;
    const { gatedFrom, gatedMs, writtenAt } = this.#connection!;
    const at = this.#world.scheduler.step;
    const expirySeconds = message.properties.messageExpiryInterval;
    const when = { at, gatedFrom, gatedMs, writtenAt };
    const version = this.#version;
    session?.receipts.push({ id, topic, qos, retain, dup, expirySeconds, version, ...when });
    if (qos === 0 || !this.character.acknowledgesLater) return;
    const ms = this.#chance.below(this.#world.isSettling ? 10 : 1500);
    this.#world.scheduler.after(ms, () => {
      if (this.engine.acknowledge(packetId)) this.#flush();
    });
  }

  onPublished(packetId: number, reasonCode: ReasonCode, _properties: Properties): void {
    const message = this.#inflight.get(packetId);
    this.#inflight.delete(packetId);
    if (message === undefined) return;
    message.acknowledgedAt = this.#world.scheduler.step;
    message.acknowledgedMs = this.#world.scheduler.now;
    message.isRefused = reasonCode >= ReasonCode.UNSPECIFIED_ERROR;
  }

  onSuback(packet: SubackPacket): void {
    const asked = this.#subscribing.get(packet.packetId) ?? [];
    this.#subscribing.delete(packet.packetId);
    packet.reasonCodes.forEach((code, i) => {
      if (code >= ReasonCode.UNSPECIFIED_ERROR) asked[i]!.isRefused = true;
      else asked[i]!.since = this.#world.scheduler.step;
    });
  }

  onUnsuback(_packet: UnsubackPacket): void {}

  onAuth(packet: AuthPacket): void {
    const { authenticates } = this.character;
    if (!authenticates) this.#fail("protocol", `${this.clientId} was sent AUTH`);
    if (packet.reasonCode !== ReasonCode.CONTINUE_AUTHENTICATION) {
      this.#isAuthenticating = false;
      return;
    }
    const authenticationData = answerTo(packet.properties.authenticationData);
    this.engine.authenticate(packet.reasonCode, {
      authenticationMethod: AUTHENTICATION_METHOD,
      authenticationData,
    });
    this.#flush();
  }

  onDisconnect(_packet: DisconnectPacket): void {}

  onError(error: MqttError): void {
    this.#fail("protocol", `${this.clientId}: ${error.message}`);
  }

  onSilence(): void {}

  #fail(checker: string, message: string): void {
    this.#world.fail(new Violation(checker, message));
  }

  #connectIn(ms: number): void {
    const run = (): void => {
      this.#reconnecting = undefined;
      planned.isCancelled = true;
      this.#connect();
    };
    if (this.#reconnecting !== undefined) this.#reconnecting.isCancelled = true;
    const planned = this.#world.scheduler.after(ms, run);
    this.#reconnecting = planned;
  }

  #connect(): void {
    if (this.#connection !== undefined) return;
    const { scheduler, model } = this.#world;
    const connection = this.#world.dial(this.clientId, this.#endFor());
    this.#connection = connection;
    this.#isFrozen = false;
    const packet = this.#connectPacket(connection.remotePort);
    // From here on the old session may be gone.
    if (packet.cleanStart) {
      model.end(this.clientId, scheduler.step);
      this.#inflight.clear();
    }
    this.engine.connect(packet, scheduler.now);
    this.#flush();
  }

  /** What a connection tells that we have given up is nobody's business. */
  #endFor(): ClientEnd {
    const end: ClientEnd = {
      onBytes: (chunk) => {
        if (this.#end === end) this.onBytes(chunk);
      },
      onClose: () => {
        if (this.#end === end) this.onClose();
      },
    };
    this.#end = end;
    return end;
  }

  #end: ClientEnd | undefined;

  #connectPacket(number: number): ConnectPacket {
    const { clientId, character } = this;
    const { kind } = character;
    const { isSettling, model } = this.#world;
    const isLeaving = this.#isLeaving;
    // Who has begun to start anew has no session any more until he is told of one.
    this.#startsClean ||= isLeaving || kind === "fresh" ||
      (kind === "mixed" && !isSettling && this.#chance.happens(300));
    const cleanStart = this.#startsClean;
    const { versions } = character;
    if (versions.length > 1) this.#version = this.#chance.pick(versions);
    const version = this.#version;
    const introduction = connectOf(clientId, character, { version, cleanStart, isLeaving });
    if (isLeaving || isSettling) return introduction;
    return withWill(introduction, number, character, model);
  }

  #sayGoodbye(): void {
    this.engine.disconnect();
    this.#world.model.end(this.clientId, this.#world.scheduler.step);
    this.#flush();
  }

  /** Lets what the engine has gathered leave, and does what its phase asks for. */
  #flush(): void {
    const { engine } = this;
    const { scheduler } = this.#world;
    const connection = this.#connection;
    if (connection !== undefined && engine.outbox.length > 0) {
      connection.send(engine.outbox.bytes.slice(0, engine.outbox.length));
    }
    engine.sent(scheduler.now);
    if (engine.phase === "ended") {
      connection?.end();
      this.#lost();
      return;
    }
    const { nextDeadline } = engine;
    if (this.#alarm !== undefined) {
      if (!this.#alarm.isCancelled && this.#alarm.at <= nextDeadline) return;
      this.#alarm.isCancelled = true;
    }
    this.#alarm = nextDeadline === Infinity
      ? undefined
      : scheduler.after(Math.max(0, nextDeadline - scheduler.now), () => this.#ring());
  }

  #ring(): void {
    this.#alarm = undefined;
    // Who does not listen cannot complain of silence.
    if (this.#isFrozen) this.engine.excuseSilence(this.#world.scheduler.now);
    this.engine.advance(this.#world.scheduler.now);
    this.#flush();
  }

  #lost(): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#end = undefined;
    this.#isFrozen = false;
    this.#subscribing.clear();
    this.engine.connectionLost();
    if (!this.#isConfirmed) this.#isUnsure ||= this.character.kind === "brief";
    this.#isConfirmed = false;
    const { kind, expirySeconds } = this.character;
    // A session that ends with its connection is over, and what was in flight with it.
    if (kind === "fresh" || (kind === "brief" && expirySeconds === 0)) {
      this.#world.model.end(this.clientId, this.#world.scheduler.step);
      this.#inflight.clear();
    }
    if (this.#isLeaving && this.#world.model.current.get(this.clientId) === undefined) return;
    this.#connectIn(this.#world.isSettling ? 200 : this.#chance.between(1, 2500));
  }

  #actIn(ms: number): void {
    this.#world.scheduler.after(ms, () => {
      if (this.#world.isSettling) return;
      this.#act();
      this.#actIn(this.#chance.between(1, this.character.pauseMsMax));
    });
  }

  #act(): void {
    if (this.engine.phase !== "connected") return;
    const { character } = this;
    const what = this.#chance.below(1000);
    if (what < 700) this.#publishSome();
    else if (what < 760) this.#resubscribe();
    else if (what < 800) this.#unsubscribe();
    else if (what < 830) this.engine.disconnect(this.#farewell());
    else if (what < 850) this.#drop();
    else if (what < 900 && character.authenticates) this.#authenticateAgain();
    else if (what < 950 && character.lags) {
      this.freeze();
      this.#world.scheduler.after(this.#chance.between(100, 4000), () => this.thaw());
    }
    this.#flush();
  }

  #authenticateAgain(): void {
    if (this.#isAuthenticating) return;
    this.#isAuthenticating = true;
    const authenticationMethod = AUTHENTICATION_METHOD;
    this.engine.authenticate(ReasonCode.RE_AUTHENTICATE, { authenticationMethod });
  }

  #farewell(): ReasonCode {
    const hasWill = this.#version === 5 && this.#chance.happens(300);
    return hasWill ? ReasonCode.DISCONNECT_WITH_WILL_MESSAGE : ReasonCode.NORMAL_DISCONNECTION;
  }

  #drop(): void {
    this.#connection?.end();
    this.#lost();
  }

  #publishSome(): void {
    const { character } = this;
    if (character.topics.length === 0) return;
    const count = character.floods && this.#chance.happens(100) ? this.#chance.between(10, 60) : 1;
    for (let i = 0; i < count; i++) this.publish(this.#chance.pick(character.topics));
  }

  /** Publishes a message under a topic; nothing while the window is full. */
  publish(topic: string, qos = this.#chance.below(3) as QoS): void {
    const retain = topic.startsWith("r/") || (topic.startsWith("t/") && this.#chance.happens(100));
    const number = ++this.#count;
    const id = `${this.clientId}:${number}`;
    const isEmpty = topic.startsWith("r/") && this.#chance.happens(250);
    const filler = this.#chance.happens(50) ? 2000 : this.#chance.below(60);
    const payload = encoder.encode(isEmpty ? "" : `${id} ${"x".repeat(filler)}`);
    const { scheduler, model } = this.#world;
    const expirySeconds =
      !isEmpty && this.#version === 5 && this.#chance.happens(this.character.expiringPerMille)
        ? this.#chance.pick([1, 3, 20])
        : undefined;
    const properties = expirySeconds === undefined ? {} : { messageExpiryInterval: expirySeconds };
    const options = { qos, retain, properties };
    const packetId = this.engine.publish(topic, payload, options, scheduler.now);
    if (packetId < 0) return;
    const message: SentMessage = {
      id: isEmpty ? "" : id,
      publisher: this.clientId,
      number,
      topic,
      qos,
      retain,
      sentAt: scheduler.step,
      expirySeconds,
      acknowledgedAt: Infinity,
      acknowledgedMs: Infinity,
      isRefused: false,
      isResent: false,
    };
    model.messages.set(id, message);
    if (packetId > 0) this.#inflight.set(packetId, message);
    this.#flush();
  }

  /** Removes what is retained under a topic. */
  clear(topic: string): void {
    const options = { qos: 0, retain: true } as const;
    this.engine.publish(topic, new Uint8Array(0), options, this.#world.scheduler.now);
    this.#flush();
  }

  #subscribeUnlessThere(request: SubscriptionRequest): void {
    const session = this.#world.model.current.get(this.clientId)!;
    const isThere = session.subscriptions.some(({ filter, shareName, until, since }) =>
      nameOf(filter, shareName) === request.filter && until === Infinity && since !== Infinity
    );
    if (!isThere) this.subscribe(request);
  }

  /** Asks for a subscription. */
  subscribe(request: SubscriptionRequest): void {
    const session = this.#world.model.current.get(this.clientId);
    if (session === undefined) return;
    const at = this.#world.scheduler.step;
    this.#endSubscription(request.filter);
    const [filter, shareName] = partsOf(request.filter);
    // Older versions have none of the options.
    const plain = this.#version === 5
      ? request
      : { ...request, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const { qos, noLocal } = plain;
    const subscribed: Subscribed = {
      filter,
      shareName,
      qos,
      noLocal,
      askedAt: at,
      since: Infinity,
      until: Infinity,
      isRefused: false,
    };
    session.subscriptions.push(subscribed);
    this.#subscribing.set(this.engine.subscribe([plain]), [subscribed]);
    this.#flush();
  }

  #endSubscription(name: string): void {
    const session = this.#world.model.current.get(this.clientId);
    for (const one of session?.subscriptions ?? []) {
      if (nameOf(one.filter, one.shareName) !== name || one.until !== Infinity) continue;
      one.until = this.#world.scheduler.step;
    }
  }

  #resubscribe(): void {
    const { filters, keepsSubscriptions } = this.character;
    if (keepsSubscriptions || filters.length === 0) return;
    const request = this.#chance.pick(filters);
    this.subscribe({ ...request, qos: this.#chance.below(3) as QoS });
  }

  #unsubscribe(): void {
    const { filters, keepsSubscriptions } = this.character;
    if (keepsSubscriptions || filters.length === 0) return;
    const { filter } = this.#chance.pick(filters);
    this.#endSubscription(filter);
    this.engine.unsubscribe([filter]);
  }
}

function partsOf(name: string): [filter: string, shareName: string | undefined] {
  if (!name.startsWith("$share/")) return [name, undefined];
  const end = name.indexOf("/", 7);
  return [name.slice(end + 1), name.slice(7, end)];
}

function nameOf(filter: string, shareName: string | undefined): string {
  return shareName === undefined ? filter : `$share/${shareName}/${filter}`;
}
