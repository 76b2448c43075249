// The webhook against backends of every kind, on real sockets: whatever is not a clear yes is no,
// soon, and without reading or keeping more than it may.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import webhookAuth from "../../../examples/plugins/webhook_auth.ts";
import type { ConnectRequest, Plugin, Verdict } from "../../../mod.ts";
import { type LoadedPlugin, loadPlugins } from "../../../src/auth/load_plugins.ts";
import { test } from "../../harness.ts";
import { until } from "../../support/wait.ts";

const NOT_AUTHORIZED = 0x87;
const SERVER_BUSY = 0x89;

const REQUEST = {
  clientId: "c",
  username: "u",
  password: new TextEncoder().encode("pässword"),
  protocolVersion: 5,
  peer: { remoteAddress: "10.0.0.1", remotePort: 1, localPort: 2 },
} as ConnectRequest;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Runs the body with a backend of that kind and the plugin that asks it. */
async function withBackend(
  handler: Handler,
  body: (
    authenticate: (request?: Partial<ConnectRequest>) => Promise<Verdict>,
    more: { plugin: LoadedPlugin; lines: string[] },
  ) => Promise<void>,
  options: Record<string, string> = {},
): Promise<void> {
  const server: Server = createServer(handler);
  const port = await listen(server);
  const lines: string[] = [];
  const url = `http://127.0.0.1:${port}/login`;
  const [plugin] = await loadPlugins([{
    name: undefined,
    path: "webhook_auth.ts",
    options: new Map(Object.entries({ url, ...options })),
    denySpecialChars: true,
  }], {
    persistenceLocation: undefined,
    importModule: () => Promise.resolve({ default: webhookAuth }),
    log: (type, text) => {
      if (type === "error") lines.push(text);
    },
    publish: () => {},
    openBuiltIn: () => Promise.reject(new Error("Not here")),
  });
  try {
    await body(
      async (request = {}) => await plugin!.authenticator!.authenticate({ ...REQUEST, ...request }),
      { plugin: plugin!, lines },
    );
  } finally {
    await plugin!.close();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function answer(body: string, type = "application/json", status = 200): Handler {
  return (_, response) => void response.writeHead(status, { "content-type": type }).end(body);
}

test("webhook_auth does as the backend says, and tells it who asks", async () => {
  let seen: unknown;
  for (const [result, verdict] of [["allow", 0], ["deny", 0x87], ["ignore", "ignore"]] as const) {
    await withBackend((request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (chunk: string) => text += chunk).on("end", () => {
        seen = [request.method, request.url, request.headers["content-type"], JSON.parse(text)];
        answer(JSON.stringify({ result }), "Application/JSON; charset=utf-8")(request, response);
      });
    }, async (authenticate) => {
      assertEquals(await authenticate(), verdict);
    });
  }
  assertEquals(seen, ["POST", "/login", "application/json", {
    clientId: "c",
    username: "u",
    password: "pässword",
    address: "10.0.0.1",
    protocolVersion: 5,
  }]);
});

test("webhook_auth refuses whatever is not a clear answer, and says so [B-49]", async () => {
  const allow = '{"result":"allow"}';
  const kinds: [name: string, handler: Handler][] = [
    ["status 500", answer(allow, "application/json", 500)],
    ["status 201", answer(allow, "application/json", 201)],
    ["another type", answer(allow, "text/html")],
    ["no type", (_, response) => void response.writeHead(200).end(allow)],
    ["no JSON", answer("{result: allow}")],
    ["nothing", answer("")],
    ["a word", answer('"allow"')],
    ["null", answer("null")],
    ["another member", answer('{"allow":true}')],
    ["another value", answer('{"result":true}')],
    ["no UTF-8", (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(Uint8Array.of(0x7b, 0xff, 0x7d));
    }],
    ["too long an answer", answer(allow + " ".repeat(20_000))],
    ["a reset", (_, response) => void response.socket!.destroy()],
    ["a broken body", (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write(allow);
      setTimeout(() => response.socket!.destroy(), 10);
    }],
    ["a redirect to a backend that allows", (request, response) => {
      if (request.url === "/yes") answer(allow)(request, response);
      else response.writeHead(307, { location: "/yes" }).end();
    }],
  ];
  for (const [name, handler] of kinds) {
    await withBackend(handler, async (authenticate, { lines }) => {
      assertEquals({ name, verdict: await authenticate(), failures: lines.length }, {
        name,
        verdict: NOT_AUTHORIZED,
        failures: 1,
      });
    });
  }
});

test("webhook_auth refuses when the backend is down [B-49]", async () => {
  const server = createServer();
  const port = await listen(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await withBackend(() => {}, async (authenticate, { lines }) => {
    assertEquals([await authenticate(), lines.length], [NOT_AUTHORIZED, 1]);
  }, { url: `http://127.0.0.1:${port}/` });
});

test("webhook_auth does not wait for a backend that is slow, nor for the rest of an answer [B-49]", async () => {
  const silent: Handler = () => {};
  const slow: Handler = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"result":');
  };
  for (const handler of [silent, slow]) {
    await withBackend(handler, async (authenticate, { lines }) => {
      assertEquals([await authenticate(), lines.length], [NOT_AUTHORIZED, 1]);
    }, { timeout: "0.1" });
  }
});

test("webhook_auth reads no more of a gigabyte than it may [B-49]", async () => {
  let written = 0;
  let isOver = false;
  await withBackend((_, response) => {
    response.on("close", () => isOver = true);
    response.writeHead(200, { "content-type": "application/json", "content-length": `${2 ** 30}` });
    const more = (): void => {
      while (written < 2 ** 30 && !isOver) {
        written += 65_536;
        if (!response.write(new Uint8Array(65_536))) return void response.once("drain", more);
      }
    };
    more();
  }, async (authenticate) => {
    assertEquals(await authenticate(), NOT_AUTHORIZED);
    await until(() => isOver, "the backend notices that nobody listens");
  });
  // What the sockets between the two hold.
  assertEquals(written < 2 ** 26, true);
});

test("webhook_auth keeps nobody waiting in line [B-49]", async () => {
  const open: ServerResponse[] = [];
  await withBackend((_, response) => void open.push(response), async (authenticate) => {
    const first = [authenticate(), authenticate()];
    assertEquals(await Promise.all([authenticate(), authenticate()]), [SERVER_BUSY, SERVER_BUSY]);
    await until(() => open.length === 2, "both questions are there");
    for (const response of open.splice(0)) {
      response.writeHead(200, { "content-type": "application/json" }).end('{"result":"allow"}');
    }
    assertEquals(await Promise.all(first), [0, 0]);
    const next = authenticate();
    await until(() => open.length === 1, "there is room again");
    open[0]!.writeHead(200, { "content-type": "application/json" }).end('{"result":"allow"}');
    assertEquals(await next, 0);
  }, { max_pending: "2" });
});

test("webhook_auth leaves its backend when the broker stops", () =>
  withBackend(() => {}, async (authenticate, { plugin }) => {
    const verdict = authenticate();
    await plugin.close();
    assertEquals(await verdict, NOT_AUTHORIZED);
  }));

test("webhook_auth refuses a password that is no text, without asking", async () => {
  let asked = 0;
  await withBackend((...each) => {
    asked++;
    answer('{"result":"allow"}')(...each);
  }, async (authenticate) => {
    assertEquals(await authenticate({ password: Uint8Array.of(0xff) }), NOT_AUTHORIZED);
    assertEquals(asked, 0);
    assertEquals(await authenticate({ username: undefined, password: undefined }), 0);
  });
});

test("webhook_auth does not start with options that make no sense", async () => {
  const start = (options: Record<string, string>): Plugin =>
    webhookAuth({
      options: new Map(Object.entries(options)),
      persistenceLocation: undefined,
      closing: new AbortController().signal,
      log: () => {},
      publish: () => true,
    });
  const url = "http://127.0.0.1/";
  for (
    const options of [
      {},
      { url: "login" },
      { url: "file:///etc/passwd" },
      { url: "http://user:secret@127.0.0.1/" },
      { url, timeout: "0" },
      { url, timeout: "soon" },
      { url, max_pending: "-1" },
      { url, max_pendings: "5" },
    ]
  ) assertThrows(() => start(options));
  const { reload } = start({ url });
  await assertRejects(async () => await reload!(new Map()));
});
