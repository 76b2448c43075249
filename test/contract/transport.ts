// What every transport promises, run on each implementation: `transportSuite` registers the tests,
// given a way to open a connection whose one end is the transport and whose other end is a `Peer`.

import { assertEquals } from "@std/assert";
import type { Accept } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import { fillPattern, PatternCheck } from "../support/byte_pattern.ts";
import { Probe } from "../support/probe.ts";
import { settle, sleep, until } from "../support/wait.ts";

/** The far end of a connection, as a test uses it. */
export interface Peer {
  /** Told of each chunk that arrives. */
  onChunk: (chunk: Uint8Array) => void;
  /** True once the transport has ended its side, cleanly or not. */
  readonly isEnded: boolean;
  /** True if it was not cleanly. */
  readonly isBroken: boolean;
  /** Resolves when the bytes were taken; never, if they are not. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the peer's own side; what was sent still arrives. */
  finish(): void;
  abort(): void;
  setReading(isReading: boolean): void;
}

/** One implementation under test. */
export interface TransportFixture {
  readonly name: string;
  connect(accept: Accept): Promise<Peer>;
  /** Called after each test. */
  release(): Promise<void>;
  /** What a transport may hold for a peer that does not read, at most. */
  readonly heldBytesMax: number;
  /** Whether the peer can end its side and still read. */
  readonly isHalfClosable: boolean;
  /** Whether the transport waits for the peer to end its side, and not forever. */
  readonly lingers: boolean;
  /** The platform reads on while the transport is paused, and the transport holds what comes. */
  readonly readsAhead?: boolean;
}

const MEGABYTE = 1_048_576;
const LARGE = 10 * MEGABYTE;
const PIECE = 65_536;

interface Connection {
  readonly peer: Peer;
  readonly probe: Probe;
  /** What the peer received, until a test says otherwise. */
  readonly got: number[];
}

export function transportSuite(fixture: TransportFixture): void {
  const suiteTest = (name: string, body: () => Promise<void>): void => {
    test(`${fixture.name} ${name}`, { timeout: 20_000 }, async () => {
      try {
        await body();
      } finally {
        await fixture.release();
      }
    });
  };
  const open = (prepare?: (probe: Probe) => void) => openConnection(fixture, prepare);

  suiteTest("echoes what arrives in single bytes [MQTT-4.2.0-1]", async () => {
    const { peer, probe, got } = await open();
    const sent = Array.from({ length: 100 }, (_, i) => i);
    echo(probe);
    for (const byte of sent) await peer.send(Uint8Array.of(byte));
    await until(() => got.length >= sent.length, "everything is echoed");
    assertEquals(got, sent);
    await endByPeer(peer, probe);
  });

  suiteTest("writes ten megabytes to a peer that reads slowly", async () => {
    const { peer, probe } = await open();
    const check = new PatternCheck();
    let sinceRest = 0;
    peer.onChunk = (chunk) => {
      check.add(chunk);
      sinceRest += chunk.length;
      if (sinceRest < MEGABYTE) return;
      sinceRest = 0;
      peer.setReading(false);
      setTimeout(() => peer.setReading(true), 5);
    };
    writePattern(probe, LARGE);
    await until(() => check.count >= LARGE, "everything has arrived");
    assertEquals({ ...check }, { count: LARGE, firstWrong: -1 });
    await endByPeer(peer, probe);
  });

  suiteTest("reads ten megabytes with pauses and loses nothing", async () => {
    const { peer, probe } = await open();
    const check = new PatternCheck();
    let sinceRest = 0;
    probe.onChunk = (chunk) => {
      check.add(chunk);
      sinceRest += chunk.length;
      if (sinceRest < MEGABYTE) return;
      sinceRest = 0;
      probe.pause();
      setTimeout(() => probe.resume(), 5);
    };
    await sendPattern(peer, LARGE);
    await until(() => check.count >= LARGE, "everything has arrived");
    assertEquals({ ...check }, { count: LARGE, firstWrong: -1 });
    await endByPeer(peer, probe);
  });

  suiteTest("echoes ten megabytes with back-pressure in both directions", async () => {
    const { peer, probe } = await open();
    const check = new PatternCheck();
    peer.onChunk = (chunk) => check.add(chunk);
    echo(probe);
    const sending = sendPattern(peer, LARGE);
    await until(() => check.count >= LARGE, "everything is echoed");
    await sending;
    assertEquals({ ...check }, { count: LARGE, firstWrong: -1 });
    await endByPeer(peer, probe);
  });

  if (!fixture.readsAhead) {
    suiteTest("stops the peer's writes while it is paused", async () => {
      const { peer, probe } = await open((probe) => probe.pause());
      const check = new PatternCheck();
      probe.onChunk = (chunk) => check.add(chunk);
      let isTaken = false;
      const sending = sendPattern(peer, 4 * LARGE).then(() => {
        isTaken = true;
      });
      await settle();
      await settle();
      assertEquals({ isTaken, count: check.count }, { isTaken: false, count: 0 });
      probe.resume();
      await sending;
      await until(() => check.count >= 4 * LARGE, "everything has arrived");
      assertEquals(check.firstWrong, -1);
      await endByPeer(peer, probe);
    });
  }

  suiteTest("keeps a write for a peer that never reads, and no more than that", async () => {
    const { peer, probe } = await open();
    peer.setReading(false);
    const written = writePattern(probe, 100 * MEGABYTE);
    await until(() => written.isWaiting, "a write waits");
    await settle();
    assertEquals(
      { isBounded: written.count <= fixture.heldBytesMax, isWaiting: written.isWaiting },
      { isBounded: true, isWaiting: true },
    );
    const writableCount = probe.writableCount;
    probe.abort();
    await expectClosed(probe, undefined);
    assertEquals(probe.writableCount, writableCount);
  });

  suiteTest("delivers an outstanding write after close()", async () => {
    const { peer, probe } = await open();
    const check = new PatternCheck();
    peer.onChunk = (chunk) => check.add(chunk);
    peer.setReading(false);
    const written = writePattern(probe, 100 * MEGABYTE);
    await until(() => written.isWaiting, "a write waits");
    await settle();
    const count = written.count;
    probe.close();
    assertEquals(probe.write(new Uint8Array(8)), true);
    peer.setReading(true);
    await until(() => peer.isEnded, "the peer sees the end");
    assertEquals({ ...check, isBroken: peer.isBroken }, {
      count,
      firstWrong: -1,
      isBroken: false,
    });
    peer.finish();
    await expectClosed(probe, undefined);
  });

  suiteTest("delivers the last answer though the peer's bytes are still unread", async () => {
    const { peer, probe, got } = await open((probe) => probe.pause());
    peer.send(new Uint8Array(20_000)).catch(() => {});
    await settle();
    probe.write(Uint8Array.of(1, 2, 3));
    probe.close();
    await until(() => peer.isEnded, "the peer sees the end");
    assertEquals({ got, isBroken: peer.isBroken }, { got: [1, 2, 3], isBroken: false });
    peer.finish();
    await expectClosed(probe, undefined);
    assertEquals(probe.received, []);
  });

  suiteTest("closes at once when it is closed before it has begun", async () => {
    const { peer, probe } = await open((probe) => probe.close());
    await until(() => peer.isEnded, "the peer sees the end");
    peer.finish();
    await expectClosed(probe, undefined);
  });

  suiteTest("aborts when it is aborted before it has begun", async () => {
    const { peer, probe } = await open((probe) => probe.abort());
    await until(() => peer.isEnded, "the peer sees the end");
    await expectClosed(probe, undefined);
  });

  suiteTest("aborts while it is idle, and again without effect", async () => {
    const { peer, probe } = await open();
    await settle();
    probe.abort();
    probe.abort();
    probe.close();
    await until(() => peer.isEnded, "the peer sees the end");
    await expectClosed(probe, undefined);
  });

  suiteTest("aborts while it is paused", async () => {
    const { peer, probe } = await open((probe) => probe.pause());
    peer.send(new Uint8Array(1000)).catch(() => {});
    await settle();
    probe.abort();
    await expectClosed(probe, undefined);
    assertEquals(probe.received, []);
  });

  suiteTest("aborts after close() has been waiting for the peer", async () => {
    const { probe } = await open();
    probe.close();
    probe.abort();
    await expectClosed(probe, undefined);
  });

  suiteTest("aborts from within onBytes()", async () => {
    const { peer, probe } = await open();
    probe.onChunk = () => probe.abort();
    peer.send(Uint8Array.of(1)).catch(() => {});
    await until(() => peer.isEnded, "the peer sees the end");
    await expectClosed(probe, undefined);
  });

  suiteTest("closes from within onBytes() after answering", async () => {
    const { peer, probe, got } = await open();
    probe.onChunk = () => {
      probe.write(Uint8Array.of(7));
      probe.close();
    };
    await peer.send(Uint8Array.of(1));
    await until(() => peer.isEnded, "the peer sees the end");
    assertEquals(got, [7]);
    peer.finish();
    await expectClosed(probe, undefined);
  });

  suiteTest("closes from within onWritable()", async () => {
    const { peer, probe } = await open();
    peer.setReading(false);
    const written = writePattern(probe, 100 * MEGABYTE);
    await until(() => written.isWaiting, "a write waits");
    probe.onRoom = () => probe.close();
    peer.setReading(true);
    await until(() => peer.isEnded, "the peer sees the end");
    peer.finish();
    await expectClosed(probe, undefined);
  });

  suiteTest("reports once that the peer aborted while it was idle", async () => {
    const { peer, probe } = await open();
    await settle();
    peer.abort();
    await until(() => probe.closeCount > 0, "the transport is closed");
    await settle();
    assertEquals({ closeCount: probe.closeCount, violations: probe.violations }, CLOSED_ONCE);
  });

  suiteTest("reports once that the peer aborted during a write", async () => {
    const { peer, probe } = await open();
    peer.setReading(false);
    const written = writePattern(probe, 100 * MEGABYTE);
    await until(() => written.isWaiting, "a write waits");
    peer.abort();
    await until(() => probe.closeCount > 0, "the transport is closed");
    await settle();
    assertEquals({ closeCount: probe.closeCount, violations: probe.violations }, CLOSED_ONCE);
  });

  suiteTest("reports once that the peer aborted while it was paused", async () => {
    const { peer, probe } = await open((probe) => probe.pause());
    await settle();
    peer.abort();
    await settle();
    probe.resume();
    await until(() => probe.closeCount > 0, "the transport is closed");
    await settle();
    assertEquals({ closeCount: probe.closeCount, violations: probe.violations }, CLOSED_ONCE);
  });

  if (fixture.isHalfClosable) {
    suiteTest("answers a peer that has ended its side already", async () => {
      const { peer, probe, got } = await open();
      probe.onChunk = (chunk) => {
        const answer = chunk.slice().reverse();
        // Later than the peer's end is seen, as an answer is that had to be asked for.
        setTimeout(() => probe.write(answer), 1);
      };
      await peer.send(Uint8Array.of(1, 2, 3));
      peer.finish();
      await until(() => peer.isEnded, "the peer sees the end");
      assertEquals({ got, isBroken: peer.isBroken }, { got: [3, 2, 1], isBroken: false });
      await expectClosed(probe, undefined);
    });

    suiteTest("finishes a long answer to a peer that has ended its side already", async () => {
      const { peer, probe } = await open();
      const check = new PatternCheck();
      peer.onChunk = (chunk) => check.add(chunk);
      probe.onChunk = () => writePattern(probe, LARGE);
      await peer.send(Uint8Array.of(1));
      peer.finish();
      await until(() => peer.isEnded, "the peer sees the end");
      assertEquals({ ...check, isBroken: peer.isBroken }, {
        count: LARGE,
        firstWrong: -1,
        isBroken: false,
      });
      await expectClosed(probe, undefined);
    });
  }

  if (fixture.lingers) {
    suiteTest("gives up on a peer that neither reads nor ends after close()", async () => {
      const silent = await open();
      const deaf = await open();
      deaf.peer.setReading(false);
      const written = writePattern(deaf.probe, 100 * MEGABYTE);
      await until(() => written.isWaiting, "a write waits");
      silent.probe.close();
      deaf.probe.close();
      await settle();
      assertEquals([silent.probe.closeCount, deaf.probe.closeCount], [0, 0]);
      await expectClosed(silent.probe, undefined);
      await expectClosed(deaf.probe, undefined);
      silent.peer.abort();
      deaf.peer.abort();
    });
  }

  suiteTest("serves five hundred connections at once", async () => {
    const connections: Connection[] = [];
    for (let i = 0; i < 500; i++) connections.push(await open(echo));
    await Promise.all(connections.map(({ peer }, i) => peer.send(Uint8Array.of(i >> 8, i & 255))));
    await until(() => connections.every(({ got }) => got.length === 2), "all are answered");
    assertEquals(
      connections.map(({ got }) => got),
      connections.map((_, i) => [i >> 8, i & 255]),
    );
    for (const { peer } of connections) peer.finish();
    await until(() => connections.every(({ probe }) => probe.closeCount === 1), "all are closed");
    assertEquals(connections.flatMap(({ probe }) => probe.violations), []);
  });
}

const CLOSED_ONCE = { closeCount: 1, violations: [] };

async function openConnection(
  fixture: TransportFixture,
  prepare: ((probe: Probe) => void) | undefined,
): Promise<Connection> {
  let probe: Probe | undefined;
  const peer = await fixture.connect((transport) => {
    probe = new Probe(transport);
    prepare?.(probe);
    return probe;
  });
  const got: number[] = [];
  peer.onChunk = (chunk) => void got.push(...chunk);
  await until(() => probe !== undefined, "the connection is accepted");
  return { peer, probe: probe!, got };
}

/** Answers with the same bytes, and reads no more while an answer waits. */
function echo(probe: Probe): void {
  probe.onChunk = (chunk) => {
    if (!probe.write(chunk.slice())) probe.pause();
  };
  probe.onRoom = () => probe.resume();
}

/**
 * Writes the pattern from one buffer used again and again: refilled as soon as the contract allows,
 * so that a transport which still needs it is found out.
 */
function writePattern(probe: Probe, total: number): { count: number; isWaiting: boolean } {
  const buffer = new Uint8Array(PIECE);
  const progress = { count: 0, isWaiting: false };
  const more = (): void => {
    progress.isWaiting = false;
    buffer.fill(0xee);
    while (progress.count < total) {
      const length = Math.min(PIECE - (progress.count % 7), total - progress.count);
      fillPattern(buffer, progress.count, length);
      progress.count += length;
      if (!probe.write(buffer, length)) {
        progress.isWaiting = true;
        return;
      }
      buffer.fill(0xee);
    }
  };
  probe.onRoom = more;
  more();
  return progress;
}

async function sendPattern(peer: Peer, total: number): Promise<void> {
  for (let count = 0; count < total;) {
    const piece = new Uint8Array(Math.min(PIECE, total - count));
    fillPattern(piece, count);
    await peer.send(piece);
    count += piece.length;
  }
}

async function endByPeer(peer: Peer, probe: Probe): Promise<void> {
  peer.finish();
  await expectClosed(probe, undefined);
}

async function expectClosed(probe: Probe, error: unknown): Promise<void> {
  await until(() => probe.closeCount > 0, "the transport is closed");
  await sleep(5);
  assertEquals(
    { closeCount: probe.closeCount, error: probe.error, violations: probe.violations },
    { closeCount: 1, error, violations: [] },
  );
}
