// The driver between a broker and transports that do as they are told: turns, writes, pauses,
// endings and failures, on a clock and an event loop that the test moves by hand.

import { assertEquals } from "@std/assert";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import {
  type Answer,
  ASK,
  OPEN_POLICY,
  type Policy,
  type Question,
} from "../../src/core/broker/question.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Transport, TransportHandler } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import { onStage, promises, Stage } from "../support/driver_stage.ts";
import {
  ack,
  connack,
  connect,
  disconnect,
  publish,
  request,
  subscribe,
  will,
} from "../support/packets.ts";

test("Driver writes once per connection and turn, whatever was said in it", () =>
  onStage({}, (stage) => {
    const client = stage.accept();
    const other = stage.connect({ clientId: "other" });
    other.send(subscribe(1, [request("a")]));
    stage.turn();
    assertEquals(other.writes, 1);
    client.send(connect(), { type: "pingreq" });
    client.send(publish("a"), publish("a", { qos: 1, packetId: 1 }));
    assertEquals([client.writes, other.writes, stage.tasks.length], [0, 1, 1]);
    stage.turn();
    assertEquals([client.writes, other.writes], [1, 2]);
    assertEquals(client.take().map(({ type }) => type), ["connack", "pingresp", "puback"]);
    assertEquals(other.take().map(({ type }) => type), ["suback", "publish", "publish"]);
    stage.turn();
    assertEquals([client.writes, other.writes], [1, 2]);
  }));

test("Driver flushes before the turn's end when somebody has gathered much", () =>
  onStage({}, (stage) => {
    const client = stage.connect();
    client.send(subscribe(1, [request("a")]));
    stage.turn();
    client.writes = 0;
    const payload = new Uint8Array(100_000);
    for (let i = 0; i < 10; i++) client.send(publish("a", { payload }));
    assertEquals(client.writes > 0, true);
    stage.turn();
    assertEquals(client.take().filter(({ type }) => type === "publish").length, 10);
  }));

test("Driver writes nothing to a transport that has a buffer, and the rest when it is writable", () =>
  onStage({}, (stage) => {
    const client = stage.connect();
    client.send(subscribe(1, [request("a")]));
    stage.turn();
    client.take();
    client.writes = 0;
    client.isTaking = false;
    for (const payload of ["1", "2", "3"]) {
      stage.driver.publish(publish("a", { payload }));
      stage.turn();
    }
    assertEquals([client.writes, client.take()], [1, []]);
    client.drain();
    stage.turn();
    assertEquals(client.writes, 2);
    assertEquals(client.take(), ["1", "2", "3"].map((payload) => publish("a", { payload })));
    assertEquals(stage.core.backlogBytes, 0);
  }));

test("Driver pauses and resumes reading as the broker wishes, each once", () =>
  onStage({ limits: { backlogBytesMax: 1000 } }, (stage) => {
    const client = stage.connect();
    client.isTaking = false;
    client.send(subscribe(1, [request("a")]));
    for (let i = 0; i < 3; i++) {
      stage.driver.publish(publish("a", { payload: new Uint8Array(900) }));
      stage.turn();
    }
    client.send({ type: "pingreq" });
    stage.turn();
    client.send({ type: "pingreq" });
    stage.turn();
    assertEquals(client.calls, ["pause"]);
    client.drain();
    stage.turn();
    assertEquals(client.calls, ["pause", "resume"]);
  }));

test("Driver resumes a reader whose transport took a whole burst at once", () =>
  onStage({ limits: { backlogBytesMax: 1000, inflightMessagesMax: 100 } }, (stage) => {
    const client = stage.connect();
    client.send(subscribe(1, [request("a", { qos: 1 })]));
    stage.turn();
    client.take();
    const burst = Array.from(
      { length: 30 },
      (_, i) => publish("a", { qos: 1, packetId: i + 1, payload: new Uint8Array(200) }),
    );
    client.send(...burst);
    stage.turn();
    const types = client.take().map(({ type }) => type);
    assertEquals(types.filter((type) => type === "publish").length, 30);
    assertEquals(types.filter((type) => type === "puback").length, 30);
    assertEquals(client.calls.filter((call) => call === "pause").length <= 1, true);
    assertEquals(client.calls.at(-1) === "pause", false);
  }));

test("Driver closes a transport after the last bytes, and forgets it when it is gone", () =>
  onStage({}, async (stage) => {
    const client = stage.connect();
    client.handler!.onBytes(Uint8Array.of(0, 0));
    assertEquals(client.calls, []);
    stage.turn();
    assertEquals(client.take(), [disconnect(ReasonCode.PROTOCOL_ERROR)]);
    assertEquals(client.calls, ["close"]);
    client.end();
    stage.turn();
    assertEquals([stage.core.connectionCount, stage.timers.pending], [0, []]);
    await stage.driver.stop();
  }));

test("Driver lets the last bytes wait for a busy transport, and closes when they are with it", () =>
  onStage({}, (stage) => {
    const client = stage.connect();
    client.isTaking = false;
    client.send({ type: "pingreq" });
    stage.turn();
    client.handler!.onBytes(Uint8Array.of(0, 0));
    stage.turn();
    assertEquals([client.calls, stage.timers.pending.length], [[], 1]);
    client.drain();
    assertEquals(client.calls, ["close"]);
    client.end();
    assertEquals(client.take().map(({ type }) => type), ["pingresp", "disconnect"]);
    assertEquals(stage.timers.pending, []);
  }));

test("Driver aborts a transport that does not take the last bytes in time", () =>
  onStage({}, (stage) => {
    const client = stage.connect();
    client.isTaking = false;
    client.send({ type: "pingreq" });
    stage.turn();
    client.handler!.onBytes(Uint8Array.of(0, 0));
    stage.turn();
    stage.timers.advance(60_000);
    assertEquals(client.calls, ["abort"]);
    client.end(new Error("Aborted"));
    stage.turn();
    assertEquals([stage.core.backlogBytes, stage.timers.pending], [0, []]);
  }));

test("Driver tells a broken connection from one that was closed", () => {
  const closed: (string | undefined)[] = [];
  const onEvent = (event: BrokerEvent) => {
    if (event.kind === "closed") closed.push(event.cause, event.detail);
  };
  return onStage({ onEvent }, (stage) => {
    stage.connect().end();
    stage.connect().end(new Error("Reset by peer"));
    stage.connect().end("odd");
    stage.turn();
    assertEquals(closed, [
      "connection closed by client",
      undefined,
      "connection lost",
      "Reset by peer",
      "connection lost",
      "odd",
    ]);
  });
});

test("Driver ends only the connection whose bytes we fail to handle", () => {
  const failure = new Error("Broken");
  const policy: Policy = {
    ...OPEN_POLICY,
    publish: (_client, topic) => {
      if (topic === "bad") throw failure;
      return ReasonCode.SUCCESS;
    },
  };
  return onStage({ policy }, (stage) => {
    const [client, other] = [stage.connect(), stage.connect({ clientId: "other" })];
    other.send(subscribe(1, [request("#")]));
    stage.turn();
    other.take();
    client.send(publish("good"), publish("bad"), publish("good"));
    stage.turn();
    assertEquals(stage.errors, [["receive", failure]]);
    assertEquals(client.take(), [disconnect(ReasonCode.UNSPECIFIED_ERROR)]);
    assertEquals([client.calls, other.calls], [["close"], []]);
    assertEquals(other.take(), [publish("good")]);
    assertEquals(stage.core.counters.internalErrors, 1);
  });
});

test("Driver reports a listener of events that fails, and goes on", () => {
  const failure = new Error("Deaf");
  const kinds: string[] = [];
  const onEvent = (event: BrokerEvent) => {
    kinds.push(event.kind);
    if (event.kind === "opened") throw failure;
  };
  return onStage({ onEvent }, (stage) => {
    const client = stage.accept();
    client.send(connect());
    stage.turn();
    assertEquals([stage.errors, kinds], [[["event", failure]], ["opened", "connected"]]);
    assertEquals(client.take().length, 1);
  });
});

const ASKING: Policy = {
  connect: () => ASK,
  hasAuthenticationMethod: () => true,
  publish: () => ASK,
  subscribe: () => ASK,
  unsubscribe: () => 0,
  deliver: () => true,
  hasRetained: () => true,
};

test("Driver takes questions outside and brings the answers back", () => {
  const asked: string[] = [];
  const ask = (question: Question): Promise<Answer> => {
    asked.push(question.kind);
    const reasonCode = ReasonCode.SUCCESS;
    return Promise.resolve(
      question.kind === "subscribe"
        ? { kind: "subscribe", reasonCodes: [reasonCode] }
        : { kind: question.kind, reasonCode },
    );
  };
  return onStage({ policy: ASKING, ask }, async (stage) => {
    const client = stage.accept();
    client.send(connect(), subscribe(1, [request("a")]), publish("a", { qos: 1, packetId: 2 }));
    for (let i = 0; i < 4; i++) {
      stage.turn();
      await promises();
    }
    stage.turn();
    assertEquals(asked, ["connect", "subscribe", "publish"]);
    assertEquals(client.take().map(({ type }) => type), ["connack", "suback", "publish", "puback"]);
    assertEquals(client.calls.at(-1), "resume");
  });
});

test("Driver refuses what nobody answers, or answers with a failure", async () => {
  const failure = new Error("Down");
  for (const ask of [undefined, () => Promise.reject(failure)]) {
    const isOpen = { connect: false };
    const policy: Policy = { ...ASKING, connect: () => isOpen.connect ? 0 : ASK };
    const options = ask === undefined ? { policy } : { policy, ask };
    await onStage(options, async (stage) => {
      const refused = stage.accept();
      refused.send(connect());
      stage.turn();
      await promises();
      stage.turn();
      assertEquals(refused.take(), [connack(ReasonCode.NOT_AUTHORIZED)]);
      assertEquals(refused.calls.at(-1), "close");
      isOpen.connect = true;
      const client = stage.connect({ clientId: "other" });
      client.send(
        subscribe(1, [request("a"), request("b")]),
        publish("a", { qos: 1, packetId: 2 }),
      );
      for (let i = 0; i < 3; i++) {
        stage.turn();
        await promises();
      }
      stage.turn();
      const [suback, puback] = client.take();
      assertEquals(suback?.type === "suback" && suback.reasonCodes, [0x87, 0x87]);
      assertEquals(puback, ack("puback", 2, ReasonCode.NOT_AUTHORIZED));
      const expected = ask === undefined
        ? []
        : Array.from({ length: 3 }, () => ["question", failure]);
      assertEquals<unknown>(stage.errors, expected);
    });
  }
});

test("Driver brings a late answer to nobody", async () => {
  const answers: ((answer: Answer) => void)[] = [];
  const ask = () => new Promise<Answer>((resolve) => answers.push(resolve));
  await onStage({ policy: ASKING, ask }, async (stage) => {
    const client = stage.accept();
    client.send(connect());
    stage.turn();
    client.end();
    stage.turn();
    answers[0]!({ kind: "connect", reasonCode: 0 });
    await promises();
    stage.turn();
    assertEquals([stage.core.sessionCount, stage.core.connectionCount], [0, 0]);
    assertEquals([stage.errors, client.take()], [[], []]);
  });
});

test("Driver has one timer, for the next deadline", () =>
  onStage({}, (stage) => {
    const [first, second] = [
      stage.connect({ keepAlive: 10 }),
      stage.connect({ clientId: "second", keepAlive: 20 }),
    ];
    assertEquals(stage.timers.pending.length, 1);
    stage.timers.advance(15_000);
    assertEquals([first.calls, second.calls], [["close"], []]);
    second.send({ type: "pingreq" });
    stage.turn();
    stage.timers.advance(29_999);
    assertEquals(second.calls, []);
    stage.timers.advance(1);
    assertEquals(second.calls, ["close"]);
    first.end();
    second.end();
    stage.turn();
    assertEquals(stage.timers.pending, []);
  }));

test("Driver.stop() sends the Wills, closes everybody, and leaves no timer behind", () =>
  onStage({}, async (stage) => {
    const heir = stage.connect({ clientId: "heir" });
    heir.send(subscribe(1, [request("w")]));
    stage.turn();
    heir.take();
    const client = stage.connect({
      will: will("w"),
      properties: { sessionExpiryInterval: 100 },
    });
    const stopped = stage.driver.stop().then(() => "stopped");
    assertEquals([heir.calls, client.calls], [["close"], ["close"]]);
    assertEquals(heir.take(), [publish("w", { payload: "gone" })]);
    heir.end();
    client.end();
    assertEquals(await stopped, "stopped");
    // Also when the turn that was begun by the last ends later.
    stage.turn();
    assertEquals(stage.timers.pending, []);
  }));

test("Driver disconnects clients by their identifier", () =>
  onStage({}, (stage) => {
    const client = stage.connect({ clientId: "x" });
    assertEquals(stage.driver.disconnect("y", ReasonCode.ADMINISTRATIVE_ACTION), false);
    assertEquals(stage.driver.disconnect("x", ReasonCode.ADMINISTRATIVE_ACTION), true);
    stage.turn();
    assertEquals(client.take(), [disconnect(ReasonCode.ADMINISTRATIVE_ACTION)]);
    assertEquals(client.calls, ["close"]);
  }));

test("Driver serves the ends of memory pipes, of any capacity", () => {
  const stage = new Stage();
  const defer = (task: () => void) => stage.tasks.push(task);
  return stage.timers.run(() => {
    for (const capacityBytes of [1, 7, 100, 65_536]) {
      const far = new FarEnd();
      openMemoryPipe(
        (transport) => stage.driver.accept(transport),
        (transport) => far.attach(transport),
        { capacityBytes, defer },
      );
      const payload = "x".repeat(500);
      far.send(connect(), subscribe(1, [request("a", { qos: 1 })]));
      stage.turn();
      stage.driver.publish(publish("a", { qos: 1, payload }));
      stage.driver.publish(publish("a", { payload }));
      stage.turn();
      const [, suback, first, second] = far.packets;
      assertEquals([suback?.type, first, second], [
        "suback",
        publish("a", { qos: 1, packetId: 1, payload }),
        publish("a", { payload }),
      ]);
      far.send(disconnect());
      stage.turn();
      assertEquals([far.isClosed, stage.core.connectionCount], [true, 0]);
    }
  });
});

/** A client at the far end of a pipe. */
class FarEnd implements TransportHandler {
  readonly packets: Packet[] = [];
  isClosed = false;
  readonly #framer: Framer = new Framer();
  readonly #unsent: Uint8Array[] = [];
  #transport: Transport | undefined;
  #isBusy = false;

  attach(transport: Transport): this {
    this.#transport = transport;
    return this;
  }

  send(...packets: readonly Packet[]): void {
    const writer = new Writer(new Uint8Array(64));
    for (const packet of packets) encodePacket(writer, packet, 5);
    this.#unsent.push(writer.bytes.slice(0, writer.length));
    this.#sendUnsent();
  }

  onBytes(chunk: Uint8Array): void {
    const framer = this.#framer;
    framer.feed(chunk);
    while (framer.next()) {
      const { firstByte, bytes, bodyStart, end } = framer;
      this.packets.push(decodePacket(firstByte, bytes, bodyStart, end, 5));
    }
    framer.keepRest();
  }

  onWritable(): void {
    this.#isBusy = false;
    this.#sendUnsent();
  }

  onClose(): void {
    this.isClosed = true;
  }

  #sendUnsent(): void {
    while (!this.#isBusy && this.#unsent.length > 0) {
      const bytes = this.#unsent.shift()!;
      this.#isBusy = !this.#transport!.write(bytes, bytes.length);
    }
  }
}
