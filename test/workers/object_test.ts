// What is the object's own between the host and the broker: its sockets, and what it keeps of them.

import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import { DEFAULT_LIMITS } from "../../src/core/broker/limits.ts";
import { ASK, OPEN_POLICY } from "../../src/core/broker/question.ts";
import { HIBERNATION } from "../../src/core/broker/wake.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { beginAttachment } from "../../src/runtime/workers/attachment.ts";
import { ObjectSocket, type SocketOwner } from "../../src/runtime/workers/object_socket.ts";
import { BrokerObject } from "../../src/runtime/workers/worker.ts";
import type { HibernatingSocket, ObjectStorage } from "../../src/runtime/workers/workers_api.ts";
import { test } from "../harness.ts";
import { FakeHost, type FakeHostOptions } from "../support/fake_durable_object.ts";
import { FakeStorage } from "../support/fake_object_storage.ts";
import { encoded } from "../support/raw_packet.ts";
import { connack, connect, publish, request, subscribe } from "../support/packets.ts";

async function withHost(
  body: (host: FakeHost) => Promise<void>,
  { env, ...options }: FakeHostOptions = {},
): Promise<void> {
  const bindings = { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_LOG_TYPE: "none", ...env };
  const host = new FakeHost(BrokerObject, { ...options, env: bindings });
  try {
    await body(host);
  } finally {
    host.close();
  }
}

test("BrokerObject serves nobody whose bindings have a fault", () => {
  const state = {} as ConstructorParameters<typeof BrokerObject>[0];
  assertThrows(() => new BrokerObject(state, { MIDGE_NONSENSE: "1" }), TypeError);
});

test("BrokerObject lets a class that extends it decide, and tells it what happens", async () => {
  const names: string[] = [];
  class Own extends BrokerObject {
    constructor(...[state, bindings]: ConstructorParameters<typeof BrokerObject>) {
      super(state, bindings, {
        decider: {
          ...OPEN_POLICY,
          connect: ({ clientId }) => clientId === "asked" ? ASK : ReasonCode.SUCCESS,
          ask: () => Promise.resolve({ kind: "connect", reasonCode: ReasonCode.BANNED }),
        },
        onEvent: (event) => {
          if (event.kind === "connected") names.push(event.clientId);
        },
      });
    }
  }
  // Nobody would come in by the bindings, which name no users.
  const host = new FakeHost(Own, { env: { MIDGE_LOG_TYPE: "none" } });
  try {
    const codes: unknown[] = [];
    for (const clientId of ["known", "asked"]) {
      const client = await host.connect();
      const [packet] = await client.exchange(connect({ clientId }));
      codes.push(packet?.type === "connack" ? packet.reasonCode : packet);
    }
    assertEquals(codes, [ReasonCode.SUCCESS, ReasonCode.BANNED]);
    assertEquals(names, ["known"]);
  } finally {
    host.close();
  }
});

test("BrokerObject closes the connection of who sends text [MQTT-6.0.0-1]", async () => {
  await withHost(async (host) => {
    const client = await host.connect();
    await client.sendText("hello");
    assertEquals([client.isClosed, client.closeCode], [true, 1003]);
  });
});

test("BrokerObject sends what a turn has for a client in one message", async () => {
  await withHost(async (host) => {
    const client = await host.connect();
    await client.send(connect());
    const before = client.messages;
    await client.send(
      subscribe(1, [request("t")]),
      publish("t", { payload: "one" }),
      publish("t", { payload: "two" }),
      { type: "pingreq" },
    );
    assertEquals(client.take().map(({ type }) => type), [
      "connack",
      "suback",
      "publish",
      "publish",
      "pingresp",
    ]);
    assertEquals(client.messages - before, 1);
  });
});

test("BrokerObject writes an attachment only when it has changed, and for who has spoken", async () => {
  await withHost(async (host) => {
    const [reader, writer] = [await host.connect(), await host.connect()];
    await reader.send(connect({ clientId: "reader" }), subscribe(1, [request("t")]));
    await writer.send(connect({ clientId: "writer", keepAlive: 60 }));
    const before = reader.attachment;
    host.now += 5000;
    await writer.send(publish("t"));
    // The fake keeps a copy of each that is written.
    assertEquals(reader.attachment === before, true);
    const own = writer.attachment;
    await writer.send(publish("t"));
    assertEquals(writer.attachment === own, true);
    host.now += 5000;
    await writer.send(publish("t"));
    assertEquals(writer.attachment === own, false);
  });
});

test("ObjectSocket is closed when too much comes while it is paused, and counts anew after that", () => {
  const closes: unknown[] = [];
  const host = {
    send: () => {},
    close: (code?: number) => void closes.push(code),
    serializeAttachment: () => {},
    deserializeAttachment: () => null,
  };
  const owner: SocketOwner = {
    touched: () => {},
    ended: (_socket, error) => void closes.push(String(error)),
    snapshot: () => false,
    pack: (bytes) => Uint8Array.from(bytes),
    forget: () => {},
  };
  const socket = new ObjectSocket(host, owner, { id: 1, remoteAddress: "" });
  const half = new ArrayBuffer(600_000);
  socket.pause();
  socket.receive(half);
  socket.resume();
  socket.receive(half);
  socket.pause();
  socket.receive(half);
  assertEquals(closes, []);
  socket.receive(half);
  assertEquals(closes, [1008, "Error: Too much came while nobody was to send"]);
});

test("BrokerObject takes the address of its client from the host", async () => {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => void lines.push(line);
  try {
    await withHost(async (host) => {
      await host.connect("https://edge.example/mqtt", { "cf-connecting-ip": "192.0.2.9" });
    }, { env: { MIDGE_LOG_TYPE: "all" } });
  } finally {
    console.log = log;
  }
  assertEquals(lines, ["New connection from 192.0.2.9:0 on port 0."]);
});

test("BrokerObject asks for a password, and waits with the event for what comes of it", async () => {
  const hash =
    "$7$1000$Hz1DWKvUVfwE7MCAWOm9S6PvZIKJ9CKFokD+I/clpr48Y9BEDcTjia3+Au+eKas3RTWB/QjyOU2tgzmuDZ4jjg==$VEVbtOlVSpaCSxe3lkWlpLVgxEXC069upoHvrV3bEWnUIQel6nfITY7W5QbCySL52Eh9kYc9p8O6//qA/Afbkg==";
  await withHost(async (host) => {
    const password = (text: string): Uint8Array => new TextEncoder().encode(text);
    const stranger = await host.connect();
    await stranger.send(connect({ username: "ann", password: password("guess") }));
    assertEquals(stranger.take(), [connack(0x87)]);
    const ann = await host.connect();
    await ann.send(connect({ username: "ann", password: password("secret") }), { type: "pingreq" });
    assertEquals(ann.take().map(({ type }) => type), ["connack", "pingresp"]);
  }, {
    env: { MIDGE_ALLOW_ANONYMOUS: "false", MIDGE_PASSWORD_FILE: `ann:${hash}` },
    sleepsAfter: () => true,
  });
});

/** A socket of the host's that has not said who it is, as an object finds it that was just made. */
class WaitingSocket implements HibernatingSocket {
  readonly sent: Packet["type"][][] = [];
  closeCode: number | undefined;
  readonly #attachment: Uint8Array;

  constructor(id: number, version?: number) {
    const core = new BrokerCore({
      limits: DEFAULT_LIMITS,
      random: () => 1,
      keepsJournal: true,
      hibernates: true,
    }, HIBERNATION);
    const peer = { remoteAddress: "", remotePort: 0, localPort: 0 };
    const writer = new Writer(new Uint8Array(64));
    beginAttachment(writer, id, "");
    const start = writer.length;
    core.snapshot(core.open(peer, Date.now()), writer, Date.now());
    writer.bytes[start] = version ?? writer.bytes[start]!;
    this.#attachment = writer.bytes.slice(0, writer.length);
  }

  send(message: Uint8Array): void {
    const framer = new Framer();
    const types: Packet["type"][] = [];
    framer.feed(message);
    while (framer.next()) {
      const { firstByte, bytes, bodyStart, end } = framer;
      types.push(decodePacket(firstByte, bytes, bodyStart, end, 5).type);
    }
    this.sent.push(types);
  }

  close(code?: number): void {
    this.closeCode = code;
  }

  serializeAttachment(): void {}

  deserializeAttachment(): unknown {
    return this.#attachment;
  }
}

test("BrokerObject commits once for all that comes until the host has time", async () => {
  const disk = new DatabaseSync(":memory:");
  const storage = new FakeStorage(disk);
  let commits = 0;
  const counting: ObjectStorage = {
    sql: storage.sql as unknown as ObjectStorage["sql"],
    transactionSync: (action) => {
      commits++;
      return storage.transactionSync(action);
    },
    getAlarm: () => storage.getAlarm(),
    setAlarm: (at) => storage.setAlarm(at),
  };
  const sockets = [new WaitingSocket(1), new WaitingSocket(2), new WaitingSocket(3)];
  let waits: Promise<unknown>[] = [];
  const object = new BrokerObject({
    storage: counting,
    acceptWebSocket: () => {},
    getWebSockets: () => sockets,
    waitUntil: (promise) => void waits.push(promise),
    blockConcurrencyWhile: (action) => action(),
  }, { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_LOG_TYPE: "none" });
  const turn = async (packetOf: (index: number) => Packet): Promise<readonly [number, unknown]> => {
    const before = commits;
    sockets.forEach((socket, i) =>
      object.webSocketMessage(socket, encoded(5, packetOf(i)).slice().buffer)
    );
    await Promise.all(waits);
    waits = [];
    return [commits - before, sockets.map(({ sent }) => sent.splice(0))];
  };
  const each = (type: Packet["type"]): unknown => sockets.map(() => [[type]]);
  const named = (i: number): Packet => connect({ clientId: `client ${i}` });
  assertEquals(await turn(named), [1, each("connack")]);
  const kept = (i: number): Packet =>
    publish(`t/${i}`, { payload: "x", qos: 1, packetId: 1, retain: true });
  assertEquals(await turn(kept), [1, each("puback")]);
  // Who has nothing to commit waits for nobody.
  assertEquals(await turn(() => ({ type: "pingreq" })), [0, each("pingresp")]);
  disk.close();
});

test("BrokerObject closes the sockets that a broker of another version has left, and serves on", () => {
  const disk = new DatabaseSync(":memory:");
  const sockets = [new WaitingSocket(1, 77), new WaitingSocket(2)];
  const object = new BrokerObject({
    storage: new FakeStorage(disk) as unknown as ObjectStorage,
    acceptWebSocket: () => {},
    getWebSockets: () => sockets,
    waitUntil: () => {},
    blockConcurrencyWhile: (action) => action(),
  }, { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_LOG_TYPE: "none" });
  object.webSocketMessage(sockets[1]!, encoded(5, { type: "pingreq" }).slice().buffer);
  assertEquals(sockets.map(({ closeCode }) => closeCode), [1001, 1000]);
  disk.close();
});
