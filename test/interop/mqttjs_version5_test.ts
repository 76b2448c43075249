// What only version 5 has, as MQTT.js uses it: properties, aliases, subscription options, limits,
// reason codes, and being told why a connection ends.

import { Buffer } from "node:buffer";
import { assertRejects } from "@std/assert";
import { CONNACK_PROPERTIES, OVERRUNS_WINDOW, SHARED_NO_LOCAL, TAKEN_OVER } from "./differences.ts";
import { exchange } from "./exchange.ts";
import { endAll, JS_VERSIONS, JsClient, type Received, texts } from "./js_client.ts";
import type { Site } from "./site.ts";

const ALL_PROPERTIES = {
  payloadFormatIndicator: true,
  messageExpiryInterval: 1000,
  responseTopic: "answers/here",
  correlationData: Buffer.from("number 7"),
  userProperties: { colour: ["blue", "blue again"], "": "" },
  contentType: "text/plain",
};
const ALL_RECEIVED = { ...ALL_PROPERTIES, correlationData: "number 7" };

exchange("MQTT.js gets every property of a live, retained and queued message [MQTT-3.3.2-17]", {
  expected: {
    live: [message("live", { retain: false, properties: ALL_RECEIVED })],
    retained: [message("live", { retain: true, properties: ALL_RECEIVED })],
    queued: [message("queued", { retain: false, properties: ALL_RECEIVED })],
    older: [message("live", { retain: false }), message("queued", { retain: false })],
  },
  async run(site) {
    const session = {
      clientId: "keeper",
      clean: false,
      resubscribe: false,
      properties: { sessionExpiryInterval: 60 },
    };
    const publisher = await JsClient.connect(site);
    const older = await JsClient.connect(site, JS_VERSIONS["3.1.1"]);
    await older.client.subscribeAsync("props", { qos: 1 });
    const live = await JsClient.connect(site, session);
    await live.client.subscribeAsync("props", { qos: 1 });
    const send = (text: string, retain: boolean): Promise<unknown> =>
      publisher.publish("props", text, { qos: 1, retain, properties: ALL_PROPERTIES });
    await send("live", true);
    await live.receives(1);
    await live.end();
    await site.gone("keeper");
    const late = await JsClient.connect(site);
    await late.client.subscribeAsync("props", { qos: 1 });
    await late.receives(1);
    await late.end();
    await send("queued", false);
    const back = await JsClient.connect(site, session);
    await back.receives(1);
    await older.receives(2);
    endAll(publisher, older, back);
    return {
      live: live.received.map(roundExpiry),
      retained: late.received.map(roundExpiry),
      queued: back.received.map(roundExpiry),
      older: older.received,
    };
  },
});

exchange("MQTT.js's Will carries its properties and waits for its delay [MQTT-3.1.3-9]", {
  expected: { early: 0, late: [message("gone", { retain: false, properties: ALL_RECEIVED })] },
  async run(site) {
    const witness = await JsClient.connect(site);
    await witness.client.subscribeAsync("props", { qos: 1 });
    const willing = await JsClient.connect(site, {
      clientId: "willing",
      properties: { sessionExpiryInterval: 60 },
      will: {
        topic: "props",
        payload: Buffer.from("gone"),
        qos: 1,
        retain: false,
        properties: { ...ALL_PROPERTIES, willDelayInterval: 1 },
      },
    });
    willing.vanish();
    await site.gone("willing");
    const early = witness.packets.length;
    await witness.receives(1);
    await witness.end();
    return { early, late: witness.received.map(roundExpiry) };
  },
});

exchange("MQTT.js uses topic aliases for more topics than it may have [MQTT-3.3.2-7]", {
  expected: {
    allowed: 10,
    received: Array.from({ length: 60 }, (_, i) => `alias/${(i * 7) % 15} ${i}`),
  },
  async run(site) {
    const witness = await JsClient.connect(site);
    await witness.client.subscribeAsync("alias/#", { qos: 1 });
    const client = await JsClient.connect(site, { autoAssignTopicAlias: true });
    for (let i = 0; i < 60; i++) {
      await client.publish(`alias/${(i * 7) % 15}`, `${i}`, { qos: i % 2 === 0 ? 0 : 1 });
    }
    await witness.receives(60);
    endAll(client, witness);
    return {
      allowed: client.connack!.properties!.topicAliasMaximum!,
      received: witness.packets.map(({ topic, payload }) => `${topic} ${payload}`),
    };
  },
});

exchange("MQTT.js understands the topic aliases that the broker gives [MQTT-3.1.2-27]", {
  withoutMosquitto: "2.0.11 gives none",
  expected: {
    received: Array.from({ length: 10 }, (_, i) => `alias/${i % 5} ${i}`),
    wire: [
      ...["alias/0 1", "alias/1 2", "alias/2 3", "alias/3 none", "alias/4 none"],
      ...[" 1", " 2", " 3", "alias/3 none", "alias/4 none"],
    ],
  },
  async run(site) {
    const client = await JsClient.connect(site, { properties: { topicAliasMaximum: 3 } });
    await client.client.subscribeAsync("alias/+", { qos: 1 });
    const publisher = await JsClient.connect(site);
    for (let i = 0; i < 10; i++) await publisher.publish(`alias/${i % 5}`, `${i}`, { qos: 1 });
    await client.receives(10);
    endAll(client, publisher);
    return {
      received: client.packets.map(({ topic, payload }) => `${topic} ${payload}`),
      wire: client.wire.filter((packet) => packet.cmd === "publish")
        .map(({ topic, properties }) => `${topic} ${properties?.topicAlias ?? "none"}`),
    };
  },
});

exchange("MQTT.js gets a copy with its identifier for each matching subscription [MQTT-3.3.4-3]", {
  expected: ["0 none", "1 1", "1 268435455", "1 300"],
  async run(site) {
    const client = await JsClient.connect(site);
    const subscribe = (filter: string, subscriptionIdentifier: number): Promise<unknown> =>
      client.client.subscribeAsync(filter, { qos: 1, properties: { subscriptionIdentifier } });
    await subscribe("id/a", 1);
    await subscribe("id/+", 300);
    await subscribe("#", 268_435_455);
    await client.client.subscribeAsync("id/a/#", { qos: 0 });
    await client.publish("id/a", "x", { qos: 1 });
    await client.receives(4);
    await client.end();
    return client.packets
      .map(({ qos, properties }) => `${qos} ${properties?.subscriptionIdentifier ?? "none"}`)
      .sort();
  },
});

exchange("MQTT.js does not get its own messages where it wants no local ones [MQTT-3.8.3-3]", {
  expected: ["with: theirs", "without: own", "without: theirs"],
  async run(site) {
    const client = await JsClient.connect(site);
    const other = await JsClient.connect(site);
    await client.client.subscribeAsync("with", { qos: 1, nl: true });
    await client.client.subscribeAsync("without", { qos: 1, nl: false });
    for (const topic of ["with", "without"]) {
      await client.publish(topic, "own", { qos: 1 });
      await other.publish(topic, "theirs", { qos: 1 });
    }
    await client.receives(3);
    endAll(client, other);
    return client.packets.map(({ topic, payload }) => `${topic}: ${payload}`).sort();
  },
});

exchange("MQTT.js gets the flag as published where it asks for it [MQTT-3.3.1-12]", {
  expected: ["rap/no n false", "rap/no r false", "rap/yes n false", "rap/yes r true"],
  async run(site) {
    const client = await JsClient.connect(site);
    await client.client.subscribeAsync("rap/yes", { qos: 1, rap: true });
    await client.client.subscribeAsync("rap/no", { qos: 1, rap: false });
    for (const topic of ["rap/yes", "rap/no"]) {
      await client.publish(topic, "r", { qos: 1, retain: true });
      await client.publish(topic, "n", { qos: 1, retain: false });
    }
    await client.receives(4);
    await client.end();
    return client.packets.map(({ topic, payload, retain }) => `${topic} ${payload} ${retain}`)
      .sort();
  },
});

exchange("MQTT.js gets retained messages as its Retain Handling says [MQTT-3.3.1-10]", {
  expected: { 0: ["x", "x", "end"], 1: ["x", "end"], 2: ["end"] },
  async run(site) {
    const publisher = await JsClient.connect(site);
    await publisher.publish("kept", "x", { qos: 1, retain: true });
    const seen = await Promise.all([0, 1, 2].map(async (rh) => {
      const client = await JsClient.connect(site);
      await client.client.subscribeAsync("kept", { qos: 1, rh });
      await client.client.subscribeAsync("kept", { qos: 1, rh });
      await client.client.subscribeAsync("end", { qos: 1 });
      return client;
    }));
    await publisher.publish("end", "end", { qos: 1 });
    await Promise.all(seen.map((client, rh) => client.receives([3, 2, 1][rh]!)));
    endAll(publisher, ...seen);
    return Object.fromEntries(seen.map((client, rh) => [rh, client.texts]));
  },
});

/** What a client gets that allows two messages in flight and takes its time for each. */
async function slowly(site: Site, qos: 1 | 2): Promise<string[]> {
  const client = await JsClient.connect(site, {
    properties: { receiveMaximum: 2 },
    customHandleAcks: (_topic, _payload, _packet, done) => setTimeout(() => done(0), 2),
  });
  const publisher = await JsClient.connect(site);
  try {
    await client.client.subscribeAsync("slow", { qos });
    await publisher.publishAll("slow", texts(100), { qos });
    await client.receives(100);
    return client.texts;
  } finally {
    endAll(client, publisher);
  }
}

exchange("MQTT.js with a Receive Maximum of two gets all in order at QoS 1 [MQTT-3.3.4-9]", {
  expected: texts(100),
  run: (site) => slowly(site, 1),
});

exchange("MQTT.js with a Receive Maximum of two gets all in order at QoS 2 [MQTT-3.3.4-9]", {
  withoutMosquitto: OVERRUNS_WINDOW,
  expected: texts(100),
  run: (site) => slowly(site, 2),
});

exchange("MQTT.js does not get what exceeds its Maximum Packet Size [MQTT-3.1.2-24]", {
  expected: ["0 100", "1 100", "2 100"],
  async run(site) {
    const client = await JsClient.connect(site, { properties: { maximumPacketSize: 150 } });
    await client.client.subscribeAsync("size/+", { qos: 2 });
    const publisher = await JsClient.connect(site);
    for (const qos of [0, 1, 2] as const) {
      await publisher.publish(`size/${qos}`, "x".repeat(1000), { qos });
      await publisher.publish(`size/${qos}`, "x".repeat(100), { qos });
    }
    await client.receives(3);
    endAll(client, publisher);
    return client.packets.map(({ qos, payload }) => `${qos} ${payload.length}`);
  },
});

exchange("MQTT.js reads in the CONNACK what the broker allows", {
  difference: CONNACK_PROPERTIES,
  expected: {
    reasonCode: 0,
    sessionPresent: false,
    properties: {
      assignedClientIdentifier: "auto-",
      maximumPacketSize: 2_000_000,
      receiveMaximum: 20,
      topicAliasMaximum: 10,
    },
  },
  async run(site) {
    const client = await JsClient.connect(site, { clientId: "" });
    await client.end();
    const { reasonCode, sessionPresent, properties } = client.connack!;
    const assignedClientIdentifier = properties?.assignedClientIdentifier?.slice(0, 5);
    return { reasonCode, sessionPresent, properties: { ...properties, assignedClientIdentifier } };
  },
});

exchange("MQTT.js gets the reason codes of its acknowledgements", {
  expected: {
    suback: [0, 1, 2],
    puback: [16, 0],
    pubrec: [0],
    unsuback: [0, 17],
    denied: 135,
  },
  async run(site) {
    const client = await JsClient.connect(site);
    const codes = (cmd: string): unknown[] =>
      client.wire.flatMap((packet) => {
        if (packet.cmd !== cmd) return [];
        if ("granted" in packet) return packet.granted;
        return "reasonCode" in packet ? [packet.reasonCode] : [];
      });
    await client.publish("nobody", "x", { qos: 1 });
    await client.publish("nobody", "x", { qos: 2 });
    await client.client.subscribeAsync({ a: { qos: 0 }, b: { qos: 1 }, c: { qos: 2 } });
    await client.publish("a", "x", { qos: 1 });
    await client.client.unsubscribeAsync(["a", "unknown"]);
    const denied = await assertRejects(() => client.publish("$share/g/t", "x", { qos: 1 }));
    await client.end();
    return {
      suback: codes("suback"),
      puback: codes("puback").slice(0, 2),
      pubrec: codes("pubrec"),
      unsuback: codes("unsuback"),
      denied: (denied as { code?: number }).code,
    };
  },
});

exchange("MQTT.js hears why it is sent away: another took its place [MQTT-3.1.4-3]", {
  difference: TAKEN_OVER,
  expected: { "5": [142], "3.1.1": [], "3.1": [] },
  async run(site) {
    const heard = async (version: keyof typeof JS_VERSIONS): Promise<unknown[]> => {
      const options = { ...JS_VERSIONS[version], clientId: `twin-${version}` };
      const first = await JsClient.connect(site, options);
      const second = await JsClient.connect(site, options);
      await first.closes();
      await second.end();
      return first.disconnects;
    };
    return { "5": await heard("5"), "3.1.1": await heard("3.1.1"), "3.1": await heard("3.1") };
  },
});

exchange("MQTT.js hears that $share and no local do not go together [MQTT-3.8.3-4]", {
  difference: SHARED_NO_LOCAL,
  expected: "sent away with 130",
  async run(site) {
    const client = await JsClient.connect(site);
    const asked = client.client.subscribeAsync("$share/group/filter", { qos: 1, nl: true })
      .then((grants) => `granted ${grants[0]?.qos}`, () => `sent away with ${client.disconnects}`);
    const outcome = await asked;
    endAll(client);
    return outcome;
  },
});

exchange("MQTT.js is refused an authentication method that nobody knows [MQTT-4.12.0-1]", {
  expected: 140,
  async run(site) {
    const properties = { authenticationMethod: "UNHEARD-OF" };
    const error = await assertRejects(() => JsClient.connect(site, { properties }));
    return (error as { code?: number }).code;
  },
});

exchange("MQTT.js ends its session early by a DISCONNECT that says so [MQTT-3.14.2-2]", {
  expected: { kept: true, ended: false },
  async run(site) {
    const comesBack = async (clientId: string, ending: object): Promise<boolean> => {
      const options = { clientId, clean: false, properties: { sessionExpiryInterval: 60 } };
      const client = await JsClient.connect(site, options);
      await client.client.endAsync(false, ending);
      await site.gone(clientId);
      const again = await JsClient.connect(site, options);
      await again.end();
      return again.connack!.sessionPresent;
    };
    return {
      kept: await comesBack("kept", {}),
      ended: await comesBack("ended", { properties: { sessionExpiryInterval: 0 } }),
    };
  },
});

exchange("MQTT.js stays connected by its pings alone [MQTT-3.12.4-1]", {
  expected: { isClosed: false, pings: true },
  async run(site) {
    const client = await JsClient.connect(site, { keepalive: 2 });
    await new Promise((resolve) => setTimeout(resolve, 3500));
    const { isClosed } = client;
    await client.end();
    return { isClosed, pings: client.wire.some(({ cmd }) => cmd === "pingresp") };
  },
});

exchange("MQTT.js asks and answers by response topic and correlation data", {
  expected: ["4 for 0", "5 for 1", "6 for 2"],
  async run(site) {
    const responder = await JsClient.connect(site);
    await responder.client.subscribeAsync("ask/length", { qos: 1 });
    responder.client.on("message", (_topic, payload, { properties }) => {
      const { responseTopic, correlationData } = properties!;
      const options = { qos: 1, properties: { correlationData: correlationData! } } as const;
      responder.client.publish(responseTopic!, `${payload.length}`, options);
    });
    const client = await JsClient.connect(site);
    await client.client.subscribeAsync("answers/mine", { qos: 1 });
    for (const [i, text] of ["four", "fives", "sixsix"].entries()) {
      await client.publish("ask/length", text, {
        qos: 1,
        properties: { responseTopic: "answers/mine", correlationData: Buffer.from(`${i}`) },
      });
    }
    await client.receives(3);
    endAll(client, responder);
    return client.packets
      .map(({ payload, properties }) => `${payload} for ${properties?.correlationData}`)
      .sort();
  },
});

function message(text: string, rest: Pick<Received, "retain" | "properties">): Received {
  return { topic: "props", text, qos: 1, ...rest };
}

/** Seconds may have passed. */
function roundExpiry(received: Received): Received {
  const { properties } = received;
  const left = Number(properties?.["messageExpiryInterval"]);
  if (left < 990 || left > 1000) return received;
  return { ...received, properties: { ...properties, messageExpiryInterval: 1000 } };
}
