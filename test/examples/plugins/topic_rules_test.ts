// What the rules allow, and what becomes of a message on its way in.

import { assertEquals } from "@std/assert";
import topicRules from "../../../examples/plugins/topic_rules.ts";
import type { Client, InboundMessage } from "../../../mod.ts";
import { test } from "../../harness.ts";

const NOT_AUTHORIZED = 0x87;

const CLIENT: Client = {
  clientId: "pump",
  username: undefined,
  listener: undefined,
  policyNotes: undefined,
};

function start(options: [string, string][] = []) {
  const lines: string[] = [];
  const plugin = topicRules({
    options: new Map(options),
    persistenceLocation: undefined,
    closing: new AbortController().signal,
    log: (type, text) => void lines.push(`${type}: ${text}`),
    publish: () => true,
  });
  return { ...plugin, lines };
}

test("topic_rules lets a client publish below its own level, and hear of that and of what is public", () => {
  const { publish, deliver } = start([["prefix", "site"]]).authorizer!.rulesFor!(CLIENT);
  const decide = (topic: string): unknown[] => [publish(topic), deliver(topic)];
  assertEquals(
    [
      "site/pump/state",
      "site/pump",
      "site/pumps/state",
      "devices/pump/state",
      "public/news",
      "public",
    ]
      .map(decide),
    [
      [0, 0],
      [NOT_AUTHORIZED, NOT_AUTHORIZED],
      [NOT_AUTHORIZED, NOT_AUTHORIZED],
      [NOT_AUTHORIZED, NOT_AUTHORIZED],
      [NOT_AUTHORIZED, 0],
      [NOT_AUTHORIZED, NOT_AUTHORIZED],
    ],
  );
});

test("topic_rules stamps a JSON object with its sender and the moment, and drops the rest", async () => {
  const { observer, lines } = start();
  const send = async (payload: string | Uint8Array): Promise<InboundMessage | undefined> =>
    await observer!.message!(CLIENT, {
      topic: "devices/pump/state",
      payload: typeof payload === "string" ? new TextEncoder().encode(payload) : payload,
      qos: 1,
      retain: true,
      properties: { contentType: "application/json" },
    });
  const { payload, ...rest } = (await send('{"on":true,"from":"somebody else"}'))!;
  assertEquals(rest, {
    topic: "devices/pump/state",
    qos: 1,
    retain: true,
    properties: { contentType: "application/json" },
  });
  const { at, ...object } = JSON.parse(new TextDecoder().decode(payload));
  assertEquals(object, { on: true, from: "pump" });
  assertEquals(new Date(at).toISOString(), at);
  for (const wrong of ["", "{", "[1]", "null", '"on"', Uint8Array.of(0x7b, 0xff, 0x7d)]) {
    assertEquals(await send(wrong), undefined);
  }
  assertEquals(
    lines,
    Array(6).fill("notice: Client pump published what is no JSON object; dropped."),
  );
});
