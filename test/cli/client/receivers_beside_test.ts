// sub and rr beside Debian's mosquitto_sub and mosquitto_rr 2.0.11, at our broker and at Debian's:
// what they print and how they end. Where 2.1 or we do otherwise it is listed with the reason, and
// an entry that is not needed any more fails.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { fewAtATime } from "../../interop/mosquitto_tools.ts";
import { openMidge, openMosquitto, type Site } from "../../interop/site.ts";
import { ClientTool, type Maker, type ToolOutcome } from "../../support/client_tool.ts";
import { skipWithout } from "../../support/foreign.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import { ack } from "../../support/packets.ts";
import { WireClient } from "../../support/wire_client.ts";

const OPTIONS = {
  skip: skipWithout("mosquitto", "mosquitto_sub", "mosquitto_rr"),
  ...PROCESS_TEST,
};

type Sent = readonly [
  topic: string,
  payload: string,
  options?: { qos?: 0 | 1 | 2; retain?: boolean },
];

/** In all texts `$P` is the client identifier and the topic that a run has for itself. */
interface Case {
  readonly args: readonly string[];
  readonly tool?: "mosquitto_sub" | "mosquitto_rr";
  readonly input?: string;
  /** Retained before the tool starts. */
  readonly retained?: readonly Sent[];
  /** Published once the tool has subscribed. */
  readonly live?: readonly Sent[];
  /** How many subscriptions that takes; the filters of `args` unless given. */
  readonly subscriptions?: number;
  /** Ends the tool when this has been printed. */
  readonly kill?: { readonly printed: string; readonly signal: "SIGINT" | "SIGTERM" };
  readonly status?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly debian?: Partial<ToolOutcome> & { readonly because: string };
  /** Why Debian's is not asked. */
  readonly withoutDebian?: string;
}

const SUB_CASES: readonly Case[] = [
  {
    args: ["-t", "$P/a", "-C", "2"],
    live: [["$P/a", "1"], ["$P/b", "no"], ["$P/a", "2"], ["$P/a", "3"]],
    stdout: "1\n2\n",
  },
  {
    args: ["-t", "$P/a", "-t", "$P/b/#", "-v", "-C", "3", "-V", "mqttv5"],
    live: [["$P/a", "1"], ["$P/b/c", ""], ["$P/b", "2 é"]],
    stdout: "$P/a 1\n$P/b/c (null)\n$P/b 2 é\n",
  },
  {
    args: ["-t", "$P/a", "-v", "-N", "-C", "3", "-V", "mqttv31"],
    live: [["$P/a", "1"], ["$P/a", ""], ["$P/a", "2"]],
    stdout: "$P/a 1$P/a 2",
  },
  { args: ["-t", "$P/a", "-C", "2"], live: [["$P/a", ""], ["$P/a", "x"]], stdout: "x\n" },
  {
    args: ["-t", "$P/a", "-C", "2", "-N", "-F", "%t|%p|%q|%r|%l\\n"],
    live: [["$P/a", "1"], ["$P/a", ""]],
    stdout: "$P/a|1|0|0|1\n$P/a||0|0|0\n",
  },
  {
    args: ["-t", "$P/+", "-R", "-C", "1"],
    retained: [["$P/old", "old"]],
    live: [["$P/new", "new"]],
    stdout: "new\n",
  },
  {
    args: ["-t", "$P/+", "-R", "-C", "1", "-V", "5"],
    retained: [["$P/old", "old"]],
    live: [["$P/new", "new"]],
    stdout: "new\n",
  },
  {
    args: ["-t", "$P/+", "--retained-only", "-v"],
    retained: [["$P/old", "old"]],
    live: [["$P/new", "new"]],
    stdout: "$P/old old\n",
  },
  {
    args: ["-t", "$P/#", "-T", "$P/skip/+", "-T", "$P/b", "-C", "2"],
    live: [["$P/skip/a", "no"], ["$P/b", "no"], ["$P/a", "1"], ["$P/skip/a/b", "2"]],
    stdout: "1\n2\n",
  },
  {
    args: ["-t", "$P/a", "--retain-as-published", "-V", "5", "-F", "%r%p", "-C", "2"],
    live: [["$P/a", "x", { retain: true }], ["$P/a", "y"]],
    stdout: "1x\n0y\n",
  },
  {
    args: ["-t", "$P/+", "--retain-handling", "never", "-V", "5", "-C", "1"],
    retained: [["$P/old", "old"]],
    live: [["$P/new", "new"]],
    stdout: "new\n",
    debian: {
      status: 1,
      stdout: "",
      stderr: "Error: Unknown option '--retain-handling'.\n\n" +
        "Use 'mosquitto_sub --help' to see usage.\n",
      because: "it came with 2.1",
    },
  },
  { args: ["-t", "$P/a", "-E"] },
  {
    args: ["-t", "$P/a", "-t", "$P/b", "-E", "-d", "-q", "1"],
    stdout: "Client $P sending CONNECT\n" +
      "Client $P received CONNACK (0)\n" +
      "Client $P sending SUBSCRIBE (Mid: 1, Topic: $P/a, QoS: 1, Options: 0x00)\n" +
      "Client $P sending SUBSCRIBE (Mid: 1, Topic: $P/b, QoS: 1, Options: 0x00)\n" +
      "Client $P received SUBACK\n" +
      "Subscribed (mid: 1): 1, 1\n" +
      "Client $P sending DISCONNECT\n",
  },
  {
    args: ["-t", "$P/a", "-C", "1", "-d", "-V", "5"],
    live: [["$P/a", "one"]],
    stdout: "Client $P sending CONNECT\n" +
      "Client $P received CONNACK (0)\n" +
      "Client $P sending SUBSCRIBE (Mid: 1, Topic: $P/a, QoS: 0, Options: 0x00)\n" +
      "Client $P received SUBACK\n" +
      "Subscribed (mid: 1): 0\n" +
      "Client $P received PUBLISH (d0, q0, r0, m0, '$P/a', ... (3 bytes))\n" +
      "one\n" +
      "Client $P sending DISCONNECT\n",
  },
  {
    args: ["-t", "$P/a", "-W", "1"],
    status: 27,
    stderr: "Timed out\n",
  },
  { args: ["-t", "$P/a", "-W", "1", "--quiet"], status: 27 },
  {
    args: ["-U", "$P/x", "-E"],
    debian: {
      status: 1,
      stderr: "Error: You must specify a topic to subscribe to.\n\n" +
        "Use 'mosquitto_sub --help' to see usage.\n",
      because: "since 2.1 it is enough to unsubscribe",
    },
  },
  {
    args: ["-t", "$P/a", "-d"],
    live: [["$P/a", "one"]],
    kill: { printed: "one\n", signal: "SIGTERM" },
    withoutDebian: "a signal that meets 2.0.11 while it prints leaves its last line out",
    stdout: "Client $P sending CONNECT\n" +
      "Client $P received CONNACK (0)\n" +
      "Client $P sending SUBSCRIBE (Mid: 1, Topic: $P/a, QoS: 0, Options: 0x00)\n" +
      "Client $P received SUBACK\n" +
      "Subscribed (mid: 1): 0\n" +
      "Client $P received PUBLISH (d0, q0, r0, m0, '$P/a', ... (3 bytes))\n" +
      "one\n" +
      "Client $P sending DISCONNECT\n",
  },
  {
    args: ["-t", "$P/a"],
    live: [["$P/a", "one"]],
    kill: { printed: "one\n", signal: "SIGINT" },
    stdout: "one\n",
  },
];

const RR = { tool: "mosquitto_rr" } as const;
const RR_TOPICS = ["-t", "$P/ask", "-e", "$P/answer"] as const;

const RR_LINES = "Client $P sending CONNECT\n" +
  "Client $P received CONNACK (0)\n" +
  "Client $P sending SUBSCRIBE (Mid: 1, Topic: $P/answer, QoS: 0, Options: 0x00)\n" +
  "Client $P received SUBACK\n" +
  "Client $P sending PUBLISH (d0, q0, r0, m2, '$P/ask', ... (2 bytes))\n" +
  "Client $P received PUBLISH (d0, q0, r0, m0, '$P/answer', ... (2 bytes))\n";

const RR_CASES: readonly Case[] = [
  { ...RR, args: [...RR_TOPICS, "-m", "hi"], stdout: "HI\n" },
  { ...RR, args: [...RR_TOPICS, "-m", "hi", "-V", "311", "-v"], stdout: "$P/answer HI\n" },
  { ...RR, args: [...RR_TOPICS, "-m", "hi", "-q", "2", "-F", "%p %q %D", "-N"], stdout: "HI 2 " },
  { ...RR, args: [...RR_TOPICS, "-n", "-v"], stdout: "$P/answer (null)\n" },
  {
    ...RR,
    args: [...RR_TOPICS, "-s", "-q", "1"],
    input: "two\nlines\n",
    stdout: "TWO\nLINES\n\n",
    withoutDebian: "2.0.11 prints no response to what it has read from standard input",
  },
  {
    ...RR,
    args: [...RR_TOPICS, "-m", "hi", "-D", "publish", "correlation-data", "c1", "-F", "%D %p"],
    stdout: "c1 HI\n",
  },
  {
    ...RR,
    args: [...RR_TOPICS, "-m", "hi", "-d"],
    stdout: `${RR_LINES}HI\nClient $P sending DISCONNECT\n`,
    debian: {
      stdout: `${RR_LINES}HI\n`,
      because: "it has nothing to say of its last packet",
    },
  },
  {
    ...RR,
    args: ["-t", "$P/nobody", "-e", "$P/answer", "-m", "hi", "-W", "1"],
    status: 27,
    stderr: "Timed out\n",
  },
];

/** Runs a case with one maker's tool; what it left behind. */
async function run(
  { tool = "mosquitto_sub", ...each }: Case,
  { site, maker, place }: { site: Site; maker: Maker; place: string },
): Promise<ToolOutcome> {
  const fill = (text: string): string => text.replaceAll("$P", place);
  const peer = await WireClient.connect(site.port, 5, { clientId: `${place}-peer` });
  for (const [topic, payload] of each.retained ?? []) {
    peer.publish(fill(topic), payload, { retain: true });
  }
  if (tool === "mosquitto_rr") await peer.subscribe([`${place}/ask`], 2);
  await peer.ping();
  const where = ["-h", "127.0.0.1", "-p", `${site.port}`, "-i", place];
  const process = new ClientTool(maker, tool, [...where, ...each.args.map(fill)], each.input);
  if (tool === "mosquitto_rr") {
    if (each.args.includes("$P/ask")) await answer(peer, `${place}/answer`);
  } else if (each.live !== undefined) {
    const filters = each.args.filter((word) => word === "-t").length;
    // Without such a subscription the tool has ended by itself.
    await Promise.race([site.subscribed(place, filters), process.ended]);
    for (const [topic, payload, options] of each.live) peer.publish(fill(topic), payload, options);
  }
  if (each.kill !== undefined) {
    await process.printed(each.kill.printed);
    process.kill(each.kill.signal);
  }
  const { status, stdout, stderr } = await process.ended;
  peer.destroy();
  return {
    status,
    stdout: stdout.replaceAll(place, "$P"),
    stderr: stderr.replaceAll(place, "$P"),
  };
}

/** Answers one request as it asks for, or at the place that both know. */
async function answer(peer: WireClient, place: string): Promise<void> {
  let packet = await peer.next("the request");
  // What belongs to our subscription or to a message of QoS 2 is not it.
  while (packet.type !== "publish") packet = await peer.next("the request");
  const { responseTopic = place, correlationData } = packet.properties;
  const payload = new TextDecoder().decode(packet.payload).toUpperCase();
  const properties = correlationData === undefined ? {} : { correlationData };
  const packetId = peer.nextPacketId();
  peer.publish(responseTopic, payload, { qos: packet.qos, properties, packetId });
  if (packet.qos === 2) peer.sendPacket(ack("pubrel", packetId));
}

function makersOf({ withoutDebian }: Case): Maker[] {
  return withoutDebian === undefined ? ["midge", "debian"] : ["midge"];
}

function beside(name: string, cases: readonly Case[]): void {
  test(name, OPTIONS, async () => {
    for (const open of [openMidge, openMosquitto]) {
      const site = await open();
      try {
        const jobs = cases.flatMap((each, i) =>
          makersOf(each).map((maker) => async () => {
            const place = `${maker}-${i}`;
            const { status = 0, stdout = "", stderr = "" } = each;
            const expected = { status, stdout, stderr };
            const outcome = await run(each, { site, maker, place });
            const { because, ...otherwise } = each.debian ?? {};
            assertEquals(
              outcome,
              maker === "midge" ? expected : { ...expected, ...otherwise },
              `${maker} at ${site.name}: ${each.args.join(" ")}; ${because}`,
            );
          })
        );
        await fewAtATime(jobs);
      } finally {
        await site.close();
      }
    }
  });
}

beside("sub does what mosquitto_sub does", SUB_CASES);
beside("rr does what mosquitto_rr does", RR_CASES);
