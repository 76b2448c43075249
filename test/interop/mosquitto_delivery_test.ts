// What mosquitto_pub sends is what mosquitto_sub prints: every pair of versions and QoS, all kinds of
// payload, order, and wildcards.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillPattern, PatternCheck } from "../support/byte_pattern.ts";
import { linesOf } from "../support/foreign_process.ts";
import { AN_EVENT_EACH, OVERRUNS_WINDOW } from "./differences.ts";
import { exchange } from "./exchange.ts";
import {
  fewAtATime,
  linesUntil,
  numberedLines,
  printed,
  PUB_AND_SUB,
  publish,
  subscribe,
  VERSIONS,
} from "./mosquitto_tools.ts";
import type { Site } from "./site.ts";

const QOS = [0, 1, 2] as const;
const ENDS = VERSIONS.flatMap((version) => QOS.map((qos) => ({ version, qos })));

exchange("mosquitto_sub prints what mosquitto_pub sends, for all versions and QoS of both", {
  tools: PUB_AND_SUB,
  expected: Object.fromEntries(
    ENDS.map((subscriber) => [
      `${subscriber.version} ${subscriber.qos}`,
      ENDS.map(({ version, qos }) =>
        `pair/${version}/${qos} ${Math.min(qos, subscriber.qos)} 0 from ${version} at ${qos}`
      ),
    ]),
  ),
  async run(site) {
    const subscribers = await fewAtATime(ENDS.map(({ version, qos }) => () =>
      subscribe(
        site,
        `sub-${version}-${qos}`,
        ["-V", version, "-q", `${qos}`, "-t", "pair/#", "-C", "9", "-F", "%t %q %r %p"],
      )
    ));
    // One after the other, so that everybody sees them in one order.
    for (const { version, qos } of ENDS) {
      const message = ["-t", `pair/${version}/${qos}`, "-m", `from ${version} at ${qos}`];
      await publish(site, ["-V", version, "-q", `${qos}`, ...message]);
    }
    const ends = await Promise.all(subscribers.map(printed));
    return Object.fromEntries(
      ENDS.map(({ version, qos }, i) => [`${version} ${qos}`, linesOf(ends[i]!.stdout)]),
    );
  },
});

/** Whether a thousand lines arrive in order at a subscriber of the publisher's version and QoS. */
async function thousandLines(site: Site, { version, qos }: typeof ENDS[number]): Promise<string> {
  const name = `lines-${version}-${qos}`;
  const args = ["-V", version, "-q", `${qos}`, "-t", name];
  const subscriber = await subscribe(site, name, [...args, "-C", "1000"]);
  const lines = numberedLines(1000);
  await publish(site, [...args, "-l"], lines);
  const text = new TextDecoder().decode((await printed(subscriber)).stdout);
  return text === lines ? `${name} in order` : text;
}

const SAFE_ENDS = ENDS.filter(({ version, qos }) => version !== "mqttv5" || qos < 2);

exchange("mosquitto_pub -l of a thousand lines arrives in order, for all versions and QoS", {
  tools: PUB_AND_SUB,
  withoutEdge: AN_EVENT_EACH,
  expected: SAFE_ENDS.map(({ version, qos }) => `lines-${version}-${qos} in order`),
  run: (site) => fewAtATime(SAFE_ENDS.map((end) => () => thousandLines(site, end))),
});

exchange("mosquitto_pub -l of a thousand lines arrives in order, for version 5 and QoS 2", {
  tools: PUB_AND_SUB,
  withoutMosquitto: OVERRUNS_WINDOW,
  expected: "lines-mqttv5-2 in order",
  run: (site) => thousandLines(site, { version: "mqttv5", qos: 2 }),
});

/** How a payload arrives: its length and where it first differs from the pattern, -1 for nowhere. */
async function arrival(
  site: Site,
  name: string,
  versionAndQos: readonly string[],
  source: readonly string[],
  input?: Uint8Array,
): Promise<string> {
  const common = [...versionAndQos, "-t", `payload/${name}`];
  const subscriber = await subscribe(site, name, [...common, "-C", "1", "-N"]);
  await publish(site, [...common, ...source], input);
  const check = new PatternCheck();
  check.add((await printed(subscriber)).stdout);
  return `${check.count} bytes, wrong at ${check.firstWrong}`;
}

exchange("mosquitto_pub -f and -s carry bytes of any kind up to a mebibyte", {
  tools: PUB_AND_SUB,
  expected: Object.fromEntries(
    ["file", "stdin"].flatMap((source) =>
      [1, 127, 128, 16_383, 65_536, 1_048_576].map((
        size,
      ) => [`${source} ${size}`, `${size} bytes, wrong at -1`])
    ),
  ),
  async run(site) {
    const folder = await mkdtemp(join(tmpdir(), "midge-interop-"));
    const cases = [1, 127, 128, 16_383, 65_536, 1_048_576].map((size, i) => {
      const payload = new Uint8Array(size);
      fillPattern(payload, 0);
      const { version, qos } = ENDS[(i * 4 + 2) % ENDS.length]!;
      return { size, payload, args: ["-V", version, "-q", `${qos}`] };
    });
    try {
      return Object.fromEntries(
        await fewAtATime(cases.flatMap(({ size, payload, args }) => [
          async () => {
            const path = join(folder, `${size}`);
            await writeFile(path, payload);
            return [`file ${size}`, await arrival(site, `f-${size}`, args, ["-f", path])];
          },
          async () => [
            `stdin ${size}`,
            await arrival(site, `s-${size}`, args, ["-s"], payload),
          ],
        ])),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  },
});

exchange("mosquitto_pub -n, -m and an empty line send empty messages, and --repeat repeats", {
  tools: PUB_AND_SUB,
  expected: [
    "empty 0 (0)",
    "empty 0 (0)",
    "text 5 (0) hallo",
    "text 5 (0) hallo",
    "text 5 (0) hallo",
    "lines 1 (0) a",
    "lines 0 (0)",
    "lines 1 (0) b",
    "utf8 9 (0) ⏻ über",
  ],
  async run(site) {
    const filters = ["empty", "text", "lines", "utf8"].flatMap((filter) => ["-t", filter]);
    const subscriber = await subscribe(site, "kinds", [
      ...["-q", "1", "-C", "9", "-F", "%t %l (%r) %p"],
      ...filters,
    ]);
    await publish(site, ["-t", "empty", "-n"]);
    await publish(site, ["-t", "empty", "-q", "1", "-m", ""]);
    await publish(site, ["-t", "text", "-q", "2", "-m", "hallo", "--repeat", "3"]);
    await publish(site, ["-t", "lines", "-l"], "a\n\nb");
    await publish(site, ["-t", "utf8", "-V", "mqttv5", "-m", "⏻ über"]);
    return linesOf((await printed(subscriber)).stdout).map((line) => line.trimEnd());
  },
});

const FILTERS = [
  "#",
  "+",
  "/#",
  "+/+",
  "/+",
  "a",
  "a/#",
  "a/+",
  "a/+/c",
  "+/b/#",
  "a//c",
  "a/+/+/#",
  "$data/#",
  "$data/+",
  "+/unit",
] as const;
const TOPICS = ["a", "/a", "a/", "a/b", "a/b/c", "a//c", "/", "//", "$data/unit", "A"] as const;

exchange("mosquitto_sub's filters match what they should of odd topics [MQTT-4.7.2-1]", {
  tools: PUB_AND_SUB,
  expected: {
    "#": ["a", "/a", "a/", "a/b", "a/b/c", "a//c", "/", "//", "A"],
    "+": ["a", "A"],
    "/#": ["/a", "/", "//"],
    "+/+": ["/a", "a/", "a/b", "/"],
    "/+": ["/a", "/"],
    "a": ["a"],
    "a/#": ["a", "a/", "a/b", "a/b/c", "a//c"],
    "a/+": ["a/", "a/b"],
    "a/+/c": ["a/b/c", "a//c"],
    "+/b/#": ["a/b", "a/b/c"],
    "a//c": ["a//c"],
    "a/+/+/#": ["a/b/c", "a//c"],
    "$data/#": ["$data/unit"],
    "$data/+": ["$data/unit"],
    "+/unit": [],
  },
  async run(site) {
    const subscribers = await fewAtATime(
      FILTERS.map((filter, i) => () =>
        subscribe(site, `filter-${i}`, ["-t", filter, "-t", "end", "-F", "%t"])
      ),
    );
    for (const topic of TOPICS) await publish(site, ["-t", topic, "-m", "x"]);
    await publish(site, ["-t", "end", "-m", "x"]);
    return Object.fromEntries(
      await Promise.all(subscribers.map(async (subscriber, i) => [
        FILTERS[i]!,
        await linesUntil(subscriber, /^end$/),
      ])),
    );
  },
});
