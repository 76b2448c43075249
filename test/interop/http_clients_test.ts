// A foreign HTTP client, the runtime's own `fetch`, against the HTTP API and its files on a TCP
// listener, and on the port of a WebSocket listener.

import { assertEquals } from "@std/assert";
import { createApi } from "../../src/admin/api.ts";
import { openStaticFiles } from "../../src/admin/static_files.ts";
import { serveHttp } from "../../src/transport/http_connection.ts";
import type { Accept, Transport } from "../../src/transport/transport.ts";
import { withWebSocket } from "../../src/transport/websocket.ts";
import { test } from "../harness.ts";
import { fillPattern, PatternCheck } from "../support/byte_pattern.ts";
import { runtime } from "../support/current_runtime.ts";
import { memoryFiles } from "../support/memory_files.ts";
import { Probe } from "../support/probe.ts";

const large = new Uint8Array(3_000_000);
fillPattern(large, 0);

async function handler() {
  return createApi({
    version: "2.1.0",
    listeners: () => [],
    systree: () => [],
    isAllowed: ({ credentials }) => Promise.resolve(credentials?.username === "ann"),
    files: await openStaticFiles(
      memoryFiles({ files: { "/www/index.html": "<p>", "/www/large.png": large } }),
      "/www",
    ),
  });
}

const OPTIONS = { headBytesMax: 4096 };
const serving: Readonly<Record<string, () => Promise<Accept>>> = {
  "serveHttp()": async () => serveHttp(await handler(), OPTIONS),
  "withWebSocket()": async () =>
    withWebSocket((transport) => new Probe(transport), { ...OPTIONS, http: await handler() }),
};

for (const [name, makeAccept] of Object.entries(serving)) {
  test(`${name} answers the runtime's own fetch`, { timeout: 20_000 }, async () => {
    const accept = await makeAccept();
    const open: Transport[] = [];
    const listener = await runtime.listenTcp({ hostname: "127.0.0.1", port: 0 }, (transport) => {
      open.push(transport);
      return accept(transport);
    });
    const url = `http://127.0.0.1:${listener.port}`;
    const headers = { Authorization: `Basic ${btoa("ann:x")}` };
    try {
      const answers: unknown[] = [];
      for (const path of ["/api/v1/version", "/", "/nothing"]) {
        const response = await fetch(`${url}${path}`, { headers });
        answers.push([response.status, await response.text()]);
      }
      const unknown = await fetch(`${url}/api/v1/version`);
      answers.push([unknown.status, await unknown.text()]);
      const posted = await fetch(url, { method: "POST", headers, body: "x".repeat(1000) });
      answers.push([posted.status, await posted.text()]);
      assertEquals(answers, [
        [200, "2.1.0"],
        [200, "<p>"],
        [404, "Not found."],
        [401, "Not authorised"],
        [405, "Invalid HTTP Method\n"],
      ]);
      const check = new PatternCheck();
      const image = await fetch(`${url}/large.png`, { headers });
      check.add(new Uint8Array(await image.arrayBuffer()));
      assertEquals({ ...check }, { count: large.length, firstWrong: -1 });
      const head = await fetch(`${url}/large.png`, { headers, method: "HEAD" });
      assertEquals([head.headers.get("content-length"), await head.text()], ["3000000", ""]);
    } finally {
      // The client keeps connections for later, and so do we, for a while.
      for (const transport of open) transport.abort();
      await listener.close();
    }
  });
}
