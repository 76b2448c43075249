// Where bad inputs are let loose: a broker that listens on loopback, a canary that sings meanwhile,
// and at the end the proof that nothing was left behind: no connection, session, subscription,
// retained message or backlog, one line in the log for each connection, and no fault of our own.

import { assertEquals } from "@std/assert";
import process from "node:process";
import { Broker, type BrokerOptions } from "../../mod.ts";
import type { BrokerEvent, CloseCause } from "../../src/core/broker/event.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { Canary } from "./canary.ts";
import { until } from "./wait.ts";
import { type ConnectOptions, describe, WireClient } from "./wire_client.ts";

/** Whether sizes are those of the real world; they are scaled down otherwise. */
export const IS_LONG: boolean = process.env["MIDGE_TEST_LONG"] === "1";

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

type ClosedEvent = Extract<BrokerEvent, { readonly kind: "closed" }>;

export class Arena {
  readonly broker: Broker;
  readonly port: number;
  readonly events: BrokerEvent[] = [];
  readonly errors: unknown[] = [];
  /** How many faults of our own, or of a policy, a test has provoked. */
  faults = 0;
  readonly #clients: WireClient[] = [];
  /** How much was in the log when a port was used last: ports come again. */
  readonly #openedAt: Map<number, number> = new Map();

  constructor(broker: Broker, port: number) {
    this.broker = broker;
    this.port = port;
  }

  /** A socket that has sent nothing. */
  async open(version: ProtocolVersion = 5): Promise<WireClient> {
    const noted = this.events.length;
    const client = await WireClient.open(this.port, version);
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

  /** Lets one attack loose and says that it came out as it should. */
  async attack(version: ProtocolVersion, attack: Attack): Promise<void> {
    const { name, bytes, isConnected = true, cause } = attack;
    const client = isConnected
      ? await this.connect(version, attack.connect)
      : await this.open(version);
    // Read now: a closed socket has forgotten it.
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
  }
}

/** Runs the body in an arena and looks at what it leaves behind. */
export async function inArena(
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
    onError: (_stage, error) => arena?.errors.push(error),
  });
  try {
    const { port } = await broker.listen({ port: 0 });
    arena = new Arena(broker, port);
    const canary = await Canary.start(port);
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
  } finally {
    await broker.close();
  }
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
