// Which topics are birth certificates, and what is kept of them.

import { assertEquals } from "@std/assert";
import sparkplugAware from "../../../examples/plugins/sparkplug_aware.ts";
import type { Client, HostMessage, InboundMessage } from "../../../mod.ts";
import { test } from "../../harness.ts";

const CLIENT: Client = {
  clientId: "node",
  username: undefined,
  listener: undefined,
  policyNotes: undefined,
};

test("sparkplug_aware keeps births, and only births, and lets every message through", async () => {
  const published: HostMessage[] = [];
  const lines: string[] = [];
  const { observer } = sparkplugAware({
    options: new Map(),
    persistenceLocation: undefined,
    closing: new AbortController().signal,
    log: (type, text) => void lines.push(`${type}: ${text}`),
    publish: (message) => published.push(message) <= 2,
  });
  const births = ["spBv1.0/g/NBIRTH/n", "spBv1.0/g/DBIRTH/n/d", "spBv1.0/g2/NBIRTH/n"];
  const others = [
    "spBv1.0/g/NBIRTH",
    "spBv1.0/g/NBIRTH/n/d",
    "spBv1.0/g/DBIRTH/n",
    "spBv1.0/g/NDATA/n",
    "spBv2.0/g/NBIRTH/n",
    "x/spBv1.0/g/NBIRTH/n",
  ];
  const rest = {
    payload: Uint8Array.of(1, 2),
    qos: 1 as const,
    properties: { contentType: "protobuf" },
  };
  for (const topic of [...births, ...others]) {
    const message: InboundMessage = { topic, ...rest, retain: false };
    assertEquals(await observer!.message!(CLIENT, message), message);
  }
  assertEquals(
    published,
    births.map((topic) => ({
      topic: `$sparkplug/certificates/${topic}`,
      ...rest,
      retain: true,
    })),
  );
  assertEquals(lines, [
    "warning: Too much is going on to keep $sparkplug/certificates/spBv1.0/g2/NBIRTH/n",
  ]);
});
