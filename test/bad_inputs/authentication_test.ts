// AUTH with an authenticator behind it: the exchange keeps its order, whoever breaks it leaves, and
// an authenticator that is slow holds up nobody but those who wait for it.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import { everyWay } from "../support/arena.ts";
import { connectPacket, join, packet, properties } from "../support/raw_packet.ts";
import { sleep, until } from "../support/wait.ts";
import { describe } from "../support/wire_client.ts";

const POLICY: Policy = { ...OPEN_POLICY, hasAuthenticationMethod: (method) => method === "SLOW" };

function auth(code: number, method: string): Uint8Array {
  return packet(0xf0, code, properties(5, 0x15, method));
}

const CONNECT = connectPacket(5, { properties: [0x15, "SLOW"] });

everyWay(
  "B-24 An exchange of AUTH keeps to its method, also when it is repeated",
  (enter) =>
    enter({
      policy: POLICY,
      ask: () => Promise.resolve({ kind: "authenticate", reasonCode: 0 }),
    }, async (arena) => {
      for (
        const [name, bytes] of [
          ["another method", auth(0x19, "FAST")],
          ["a step of no exchange", auth(0x18, "SLOW")],
          ["success from a client", auth(0x00, "SLOW")],
        ] as const
      ) {
        const client = await arena.open(5);
        const { localPort } = client;
        client.send(CONNECT);
        assertEquals(describe(await client.next("the CONNACK")), "connack 0x00");
        client.send(bytes);
        const answers = (await client.untilClosed()).map(describe);
        const { cause } = await arena.closedAt(localPort);
        assertEquals({ name, answers, cause }, {
          name,
          answers: ["disconnect 0x82"],
          cause: "protocol error",
        });
      }
    }),
);

everyWay(
  "B-24 A flood of AUTH waits for its answers and is not asked about all at once",
  (enter) => {
    let asked = 0;
    let asking = 0;
    let askingMax = 0;
    return enter({
      policy: POLICY,
      ask: async () => {
        asked++;
        askingMax = Math.max(askingMax, ++asking);
        await sleep(1);
        asking--;
        return { kind: "authenticate", reasonCode: 0 };
      },
    }, async (arena) => {
      const client = await arena.open(5);
      const count = 200;
      const flood = Array.from({ length: count }, () => auth(0x19, "SLOW"));
      client.send(join(CONNECT, ...flood));
      assertEquals(describe(await client.next("the CONNACK")), "connack 0x00");
      const answers: string[] = [];
      while (answers.length < count) answers.push(describe(await client.next("an answer")));
      assertEquals(answers, Array(count).fill("auth 0x00"));
      assertEquals({ asked, askingMax }, { asked: count + 1, askingMax: 1 });
      client.leave();
    });
  },
);

everyWay(
  "B-24 Whoever leaves while it is authenticated is forgotten, and so is its answer",
  (enter) => {
    const pending: (() => void)[] = [];
    return enter({
      policy: POLICY,
      ask: () =>
        new Promise((resolve) => {
          pending.push(() => resolve({ kind: "authenticate", reasonCode: 0 }));
        }),
    }, async (arena) => {
      for (let i = 0; i < 20; i++) {
        const client = await arena.open(5);
        client.send(join(CONNECT, packet(0x30, "early", properties(5))));
        await until(() => pending.length === i + 1, "the authenticator is asked");
        client.reset();
      }
      // Some runtimes tell that a connection is gone only to those who read from it.
      for (const answer of pending) answer();
      await until(() => arena.broker.gauges.connections === 2, "all have left");
      assertEquals(arena.broker.gauges.sessions, 2);
    });
  },
);
