// What the broker keeps for Mosquitto's clients: retained messages, Wills, sessions of clients that
// are away; and who gets what when several share a subscription or a name.

import { linesOf } from "../support/foreign_process.ts";
import { OVERLAPPING_COPIES, OVERRUNS_WINDOW } from "./differences.ts";
import { exchange } from "./exchange.ts";
import {
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

const FORMAT = ["-F", "%t %q %r %p"] as const;

/** What a new subscriber of `filter` sees until the message with the text "end". */
async function seen(site: Site, name: string, args: readonly string[]): Promise<string[]> {
  const end = `end/${name}`;
  const all = [...FORMAT, "-t", end, ...args];
  const subscriber = await subscribe(site, name, all);
  await publish(site, ["-t", end, "-q", "2", "-m", "end"]);
  return await linesUntil(subscriber, new RegExp(`^${end} `));
}

exchange("mosquitto_sub sees retained messages set, replaced and cleared [MQTT-3.3.1-6]", {
  tools: PUB_AND_SUB,
  expected: {
    set: ["r/a 1 1 first", "r/b 1 1 bee", "r/c 0 1 sea"],
    withoutStale: [],
    live: ["r/a 1 0 second"],
    replaced: ["r/a 1 1 second", "r/b 1 1 bee", "r/c 0 1 sea"],
    cleared: ["r/a 1 1 second", "r/c 0 1 sea"],
    retainedOnly: ["r/a 1 1 second", "r/c 0 1 sea"],
    afterRemoval: ["r/a 1 1 second"],
  },
  async run(site) {
    const look = async (name: string, ...args: string[]): Promise<string[]> =>
      (await seen(site, name, ["-q", "1", "-t", "r/#", ...args])).sort();
    await publish(site, ["-V", "mqttv31", "-t", "r/a", "-q", "2", "-r", "-m", "first"]);
    await publish(site, ["-V", "mqttv311", "-t", "r/b", "-q", "1", "-r", "-m", "bee"]);
    await publish(site, ["-V", "mqttv5", "-t", "r/c", "-q", "0", "-r", "-m", "sea"]);
    const set = await look("set", "-V", "mqttv31");
    const withoutStale = await look("without-stale", "-R");
    const live = await subscribe(site, "live", [
      "-q",
      "1",
      "-t",
      "r/a",
      ...FORMAT,
      "-R",
      "-C",
      "1",
    ]);
    await publish(site, ["-t", "r/a", "-q", "1", "-r", "-m", "second"]);
    const liveLines = linesOf((await printed(live)).stdout);
    const replaced = await look("replaced", "-V", "mqttv5");
    await publish(site, ["-t", "r/b", "-r", "-n"]);
    const cleared = await look("cleared");
    const retainedOnly = start(site, "mosquitto_sub", [
      ...["-i", "only", "-q", "1", "-t", "r/#", "-t", "end/only", "--retained-only", ...FORMAT],
    ]);
    await site.subscribed("only", 2);
    await publish(site, ["-t", "end/only", "-m", "not retained"]);
    // With a count it would not end by itself: its DISCONNECT waits for a PUBACK, and then for more.
    await seen(site, "remover", ["-t", "r/#", "-T", "r/a", "--remove-retained"]);
    return {
      set,
      withoutStale,
      live: liveLines,
      replaced,
      cleared,
      retainedOnly: linesOf((await printed(retainedOnly)).stdout).sort(),
      afterRemoval: await look("after-removal"),
    };
  },
});

exchange("mosquitto_sub's Will is published when it is killed and not when it leaves", {
  tools: PUB_AND_SUB,
  expected: Object.fromEntries(VERSIONS.map((version) => [version, {
    killed: ["will/killed 1 0 gone"],
    left: [],
    retained: ["will/killed 1 1 gone"],
  }])),
  run: async (site) =>
    Object.fromEntries(
      await Promise.all(VERSIONS.map(async (version) => {
        const topic = (kind: string): string => `${version}/will/${kind}`;
        const strip = (lines: string[]): string[] =>
          lines.map((line) => line.replace(`${version}/`, ""));
        const witness = await subscribe(site, `witness-${version}`, [
          ...["-q", "1", "-t", `${version}/#`, ...FORMAT],
        ]);
        const willing = (kind: string): string[] => [
          ...["-V", version, "-t", "nothing", "--will-topic", topic(kind)],
          ...["--will-payload", "gone", "--will-qos", "2", "--will-retain"],
        ];
        const leaver = await subscribe(site, `leaver-${version}`, [...willing("left"), "-E"]);
        await printed(leaver);
        const victim = await subscribe(site, `victim-${version}`, willing("killed"));
        victim.kill("SIGKILL");
        await victim.ended;
        await site.gone(`victim-${version}`);
        await publish(site, ["-q", "1", "-t", `${version}/end`, "-m", ""]);
        const lines = strip(await linesUntil(witness, /\/end /));
        return [version, {
          killed: lines.filter((line) => line.startsWith("will/killed")),
          left: lines.filter((line) => line.startsWith("will/left")),
          retained: strip(
            await seen(site, `late-${version}`, ["-q", "1", "-t", `${version}/will/#`]),
          ),
        }];
      })),
    ),
});

exchange("mosquitto_sub's delayed Will waits, and is not published if it comes back in time", {
  tools: PUB_AND_SUB,
  expected: ["will/lost 0 0 lost"],
  async run(site) {
    const witness = await subscribe(site, "witness", ["-t", "will/#", ...FORMAT]);
    const willing = (kind: string): string[] => [
      ...["-V", "mqttv5", "-c", "-x", "60", "-t", "nothing", "--will-topic", `will/${kind}`],
      ...["--will-payload", kind, "-D", "will", "will-delay-interval", "1"],
    ];
    const returning = await subscribe(site, "returning", willing("returned"));
    returning.kill("SIGKILL");
    await site.gone("returning");
    const lost = await subscribe(site, "lost", willing("lost"));
    lost.kill("SIGKILL");
    await site.gone("lost");
    const returned = start(site, "mosquitto_sub", ["-i", "returning", ...willing("returned")]);
    await site.connected("returning", 2);
    const lines = await linesUntil(witness, /will\/lost/, { isIncluded: true });
    returned.kill("SIGKILL");
    return lines;
  },
});

const SESSION_ENDS = [
  { version: "mqttv31", args: ["-c"] },
  { version: "mqttv311", args: ["-c"] },
  { version: "mqttv5", args: ["-c", "-x", "60"] },
] as const;

/** What a client with a session gets of `count` messages per QoS sent while it was away. */
async function returned(
  site: Site,
  { version, args }: typeof SESSION_ENDS[number],
  count: number,
): Promise<string[]> {
  const id = `away-${version}`;
  const subscriber = ["-V", version, ...args, "-q", "2", "-t", `${id}/+`];
  await printed(await subscribe(site, id, [...subscriber, "-E"]));
  await site.gone(id);
  for (const [qos, text] of [["0", "nought "], ["1", "one "], ["2", "two "]] as const) {
    await publish(site, ["-q", qos, "-t", `${id}/${qos}`, "-l"], numberedLines(count, text));
  }
  const back = ["-i", id, ...subscriber, "-C", `${2 * count}`, "-F", "%q %p"];
  const lines = linesOf((await printed(start(site, "mosquitto_sub", back))).stdout);
  // The client hands out each QoS in order, but a message of QoS 2 when its exchange is complete.
  return lines.sort((a, b) => Number(a[0]) - Number(b[0]));
}

function queued(count: number): string[] {
  return [...linesOf(numberedLines(count, "1 one ")), ...linesOf(numberedLines(count, "2 two "))];
}

exchange("mosquitto_sub -c gets in order what was sent at QoS 1 and 2 while it was away", {
  tools: PUB_AND_SUB,
  expected: SESSION_ENDS.map(() => queued(9)),
  run: (site) => Promise.all(SESSION_ENDS.map((end) => returned(site, end, 9))),
});

exchange("mosquitto_sub -c gets in order hundreds of messages, more than its window", {
  tools: PUB_AND_SUB,
  withoutMosquitto: OVERRUNS_WINDOW,
  expected: SESSION_ENDS.map(() => queued(400)),
  run: (site) => Promise.all(SESSION_ENDS.map((end) => returned(site, end, 400))),
});

exchange("mosquitto_sub -U ends a subscription of a session, and the others stay", {
  tools: PUB_AND_SUB,
  expected: Object.fromEntries(SESSION_ENDS.map(({ version }) => [version, ["kept 1"]])),
  run: async (site) =>
    Object.fromEntries(
      await Promise.all(SESSION_ENDS.map(async ({ version, args }) => {
        const id = `u-${version}`;
        const common = ["-V", version, ...args, "-q", "1"];
        const filters = ["-t", `${id}/kept`, "-t", `${id}/left`];
        await printed(await subscribe(site, id, [...common, ...filters, "-E"]));
        const leaving = [...common, "-t", `${id}/other`, "-U", `${id}/left`, "-E"];
        await printed(start(site, "mosquitto_sub", ["-i", id, ...leaving]));
        await site.gone(id, 2);
        await publish(site, ["-q", "1", "-t", `${id}/left`, "-m", "left"]);
        await publish(site, ["-q", "1", "-t", `${id}/kept`, "-m", "kept"]);
        const back = ["-i", id, ...common, "-t", `${id}/other`, "-C", "1", "-F", "%p %q"];
        return [version, linesOf((await printed(start(site, "mosquitto_sub", back))).stdout)];
      })),
    ),
});

exchange("mosquitto_sub -x: a session ends with its Session Expiry Interval [MQTT-3.1.2-23]", {
  tools: PUB_AND_SUB,
  expected: { short: [], long: ["kept"] },
  async run(site) {
    const look = async (id: string, seconds: string, waitMs: number): Promise<string[]> => {
      const common = ["-V", "mqttv5", "-c", "-q", "1", "-x", seconds];
      await printed(await subscribe(site, id, [...common, "-t", id, "-E"]));
      await site.gone(id);
      await publish(site, ["-q", "1", "-t", id, "-m", "kept"]);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const back = await subscribe(site, id, [...common, "-t", `end/${id}`], 1);
      await publish(site, ["-q", "1", "-t", `end/${id}`, "-m", "end"]);
      return await linesUntil(back, /^end$/);
    };
    const [short, long] = await Promise.all([look("short", "1", 2500), look("long", "60", 0)]);
    return { short, long };
  },
});

/** How 300 messages are shared among three members, one of each version. */
async function shares(site: Site, qos: number): Promise<typeof FAIR_SHARES> {
  const members = await Promise.all(
    VERSIONS.map((version) =>
      subscribe(site, `member-${version}-${qos}`, [
        ...["-V", version, "-q", `${qos}`, "-C", "100", "-t", `$share/group/jobs/${qos}/+`],
      ])
    ),
  );
  await publish(site, ["-q", `${qos}`, "-t", `jobs/${qos}/x`, "-l"], numberedLines(300));
  const shares = (await Promise.all(members.map(printed)))
    .map(({ stdout }) => linesOf(stdout).map(Number));
  return {
    counts: shares.map((share) => share.length),
    distinct: new Set(shares.flat()).size,
    areInOrder: shares.every((share) => share.every((n, i) => i === 0 || share[i - 1]! < n)),
  };
}

const FAIR_SHARES = { counts: [100, 100, 100], distinct: 300, areInOrder: true };

exchange("mosquitto_sub's $share members get each message once between them, in turn", {
  tools: PUB_AND_SUB,
  expected: [FAIR_SHARES, FAIR_SHARES],
  run: (site) => Promise.all([shares(site, 0), shares(site, 1)]),
});

exchange("mosquitto_sub's $share members get each message once at QoS 2 as well", {
  tools: PUB_AND_SUB,
  withoutMosquitto: OVERRUNS_WINDOW,
  expected: FAIR_SHARES,
  run: (site) => shares(site, 2),
});

exchange("mosquitto_sub gets a copy for each of its overlapping subscriptions", {
  tools: PUB_AND_SUB,
  difference: OVERLAPPING_COPIES,
  expected: VERSIONS.map((): readonly string[] => ["lap/a 0 0 x", "lap/a 0 0 x", "lap/a 0 0 x"]),
  async run(site) {
    const filters = ["-t", "lap/#", "-t", "lap/+", "-t", "lap/a", "-t", "end"];
    const subscribers = await Promise.all(
      VERSIONS.map((version) =>
        subscribe(site, `lap-${version}`, ["-V", version, ...filters, ...FORMAT])
      ),
    );
    await publish(site, ["-t", "lap/a", "-m", "x"]);
    await publish(site, ["-t", "end", "-m", "end"]);
    return await Promise.all(subscribers.map((subscriber) => linesUntil(subscriber, /^end/)));
  },
});

exchange("mosquitto_sub with the name of another takes its place [MQTT-3.1.4-3]", {
  tools: PUB_AND_SUB,
  expected: Object.fromEntries(
    VERSIONS.map((version) => [version, { first: ["1"], second: ["2"] }]),
  ),
  run: async (site) =>
    Object.fromEntries(
      await Promise.all(VERSIONS.map(async (version) => {
        const id = `twin-${version}`;
        const common = ["-V", version, "-t", id];
        const first = await subscribe(site, id, common);
        await publish(site, ["-t", id, "-m", "1"]);
        await first.until((lines) => lines.length > 0, "the first has its message");
        const second = start(site, "mosquitto_sub", ["-i", id, ...common]);
        await site.gone(id);
        // It would come back a second later.
        first.kill("SIGKILL");
        await site.subscribed(id, 2);
        await publish(site, ["-t", id, "-m", "2"]);
        await second.until((lines) => lines.length > 0, "the second has its message");
        second.kill("SIGTERM");
        return [version, {
          first: linesOf((await first.ended).stdout),
          second: linesOf((await second.ended).stdout),
        }];
      })),
    ),
});
