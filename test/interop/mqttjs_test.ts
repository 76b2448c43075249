// MQTT.js in its three versions: messages in order without loss or duplicates, retained messages,
// Wills, sessions that are resumed, large payloads and many clients.

import { Buffer } from "node:buffer";
import { fillPattern, PatternCheck } from "../support/byte_pattern.ts";
import { OVERRUNS_WINDOW } from "./differences.ts";
import { exchange } from "./exchange.ts";
import {
  endAll,
  JS_VERSION_NAMES,
  JS_VERSIONS,
  JsClient,
  type JsVersion,
  texts,
} from "./js_client.ts";
import type { Site } from "./site.ts";

const QOS = [0, 1, 2] as const;
const PAIRS = JS_VERSION_NAMES.flatMap((from) =>
  JS_VERSION_NAMES.flatMap((to) => QOS.map((qos) => ({ from, to, qos })))
);

/** Sends 500 messages from one client to another and 500 back. */
async function thereAndBack(
  site: Site,
  { from, to, qos }: typeof PAIRS[number],
): Promise<string> {
  const name = `${from} to ${to} at ${qos}`;
  const [left, right] = await Promise.all([
    JsClient.connect(site, { ...JS_VERSIONS[from], clientId: `left ${name}` }),
    JsClient.connect(site, { ...JS_VERSIONS[to], clientId: `right ${name}` }),
  ]);
  try {
    await left.client.subscribeAsync(`${name}/back`, { qos });
    await right.client.subscribeAsync(`${name}/there`, { qos });
    const sent = texts(500);
    await Promise.all([
      left.publishAll(`${name}/there`, sent, { qos }),
      right.publishAll(`${name}/back`, sent, { qos }),
    ]);
    await Promise.all([left.receives(500), right.receives(500)]);
    // Anything double would be in front of this.
    await left.publish(`${name}/there`, "end", { qos });
    await right.publish(`${name}/back`, "end", { qos });
    await Promise.all([left.receives(501), right.receives(501)]);
    const expected = [...sent, "end"].join();
    const areInOrder = [left, right].map((client) => client.texts.join() === expected);
    return `${name}: ${areInOrder.join()}, ${[...new Set(right.packets.map((p) => p.qos))]}`;
  } finally {
    endAll(left, right);
  }
}

/** Whether a pair has no more QoS 2 messages under way than its receiver of version 5 allows. */
function isSafe({ from, to, qos }: typeof PAIRS[number]): boolean {
  return qos < 2 || (from !== "5" && to !== "5");
}

for (const areSafe of [true, false]) {
  const pairs = PAIRS.filter((pair) => isSafe(pair) === areSafe);
  const ends = areSafe ? "all versions of both ends and QoS" : "QoS 2 to version 5";
  exchange(`MQTT.js gets 500 messages in order each way, for ${ends}`, {
    ...areSafe ? {} : { withoutMosquitto: OVERRUNS_WINDOW },
    expected: pairs.map(({ from, to, qos }) => `${from} to ${to} at ${qos}: true,true, ${qos}`),
    run: (site) => Promise.all(pairs.map((pair) => thereAndBack(site, pair))),
  });
}

exchange("MQTT.js is told in 3.1.1 and 5 whether its session was there [MQTT-3.2.2-3]", {
  expected: {
    "3.1": [false, false, false],
    "3.1.1": [false, true, false],
    "5": [false, true, false],
  },
  run: (site) =>
    byVersion(async (version) => {
      const present: boolean[] = [];
      for (const clean of [false, false, true]) {
        const client = await JsClient.connect(site, keeping(version, `present ${version}`, clean));
        present.push(client.connack!.sessionPresent);
        await client.end();
      }
      return present;
    }),
});

/** Even numbers go at QoS 1, odd ones at QoS 2. */
const MISSED = [0, 1].flatMap((odd) => texts(200).filter((text) => Number(text) % 2 === odd));

/** What a client with a session gets when it comes back, after leaving and after vanishing. */
async function missedBy(site: Site, version: JsVersion): Promise<string[][]> {
  const options = keeping(version, `missing ${version}`, false);
  const publisher = await JsClient.connect(site);
  let goneCount = 0;
  const missed = async (leave: (client: JsClient) => unknown): Promise<string[]> => {
    const before = await JsClient.connect(site, options);
    await before.client.subscribeAsync(`missing/${version}/#`, { qos: 2 });
    await leave(before);
    await site.gone(options.clientId, goneCount += 1);
    for (const [i, text] of texts(200).entries()) {
      await publisher.publish(`missing/${version}/${i % 3}`, text, { qos: i % 2 === 0 ? 1 : 2 });
    }
    const after = await JsClient.connect(site, options);
    await after.receives(200);
    await after.end();
    await site.gone(options.clientId, goneCount += 1);
    // Each QoS in order: MQTT.js hands out a message of QoS 2 when its exchange is complete.
    return [...after.packets].sort((a, b) => a.qos - b.qos).map((p) => p.payload.toString());
  };
  const left = await missed((client) => client.end());
  const vanished = await missed((client) => client.vanish());
  await publisher.end();
  return [left, vanished];
}

exchange("MQTT.js with an older session gets in order what it missed, however it left", {
  expected: [[MISSED, MISSED], [MISSED, MISSED]],
  run: (site) => Promise.all([missedBy(site, "3.1"), missedBy(site, "3.1.1")]),
});

exchange("MQTT.js with a session of version 5 gets in order what it missed, however it left", {
  withoutMosquitto: OVERRUNS_WINDOW,
  expected: [MISSED, MISSED],
  run: (site) => missedBy(site, "5"),
});

exchange("MQTT.js gets retained messages with the flag and live ones without [MQTT-3.3.1-8]", {
  expected: Object.fromEntries(
    JS_VERSION_NAMES.map((version) => [version, ["old true 1", "new false 1", "new true 1", ""]]),
  ),
  run: (site) =>
    byVersion(async (version) => {
      const client = await JsClient.connect(site, JS_VERSIONS[version]);
      const topic = `retained/${version}`;
      await client.publish(topic, "old", { qos: 1, retain: true });
      await client.client.subscribeAsync(topic, { qos: 1 });
      await client.receives(1);
      await client.publish(topic, "new", { qos: 1, retain: true });
      await client.receives(2);
      await client.client.unsubscribeAsync(topic);
      await client.client.subscribeAsync(topic, { qos: 1 });
      await client.receives(3);
      const seen = client.packets.map((p) => `${p.payload} ${p.retain} ${p.qos}`);
      await client.publish(topic, "", { qos: 1, retain: true });
      await client.receives(4);
      await client.end();
      return [...seen, client.texts[3]!];
    }),
});

exchange("MQTT.js's Will is published when it vanishes, and in version 5 when it says so", {
  expected: {
    "3.1": ["vanished"],
    "3.1.1": ["vanished"],
    "5": ["vanished", "left with it"],
  },
  run: (site) =>
    byVersion(async (version) => {
      const witness = await JsClient.connect(site);
      await witness.client.subscribeAsync(`will/${version}`, { qos: 1 });
      const willing = (text: string): Promise<JsClient> =>
        JsClient.connect(site, {
          ...JS_VERSIONS[version],
          clientId: `${text} ${version}`.replaceAll(" ", "-"),
          will: { topic: `will/${version}`, payload: Buffer.from(text), qos: 1, retain: false },
        });
      (await willing("vanished")).vanish();
      await witness.receives(1);
      await (await willing("left")).end();
      await site.gone(`left-${version}`);
      if (version === "5") {
        await (await willing("left with it")).end(4);
        await witness.receives(2);
      }
      await witness.publish(`will/${version}`, "end", { qos: 1 });
      await witness.receives(version === "5" ? 3 : 2);
      await witness.end();
      return witness.texts.slice(0, -1);
    }),
});

exchange("MQTT.js sends and gets payloads of a mebibyte at every QoS", {
  expected: Object.fromEntries(
    JS_VERSION_NAMES.map((version) => [version, QOS.map(() => "1048576 bytes, wrong at -1")]),
  ),
  run: (site) =>
    byVersion(async (version) => {
      const client = await JsClient.connect(site, JS_VERSIONS[version]);
      const payload = new Uint8Array(1_048_576);
      fillPattern(payload, 0);
      await client.client.subscribeAsync(`large/${version}`, { qos: 2 });
      for (const qos of QOS) await client.publish(`large/${version}`, payload, { qos });
      await client.receives(3);
      await client.end();
      return client.packets.map((packet) => {
        const check = new PatternCheck();
        check.add(packet.payload as Uint8Array);
        return `${check.count} bytes, wrong at ${check.firstWrong}`;
      });
    }),
});

exchange("MQTT.js as 200 clients at once each gets all of twenty messages in order", {
  expected: { clients: 200, inOrder: 200 },
  async run(site) {
    const clients = await Promise.all(
      Array.from({ length: 200 }, (_, i) => JsClient.connect(site, someVersion(i))),
    );
    try {
      await Promise.all(
        clients.map(({ client }, i) => client.subscribeAsync("fan/#", { qos: QOS[i % 3]! })),
      );
      await clients[0]!.publishAll("fan/out", texts(20), { qos: 1 });
      await Promise.all(clients.map((client) => client.receives(20)));
      const inOrder = clients.filter(({ texts: seen }) => seen.join() === texts(20).join());
      return { clients: clients.length, inOrder: inOrder.length };
    } finally {
      endAll(...clients);
    }
  },
});

exchange("MQTT.js as 50 clients that vanish and come back ten times keeps all sessions", {
  expected: { present: 50 * 9, texts: [texts(10).join()] },
  async run(site) {
    const publisher = await JsClient.connect(site, { clientId: "publisher" });
    let present = 0;
    const seen: string[][] = Array.from({ length: 50 }, () => []);
    for (let round = 0; round < 10; round++) {
      await Promise.all(seen.map(async (ownTexts, i) => {
        const client = await JsClient.connect(site, keeping("5", `storm ${i}`, false));
        if (client.connack!.sessionPresent) present++;
        if (round === 0) await client.client.subscribeAsync("storm", { qos: 1 });
        else await client.receives(1);
        ownTexts.push(...client.texts);
        await leaveIdle(client);
      }));
      await publisher.publish("storm", `${round}`, { qos: 1 });
    }
    await Promise.all(seen.map(async (ownTexts, i) => {
      const client = await JsClient.connect(site, keeping("5", `storm ${i}`, false));
      await client.receives(1);
      ownTexts.push(...client.texts);
      await client.end();
    }));
    await publisher.end();
    return { present, texts: [...new Set(seen.map((own) => own.join()))] };
  },
});

/** Vanishes when what it has received is acknowledged: this PUBACK comes after that. */
async function leaveIdle(client: JsClient): Promise<void> {
  await client.publish("nobody/listens", "", { qos: 1 });
  client.vanish();
}

function someVersion(i: number): typeof JS_VERSIONS[JsVersion] {
  return JS_VERSIONS[JS_VERSION_NAMES[i % 3]!];
}

function keeping(version: JsVersion, name: string, clean: boolean): {
  readonly clientId: string;
  readonly clean: boolean;
} {
  const expiry = version === "5" ? { properties: { sessionExpiryInterval: 60 } } : {};
  // MQTT.js would subscribe again by itself.
  const options = { ...JS_VERSIONS[version], ...expiry, clean, resubscribe: false };
  return { ...options, clientId: name.replaceAll(" ", "-") };
}

async function byVersion<T>(
  body: (version: JsVersion) => Promise<T>,
): Promise<{ [version: string]: T }> {
  const entries = JS_VERSION_NAMES.map(async (version) => [version, await body(version)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
