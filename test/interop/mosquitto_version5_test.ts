// What only version 5 has, as far as Mosquitto's clients can say it and print it: properties, limits
// of the client, requests and responses.

import { linesOf } from "../support/foreign_process.ts";
import { ALIASES_OUT, OVERRUNS_WINDOW } from "./differences.ts";
import { exchange } from "./exchange.ts";
import {
  fewAtATime,
  linesUntil,
  numberedLines,
  printed,
  PUB_AND_SUB,
  publish,
  start,
  subscribe,
  VERSIONS,
} from "./mosquitto_tools.ts";
import type { Site } from "./site.ts";

/** Every property of a PUBLISH that mosquitto_sub prints. */
const ALL = ["-F", "%t|%p|%C|%R|%D|%P|%E|%F|%S|q%q|r%r"] as const;

const PROPERTIES = [
  ["content-type", "text/plain"],
  ["response-topic", "answers/here"],
  ["correlation-data", "number 7"],
  ["payload-format-indicator", "1"],
  ["user-property", "colour", "blue"],
  ["user-property", "colour", "blue again"],
  ["user-property", "", ""],
  ["message-expiry-interval", "1000"],
].flatMap((property) => ["-D", "publish", ...property]);

exchange("mosquitto_sub -F prints the properties that mosquitto_pub -D sent [MQTT-3.3.2-17]", {
  tools: PUB_AND_SUB,
  expected: {
    live: [
      "props/all|x|text/plain|answers/here|number 7|colour:blue colour:blue again :|1000|1|9|q0|r0",
      "props/none|y|||||||9|q1|r0",
    ],
    older: ["props/all|x|||||||||q0|r0", "props/none|y|||||||||q1|r0"].map((line) =>
      line.replace("|||||||||", "||||||||")
    ),
    stored: [
      "props/all|x|text/plain|answers/here|number 7|colour:blue colour:blue again :|1000|1||q0|r1",
    ],
  },
  async run(site) {
    const common = ["-q", "1", "-t", "props/#", "-C", "2", ...ALL];
    const live = await subscribe(site, "live", [
      ...["-V", "mqttv5", "-D", "subscribe", "subscription-identifier", "9", ...common],
    ]);
    const older = await subscribe(site, "older", ["-V", "mqttv311", ...common]);
    const all = ["-V", "mqttv5", "-t", "props/all", "-m", "x", "-r"];
    await publish(site, [...all, ...PROPERTIES]);
    await publish(site, ["-V", "mqttv311", "-q", "1", "-t", "props/none", "-m", "y"]);
    const stored = await subscribe(site, "stored", [
      ...["-V", "mqttv5", "-t", "props/#", "-C", "1", ...ALL],
    ]);
    return {
      live: linesOf((await printed(live)).stdout),
      older: linesOf((await printed(older)).stdout),
      // A second may have passed.
      stored: linesOf((await printed(stored)).stdout).map((line) =>
        line.replace("|999|", "|1000|")
      ),
    };
  },
});

exchange("mosquitto_sub's Will carries its properties [MQTT-3.1.3-10]", {
  tools: PUB_AND_SUB,
  expected: ["will/it|gone|text/plain|answers/here|number 7|a:b|1000|1||q0|r0"],
  async run(site) {
    const witness = await subscribe(site, "witness", ["-V", "mqttv5", "-t", "will/#", ...ALL]);
    const victim = await subscribe(site, "victim", [
      ...["-V", "mqttv5", "-t", "nothing", "--will-topic", "will/it", "--will-payload", "gone"],
      ...[
        ["content-type", "text/plain"],
        ["response-topic", "answers/here"],
        ["correlation-data", "number 7"],
        ["payload-format-indicator", "1"],
        ["message-expiry-interval", "1000"],
        ["user-property", "a", "b"],
      ].flatMap((property) => ["-D", "will", ...property]),
    ]);
    victim.kill("SIGKILL");
    return await linesUntil(witness, /^will/, { isIncluded: true });
  },
});

exchange("mosquitto_sub gets no message that expired while it was away [MQTT-3.3.2-5]", {
  tools: PUB_AND_SUB,
  expected: ["kept 1000", "no limit "],
  async run(site) {
    const common = ["-V", "mqttv5", "-c", "-x", "60", "-q", "1", "-t", "expiry"];
    await printed(await subscribe(site, "sleeper", [...common, "-E"]));
    await site.gone("sleeper");
    const send = (text: string, ...more: string[]): Promise<void> =>
      publish(site, ["-V", "mqttv5", "-q", "1", "-t", "expiry", "-m", text, ...more]);
    await send("expired", "-D", "publish", "message-expiry-interval", "1");
    await send("kept", "-D", "publish", "message-expiry-interval", "1000");
    await send("no limit");
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const back = ["-i", "sleeper", ...common, "-C", "2", "-F", "%p %E"];
    const lines = linesOf((await printed(start(site, "mosquitto_sub", back))).stdout);
    return lines.map((line) => line.replace(/ 99[5-9]$/, " 1000"));
  },
});

/** What a client gets of 200 lines that allows one message in flight. */
async function oneByOne(site: Site, qos: string): Promise<string[]> {
  const args = ["-V", "mqttv5", "-q", qos, "-t", "narrow"];
  const limit = ["-D", "connect", "receive-maximum", "1"];
  const subscriber = await subscribe(site, "narrow", [...args, ...limit, "-C", "200"]);
  await publish(site, [...args, "-l"], numberedLines(200));
  return linesOf((await printed(subscriber)).stdout);
}

exchange("mosquitto_sub with a Receive Maximum of one gets all in order at QoS 1 [MQTT-3.3.4-9]", {
  tools: PUB_AND_SUB,
  expected: linesOf(numberedLines(200)),
  run: (site) => oneByOne(site, "1"),
});

exchange("mosquitto_sub with a Receive Maximum of one gets all in order at QoS 2 [MQTT-3.3.4-9]", {
  tools: PUB_AND_SUB,
  withoutMosquitto: OVERRUNS_WINDOW,
  expected: linesOf(numberedLines(200)),
  run: (site) => oneByOne(site, "2"),
});

exchange("mosquitto_sub's Maximum Packet Size keeps larger messages away [MQTT-3.1.2-24]", {
  tools: PUB_AND_SUB,
  expected: {
    limited: ["size/0 0 100", "size/1 1 100", "size/2 2 100"],
    free: [0, 1, 2].flatMap((qos) => [`size/${qos} ${qos} 100`, `size/${qos} ${qos} 300`]),
  },
  async run(site) {
    const common = ["-V", "mqttv5", "-q", "2", "-t", "size/+", "-t", "end", "-F", "%t %q %l"];
    const limit = ["-D", "connect", "maximum-packet-size", "200"];
    const limited = await subscribe(site, "limited", [...common, ...limit]);
    const free = await subscribe(site, "free", common);
    for (const qos of ["0", "1", "2"]) {
      for (const size of [100, 300]) {
        await publish(site, ["-q", qos, "-t", `size/${qos}`, "-m", "x".repeat(size)]);
      }
    }
    await publish(site, ["-q", "2", "-t", "end", "-m", "end"]);
    const [some, all] = await Promise.all([limited, free].map((it) => linesUntil(it, /^end/)));
    return { limited: some!, free: all! };
  },
});

exchange("mosquitto_pub's topic alias stands for its topic [MQTT-3.3.2-12]", {
  tools: PUB_AND_SUB,
  expected: linesOf(numberedLines(50, "alias/of/it ")),
  async run(site) {
    const subscriber = await subscribe(site, "alias", ["-t", "alias/#", "-v", "-C", "50"]);
    const alias = ["-D", "publish", "topic-alias", "3"];
    await publish(
      site,
      ["-V", "mqttv5", "-t", "alias/of/it", ...alias, "-l"],
      numberedLines(50),
    );
    return linesOf((await printed(subscriber)).stdout);
  },
});

exchange("mosquitto_sub 2.0.11 does not know the topic aliases that it allows", {
  tools: PUB_AND_SUB,
  difference: ALIASES_OUT,
  expected: {
    code: 2,
    lines: ["x/a 1 1"],
    stderr: "Error: A network protocol error occurred when communicating with the broker.\n",
  },
  async run(site) {
    const subscriber = await subscribe(site, "alias", [
      ...["-V", "mqttv5", "-D", "connect", "topic-alias-maximum", "3"],
      ...["-t", "x/a", "-C", "2", "-F", "%t %A %p"],
    ]);
    await publish(site, ["-t", "x/a", "-m", "1"]);
    await publish(site, ["-t", "x/a", "-m", "2"]);
    const { code, stdout, stderr } = await subscriber.ended;
    const lines = linesOf(stdout).map((line) => line.replace("  ", " none "));
    return { code, lines, stderr };
  },
});

exchange("mosquitto_rr gets the response to its request, in the versions it speaks", {
  tools: [...PUB_AND_SUB, "mosquitto_rr"],
  expected: {
    mqttv31: { request: "ask for mqttv31||", response: ["answer"] },
    mqttv311: { request: "ask for mqttv311||", response: ["answer"] },
    mqttv5: { request: "ask for mqttv5|reply/mqttv5|number 7", response: ["answer"] },
  },
  run: async (site) =>
    Object.fromEntries(
      await fewAtATime(VERSIONS.map((version) => async () => {
        const topics = ["-t", `ask/${version}`, "-e", `reply/${version}`];
        const responder = await subscribe(site, `responder-${version}`, [
          ...["-V", "mqttv5", "-t", `ask/${version}`, "-C", "1", "-F", "%p|%R|%D"],
        ]);
        const id = `requester-${version}`;
        const data = version === "mqttv5" ? ["-D", "publish", "correlation-data", "number 7"] : [];
        const requester = start(site, "mosquitto_rr", [
          ...["-V", version, "-i", id, "-q", "1", ...topics, "-m", `ask for ${version}`, ...data],
        ]);
        const [request] = linesOf((await printed(responder)).stdout);
        await publish(site, ["-V", version, "-q", "1", "-t", `reply/${version}`, "-m", "answer"]);
        return [version, {
          request: request!,
          response: linesOf((await printed(requester)).stdout),
        }];
      })),
    ),
});

exchange("mosquitto_pub is told in version 5 what became of its message", {
  tools: ["mosquitto_pub"],
  expected: {
    "too many slashes": {
      code: 4,
      stderr: "Error: The client is not currently connected.\n",
    },
    "not allowed": { code: 0, stderr: "Warning: Publish 1 failed: Not authorized.\n" },
  },
  async run(site) {
    const attempt = async (topic: string): Promise<{ code: number | null; stderr: string }> => {
      const args = ["-V", "mqttv5", "-q", "1", "-m", "x", "-t", topic];
      const { code, stderr } = await start(site, "mosquitto_pub", args).ended;
      return { code, stderr };
    };
    return {
      "too many slashes": await attempt("/".repeat(201)),
      "not allowed": await attempt("$share/group/topic"),
    };
  },
});
