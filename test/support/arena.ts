// Where bad inputs are let loose: a broker that listens on loopback for clients that come one way, a
// canary that comes the same way and sings meanwhile, and at the end the proof that nothing was left
// behind: no connection, session, subscription, retained message, backlog or memory, one line in the
// log for each connection, and no fault of our own.

import { assertEquals } from "@std/assert";
import process from "node:process";
import { Broker, type BrokerOptions } from "../../mod.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { BrokerEvent, CloseCause } from "../../src/core/broker/event.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { formatEvent } from "../../src/telemetry/format_event.ts";
import { test } from "../harness.ts";
import { Canary } from "./canary.ts";
import { Relay } from "./relay.ts";
import { until } from "./wait.ts";
import { listenBy, openBy, type Way, WAYS } from "./way.ts";
import { type ConnectOptions, describe, type WireClient } from "./wire_client.ts";

/** Whether sizes are those of the real world; they are scaled down otherwise. */
export const IS_LONG: boolean = process.env["MIDGE_TEST_LONG"] === "1";

/** What garbage a runtime may keep, and what it makes of its own code, is far less. */
const GROWTH_MEGABYTES_MAX = IS_LONG ? 1024 : 256;

/** How many of a table are a few of it. */
const FEW = 12;

/** What came of an attack: the answers in short, and how the connection ended. */
export interface Outcome {
  readonly answers: readonly string[];
  /** `"open"` when it did not. */
  readonly cause: CloseCause | "open";
}

/** One attack on one connection. */
export interface Attack {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Whether a CONNECT comes before the bytes; `true` unless given. */
  readonly isConnected?: boolean;
  readonly connect?: ConnectOptions;
  readonly answers?: readonly string[];
  readonly cause: CloseCause | "open";
}

/** A client and what stands between it and the broker. */
interface Relayed {
  readonly client: WireClient;
  readonly relay: Relay;
}

type ClosedEvent = Extract<BrokerEvent, { readonly kind: "closed" }>;

/** Runs a body in an arena for clients that come one way. */
export type Enter = (
  options: BrokerOptions,
  body: (arena: Arena) => Promise<void>,
) => Promise<void>;

/** One test for each way to the broker. */
export function everyWay(name: string, run: (enter: Enter) => Promise<void>): void {
  for (const way of WAYS) {
    test(`${name} (${way})`, () => run((options, body) => inArena(way, options, body)));
  }
}

/** One test for all ways at the same time: for what has to wait for clocks. */
export function everyWayAtOnce(name: string, run: (enter: Enter) => Promise<void>): void {
  test(`${name} (${WAYS.join(", ")})`, async () => {
    await Promise.all(WAYS.map((way) => run((options, body) => inArena(way, options, body))));
  });
}

export class Arena {
  readonly broker: Broker;
  readonly way: Way;
  readonly port: number;
  readonly events: BrokerEvent[] = [];
  readonly errors: unknown[] = [];
  /** How many faults of our own, or of a policy, a test has provoked. */
  faults = 0;
  readonly #clients: WireClient[] = [];
  readonly #relays: Relay[] = [];
  /** How much was in the log when a port was used last: ports come again. */
  readonly #openedAt: Map<number, number> = new Map();

  constructor(broker: Broker, way: Way, port: number) {
    this.broker = broker;
    this.way = way;
    this.port = port;
  }

  /** How many to use of something: what is the same whatever the way is done in full by TCP. */
  share(count: number): number {
    return this.way === "TCP" || IS_LONG ? count : Math.ceil(count / 8);
  }

  /** Those to try: all by TCP, and by the other ways all of a few and some of many. */
  some<T>(all: readonly T[], few: number = FEW): readonly T[] {
    if (this.way === "TCP" || IS_LONG) return all;
    const step = Math.ceil(all.length / few);
    return all.filter((_, n) => n % step === 0);
  }

  /** A socket that has sent nothing. */
  async open(version: ProtocolVersion = 5): Promise<WireClient> {
    const noted = this.events.length;
    const client = await openBy(this.way, this.port, version);
    this.#clients.push(client);
    this.#openedAt.set(client.localPort, noted);
    return client;
  }

  /** A client that was let in. */
  async connect(version: ProtocolVersion = 5, options: ConnectOptions = {}): Promise<WireClient> {
    const client = await this.open(version);
    const { reasonCode } = await client.handshake(options);
    assertEquals({ reasonCode }, { reasonCode: 0 });
    return client;
  }

  /** A client that was let in, behind a relay that can stop what it is sent. */
  async connectRelayed(version: ProtocolVersion, options: ConnectOptions): Promise<Relayed> {
    const relay = await Relay.open(this.port);
    this.#relays.push(relay);
    const client = await openBy(this.way, relay.port, version);
    this.#clients.push(client);
    const { reasonCode } = await client.handshake(options);
    assertEquals({ reasonCode }, { reasonCode: 0 });
    return { client, relay };
  }

  /** Lets one attack loose and says that it came out as it should. */
  async attack(version: ProtocolVersion, attack: Attack): Promise<void> {
    const { name, bytes, isConnected = true, cause } = attack;
    const client = isConnected
      ? await this.connect(version, attack.connect)
      : await this.open(version);
    const { localPort } = client;
    const { protocolErrors, connectsRefused } = this.broker.counters;
    client.send(bytes);
    const packets = cause === "open" ? await client.ping() : await client.untilClosed();
    const outcome = {
      name,
      version,
      answers: packets.map(describe),
      cause: client.isClosed ? (await this.closedAt(localPort)).cause : "open",
      counted: this.broker.counters.protocolErrors - protocolErrors +
        this.broker.counters.connectsRefused - connectsRefused,
    };
    assertEquals(outcome, {
      name,
      version,
      answers: attack.answers ?? [],
      cause,
      counted: cause === "open" ? 0 : 1,
    });
    client.leave();
  }

  /** The line in the log about the end of the connection that came from this port. */
  async closedAt(remotePort: number): Promise<ClosedEvent> {
    const openedAt = this.#openedAt.get(remotePort) ?? 0;
    const find = (): ClosedEvent | undefined =>
      this.events.find((event, at): event is ClosedEvent =>
        at >= openedAt && event.kind === "closed" && event.peer.remotePort === remotePort
      );
    await until(() => find() !== undefined, "the broker notes the end of a connection");
    return find()!;
  }

  /** How often a connection from this port was not even opened. */
  deniedAt(remotePort: number): number {
    const openedAt = this.#openedAt.get(remotePort) ?? 0;
    return this.events.filter((event, at) =>
      at >= openedAt && event.kind === "denied-connection" &&
      event.peer.remotePort === remotePort
    ).length;
  }

  destroyClients(): void {
    for (const client of this.#clients.splice(0)) client.destroy();
    for (const relay of this.#relays.splice(0)) relay.close();
  }
}

/** Runs the body in an arena and looks at what it leaves behind. */
export async function inArena(
  way: Way,
  options: BrokerOptions,
  body: (arena: Arena) => Promise<void>,
): Promise<void> {
  let arena: Arena | undefined;
  const broker = new Broker({
    ...options,
    onEvent: (event) => {
      if (event.kind !== "packet") arena?.events.push(event);
      options.onEvent?.(event);
    },
    onError: (stage, error) => {
      // A handshake that its client breaks off is told, and is no fault of ours.
      const isHandshake = stage === "accept" && error instanceof OperationError &&
        error.code === "tls-failed";
      if (!isHandshake) arena?.errors.push(error);
    },
  });
  try {
    const before = residentMegabytes();
    const port = await listenBy(way, broker);
    arena = new Arena(broker, way, port);
    const canary = await Canary.start(port, way);
    try {
      await body(arena);
    } finally {
      arena.destroyClients();
      await canary.stop();
    }
    await settled(broker, {
      connections: 0,
      connected: 0,
      sessions: 0,
      subscriptions: 0,
      retained: 0,
      backlogBytes: 0,
    });
    // The line in the log comes at the end of the turn that changed the gauges.
    const { events } = arena;
    const count = (kind: BrokerEvent["kind"]): number =>
      events.filter((event) => event.kind === kind).length;
    await until(() => count("closed") >= count("opened"), "each end is in the log");
    assertEquals(arena.errors, []);
    assertEquals(broker.counters.internalErrors, arena.faults);
    assertEquals(countByPort(arena.events, "closed"), countByPort(arena.events, "opened"));
    assertEquals(arena.events.filter(hasNoLine), []);
    const grown = residentMegabytes() - before;
    assertEquals(grown < GROWTH_MEGABYTES_MAX ? "little" : `${grown} MB`, "little");
  } finally {
    await broker.close();
  }
}

/** Whether the log would not say, in one line, whose connection has ended. */
function hasNoLine(event: BrokerEvent): boolean {
  if (event.kind !== "closed") return false;
  const { clientId, peer } = event;
  const name = clientId ?? peer.remoteAddress;
  const start = `Client ${name} [${peer.remoteAddress}:${peer.remotePort}] disconnected`;
  return formatEvent(event).filter(({ text }) => text.startsWith(start)).length !== 1;
}

/** Waits until the gauges are what they should be, and says what they are instead. */
export async function settled(
  broker: Broker,
  expected: Partial<Broker["gauges"]>,
): Promise<void> {
  const names = Object.keys(expected) as (keyof Broker["gauges"])[];
  const found = () => Object.fromEntries(names.map((name) => [name, broker.gauges[name]]));
  const isEqual = (): boolean => JSON.stringify(found()) === JSON.stringify(expected);
  await until(isEqual, "all is as it was").catch(() => {});
  assertEquals(found(), expected);
}

/** How often each peer is named: a port may be used again, but not oftener closed than opened. */
function countByPort(events: readonly BrokerEvent[], kind: "opened" | "closed"): number[][] {
  const counts = new Map<number, number>();
  for (const event of events) {
    if (event.kind !== kind) continue;
    // One that is reset before it is accepted has no address any more on some runtimes.
    if (event.peer.remotePort !== 0) assertEquals(event.peer.remoteAddress, "127.0.0.1");
    counts.set(event.peer.remotePort, (counts.get(event.peer.remotePort) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

/** Megabytes that the process holds in memory, without the garbage where it can be collected. */
export function residentMegabytes(): number {
  // Bun lets garbage grow far beyond what is in use before it collects.
  const { Bun } = globalThis as { Bun?: { gc(isSynchronous: boolean): void } };
  Bun?.gc(true);
  return process.memoryUsage().rss / 1_048_576;
}
