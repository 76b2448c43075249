// sub as a process, where a broker in the test's hands or ours shows what it does: packets, signals,
// lost connections, readers that stop. What it prints beside Mosquitto's own tool is in
// receivers_beside_test.ts.

import { assertEquals } from "@std/assert";
import process from "node:process";
import { test } from "../../harness.ts";
import { openMidge, type Site } from "../../interop/site.ts";
import { midgeCommand } from "../../runtime/programs.ts";
import { ClientTool, type ToolOutcome } from "../../support/client_tool.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import {
  ack,
  connack,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from "../../support/packets.ts";
import { type Play, PortBroker } from "../../support/port_broker.ts";
import { Relay } from "../../support/relay.ts";
import { runProcess } from "../../support/tool_process.ts";
import { until } from "../../support/wait.ts";
import { WireClient } from "../../support/wire_client.ts";

const DONE: ToolOutcome = { status: 0, stdout: "", stderr: "" };

function sub(port: number, ...args: readonly string[]): ClientTool {
  return new ClientTool("midge", "sub", ["-h", "127.0.0.1", "-p", `${port}`, ...args]);
}

/** Accepts, grants all, and sends these messages at the first subscription. */
function granting(...messages: readonly ReturnType<typeof publish>[]): Play {
  return (packet, connection) => {
    switch (packet.type) {
      case "connect":
        return connection.send(connack(0));
      case "subscribe":
        connection.send(suback(packet.packetId, packet.subscriptions.map(() => 0)), ...messages);
        return;
      case "unsubscribe":
        return connection.send(unsuback(packet.packetId, packet.filters.map(() => 0)));
    }
  };
}

/** Runs the body with our broker and a client of it. */
async function atMidge(body: (site: Site, peer: WireClient) => Promise<void>): Promise<void> {
  const site = await openMidge();
  try {
    const peer = await WireClient.connect(site.port, 5, { clientId: "peer" });
    await body(site, peer);
    peer.destroy();
  } finally {
    await site.close();
  }
}

test(
  "sub sends one SUBSCRIBE for all filters and an UNSUBSCRIBE for each -U",
  PROCESS_TEST,
  async () => {
    await PortBroker.with(granting(), async ({ port, heard }) => {
      const tool = sub(
        port,
        ...["-t", "a", "-t", "b/#", "-U", "c", "-U", "d", "-q", "1", "-R", "--retain-as-published"],
        ...[
          "-D",
          "subscribe",
          "subscription-identifier",
          "7",
          "-D",
          "unsubscribe",
          "user-property",
        ],
        ...["k", "v", "-C", "5", "-i", "x", "-E", "-D", "disconnect", "user-property", "k", "v"],
      );
      assertEquals(await tool.ended, DONE);
      const wish = { qos: 1, retainAsPublished: true, retainHandling: 2 } as const;
      const userProperties: [string, string][] = [["k", "v"]];
      assertEquals(heard.slice(1), [
        subscribe(1, [request("a", wish), request("b/#", wish)], { subscriptionIds: [7] }),
        { ...unsubscribe(2, ["c"]), properties: { userProperties } },
        { ...unsubscribe(3, ["d"]), properties: { userProperties } },
        disconnect(0, { userProperties }),
      ]);
      const [first] = heard;
      assertEquals(first?.type === "connect" && first.properties, { receiveMaximum: 5 });
    });
  },
);

test("sub -U without -t ends with -E once all is unsubscribed", PROCESS_TEST, async () => {
  await PortBroker.with(granting(), async ({ port, heard }) => {
    assertEquals(await sub(port, "-U", "a", "-U", "b", "-E").ended, DONE);
    assertEquals(heard.slice(1), [unsubscribe(1, ["a"]), unsubscribe(2, ["b"]), disconnect()]);
  });
});

test("sub says that all subscriptions were denied, and ends well", PROCESS_TEST, async () => {
  const denying: Play = (packet, connection) => {
    if (packet.type === "connect") connection.send(connack(0));
    if (packet.type === "subscribe") connection.send(suback(packet.packetId, [0x87, 0x80]));
  };
  const stderr = "All subscription requests were denied.\n";
  await PortBroker.with(denying, async ({ port }) => {
    const args = ["-V", "5", "-t", "a", "-t", "b"];
    assertEquals(await sub(port, ...args).ended, { ...DONE, stderr });
    assertEquals(await sub(port, ...args, "--quiet").ended, DONE);
  });
});

test("sub leaves with its Will when a signal or the time ends it", PROCESS_TEST, async () => {
  await PortBroker.with(granting(publish("a", { payload: "1" })), async ({ port, heard }) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const tool = sub(port, "-t", "a", "-V", "5", "--will-topic", "gone");
      await tool.printed("1\n");
      tool.kill(signal);
      assertEquals(await tool.ended, { ...DONE, stdout: "1\n" });
      assertEquals(heard.at(-1), disconnect(0x04));
    }
    const late = await sub(port, "-t", "a", "-V", "5", "-W", "1").ended;
    assertEquals(late, { status: 27, stdout: "1\n", stderr: "Timed out\n" });
    assertEquals(heard.at(-1), disconnect(0x04));
  });
});

test(
  "sub ends with 255 when it is stopped before the broker has answered",
  PROCESS_TEST,
  async () => {
    await PortBroker.with(() => {}, async ({ port, heard }) => {
      const tool = sub(port, "-t", "a");
      await until(() => heard.length === 1, "it has connected");
      tool.kill("SIGTERM");
      assertEquals(await tool.ended, { ...DONE, status: 255 });
      assertEquals(await sub(port, "-t", "a", "-W", "1").ended, { ...DONE, status: 255 });
    });
  },
);

test("sub -C takes each message of its session once, however many wait", PROCESS_TEST, async () => {
  await atMidge(async (site, peer) => {
    const args = ["-i", "reader", "-c", "-q", "2", "-t", "queue/#"];
    for (const version of ["mqttv311", "mqttv5"]) {
      assertEquals(await sub(site.port, ...args, "-V", version, "-E").ended, DONE);
      for (let i = 1; i <= 6; i++) {
        peer.publish("queue/a", `${i}`, { qos: i % 2 === 0 ? 1 : 2, packetId: 100 + i });
        if (i % 2 !== 0) peer.sendPacket(ack("pubrel", 100 + i));
      }
      await peer.ping();
      for (const [count, stdout] of [[1, "1\n"], [2, "2\n3\n"], [3, "4\n5\n6\n"]] as const) {
        const outcome = await sub(site.port, ...args, "-V", version, "-C", `${count}`).ended;
        assertEquals(outcome, { ...DONE, stdout }, version);
      }
    }
  });
});

test(
  "sub --remove-retained removes what it prints and keeps what -T drops",
  PROCESS_TEST,
  async () => {
    await atMidge(async (site, peer) => {
      for (const topic of ["r/1", "r/2", "r/keep", "r/3"]) {
        peer.publish(topic, topic, { retain: true });
      }
      await peer.ping();
      const args = ["-t", "r/#", "--remove-retained", "-T", "r/keep", "-C", "3", "-M", "1"];
      const outcome = await sub(site.port, ...args).ended;
      const lines = outcome.stdout.split("\n").sort().join("\n");
      assertEquals({ ...outcome, stdout: lines }, { ...DONE, stdout: "\nr/1\nr/2\nr/3" });
      await peer.subscribe(["r/#"]);
      const left = (await peer.ping()).flatMap((packet) =>
        packet.type === "publish" ? [packet.topic] : []
      );
      assertEquals(left, ["r/keep"]);
    });
  },
);

test("sub connects and subscribes again after a lost connection", PROCESS_TEST, async () => {
  await atMidge(async (site, peer) => {
    const relay = await Relay.open(site.port);
    const tool = sub(relay.port, "-i", "reader", "-t", "a");
    for (const [count, payload] of [[1, "before"], [2, "after"]] as const) {
      await site.subscribed("reader", count);
      peer.publish("a", payload);
      await tool.printed(`${payload}\n`);
      if (count === 1) relay.cut();
    }
    tool.kill("SIGTERM");
    assertEquals(await tool.ended, { ...DONE, stdout: "before\nafter\n" });
    relay.close();
  });
});

test("sub prints payloads to the byte, and each as soon as it comes", PROCESS_TEST, async () => {
  const payload = Uint8Array.from({ length: 512 }, (_, i) => i & 0xff);
  await atMidge(async (site, peer) => {
    const tool = sub(site.port, "-i", "reader", "-t", "a", "-N", "-C", "3");
    await site.subscribed("reader");
    for (let i = 1; i <= 3; i++) {
      peer.publish("a", payload);
      await until(() => tool.stdoutBytes.length === 512 * i, "it is printed");
    }
    assertEquals((await tool.ended).status, 0);
    assertEquals(
      new Uint8Array(tool.stdoutBytes),
      Uint8Array.of(...payload, ...payload, ...payload),
    );
  });
});

test("sub ends without a word when nobody reads what it prints", PROCESS_TEST, async () => {
  await atMidge(async (site, peer) => {
    const tool = sub(site.port, "-i", "reader", "-t", "a");
    await site.subscribed("reader");
    peer.publish("a", "1");
    await tool.printed("1\n");
    tool.closeOutput();
    let isGone = false;
    const gone = site.gone("reader").then(() => isGone = true);
    while (!isGone) {
      peer.publish("a", "2");
      await peer.ping();
    }
    await gone;
    const { status, stderr } = await tool.ended;
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
  });
});

const LINE = "x".repeat(1000);
const LINES = 64_000;

/** Sends more than any pipe holds, to a tool whose output is not read, until it takes no more. */
async function flooded(body: (tool: ClientTool) => Promise<void>): Promise<void> {
  let sent = 0;
  const flooding: Play = (packet, connection) => {
    if (packet.type === "connect") connection.send(connack(0));
    if (packet.type !== "subscribe") return;
    connection.send(suback(packet.packetId, [0]));
    const go = (): void => {
      for (; sent < LINES; sent++) {
        if (connection.socket.writableNeedDrain) return void connection.socket.once("drain", go);
        connection.send(publish("a", { payload: LINE }));
      }
    };
    go();
  };
  await PortBroker.with(flooding, async ({ port }) => {
    const tool = sub(port, "-t", "a", "-C", `${LINES}`);
    tool.pauseReading();
    // It has stopped when nothing was taken for a while; a slow machine only looks earlier.
    for (let before = -1; before !== sent || sent === 0;) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assertEquals(sent < LINES, true);
    await body(tool);
  });
}

test("sub stops reading from the broker while nobody reads from it", PROCESS_TEST, async () => {
  await flooded(async (tool) => {
    tool.resumeReading();
    const { status, stdout, stderr } = await tool.ended;
    assertEquals({ status, stderr, isWhole: stdout === `${LINE}\n`.repeat(LINES) }, {
      status: 0,
      stderr: "",
      isWhole: true,
    });
  });
});

test("sub ends when it is told to, though nobody reads from it", PROCESS_TEST, async () => {
  await flooded(async (tool) => {
    tool.kill("SIGTERM");
    await until(() => !isAlive(tool.processId), "it has ended");
    tool.resumeReading();
    assertEquals((await tool.ended).status, 0);
  });
});

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

test("sub says that its output cannot be written", PROCESS_TEST, async () => {
  await PortBroker.with(granting(publish("a", { payload: "1" })), async ({ port }) => {
    const { command, args } = midgeCommand(["sub", "-h", "127.0.0.1", "-p", `${port}`, "-t", "a"]);
    const script = ["-c", '"$@" > /dev/full', "sh", command, ...args];
    assertEquals(await runProcess({ command: "sh", args: script }), {
      status: 1,
      stdout: "",
      stderr: "Error: Cannot write to standard output: the disk is full.\n",
    });
  });
});

test("sub counts, chooses by chance and watches", PROCESS_TEST, async () => {
  const messages = Array.from(
    { length: 1000 },
    (_, i) => publish(`t/${i % 2}`, { payload: `${i}` }),
  );
  await PortBroker.with(granting(...messages), async ({ port }) => {
    const args = ["-t", "t/#"];
    const [all, some, rate, watch] = await Promise.all([
      sub(port, ...args, "--random-filter", "100", "-C", "1000").ended,
      sub(port, ...args, "--random-filter", "10", "-W", "2").ended,
      sub(port, ...args, "--message-rate", "-W", "3").ended,
      sub(port, ...args, "--watch", "-C", "3").ended,
    ]);
    const numbers = messages.map((_, i) => `${i}\n`).join("");
    assertEquals(all, { ...DONE, stdout: numbers });
    const chosen = some.stdout.split("\n").length - 1;
    assertEquals({ status: some.status, isSome: chosen > 20 && chosen < 300 }, {
      status: 27,
      isSome: true,
    });
    const counts = rate.stdout.match(/\d+/g)!.map(Number);
    assertEquals(rate.stdout, counts.map((count) => `${count} msgs/s\n`).join(""));
    assertEquals(counts.reduce((sum, count) => sum + count), 1000);
    assertEquals(watch, {
      ...DONE,
      stdout: "\x1b[2J\x1b[1;1HBroker: 127.0.0.1\n\x1b[2;1H0\x1b[K\n\x1b[3;1H1\x1b[K\n" +
        "\x1b[2;1H2\x1b[K\n",
    });
  });
});
