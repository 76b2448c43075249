// rr as a process at a broker in the test's hands: what it sends, and how it ends. What it prints
// beside Mosquitto's own tool is in receivers_beside_test.ts.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { ClientTool, type ToolOutcome } from "../../support/client_tool.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import {
  ack,
  bytesOf,
  connack,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
} from "../../support/packets.ts";
import { type Play, PortBroker } from "../../support/port_broker.ts";

const DONE: ToolOutcome = { status: 0, stdout: "", stderr: "" };
const ARGS = ["-t", "ask", "-e", "answer"] as const;

function rr(port: number, args: readonly string[], input?: string): ClientTool {
  return new ClientTool("midge", "rr", ["-h", "127.0.0.1", "-p", `${port}`, ...args], input);
}

interface Part {
  /** Sent with the SUBACK. */
  readonly early?: readonly ReturnType<typeof publish>[];
  readonly grant?: number;
  /** What becomes of the request. */
  readonly answer?: Play;
}

function playing({ early = [], grant = 0, answer }: Part): Play {
  return (packet, connection) => {
    if (packet.type === "connect") return connection.send(connack(0, { topicAliasMaximum: 5 }));
    if (packet.type === "subscribe") {
      return connection.send(suback(packet.packetId, [grant]), ...early);
    }
    if (packet.type === "publish") answer?.(packet, connection);
  };
}

const ECHO: Play = (packet, connection) => {
  if (packet.type !== "publish") return;
  connection.send(publish("answer", { payload: packet.payload }));
};

test(
  "rr subscribes, publishes with the response topic, and takes the first message",
  PROCESS_TEST,
  async () => {
    const answer: Play = (_packet, connection) => {
      connection.send(publish("answer", { payload: "1" }), publish("answer", { payload: "2" }));
    };
    await PortBroker.with(playing({ answer }), async ({ port, heard }) => {
      const properties = ["-D", "publish", "topic-alias", "3", "-D", "subscribe", "user-property"];
      const options = ["-m", "hé", "--retain-as-published", ...properties, "k", "v"];
      assertEquals(await rr(port, [...ARGS, ...options]).ended, { ...DONE, stdout: "1\n" });
      assertEquals(heard.slice(1), [
        subscribe(1, [request("answer", { retainAsPublished: true })], {
          userProperties: [["k", "v"]],
        }),
        publish("ask", {
          payload: bytesOf("hé"),
          properties: { topicAlias: 3, responseTopic: "answer" },
        }),
        disconnect(),
      ]);
    });
  },
);

test("rr -R passes over what was retained at its response topic", PROCESS_TEST, async () => {
  const early = [publish("answer", { payload: "old", retain: true })];
  await PortBroker.with(playing({ early, answer: ECHO }), async ({ port }) => {
    const first = await rr(port, [...ARGS, "-m", "new"]).ended;
    assertEquals(first, { ...DONE, stdout: "old\n" });
    const fresh = await rr(port, [...ARGS, "-m", "new", "-R"]).ended;
    assertEquals(fresh, { ...DONE, stdout: "new\n" });
  });
});

test("rr --latency says how long the response took", PROCESS_TEST, async () => {
  await PortBroker.with(playing({ answer: ECHO }), async ({ port }) => {
    const { status, stdout, stderr } = await rr(port, [...ARGS, "-n", "-v", "--latency"]).ended;
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
    const form = /^answer \(null\)\nLatency: (?:\d+ns|\d{1,3}\.\d{6}[\xb5m]s|\d+\.\d{9})\n$/;
    assertEquals(form.test(stdout), true, stdout);
  });
});

test("rr says why it may not hear a response, and ends well", PROCESS_TEST, async () => {
  await PortBroker.with(playing({ grant: 0x87 }), async ({ port, heard }) => {
    const outcome = await rr(port, [...ARGS, "-m", "x"]).ended;
    assertEquals(outcome, { ...DONE, stderr: "Not authorized\n" });
    assertEquals(heard.at(-1), disconnect());
  });
  await PortBroker.with(playing({ grant: 0x80 }), async ({ port }) => {
    const outcome = await rr(port, [...ARGS, "-m", "x", "-V", "mqttv311"]).ended;
    assertEquals(outcome, { ...DONE, stderr: "Unspecified error\n" });
  });
});

test("rr warns of a request that was refused, and goes on waiting", PROCESS_TEST, async () => {
  const answer: Play = (packet, connection) => {
    if (packet.type === "publish") connection.send(ack("puback", packet.packetId, 0x87));
  };
  await PortBroker.with(playing({ answer }), async ({ port }) => {
    assertEquals(await rr(port, [...ARGS, "-m", "x", "-q", "1", "-W", "1"]).ended, {
      status: 27,
      stdout: "",
      stderr: "Warning: Publish 1 failed: Not authorized.\nTimed out\n",
    });
  });
});

test("rr ends when the connection is lost, before and after it asked", PROCESS_TEST, async () => {
  const answer: Play = (_packet, { socket }) => void socket.destroy();
  await PortBroker.with(playing({ answer }), async ({ port }) => {
    assertEquals(await rr(port, [...ARGS, "-m", "x"]).ended, {
      status: 7,
      stdout: "",
      stderr: "Error: The connection was lost\n",
    });
  });
});

test("rr tells what is wrong with its payload before it connects", PROCESS_TEST, async () => {
  const cases: readonly (readonly [args: readonly string[], text: string])[] = [
    [["-f", "/nonexistent/file"], 'Error: Unable to open file "/nonexistent/file".'],
    [["-s"], "Error: Zero length input."],
  ];
  await Promise.all(cases.map(async ([args, text]) => {
    assertEquals(await rr(1, [...ARGS, ...args]).ended, {
      status: 1,
      stdout: "",
      stderr: `${text}\n`,
    });
  }));
});
